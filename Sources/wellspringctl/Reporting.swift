import ExampleSupport
import Wellspring
import WellspringLog

/// A line on the terminal that tells how far long work has come.
final class Reporting: Sendable {
    private let line: Guarded<ProgressLine>

    init(_ verb: String) {
        line = Guarded(ProgressLine(verb))
    }

    /// What the library is to call.
    var closure: @Sendable (MaintenanceProgress) -> Void {
        { [line] progress in
            let fraction = Double(progress.bytes) / Double(max(1, progress.totalBytes))
            line.withLock { $0.report(Int(clamping: progress.events), fraction: fraction) }
        }
    }

    func clear() { line.withLock { $0.clear() } }
}

/// Output that is written in large pieces.
struct OutputBuffer: ~Copyable {
    private var text = ""
    private static let limit = 64 << 10

    mutating func line(_ line: String) throws {
        text += line
        text += "\n"
        if text.utf8.count >= Self.limit { try flush() }
    }

    mutating func flush() throws {
        guard !text.isEmpty else { return }
        try StandardOutput.write(text)
        text = ""
    }
}

/// How people read what a store holds.
enum Shown {
    /// An event in a line, without its content.
    static func line(_ event: RecordedEvent) -> String {
        var parts = [
            "\(event.position)", "\(event.recordedAt)", event.stream.description.printable,
            "\(event.version)", event.event.name.rawValue.printable,
            event.isRedacted ? "redacted" : "\(event.event.payload.count) bytes",
        ]
        if !event.tags.isEmpty {
            parts.append("[" + event.tags.map(\.rawValue.printable).joined(separator: ", ") + "]")
        }
        return parts.joined(separator: "  ")
    }

    /// The content of an event: text as it is, anything else in hexadecimal digits.
    static func content(_ event: RecordedEvent) -> String {
        guard !event.isRedacted else { return "    (redacted)" }
        let bytes = Array(event.event.payload)
        if event.event.codec == .json, let text = String(validating: bytes, as: UTF8.self) {
            return "    " + text.printable
        }
        return "    " + Hexadecimal.text(bytes)
    }

    /// What to do about a stream that is not there.
    static func hint(toStreamsOf directory: String) -> String {
        "'wellspringctl streams \(directory.printable)' lists those that are."
    }

    /// A size that people can compare.
    static func size(_ bytes: UInt64) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
        var value = bytes
        var rest: UInt64 = 0
        var unit = 0
        while value >= 1_024, unit < units.count - 1 {
            rest = value % 1_024
            value /= 1_024
            unit += 1
        }
        return unit == 0 ? "\(value) bytes" : "\(value).\(rest * 10 / 1_024) \(units[unit])"
    }

    static func positions(_ range: Range<UInt64>) -> String {
        range.upperBound - range.lowerBound == 1
            ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound - 1)"
    }

    /// Positions for a line: the first ones, and how many more there are.
    static func positions(_ ranges: [Range<UInt64>]) -> String {
        let shown = ranges.prefix(10).map(positions).joined(separator: ", ")
        return ranges.count > 10 ? "\(shown) and \(ranges.count - 10) more ranges" : shown
    }
}

/// Bytes as hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes {
            if byte < 16 { text += "0" }
            text += String(byte, radix: 16)
        }
        return text
    }

    /// The bytes that `text` names; `nil` when it does not.
    static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[index..<index + 2], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16), pair.first != "+" else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

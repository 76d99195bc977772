import ExampleSupport
import Foundation
import Wellspring
import WellspringLog

extension ToolCommand {
    static let `import` = ToolCommand(
        Subcommand(
            "import", arguments: ["DIR", "[FILE]"],
            summary: "Makes a new store of an export, read from FILE or standard input.")
    ) { arguments in
        let input: FileHandle
        if arguments.positional.count > 1 {
            let path = arguments.positional[1]
            guard let file = FileHandle(forReadingAtPath: path) else {
                throw Failure("cannot read '\(path.printable)'. Check the path.")
            }
            input = file
        } else {
            input = .standardInput
        }
        var lines = LineReader(input)
        let importer = Importer(try StoreImport(at: arguments.directory))
        do {
            try importer.run(&lines)
        } catch {
            importer.abandon()
            throw Failure(
                "line \(lines.number): \(error). Nothing was imported; remove "
                    + "'\(arguments.directory.printable)' before trying again.")
        }
        try StandardOutput.line(
            "\(importer.eventCount.grouped) events were imported into "
                + "\(arguments.directory.printable).")
    }
}

/// Reads lines of bytes.
struct LineReader {
    private let input: FileHandle
    private var pending: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    /// The number of the last line that was read.
    private(set) var number = 0

    private static let pieceLength = 256 << 10
    /// No line of an export is longer: a payload has at most 8 MiB.
    private static let lineLimit = 128 << 20

    init(_ input: FileHandle) {
        self.input = input
    }

    /// The next line without its line break; `nil` at the end.
    mutating func next() throws -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                number += 1
                return pending[start..<end]
            }
            guard !isAtEnd else {
                guard start == pending.count else {
                    number += 1
                    throw Failure("the line has no end: the export was cut short")
                }
                return nil
            }
            pending.removeFirst(start)
            start = 0
            searched = pending.count
            guard pending.count < Self.lineLimit else { throw Failure("the line is too long") }
            let piece = try input.read(upToCount: Self.pieceLength) ?? Data()
            isAtEnd = piece.isEmpty
            pending += piece
        }
    }
}

/// Makes a store of the lines of an export.
///
/// The store is finished only when its last line has been compared with all before it.
private final class Importer {
    private let store: StoreImport
    private var checksum: UInt32 = 0
    private var events: UInt64 = 0
    private var appends: UInt64 = 0
    /// The append that is being read.
    private var gathered: [RecordedEvent] = []
    private var key: StoreExamination.AppendKey?
    private var progress = ProgressLine("events read")

    init(_ store: StoreImport) {
        self.store = store
    }

    var eventCount: UInt64 { events }

    func abandon() {
        progress.clear()
        store.abandon()
    }

    func run(_ lines: inout LineReader) throws {
        guard let head = try lines.next(), try parse(head).isHead else {
            throw Failure("this is no export, or one of a newer version")
        }
        add(head)
        while let bytes = try lines.next() {
            let line = try parse(bytes)
            if let end = line.end {
                try compare(end)
                guard try lines.next() == nil else { throw Failure("a line after the last one") }
                try store.finish()
                return progress.clear()
            }
            add(bytes)
            try take(line)
        }
        throw Failure("the last line is missing: the export was cut short")
    }

    private func parse(_ bytes: ArraySlice<UInt8>) throws -> ImportedLine {
        do {
            return try StoreImport.decode(ImportedLine.self, from: bytes)
        } catch {
            throw Failure("it is no line of an export")
        }
    }

    private func add(_ bytes: ArraySlice<UInt8>) {
        checksum = bytes.withUnsafeBytes { crc32c(checksum, $0) }
        checksum = crc32c(checksum, [UInt8(ascii: "\n")])
    }

    private func take(_ line: ImportedLine) throws {
        if let hole = line.hole {
            try expectNothingGathered()
            guard hole.first <= hole.last, hole.last < UInt64(Int64.max) else {
                throw Failure("a hole that ends before it begins")
            }
            return try store.hole(hole.first..<hole.last + 1)
        }
        if let key = try line.emptyAppendKey {
            try expectNothingGathered()
            appends += 1
            return try store.append([], key: key)
        }
        if gathered.isEmpty { key = try line.appendKey }
        gathered.append(try line.event())
        guard !line.hasMore else { return }
        try store.append(gathered, key: key)
        events += UInt64(gathered.count)
        appends += 1
        gathered.removeAll(keepingCapacity: true)
        progress.report(Int(clamping: events))
    }

    private func expectNothingGathered() throws {
        guard gathered.isEmpty else { throw Failure("an append that does not end") }
    }

    private func compare(_ end: ImportedLine.End) throws {
        try expectNothingGathered()
        guard end.events == events, end.appends == appends,
            end.lastPosition == store.nextPosition - 1
        else { throw Failure("lines are missing: it tells of other counts than there are") }
        guard end.checksum == ExportFormat.digits(of: checksum) else {
            throw Failure("the checksum is wrong: a line was changed")
        }
    }
}

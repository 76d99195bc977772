import Wellspring

// An export is lines of JSON, each written in one way only, so that equal stores have equal exports:
//
//     {"wellspring":"export","version":1}
//     {"position":1,"stream":"account/ada","version":1,"id":"…","type":"account.opened", …}
//     {"hole":{"first":7,"last":9}}
//     {"append":{"key":"…","fingerprint":"…"}}
//     {"end":{"events":8,"appends":5,"lastPosition":11,"checksum":"1c291ca3"}}
//
// An event has `"more":true` when the next one belongs to the same append; the first event of an
// append that has a key carries `key` and `fingerprint`. An append without events is a line of its
// own. A redacted event has `"redacted":true` in the place of a content. The content is `text` where it is JSON in UTF-8, and `hex` otherwise: never changed, not even
// its white space. Times are nanoseconds since 1970. The checksum is the CRC-32C of all lines before
// the last, line breaks included.

/// How the lines of an export are written.
enum ExportFormat {
    static let version = 1
    static let head = #"{"wellspring":"export","version":1}"#

    static func line(
        _ event: RecordedEvent, key: StoreExamination.AppendKey?, hasMore: Bool
    ) -> String {
        var line = JSONLine()
        line.add("position", event.position.rawValue)
        line.add("stream", event.stream.description)
        line.add("version", event.version.rawValue)
        line.add("id", event.id.description)
        line.add("type", event.event.name.rawValue)
        line.add("schema", UInt64(event.event.schemaVersion))
        line.add("codec", UInt64(event.event.codec.rawValue))
        line.add("recordedAt", event.recordedAt.nanoseconds)
        if event.occurredAt != event.recordedAt {
            line.add("occurredAt", event.occurredAt.nanoseconds)
        }
        if let correlation = event.metadata.correlation {
            line.add("correlation", correlation.description)
        }
        if let causation = event.metadata.causation {
            line.add("causation", causation.description)
        }
        if !event.tags.isEmpty { line.add("tags", event.tags.map(\.rawValue)) }
        if !event.metadata.headers.isEmpty { line.add("headers", event.metadata.headers) }
        if let key { line.add(key) }
        if hasMore { line.add("more", true) }
        guard !event.isRedacted else {
            line.add("redacted", true)
            return line.text
        }
        let bytes = Array(event.event.payload)
        if event.event.codec == .json, let text = String(validating: bytes, as: UTF8.self) {
            line.add("text", text)
        } else {
            line.add("hex", Hexadecimal.text(bytes))
        }
        return line.text
    }

    static func hole(_ positions: Range<UInt64>) -> String {
        #"{"hole":{"first":\#(positions.lowerBound),"last":\#(positions.upperBound - 1)}}"#
    }

    static func emptyAppend(_ key: StoreExamination.AppendKey) -> String {
        var line = JSONLine()
        line.add(key)
        return #"{"append":\#(line.text)}"#
    }

    static func end(
        events: UInt64, appends: UInt64, lastPosition: UInt64, checksum: UInt32
    ) -> String {
        #"{"end":{"events":\#(events),"appends":\#(appends),"lastPosition":"#
            + #"\#(lastPosition),"checksum":"\#(digits(of: checksum))"}}"#
    }

    /// The eight digits of a checksum.
    static func digits(of checksum: UInt32) -> String {
        Hexadecimal.text(
            (0..<4).reversed().map { UInt8(truncatingIfNeeded: checksum >> ($0 * 8)) })
    }
}

/// A JSON object that is written field by field.
struct JSONLine {
    private var fields: [String] = []

    var text: String { "{" + fields.joined(separator: ",") + "}" }

    mutating func add(_ name: String, _ value: UInt64) { fields.append("\"\(name)\":\(value)") }
    mutating func add(_ name: String, _ value: Int64) { fields.append("\"\(name)\":\(value)") }
    mutating func add(_ name: String, _ value: Bool) { fields.append("\"\(name)\":\(value)") }

    mutating func add(_ name: String, _ value: String) {
        fields.append("\"\(name)\":\(Self.quoted(value))")
    }

    mutating func add(_ name: String, _ values: [String]) {
        fields.append("\"\(name)\":[" + values.map(Self.quoted).joined(separator: ",") + "]")
    }

    mutating func add(_ name: String, _ values: [String: String]) {
        let ordered = values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let pairs = ordered.map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
        fields.append("\"\(name)\":{" + pairs.joined(separator: ",") + "}")
    }

    mutating func add(_ key: StoreExamination.AppendKey) {
        add("key", key.key)
        add("fingerprint", Hexadecimal.text(key.fingerprint))
    }

    /// A string as JSON writes it, with escapes only where they must be.
    static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        bytes.reserveCapacity(text.utf8.count + 2)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += Array("\\n".utf8)
            case 0..<0x20, 0x7F: bytes += Array("\\u00\(Hexadecimal.text([byte]))".utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }
}

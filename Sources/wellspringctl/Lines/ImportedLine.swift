import ExampleSupport
import Wellspring

/// A line of an export as it is read.
struct ImportedLine: Decodable {
    struct Hole: Decodable {
        let first: UInt64
        let last: UInt64
    }

    struct Key: Decodable {
        let key: String
        let fingerprint: String
    }

    struct End: Decodable {
        let events: UInt64
        let appends: UInt64
        let lastPosition: UInt64
        let checksum: String
    }

    private let wellspring: String?
    private let position: UInt64?
    private let stream: String?
    private let version: UInt64?
    private let id: String?
    private let type: String?
    private let schema: UInt16?
    private let codec: UInt8?
    private let recordedAt: Int64?
    private let occurredAt: Int64?
    private let correlation: String?
    private let causation: String?
    private let tags: [String]?
    private let headers: [String: String]?
    private let key: String?
    private let fingerprint: String?
    private let more: Bool?
    private let text: String?
    private let hex: String?
    private let redacted: Bool?
    let hole: Hole?
    let append: Key?
    let end: End?

    /// Whether the line says that an export of this form follows.
    var isHead: Bool { wellspring == "export" && version == UInt64(ExportFormat.version) }
    /// Whether the next event belongs to the same append.
    var hasMore: Bool { more == true }

    /// The key of the append that begins with this event.
    var appendKey: StoreExamination.AppendKey? {
        get throws {
            guard let key, let fingerprint else { return nil }
            return try Self.key(key, fingerprint)
        }
    }

    /// The key of an append without events.
    var emptyAppendKey: StoreExamination.AppendKey? {
        get throws { try append.map { try Self.key($0.key, $0.fingerprint) } }
    }

    private static func key(
        _ key: String, _ fingerprint: String
    ) throws -> StoreExamination.AppendKey {
        guard let bytes = Hexadecimal.bytes(fingerprint), bytes.count == 16 else {
            throw Failure("its fingerprint has not 32 hexadecimal digits")
        }
        return StoreExamination.AppendKey(key: key, fingerprint: bytes)
    }

    /// The event of the line.
    func event() throws -> RecordedEvent {
        guard let position, let version, let schema, let codec, let recordedAt else {
            throw Failure("a field of the event is missing")
        }
        guard let stream = stream.flatMap({ StreamID($0) }), let type,
            let id = id.flatMap({ MessageID($0) })
        else { throw Failure("its stream, its id or its type makes no sense") }
        let recorded = Timestamp(nanoseconds: recordedAt)
        let isRedacted = redacted == true
        guard !isRedacted || text == nil && hex == nil && headers == nil else {
            throw Failure("it is redacted and has content")
        }
        let event = RecordedEvent(
            event: EncodedEvent(
                name: EventName(type), payload: isRedacted ? [] : try payload(),
                codec: PayloadCodec(rawValue: codec), schemaVersion: schema),
            id: id, stream: stream, version: StreamVersion(version),
            position: LogPosition(position), recordedAt: recorded,
            occurredAt: occurredAt.map { Timestamp(nanoseconds: $0) },
            tags: (tags ?? []).map { Tag($0) },
            metadata: EventMetadata(
                correlation: try Self.id(correlation), causation: try Self.id(causation),
                headers: headers ?? [:]))
        return isRedacted ? event.redacted() : event
    }

    private func payload() throws -> EventPayload {
        if let text { return EventPayload(utf8: text) }
        guard let bytes = hex.flatMap(Hexadecimal.bytes) else {
            throw Failure("its content is missing")
        }
        return EventPayload(bytes)
    }

    private static func id(_ text: String?) throws -> MessageID? {
        guard let text else { return nil }
        guard let id = MessageID(text) else { throw Failure("'\(text.printable)' is no id") }
        return id
    }
}

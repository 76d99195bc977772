/// An event as the store sees it: a stable name and opaque bytes.
public struct EncodedEvent: Hashable, Sendable {
    /// The name under which the event's type is stored.
    public var name: EventName
    /// The content.
    public var payload: EventPayload
    /// How the content is to be read.
    public var codec: PayloadCodec
    /// Which shape of the type the content has, counted up when the shape changes.
    public var schemaVersion: UInt16

    /// Creates an encoded event.
    public init(
        name: EventName, payload: EventPayload, codec: PayloadCodec = .json,
        schemaVersion: UInt16 = 1
    ) {
        self.name = name
        self.payload = payload
        self.codec = codec
        self.schemaVersion = schemaVersion
    }
}

/// Facts about an event that are not part of the domain.
public struct EventMetadata: Hashable, Sendable {
    /// The message with which the chain of causes began: one id for all that follows from it.
    public var correlation: MessageID?
    /// The message that led directly to this event: the command, or the event reacted to.
    public var causation: MessageID?
    /// Whatever else the application wants to keep: the user, a trace id of another system.
    public var headers: [String: String]

    /// Creates metadata; everything is optional.
    public init(
        correlation: MessageID? = nil, causation: MessageID? = nil, headers: [String: String] = [:]
    ) {
        self.correlation = correlation
        self.causation = causation
        self.headers = headers
    }
}

/// An event together with where and when it was recorded.
public struct Recorded<Event: Sendable>: Sendable {
    /// What happened.
    public let event: Event
    /// Whether the content of the event was taken away, by a scavenge after a truncation or a
    /// redaction.
    ///
    /// A redacted event keeps its place, its id, its times, its causes and its tags. Its payload is
    /// empty, it has no headers, and it cannot be decoded: aggregates and projections pass over it.
    public private(set) var isRedacted = false
    /// The id of the event: given by the caller, or made by the store.
    public let id: MessageID
    /// The stream it belongs to.
    public let stream: StreamID
    /// The version of the stream with this event as its last.
    public let version: StreamVersion
    /// The place of the event in the log.
    public let position: LogPosition
    /// When the store recorded it, by the store's clock, which never goes back.
    public let recordedAt: Timestamp
    /// When it happened in the world, as the caller said; ``recordedAt`` when the caller did not.
    public let occurredAt: Timestamp
    /// The labels by which readers find the event.
    public let tags: [Tag]
    /// Correlation, causation and headers.
    public let metadata: EventMetadata

    /// Creates a recorded event.
    ///
    /// Stores do this, and tests of projections.
    public init(
        event: Event, id: MessageID, stream: StreamID, version: StreamVersion,
        position: LogPosition, recordedAt: Timestamp, occurredAt: Timestamp? = nil,
        tags: [Tag] = [], metadata: EventMetadata = EventMetadata()
    ) {
        self.event = event
        self.id = id
        self.stream = stream
        self.version = version
        self.position = position
        self.recordedAt = recordedAt
        self.occurredAt = occurredAt ?? recordedAt
        self.tags = tags
        self.metadata = metadata
    }

    /// Returns the id of the aggregate whose stream this is.
    public func id<A: Aggregate>(of aggregate: A.Type) -> A.ID { A.ID(stream.key) }

    /// Returns the same record with another form of the event.
    public func map<Other: Sendable, Failure: Error>(
        _ transform: (Event) throws(Failure) -> Other
    ) throws(Failure) -> Recorded<Other> {
        var mapped = Recorded<Other>(
            event: try transform(event), id: id, stream: stream, version: version,
            position: position, recordedAt: recordedAt, occurredAt: occurredAt, tags: tags,
            metadata: metadata)
        mapped.isRedacted = isRedacted
        return mapped
    }
}

extension Recorded: Equatable where Event: Equatable {}
extension Recorded: Hashable where Event: Hashable {}

/// What a store hands out: the record with the event still encoded.
public typealias RecordedEvent = Recorded<EncodedEvent>

extension Recorded where Event == EncodedEvent {
    /// Returns the record with the event decoded.
    ///
    /// - Throws: ``EventCodingError`` when the stored name or content is not one of `type`, or the
    ///   event is redacted.
    public func decoded<E: ReadableEvent>(
        as type: E.Type
    ) throws(EventCodingError) -> Recorded<E> {
        guard !isRedacted else { throw .redacted(event.name) }
        return try map { encoded throws(EventCodingError) in try E(decoding: encoded) }
    }

    /// Returns the record as a scavenge leaves it: without payload and headers, and marked so.
    ///
    /// For tests of what reads events; nothing that is stored changes.
    public func redacted() -> RecordedEvent {
        var metadata = metadata
        metadata.headers = [:]
        var event = event
        event.payload = []
        var redacted = RecordedEvent(
            event: event, id: id, stream: stream, version: version, position: position,
            recordedAt: recordedAt, occurredAt: occurredAt, tags: tags, metadata: metadata)
        redacted.isRedacted = true
        return redacted
    }
}

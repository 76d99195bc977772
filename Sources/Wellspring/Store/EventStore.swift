/// An append-only log of events, kept in streams.
///
/// A store offers four operations, three of which only read and are those of ``EventSource``;
/// everything else in the library is written on top of them. `EventStoreChecks` in the test kit says
/// in executable form what each must guarantee.
///
/// An event has two numbers that never change and are never given out again: its version counts the events
/// of its stream from 1, its position those of the whole log. A stream that was truncated, which a
/// ``TruncatingEventStore`` offers, is read from a later version on; no number changes by it.
///
/// Each operation takes one value. A field added to it later, with a default, breaks neither the
/// stores that others have written nor their callers.
public protocol EventStore: EventSource {
    /// Appends all events of `request`, to all of its streams, or none of them.
    ///
    /// When this returns, the events are as durable as the store promises, visible to every
    /// reader, and at consecutive positions in the order of the request. A cancelled task may
    /// keep an append from starting (``EventStoreError/cancelled``), never from ending.
    ///
    /// - Throws: ``EventStoreError/conflict(_:)`` when a stream is not where the caller believes.
    @discardableResult
    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt
}

/// What the caller believes about a stream at the moment of an append.
///
/// There is no default: to append without a check one has to write `.any`.
public enum ExpectedVersion: Hashable, Sendable {
    /// The stream has no events yet.
    case noStream
    /// The stream holds exactly this many events.
    case exactly(StreamVersion)
    /// The stream has at least one event.
    case exists
    /// The caller does not care.
    case any

    /// Whether a stream at `actual` is what the caller believes it to be.
    public func allows(_ actual: StreamVersion) -> Bool {
        switch self {
        case .noStream: actual == .start
        case .exactly(let version): actual == version
        case .exists: actual > .start
        case .any: true
        }
    }
}

/// An event on its way into the store.
public struct NewEvent: Hashable, Sendable {
    /// Name and content.
    public var event: EncodedEvent
    /// The event's id; the store makes one when there is none.
    public var id: MessageID?
    /// When it happened in the world; the recorded time when it is not said.
    public var occurredAt: Timestamp?
    /// The recorded time of an event that is brought over from elsewhere, in place of the store's
    /// clock.
    public var recordedAt: Timestamp?
    /// Labels for readers.
    public var tags: [Tag]
    /// Correlation, causation and headers.
    public var metadata: EventMetadata

    /// Creates an event to be appended.
    public init(
        _ event: EncodedEvent, id: MessageID? = nil, occurredAt: Timestamp? = nil,
        recordedAt: Timestamp? = nil, tags: [Tag] = [], metadata: EventMetadata = EventMetadata()
    ) {
        self.event = event
        self.id = id
        self.occurredAt = occurredAt
        self.recordedAt = recordedAt
        self.tags = tags
        self.metadata = metadata
    }
}

/// What one append adds to one stream.
public struct StreamWrite: Hashable, Sendable {
    /// The stream.
    public var stream: StreamID
    /// What the caller believes about it.
    public var expected: ExpectedVersion
    /// The events, oldest first.
    ///
    /// None is allowed: then only the belief is checked.
    public var events: [NewEvent]

    /// Creates the part of an append that concerns one stream.
    public init(_ events: [NewEvent], to stream: StreamID, expecting expected: ExpectedVersion) {
        self.stream = stream
        self.expected = expected
        self.events = events
    }
}

/// A condition over what the log holds beyond the streams written to.
///
/// The append fails when an event that matches `filter` was recorded after `position`.
public struct AppendCondition: Hashable, Sendable {
    /// The events that must not have come.
    public var filter: EventFilter
    /// How far the caller has read.
    public var position: LogPosition

    /// Creates the condition that no event matching `filter` came after `position`.
    public init(noneMatching filter: EventFilter, after position: LogPosition) {
        self.filter = filter
        self.position = position
    }
}

/// One atomic append.
public struct AppendRequest: Hashable, Sendable {
    /// What goes where.
    ///
    /// A stream may be named once.
    public var writes: [StreamWrite]
    /// A condition over the log.
    ///
    /// Stores that do not offer it yet refuse a request that has one.
    public var condition: AppendCondition?
    /// Recognises a repetition.
    ///
    /// Stores that do not offer it yet refuse a request that has one.
    public var idempotencyKey: IdempotencyKey?

    /// Creates an append to several streams.
    public init(
        _ writes: [StreamWrite], condition: AppendCondition? = nil,
        idempotencyKey: IdempotencyKey? = nil
    ) {
        self.writes = writes
        self.condition = condition
        self.idempotencyKey = idempotencyKey
    }

    /// Creates an append to one stream.
    public init(_ events: [NewEvent], to stream: StreamID, expecting expected: ExpectedVersion) {
        self.init([StreamWrite(events, to: stream, expecting: expected)])
    }
}

/// Where an append ended up.
public struct AppendReceipt: Hashable, Sendable {
    /// The version of each stream of the request after the append, in the order of the request.
    public let versions: [StreamVersion]
    /// The positions of the events.
    ///
    /// Empty when the request had none.
    public let positions: Range<UInt64>

    /// Creates a receipt.
    ///
    /// Stores do this.
    public init(versions: [StreamVersion], positions: Range<UInt64>) {
        self.versions = versions
        self.positions = positions
    }

    /// The version of the last stream of the request; the only one's where there is one.
    public var version: StreamVersion { versions.last ?? .start }

    /// The position of the last event, or of the end of the log when there was none.
    ///
    /// Hand it to a query to read what was just written.
    public var position: LogPosition { LogPosition(max(positions.upperBound, 1) - 1) }
}

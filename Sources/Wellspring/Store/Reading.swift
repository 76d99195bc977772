/// The direction of a read, with the point where it begins.
public enum ReadOrder<Point: Hashable & Sendable>: Hashable, Sendable {
    /// Oldest first, beginning with what follows `after`.
    case forward(after: Point)
    /// Newest first, beginning with what precedes `before`; `nil` begins at the end.
    case backward(before: Point?)
}

/// When a page is full.
///
/// A page of the log ends with the append that fills it, or with one before, so it may hold more
/// than its limits say by the rest of one append, and may hold less: only ``LogPage/end`` tells how
/// far it goes. A page of a stream holds no more events than its limit says.
public struct ReadLimit: Hashable, Sendable {
    /// The page is full with so many events; values below 1 count as 1.
    public var events: Int {
        didSet { events = max(1, events) }
    }
    /// The page is full with so many bytes of payload; values below 1 count as 1.
    public var bytes: Int {
        didSet { bytes = max(1, bytes) }
    }

    /// Creates a limit.
    ///
    /// Values below 1 count as 1.
    public init(events: Int = 256, bytes: Int = 4 << 20) {
        self.events = max(1, events)
        self.bytes = max(1, bytes)
    }
}

/// A read of one stream.
public struct StreamRead: Hashable, Sendable {
    /// The stream.
    public var stream: StreamID
    /// Where to begin and which way to go.
    public var order: ReadOrder<StreamVersion>
    /// How much to return at most.
    public var limit: ReadLimit

    /// Creates a read of `stream`, from its beginning unless said otherwise.
    public init(
        _ stream: StreamID, _ order: ReadOrder<StreamVersion> = .forward(after: .start),
        limit: ReadLimit = ReadLimit()
    ) {
        self.stream = stream
        self.order = order
        self.limit = limit
    }
}

/// A part of one stream.
public struct StreamPage: Sendable {
    /// The events, in the order of the read.
    public let events: [RecordedEvent]
    /// The version of the whole stream at the moment of the read.
    public let version: StreamVersion
    /// The first version that reads of the stream showed at that moment.
    ///
    /// 1 unless the stream was truncated, and one more than ``version`` where nothing of it is left to
    /// be read. What was folded from an earlier beginning is no fold of the stream any more.
    public let firstVersion: StreamVersion

    /// Creates a page.
    ///
    /// Stores do this.
    public init(
        events: [RecordedEvent], version: StreamVersion,
        firstVersion: StreamVersion = StreamVersion(1)
    ) {
        self.events = events
        self.version = version
        self.firstVersion = firstVersion
    }
}

/// A read of the log that all streams share.
public struct LogRead: Hashable, Sendable {
    /// Where to begin and which way to go.
    public var order: ReadOrder<LogPosition>
    /// What to leave out.
    public var filter: EventFilter
    /// How much to return at most.
    public var limit: ReadLimit

    /// Creates a read of the log.
    public init(
        _ order: ReadOrder<LogPosition> = .forward(after: .start), filter: EventFilter = .all,
        limit: ReadLimit = ReadLimit()
    ) {
        self.order = order
        self.filter = filter
        self.limit = limit
    }
}

/// A part of the log.
public struct LogPage: Sendable {
    /// The events that passed the filter, in the order of the read.
    public let events: [RecordedEvent]
    /// The last position looked at, whether or not its event passed the filter.
    ///
    /// The next read begins here: `.forward(after: page.end)` or `.backward(before: page.end)`.
    /// Equal to where this read began when there was nothing to look at.
    public let end: LogPosition
    /// The last readable position of the log at the moment of the read.
    public let head: LogPosition

    /// Creates a page.
    ///
    /// Stores do this.
    public init(events: [RecordedEvent], end: LogPosition, head: LogPosition) {
        self.events = events
        self.end = end
        self.head = head
    }
}

/// Which events a reader wants.
///
/// What is not asked for is not restricted.
public struct EventFilter: Hashable, Sendable {
    /// The event is in a stream of one of these categories.
    public var categories: Set<StreamCategory>?
    /// The event has one of these names.
    public var names: Set<EventName>?
    /// The event has all of these tags.
    public var tags: Set<Tag>

    /// Creates a filter from everything an event has to fulfil.
    public init(
        categories: Set<StreamCategory>? = nil, names: Set<EventName>? = nil, tags: Set<Tag> = []
    ) {
        self.categories = categories
        self.names = names
        self.tags = tags
    }

    /// Every event.
    public static let all = EventFilter()

    /// Events with one of `names`.
    public static func named(_ names: Set<EventName>) -> EventFilter { EventFilter(names: names) }

    /// Events in streams of `category`.
    public static func category(_ category: StreamCategory) -> EventFilter {
        EventFilter(categories: [category])
    }

    /// Events that carry all of `tags`.
    public static func tagged(_ tags: Tag...) -> EventFilter { EventFilter(tags: Set(tags)) }

    /// Whether an event with these properties passes.
    public func includes(_ event: RecordedEvent) -> Bool {
        if let names, !names.contains(event.event.name) { return false }
        if let categories, !categories.contains(event.stream.category) { return false }
        return tags.allSatisfy { event.tags.contains($0) }
    }
}

// MARK: - Reading as async sequences

extension EventSource {
    /// The events of one stream, read a page at a time as the loop asks for them.
    ///
    /// Ends with the stream as it is when the end is reached.
    public func events(
        in stream: StreamID, after version: StreamVersion = .start, limit: ReadLimit = ReadLimit()
    ) -> StreamEvents {
        StreamEvents(store: self, stream: stream, start: version, limit: limit)
    }

    /// Pages of the shared log, from `position` on; never ends, and waits at the end of the log.
    ///
    /// The sequence pulls: a slow reader falls behind on disk rather than in memory, and catching
    /// up and being live are the same loop. A page may be empty when the filter left nothing of
    /// it; its end still counts.
    public func subscribe(
        after position: LogPosition = .start, filter: EventFilter = .all,
        limit: ReadLimit = ReadLimit()
    ) -> Subscription {
        Subscription(store: self, start: position, filter: filter, limit: limit)
    }

    /// Returns the newest event of a stream, or `nil` when there is none.
    public func lastEvent(of stream: StreamID) async throws(EventStoreError) -> RecordedEvent? {
        let request = StreamRead(stream, .backward(before: nil), limit: ReadLimit(events: 1))
        return try await read(request).events.first
    }
}

/// The events of one stream as a sequence.
///
/// See ``EventSource/events(in:after:limit:)``.
public struct StreamEvents: AsyncSequence, Sendable {
    /// One event.
    public typealias Element = RecordedEvent
    /// What a read can fail with.
    public typealias Failure = EventStoreError

    let store: any EventSource
    let stream: StreamID
    let start: StreamVersion
    let limit: ReadLimit

    /// Begins a pass over the stream.
    public func makeAsyncIterator() -> Iterator { Iterator(sequence: self, last: start) }

    /// One pass over the stream.
    public struct Iterator: AsyncIteratorProtocol {
        let sequence: StreamEvents
        var last: StreamVersion
        var page: ArraySlice<RecordedEvent> = []

        /// Returns the next event, or `nil` at the end of the stream.
        public mutating func next(
            isolation: isolated (any Actor)? = #isolation
        ) async throws(EventStoreError) -> RecordedEvent? {
            if page.isEmpty {
                let request = StreamRead(
                    sequence.stream, .forward(after: last), limit: sequence.limit)
                page = try await sequence.store.read(request).events[...]
            }
            guard let event = page.popFirst() else { return nil }
            last = event.version
            return event
        }
    }
}

/// The log as an endless sequence of pages.
///
/// See ``EventSource/subscribe(after:filter:limit:)``.
public struct Subscription: AsyncSequence, Sendable {
    /// A page of at least one position.
    public typealias Element = LogPage
    /// What a read can fail with.
    public typealias Failure = EventStoreError

    let store: any EventSource
    let start: LogPosition
    let filter: EventFilter
    let limit: ReadLimit

    /// Begins to follow the log.
    public func makeAsyncIterator() -> Iterator { Iterator(sequence: self, last: start) }

    /// One reader's way along the log.
    public struct Iterator: AsyncIteratorProtocol {
        let sequence: Subscription
        var last: LogPosition

        /// Returns the next page, waiting for it at the end of the log.
        public mutating func next(
            isolation: isolated (any Actor)? = #isolation
        ) async throws(EventStoreError) -> LogPage? {
            while true {
                let page = try await sequence.store.read(
                    LogRead(
                        .forward(after: last), filter: sequence.filter, limit: sequence.limit))
                if page.end > last {
                    last = page.end
                    return page
                }
                try await sequence.store.waitForEvents(after: last)
            }
        }
    }
}

@available(*, unavailable)
extension StreamEvents.Iterator: Sendable {}
@available(*, unavailable)
extension Subscription.Iterator: Sendable {}

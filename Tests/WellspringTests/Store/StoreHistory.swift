import Wellspring

/// What clients of a store saw, each on its own: which call began and ended when, with what result.
///
/// `began` and `ended` are readings of one counter that is drawn from at every begin and every end,
/// so two calls followed each other if and only if the numbers say so.
struct StoreHistory: Sendable {
    struct Span: Hashable, Sendable {
        var began: UInt64
        var ended: UInt64
    }

    /// One attempt to append.
    struct Append: Sendable {
        var span: Span
        /// Which append it is; its events carry the number and their place in it.
        var number: Int
        var writes: [Write]
        var outcome: Outcome
    }

    struct Write: Hashable, Sendable {
        var stream: StreamID
        var expected: ExpectedVersion
        var count: Int
    }

    enum Outcome: Hashable, Sendable {
        case stored(positions: Range<UInt64>, versions: [StreamVersion])
        /// The stream begins at this version, by the request at this position: this one, or an earlier
        /// one that went as far.
        case truncated(first: UInt64, position: UInt64)
        case conflict(StreamConflict)
        /// The store said that nothing was stored.
        case notStored
        /// Only the final log can tell.
        case unknown
    }

    /// One page of the log that somebody read.
    struct LogRead: Sendable {
        var span: Span
        var after: UInt64
        var end: UInt64
        var head: UInt64
        var events: [Fact]
    }

    /// One page of a stream that somebody read.
    struct StreamRead: Sendable {
        var span: Span
        var stream: StreamID
        var after: UInt64
        var version: UInt64
        var events: [Fact]
        /// The first version that could be read.
        var first: UInt64 = 1
    }

    /// A request to have a stream begin later, as it is in the log.
    struct Truncation: Hashable, Sendable {
        var position: UInt64
        var stream: StreamID
        var before: UInt64
    }

    /// One event, by where it is and which append it came from.
    struct Fact: Hashable, Sendable {
        var position: UInt64
        var stream: StreamID
        var version: UInt64
        var append: Int
        var place: Int
    }

    var appends: [Append] = []
    var logReads: [LogRead] = []
    var streamReads: [StreamRead] = []
    /// The whole log as it was in the end.
    var log: [Fact] = []
    /// All requests to have streams begin later, in the order of the log.
    var truncations: [Truncation] = []
}

extension StoreHistory.Truncation {
    /// All requests in a log.
    static func all(in log: [RecordedEvent]) throws -> [Self] {
        try log.filter { $0.stream.category == .truncation }.map { event in
            let request = try StreamTruncation(event)
            return Self(
                position: event.position.rawValue, stream: request.stream,
                before: request.before.rawValue)
        }
    }
}

extension StoreHistory {
    /// How many calls were written down.
    var count: Int { appends.count + logReads.count + streamReads.count }
}

extension StoreHistory.Fact {
    /// Reads what `event(_:_:)` wrote, or which command an event came from.
    init(_ event: RecordedEvent) {
        let command = event.metadata.causation.flatMap { $0.high == Self.ofCommand ? $0 : nil }
        self.init(
            position: event.position.rawValue, stream: event.stream,
            version: event.version.rawValue,
            append: Int(truncatingIfNeeded: command?.low ?? event.id.high),
            place: command == nil ? Int(truncatingIfNeeded: event.id.low) : 0)
    }

    /// The first half of the ids of commands that a history follows; the other is their number.
    static let ofCommand: UInt64 = 0xC0_4D

    /// An event that says in its id which append it belongs to.
    static func event(append: Int, place: Int) -> NewEvent {
        NewEvent(
            EncodedEvent(name: "fact", payload: EventPayload(utf8: "\(append)/\(place)")),
            id: MessageID(high: UInt64(append), low: UInt64(place)))
    }
}

extension ExpectedVersion {
    /// Whether the belief is true: said once more, so that nobody is judged by their own words.
    func holds(at actual: StreamVersion) -> Bool {
        switch self {
        case .any: true
        case .noStream: actual.rawValue == 0
        case .exists: actual.rawValue != 0
        case .exactly(let expected): expected.rawValue == actual.rawValue
        }
    }
}

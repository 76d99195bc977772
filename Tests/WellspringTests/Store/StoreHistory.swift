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

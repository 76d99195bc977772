/// What a decision rests on: an aggregate as it was loaded, or as the last command left it.
///
/// Kept between commands, it is a starting point and never an answer: ``CommandStore`` asks the
/// store what came since before anything is decided on it.
struct Basis<A: Aggregate>: Sendable {
    private(set) var version = StreamVersion.start
    /// The first version of the stream that was read; those before it are cut off.
    private(set) var firstVersion = StreamVersion(1)
    /// The place of the last event; `nil` when it is not known yet.
    private(set) var position: LogPosition? = .start
    /// The last event; `nil` when the store gave it its id.
    private(set) var lastID: MessageID?
    /// Of the epoch in which all of it was in the store.
    var mark: QueueMark
    /// Comes last, for the places of the others are then the same for every aggregate.
    private(set) var state = A()

    init(mark: QueueMark) {
        self.mark = mark
    }

    /// The aggregate after events that were just accepted.
    init(after basis: Basis, state: A, events: [NewEvent]) {
        self.state = state
        version = StreamVersion(basis.version.rawValue + UInt64(events.count))
        firstVersion = basis.firstVersion
        position = nil
        lastID = events.last?.id
        mark = basis.mark
    }

    /// Has the fold begin where the stream does; `false` when it began elsewhere.
    ///
    /// Another beginning would have led to another state.
    mutating func begins(at first: StreamVersion) -> Bool {
        if version < firstVersion {
            // Nothing is folded yet.
            firstVersion = first
            version = first.predecessor
        }
        return first == firstVersion
    }

    mutating func take(_ recorded: RecordedEvent) throws(LoadFailure) {
        if let event = try recorded.decodedEvent(as: A.Event.self) { state.apply(event) }
        version = recorded.version
        position = recorded.position
        lastID = recorded.id
    }
}

/// A basis on its way from command to command.
///
/// An object, so that passing it on costs the same whatever the aggregate holds.
final class KeptBasis<A: Aggregate>: Sendable {
    let basis: Basis<A>

    init(_ basis: Basis<A>) { self.basis = basis }
}

extension StreamVersion {
    /// The version before the last event.
    var predecessor: StreamVersion { StreamVersion(max(rawValue, 1) - 1) }
}

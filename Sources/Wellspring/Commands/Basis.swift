/// Where an aggregate stands in its stream.
struct Standing: Sendable {
    fileprivate(set) var version = StreamVersion.start
    /// The first version of the stream that was read; those before it are cut off.
    fileprivate(set) var firstVersion = StreamVersion(1)
    /// The place of the last event; `nil` when it is not known yet.
    fileprivate(set) var position: LogPosition? = .start
    /// The last event; `nil` when the store gave it its id.
    fileprivate(set) var lastID: MessageID?
    /// Of the epoch in which all of it was in the store.
    var mark: QueueMark

    init(mark: QueueMark) {
        self.mark = mark
    }

    /// Where the aggregate stands once `events` are accepted.
    fileprivate func followed(by events: [NewEvent]) -> Standing {
        var next = self
        next.version = StreamVersion(version.rawValue + UInt64(events.count))
        next.position = nil
        next.lastID = events.last?.id
        return next
    }
}

/// What a decision rests on: an aggregate while it is folded.
struct Basis<A: Aggregate>: Sendable {
    var standing: Standing
    private(set) var state: A

    /// The aggregate before its first event.
    init(mark: QueueMark) {
        standing = Standing(mark: mark)
        state = A()
    }

    init(_ kept: KeptAggregate<A>) {
        standing = kept.standing
        state = kept.state
    }

    /// Has the fold begin where the stream does; `false` when it began elsewhere.
    ///
    /// Another beginning would have led to another state.
    mutating func begins(at first: StreamVersion) -> Bool {
        if standing.version < standing.firstVersion {
            // Nothing is folded yet.
            standing.firstVersion = first
            standing.version = first.predecessor
        }
        return first == standing.firstVersion
    }

    mutating func take(_ recorded: RecordedEvent) throws(LoadFailure) {
        if let event = try recorded.decodedEvent(as: A.Event.self) { state.apply(event) }
        standing.version = recorded.version
        standing.position = recorded.position
        standing.lastID = recorded.id
    }
}

/// An aggregate as it was loaded, or as the last command left it, on its way from command to
/// command.
///
/// Kept between commands, it is a starting point and never an answer: ``CommandStore`` asks the
/// store what came since before anything is decided on it. An object, so that passing it on costs
/// the same whatever the aggregate holds.
@usableFromInline
class KeptBasis: @unchecked Sendable {
    // SAFETY: neither this class nor the one that inherits from it, which is final, has anything
    // but constants of types that are Sendable.
    let standing: Standing

    init(_ standing: Standing) { self.standing = standing }

    /// What follows from `earlier` once `events` are accepted.
    @usableFromInline
    init(after earlier: KeptBasis, events: [NewEvent]) {
        standing = earlier.standing.followed(by: events)
    }
}

/// A basis with the state, which only those look at who know the aggregate's type.
@usableFromInline
final class KeptAggregate<A: Aggregate>: KeptBasis, @unchecked Sendable {
    // SAFETY: as above; an aggregate is Sendable.
    @usableFromInline let state: A

    init(_ basis: Basis<A>) {
        state = basis.state
        super.init(basis.standing)
    }

    @inlinable
    init(_ state: A, after earlier: KeptBasis, events: [NewEvent]) {
        self.state = state
        super.init(after: earlier, events: events)
    }
}

extension StreamVersion {
    /// The version before the last event.
    var predecessor: StreamVersion { StreamVersion(max(rawValue, 1) - 1) }
}

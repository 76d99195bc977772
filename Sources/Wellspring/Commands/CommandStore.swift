/// The bus's way to its store: through the queued head where the store has one.
///
/// With a ``QueuedHeadStore`` a decision may rest on events that are not durable yet. It is then
/// answered only after ``settle(_:)``. Other stores show only what is durable, and everything
/// rests on solid ground.
@usableFromInline
struct CommandStore: Sendable {
    private let store: any EventStore
    private let queued: (any QueuedHeadStore)?

    /// Whether decisions may rest on events that are not durable yet.
    var hasQueue: Bool { queued != nil }

    init(_ store: some EventStore) {
        self.store = store
        queued = store as? any QueuedHeadStore
    }

    /// Folds the stream of an aggregate, queued events included.
    ///
    /// An earlier basis is only where to start: what came since is read, and when it is no
    /// beginning of the stream any more, everything is.
    @usableFromInline
    func load<A: Aggregate>(
        _ stream: StreamID, continuing earlier: KeptAggregate<A>?
    ) async throws(LoadFailure) -> KeptAggregate<A> {
        if let earlier, let continued = try await fold(stream, onto: Basis(earlier)) {
            return KeptAggregate(continued)
        }
        while true {
            if let basis = try await fold(stream, onto: Basis<A>(mark: mark())) {
                return KeptAggregate(basis)
            }
        }
    }

    /// The mark by which an earlier basis holds now, when nothing came since; a look at the queue
    /// tells.
    func confirm(_ earlier: Standing, of stream: StreamID) -> QueueMark? {
        // Where the look fails, reading the stream does too, and says why.
        guard let queued, let now = try? queued.queuedStream(stream),
            now.version == earlier.version,
            now.mark.epoch == earlier.mark.epoch,
            now.firstVersion == earlier.firstVersion
        else { return nil }
        return now.mark
    }

    /// Takes in what came after the basis; `nil` when the basis is not how the stream begins.
    private func fold<A: Aggregate>(
        _ stream: StreamID, onto earlier: Basis<A>
    ) async throws(LoadFailure) -> Basis<A>? {
        var basis = earlier
        // Without epochs, the last event of the basis has to be there still, and to be the same.
        var isProven = hasQueue || basis.standing.version == .start
        while true {
            let last = basis.standing.version
            let start = isProven ? last : last.predecessor
            let (page, mark) = try await readPage(of: stream, after: start)
            guard mark.epoch == basis.standing.mark.epoch, basis.begins(at: page.firstVersion)
            else { return nil }
            basis.standing.mark = mark
            var events = page.events[...]
            if !isProven {
                guard let lastID = basis.standing.lastID, events.popFirst()?.id == lastID else {
                    return nil
                }
                isProven = true
            }
            for recorded in events { try basis.take(recorded) }
            // A page that held no more than the proof says nothing of what comes after it.
            if page.events.isEmpty || basis.standing.version >= page.version { return basis }
        }
    }

    /// The place of the last event of a basis; `nil` when the basis does not hold any more.
    func position(
        of basis: Standing, in stream: StreamID
    ) async throws(LoadFailure) -> LogPosition? {
        if let position = basis.position { return position }
        let (page, mark) = try await readPage(
            of: stream, after: basis.version.predecessor, limit: ReadLimit(events: 1))
        guard mark.epoch == basis.mark.epoch, let last = page.events.first,
            last.version == basis.version
        else { return nil }
        return last.position
    }

    private func readPage(
        of stream: StreamID, after version: StreamVersion, limit: ReadLimit = ReadLimit()
    ) async throws(LoadFailure) -> (StreamPage, QueueMark) {
        let request = StreamRead(stream, .forward(after: version), limit: limit)
        do {
            guard let queued else {
                return (try await store.read(request), QueueMark(position: .start, epoch: 0))
            }
            let (page, mark) = try await queued.readQueued(request)
            return (page, mark)
        } catch {
            throw .store(error)
        }
    }

    /// Appends what was decided on the ground of `mark`, where there is a queue; `nil` elsewhere.
    ///
    /// Returns as soon as the order of appends is settled, which may be long before the append is
    /// durable.
    ///
    /// - Throws: ``EventStoreError/notStored(reason:)`` when some of what `mark` stands for was
    ///   taken back.
    func enqueue(
        _ request: AppendRequest, basedOn mark: QueueMark
    ) throws(EventStoreError) -> PendingAppend? {
        try queued?.enqueue(request, basedOn: mark)
    }

    /// Appends what was decided, where there is no queue.
    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await store.append(request)
    }

    /// Returns `true` once what `mark` stands for is durable, `false` when it was taken back.
    func settle(_ mark: QueueMark) async throws(EventStoreError) -> Bool {
        guard let queued else { return true }
        return try await queued.settle(mark)
    }

    /// The point up to which a conflict just reported may rest on queued events.
    func mark() -> QueueMark {
        queued?.mark() ?? QueueMark(position: .start, epoch: 0)
    }
}

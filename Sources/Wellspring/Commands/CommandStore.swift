/// The bus's way to its store: through the queued head where the store has one.
///
/// With a ``QueuedHeadStore`` a decision may rest on events that are not durable yet. It is then
/// answered only after ``settle(_:)``. Other stores show only what is durable, and everything
/// rests on solid ground.
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
    /// With a basis from a moment ago only what came since is read.
    func load<A: Aggregate>(
        _ stream: StreamID, continuing earlier: Basis<A>?
    ) async throws(LoadFailure) -> Basis<A> {
        var basis = earlier ?? Basis(mark: mark())
        while true {
            let (page, mark) = try await readPage(of: stream, after: basis.version)
            if mark.epoch != basis.mark.epoch {
                // Some of what was folded may have been taken back.
                basis = Basis(mark: mark)
                continue
            }
            basis.mark = mark
            for recorded in page.events { try basis.take(recorded) }
            if page.events.isEmpty || basis.version >= page.version { return basis }
        }
    }

    private func readPage(
        of stream: StreamID, after version: StreamVersion
    ) async throws(LoadFailure) -> (StreamPage, QueueMark) {
        let request = StreamRead(stream, .forward(after: version))
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

    /// Appends what was decided on the ground of `mark`.
    ///
    /// Returns as soon as the order of appends is settled, which may be long before the append is
    /// durable.
    ///
    /// - Throws: ``EventStoreError/notStored(reason:)`` when some of what `mark` stands for was
    ///   taken back.
    func append(
        _ request: AppendRequest, basedOn mark: QueueMark
    ) async throws(EventStoreError) -> PendingAppend {
        if let queued { return try queued.enqueue(request, basedOn: mark) }
        let receipt = try await store.append(request)
        return PendingAppend { () async throws(EventStoreError) in receipt }
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

/// What a decision rests on: an aggregate as it was loaded.
struct Basis<A: Aggregate>: Sendable {
    private(set) var state = A()
    private(set) var version = StreamVersion.start
    /// The place of the last event; `nil` when it is not known yet.
    private(set) var position: LogPosition? = .start
    var mark: QueueMark

    init(mark: QueueMark) {
        self.mark = mark
    }

    /// The aggregate after events that were just accepted.
    init(after basis: Basis, count: Int, state: A) {
        self.state = state
        version = StreamVersion(basis.version.rawValue + UInt64(count))
        position = nil
        mark = basis.mark
    }

    mutating func take(_ recorded: RecordedEvent) throws(LoadFailure) {
        state.apply(try recorded.decodedEvent(as: A.Event.self))
        version = recorded.version
        position = recorded.position
    }
}

import WellspringLog

/// Keeps one projection up to date with the log, and answers questions about it.
///
/// ``run()`` does the work and lasts until its task is cancelled; everything else may be called
/// from anywhere at any time.
///
/// ```swift
/// let balances = ProjectionRunner(Balances.self, from: store)
/// try await withRunning(balances) {
///     let receipt = try await bus.send(Deposit(cents: 70), to: id)
///     let cents = try await balances.ask(BalanceOf(account: id), after: receipt.position)
/// }
/// ```
///
/// A projection that cannot take an event in stops, alone, and says why; it never leaves the event
/// out. Its model then holds everything before the append with that event.
public final class ProjectionRunner<P: Projection>: Runnable, PreparesToRun {
    let store: any EventSource
    let clock: any Clock<Duration>
    let now: @Sendable () -> Timestamp
    let onNotice: @Sendable (ProjectionNotice) -> Void
    let progress = Guarded(ProjectionProgress<P>())
    let keeper: ProjectionKeeper<P>?
    let pages: PageReader<P.Event>

    /// Creates a runner of a projection that lives in memory and replays the log on every start.
    ///
    /// - Parameters:
    ///   - type: The projection.
    ///   - store: The log.
    ///   - clock: Measures how long a question may wait.
    ///   - now: What time it is, for ``status``.
    ///   - onNotice: Is told what an operator wants to know. Called between two pages; keep it
    ///     short.
    public init(
        _ type: P.Type = P.self, from store: some EventSource,
        clock: any Clock<Duration> = ContinuousClock(),
        now: @escaping @Sendable () -> Timestamp = { .now },
        onNotice: @escaping @Sendable (ProjectionNotice) -> Void = { _ in }
    ) {
        self.store = store
        self.clock = clock
        self.now = now
        self.onNotice = onNotice
        keeper = nil
        pages = PageReader(store: store, plan: .standard)
    }

    /// Creates a runner of a projection that saves its state and resumes from there.
    ///
    /// The state is saved when replaying would cost more than saving, and when ``run()`` ends, unless
    /// the store failed. State of another revision, or that cannot be read, is discarded and the log
    /// replayed.
    ///
    /// - Parameters:
    ///   - type: The projection.
    ///   - store: The log.
    ///   - checkpoints: Keeps the state.
    ///   - clock: Measures how long a question may wait.
    ///   - now: What time it is, for ``status``.
    ///   - onNotice: Is told what an operator wants to know. Called between two pages; keep it
    ///     short.
    public init(
        _ type: P.Type = P.self, from store: some EventSource,
        checkpoints: some CheckpointStore,
        clock: any Clock<Duration> = ContinuousClock(),
        now: @escaping @Sendable () -> Timestamp = { .now },
        onNotice: @escaping @Sendable (ProjectionNotice) -> Void = { _ in }
    ) where P: Codable {
        self.store = store
        self.clock = clock
        self.now = now
        self.onNotice = onNotice
        keeper = ProjectionKeeper(checkpoints)
        pages = PageReader(store: store, plan: .standard)
    }

    /// Creates a runner that reads and decodes in other portions.
    package init(
        _ type: P.Type = P.self, from store: some EventSource, plan: DecodingPlan,
        checkpoints: some CheckpointStore, clock: any Clock<Duration>,
        onNotice: @escaping @Sendable (ProjectionNotice) -> Void = { _ in }
    ) where P: Codable {
        self.store = store
        self.clock = clock
        now = { .now }
        self.onNotice = onNotice
        keeper = ProjectionKeeper(checkpoints)
        pages = PageReader(store: store, plan: plan)
    }

    /// Follows the log until the task is cancelled, then saves the state and returns.
    ///
    /// Also returns when the projection cannot take an event in; ``status`` says why, and so does
    /// every question. May be run again after it ended.
    ///
    /// - Throws: ``EventStoreError`` when the log cannot be read, ``ProjectionFailure/busy`` when
    ///   the runner runs already.
    public func run() async throws {
        guard progress.withLock({ $0.beginRun() }) else { throw ProjectionFailure.busy }
        let reason = await follow()
        let stop = ProjectionStop(projection: P.name, position: position, reason: reason)
        for waiter in progress.withLock({ $0.stop(stop) }) { waiter.resume() }
        onNotice(.stopped(stop))
        await saveAtEnd(after: reason)
        progress.withLock { $0.endRun() }
        if case .store(let error) = reason { throw error }
    }

    func prepareToRun() { progress.withLock { $0.prepareRun() } }

    /// Replays the whole log into a new model and swaps it in.
    ///
    /// Until then questions are answered by the old model; none sees a half. Works whether or not
    /// the runner runs. A rebuild that fails or is cancelled changes nothing.
    ///
    /// - Returns: The position at which the new model took over.
    @discardableResult
    public func rebuild() async throws(ProjectionFailure) -> LogPosition {
        guard progress.withLock({ $0.beginRebuild() }) else { throw .busy }
        defer { progress.withLock { $0.endRebuild() } }
        let position = try await replayAndSwap()
        onNotice(.rebuilt(position))
        await saveToTheEnd()
        return position
    }

    /// What the projection is doing.
    public var state: ProjectionState { progress.withLock { $0.state } }

    /// The last position that the model has taken in.
    public var position: LogPosition { progress.withLock { $0.position } }

    /// Returns the model as it is now, whatever the runner is doing, with its position.
    public func snapshot() -> (model: P, position: LogPosition) {
        progress.withLock { ($0.model, $0.position) }
    }

    func resume(_ waiters: [ProjectionProgress<P>.Waiter]) {
        for waiter in waiters { waiter.resume() }
    }
}

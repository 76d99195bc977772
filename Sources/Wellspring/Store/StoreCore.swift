import WellspringLog

/// The one implementation of what a store does, over either log.
///
/// Callers decide under the lock and act outside it. At most one of them, or the store's own
/// thread, is at work on the log at any moment; the others queue, and share its sync.
final class StoreCore: Sendable {
    let state: Guarded<CoreState>
    let log: any EventLog
    private let ids: Guarded<MessageIDGenerator>
    private let clock: @Sendable () -> Timestamp
    /// Whether a caller may do the sync itself when nobody else waits.
    private let mayLead: Bool
    /// The store's own thread; absent where commits are instant.
    let worker: Guarded<(any LogWorker)?>
    private let onNotice: @Sendable (StoreNotice) -> Void
    let plantedFault: PlantedFault?

    /// One sync covers at most this much.
    private static let groupBytes = 4 << 20
    private static let groupAppends = 4_096

    init(
        log: any EventLog, state: CoreState, seed: UInt64, mayLead: Bool,
        clock: @escaping @Sendable () -> Timestamp, plantedFault: PlantedFault? = nil,
        onNotice: @escaping @Sendable (StoreNotice) -> Void
    ) {
        self.log = log
        var state = state
        state.plantedFault = plantedFault
        self.state = Guarded(state)
        self.ids = Guarded(MessageIDGenerator(seed: seed))
        self.clock = clock
        self.mayLead = mayLead
        self.worker = Guarded(nil)
        self.onNotice = onNotice
        self.plantedFault = plantedFault
    }

    /// Gives the store its thread.
    ///
    /// To be called once, before the first append.
    func start(_ makeWorker: (@escaping @Sendable (WorkerSignal) -> Void) -> any LogWorker) {
        let started = makeWorker { [weak self] signal in self?.work(on: signal) }
        worker.withLock { $0 = started }
    }
}

// MARK: - Appending

extension StoreCore {
    /// Appends, and reports a lost race only once the winner is there to be read.
    ///
    /// The loser would otherwise load the stream again without the winner's events, and lose again;
    /// or it would be told of events that are taken back in the end.
    func append(
        _ request: AppendRequest, for purpose: AppendPurpose = .user
    ) async throws(EventStoreError) -> AppendReceipt {
        while true {
            switch try decide(request, for: purpose, basedOn: nil) {
            case .accepted(let ticket): return try await receipt(for: ticket)
            case .lost(let conflict, let mark):
                if plantedFault == .reportConflictEarly { throw .conflict(conflict) }
                if try await settle(mark) { throw .conflict(conflict) }
            }
        }
    }

    /// Accepts an append; somebody has to wait on the ticket for it to be committed.
    func enqueue(
        _ request: AppendRequest, for purpose: AppendPurpose = .user,
        basedOn mark: QueueMark? = nil
    ) throws(EventStoreError) -> AppendTicket {
        switch try decide(request, for: purpose, basedOn: mark) {
        case .accepted(let ticket): return ticket
        case .lost(let conflict, _): throw .conflict(conflict)
        }
    }

    private enum Decision {
        case accepted(AppendTicket)
        /// The race was lost, perhaps to events that are not durable yet.
        case lost(StreamConflict, QueueMark)
    }

    private enum Attempt {
        case decided(Decision)
        /// These have to be looked up first.
        case needs([UnknownStream])
    }

    private func decide(
        _ request: AppendRequest, for purpose: AppendPurpose, basedOn mark: QueueMark?
    ) throws(EventStoreError) -> Decision {
        guard !Task.isCancelled else { throw .cancelled }
        try checkNotForked()
        let bytes = try request.validated(for: purpose)
        let now = clock()
        var extents: [(stream: UnknownStream, extent: StreamExtent)] = []
        while true {
            let known = extents
            let (attempt, wakeups) = try state.withLock {
                state throws(EventStoreError) -> (Attempt, [Wakeup]) in
                if let end = state.end { throw end.error }
                if let mark, mark.epoch != state.epoch, plantedFault != .decideOnTakenBack {
                    throw .notStored(reason: "what it was decided on was taken back")
                }
                state.learn(known)
                guard let heads = state.heads(of: request) else {
                    return (.needs(state.unknownStreams(of: request)), [])
                }
                defer { state.heads.trim() }
                if plantedFault != .skipVersionCheck,
                    let conflict = state.conflict(with: request, heads)
                {
                    return (.decided(.lost(conflict, state.mark)), [])
                }
                let ticket = ids.withLock { ids in
                    state.accept(
                        request, heads, for: purpose, bytes: bytes, now: now, ids: &ids)
                }
                let wakeups = log.isInstant ? state.commitInstantly(to: log) : []
                return (.decided(.accepted(ticket)), wakeups)
            }
            for wakeup in wakeups { wakeup.resume() }
            switch attempt {
            case .decided(let decision): return decision
            case .needs(let streams):
                extents = []
                for stream in streams {
                    extents.append((stream, try extentToAppend(to: stream)))
                }
            }
        }
    }

    private func extentToAppend(
        to unknown: UnknownStream
    ) throws(EventStoreError) -> StreamExtent {
        do {
            return try log.extent(of: unknown.stream, through: unknown.visible)
        } catch {
            guard case .io = error else { throw error }
            throw .notStored(reason: "the version of \(unknown.stream) cannot be read: \(error)")
        }
    }

    /// Finds a stream that is not in memory.
    ///
    /// Outside the lock, because the log may have to read for it.
    func lookUp(_ unknown: UnknownStream) throws(EventStoreError) {
        let extent = try log.extent(of: unknown.stream, through: unknown.visible)
        state.withLock { state in
            state.learn([(unknown, extent)])
            state.heads.trim()
        }
    }

    /// Waits until an accepted append is settled, and does the work itself when nobody else is at
    /// it.
    ///
    /// Not cut short by cancellation.
    func receipt(for ticket: AppendTicket) async throws(EventStoreError) -> AppendReceipt {
        switch claim(ticket) {
        case .settled(let result): return try result.get()
        case .leads:
            commitOnce()
            if let result = state.withLock({ _ in ticket.outcome }) { return try result.get() }
        case .wakesWorker: wakeWorker()
        case .waits: break
        }
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<AppendReceipt, EventStoreError>, Never>) in
            let settled = state.withLock { _ in ticket.wait(continuation) }
            if let settled { continuation.resume(returning: settled) }
        }
        return try result.get()
    }

    private enum Claim {
        case settled(Result<AppendReceipt, EventStoreError>)
        case leads, wakesWorker, waits
    }

    private func claim(_ ticket: AppendTicket) -> Claim {
        // Leading blocks a thread of the pool for the length of a sync: only for work that
        // matters, and only when nobody else wants one.
        let canLead = mayLead && Task.currentPriority >= .medium
        return state.withLock { state in
            if case .settled(let result) = ticket.state { return .settled(result) }
            guard !state.isCommitting, !state.pending.isEmpty else { return .waits }
            state.isCommitting = true
            return canLead && state.pending.count == 1 ? .leads : .wakesWorker
        }
    }

    func wakeWorker() {
        worker.withLock { $0 }?.wake()
    }
}

extension CoreState {
    /// Commits and publishes everything pending to a log that does no I/O.
    fileprivate mutating func commitInstantly(to log: any EventLog) -> [Wakeup] {
        let group = takeGroup(bytes: .max, appends: .max)
        do {
            try log.commit(group)
            return publish()
        } catch {
            return takeBack(inFlight: .closed, pending: .closed)
        }
    }
}

// MARK: - Committing

extension StoreCore {
    /// One group, then the worker takes over if more has come.
    ///
    /// The caller has set `isCommitting`.
    private func commitOnce() {
        commitGroup()
        if hasMoreWork() { wakeWorker() } else { keepHouse() }
    }

    /// The body of the store's thread.
    private func work(on signal: WorkerSignal) {
        switch signal {
        case .woken:
            repeat { commitGroup() } while hasMoreWork()
        case .timer:
            state.withLock { $0.isTimerDue = true }
        }
        keepHouse()
    }

    /// Whether there is more to do; when not, the right to commit is given back.
    private func hasMoreWork() -> Bool {
        state.withLock { state in
            state.isCommitting = state.hasWork
            return state.isCommitting
        }
    }

    private func commitGroup() {
        let group = state.withLock {
            $0.takeGroup(bytes: Self.groupBytes, appends: Self.groupAppends)
        }
        if plantedFault == .publishBeforeSync { settle(nil) }
        var failure: CommitFailure?
        if !group.isEmpty {
            do { try log.commit(group) } catch {
                failure = plantedFault == .ignoreFailedCommit ? nil : error
            }
        }
        settle(failure)
        serveRequests()
    }

    /// Publishes the group in flight, or takes it back.
    private func settle(_ failure: CommitFailure?) {
        let wakeups: [Wakeup]
        if let failure {
            let lastDurable = LogPosition(log.durablePosition)
            wakeups = state.withLock { $0.settle(failure, lastDurable: lastDurable) }
            onNotice(StoreNotice(failure, lastDurable: lastDurable))
        } else {
            wakeups = state.withLock { $0.publish() }
        }
        for wakeup in wakeups { wakeup.resume() }
    }

    /// Syncs and closes for those who asked.
    private func serveRequests() {
        let (syncs, closes) = state.withLock { ($0.takeDueSyncs(), $0.isDueToClose) }
        if !syncs.isEmpty {
            let error = syncNow()
            for request in syncs { request.continuation.resume(returning: error) }
        }
        if closes { closeNow() }
    }

    private func closeNow() {
        do {
            try log.close()
            onNotice(.closed(reason: nil))
        } catch {
            onNotice(.closed(reason: error.reason))
        }
        let closers = state.withLock { $0.release() }
        for closer in closers { closer.resume() }
    }

    private func syncNow() -> EventStoreError? {
        if let end = state.withLock({ $0.end }), case .poisoned = end { return end.error }
        do {
            try log.sync()
            return nil
        } catch {
            settle(error)
            return state.withLock { $0.end?.error } ?? .closed
        }
    }

    /// Lets the log write its mark or sync its interval.
    ///
    /// Whoever is at work on the log does it afterwards, so a timer is never lost: not even one
    /// that fires in the midst of this.
    private func keepHouse() {
        repeat {
            let timerFired = state.withLock { state -> Bool? in
                guard !state.isCommitting, state.end == nil else { return nil }
                state.isCommitting = true
                defer { state.isTimerDue = false }
                return state.isTimerDue
            }
            guard let timerFired else { return }
            do {
                if case .after(let nanoseconds) = try log.doHousekeeping(timerFired: timerFired),
                    plantedFault != .forgetTimer
                {
                    worker.withLock { $0 }?.setTimer(nanoseconds: nanoseconds)
                }
            } catch {
                settle(error)
            }
            if hasMoreWork() { return wakeWorker() }
        } while state.withLock { $0.isTimerDue }
    }
}

extension CoreState {
    var hasWork: Bool { !pending.isEmpty || !syncRequests.isEmpty || !closeRequests.isEmpty }

    /// Those who asked for a sync when nothing was queued that is not written by now.
    ///
    /// What has come since is no concern of theirs: in steady traffic there is always more.
    fileprivate mutating func takeDueSyncs() -> [SyncRequest] {
        let due = syncRequests.filter { $0.position <= visible }
        if !due.isEmpty { syncRequests.removeAll { $0.position <= visible } }
        return due
    }

    /// Whether the end was asked for and nothing is left to be done before.
    fileprivate var isDueToClose: Bool {
        !closeRequests.isEmpty && syncRequests.isEmpty
            && (pending.isEmpty || plantedFault == .closeOverPending)
    }

    /// Says for good that the log has been given up, and returns those who wait for that.
    fileprivate mutating func release() -> [UnsafeContinuation<Void, Never>] {
        isReleased = true
        defer { closeRequests = [] }
        return closeRequests
    }

    fileprivate mutating func settle(
        _ failure: CommitFailure, lastDurable: LogPosition
    ) -> [Wakeup] {
        switch failure {
        case .rolledBack(let error):
            let error = EventStoreError(notStoredBecauseOf: error)
            return takeBack(inFlight: error, pending: error)
        case .tooLarge(let bytes, let limit):
            let error = EventStoreError.limitExceeded(
                what: "the group in bytes", size: bytes, limit: limit)
            return takeBack(inFlight: error, pending: error)
        case .poisoned(let error):
            return fail(StoreFailure(reason: "\(error)", lastDurable: lastDurable))
        case .alreadyPoisoned:
            return fail(
                StoreFailure(reason: "an earlier write failed", lastDurable: lastDurable))
        case .closed:
            return takeBack(inFlight: .closed, pending: .closed)
        case .forked:
            return takeBack(inFlight: .forked, pending: .forked)
        }
    }
}

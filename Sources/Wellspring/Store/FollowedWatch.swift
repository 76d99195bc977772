import WellspringLog

/// Looks at the files of a log from time to time, as long as somebody waits for events.
final class FollowedWatch: Sendable {
    private struct State {
        var waiters = WaitingList()
        var isPolling = false
        var isClosed = false
        var looks: UInt64 = 0
    }

    private let log: FollowedLog
    private let interval: UInt64
    private let state = Guarded(State())
    private static let shortest: UInt64 = 1_000_000
    private static let longest: UInt64 = 3_600_000_000_000
    private let worker = Guarded<(any LogWorker)?>(nil)

    private let isAtHome: @Sendable () -> Bool

    /// After so many looks it is made sure that the path still leads to the store.
    private static let looksBetweenVisits: UInt64 = 50

    /// - Parameter isAtHome: Whether the path by which the log was opened still leads to it.
    init(_ log: FollowedLog, interval: Duration, isAtHome: @escaping @Sendable () -> Bool) {
        self.log = log
        self.isAtHome = isAtHome
        self.interval = min(max(Self.shortest, interval.nanoseconds), Self.longest)
    }

    func start(in directory: any StoreDirectory) {
        let started = directory.makeWorker(named: "wellspring-follow") { [weak self] signal in
            self?.serve(signal)
        }
        worker.withLock { $0 = started }
    }

    /// Whether somebody waits for events.
    var isPolling: Bool { state.withLock { $0.isPolling } }

    func checkIsOpen() throws(EventStoreError) {
        if state.withLock({ $0.isClosed }) { throw .closed }
    }

    /// Returns once `position` may be read.
    func wait(until position: UInt64) async throws(EventStoreError) {
        let ticket = state.withLock { $0.waiters.makeTicket() }
        let error = await withTaskCancellationHandler {
            await withUnsafeContinuation {
                (continuation: UnsafeContinuation<EventStoreError?, Never>) in
                // Asking and parking are one step under the lock, so a cancellation either comes
                // first and is seen here, or comes after and finds the waiter.
                let (answer, wakes) = state.withLock { state -> (EventStoreError??, Bool) in
                    if state.isClosed { return (.closed, false) }
                    if log.visible >= position { return (.some(nil), false) }
                    if Task.isCancelled { return (.cancelled, false) }
                    state.waiters.park(
                        .init(position: position, watchesEpoch: false, continuation: continuation),
                        ticket: ticket)
                    defer { state.isPolling = true }
                    return (nil, !state.isPolling)
                }
                if let answer { continuation.resume(returning: answer) }
                if wakes { worker.withLock { $0 }?.setTimer(nanoseconds: interval) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.remove(ticket) }
            waiter?.continuation.resume(returning: .cancelled)
        }
        if let error { throw error }
    }

    private func serve(_ signal: WorkerSignal) {
        guard case .timer = signal else { return }
        let failure: EventStoreError?
        do {
            _ = try log.advance(upTo: .max)
            failure = isGone() ? log.isElsewhere : nil
        } catch {
            failure = error
        }
        let visible = log.visible
        let (wakeups, goesOn) = state.withLock { state -> ([Wakeup], Bool) in
            var due = state.waiters.takeDue(visible: visible)
            // The reader can go on; who waits is told why there is nothing yet.
            if let failure { due += state.waiters.takeAll(failure) }
            state.isPolling = !state.waiters.isEmpty && !state.isClosed
            return (due, state.isPolling)
        }
        for wakeup in wakeups { wakeup.resume() }
        if goesOn { worker.withLock { $0 }?.setTimer(nanoseconds: interval) }
    }

    /// Whether another store is at the path by now; looked up now and then.
    private func isGone() -> Bool {
        let isDue = state.withLock { state in
            state.looks += 1
            return state.looks % Self.looksBetweenVisits == 0
        }
        return isDue && !isAtHome()
    }

    /// Ends all waiting, and lets go of the files.
    func close() {
        let wakeups = state.withLock { state in
            state.isClosed = true
            return state.waiters.takeAll(.closed)
        }
        for wakeup in wakeups { wakeup.resume() }
        worker.withLock { worker in
            defer { worker = nil }
            return worker
        }?.stop()
        log.close()
    }
}

/// A worker for when the machine has no thread left: whoever wakes it runs its body, and so does a
/// task when its timer is due.
///
/// That is slower, and keeps one of the threads that all tasks share busy for as long as the body runs.
final class ThreadlessWorker: LogWorker {
    private let worker: InlineWorker
    /// Counts the timers that were set, because each one replaces the one before it.
    private let timers = Guarded<UInt64>(0)

    init(body: @escaping @Sendable (WorkerSignal) -> Void) {
        worker = InlineWorker(body: body)
    }

    func wake() { worker.wake() }

    func setTimer(nanoseconds: UInt64) {
        let isDue = beginTimer(nanoseconds: nanoseconds)
        Task {
            try await Task.sleep(nanoseconds: min(nanoseconds, UInt64(Int64.max)))
            isDue()
        }
    }

    /// Sets the timer, and returns what is to be called when its time has come, which does nothing once
    /// another was set.
    func beginTimer(nanoseconds: UInt64) -> @Sendable () -> Void {
        worker.setTimer(nanoseconds: nanoseconds)
        let number = timers.withLock { number in
            number += 1
            return number
        }
        return { [weak self] in
            guard let self, timers.withLock({ $0 == number }) else { return }
            worker.fireTimer()
        }
    }

    func stop() { worker.stop() }
}

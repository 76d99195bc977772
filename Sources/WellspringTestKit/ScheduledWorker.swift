import WellspringLog

/// A worker whose work is done when a scheduler says so.
final class ScheduledWorker: LogWorker {
    typealias Scheduler = @Sendable (@escaping @Sendable () -> Void) -> Void

    private let worker: InlineWorker
    private let schedule: Scheduler

    init(_ worker: InlineWorker, _ schedule: @escaping Scheduler) {
        self.worker = worker
        self.schedule = schedule
    }

    func wake() { schedule { [worker] in worker.wake() } }
    func setTimer(nanoseconds: UInt64) { worker.setTimer(nanoseconds: nanoseconds) }
    func stop() { worker.stop() }
}

extension SimulatedDisk {
    /// Hands the work of the threads that stores on this disk have to `schedule`, which decides
    /// when it is done.
    ///
    /// Nothing else need run at the same time: what was handed over is still a thread of its own.
    package func scheduleWorkers(
        by schedule: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
        core.withLock { $0.schedule = schedule }
    }
}

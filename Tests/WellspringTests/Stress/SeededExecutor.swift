import WellspringLog

/// Runs tasks on one thread, in an order that a seed decides.
///
/// Whatever is ready to run waits in a bag, and chance draws what goes on next. Tasks that are made
/// with this executor keep to it, their child tasks and default actors too; `GlobalJobs` sees to the
/// rest. When the bag is empty, everybody waits for each other.
final class SeededExecutor: TaskExecutor {
    private enum Job {
        case task(UnownedJob)
        case work(@Sendable () -> Void)
    }

    private struct State {
        var ready: [Job] = []
        var dice: SmallDice
        var jobsDone = 0
    }

    private let state: Guarded<State>

    init(seed: UInt64) {
        state = Guarded(State(dice: SmallDice(seed: seed)))
    }

    /// How many pieces of work there were.
    var jobsDone: Int { state.withLock { $0.jobsDone } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.ready.append(.task(job)) }
    }

    /// Takes a job that was meant for the system's threads.
    func enqueue(stray job: UnownedJob) {
        state.withLock { $0.ready.append(.task(job)) }
    }

    /// Does `work` some time, as a thread would.
    func schedule(_ work: @escaping @Sendable () -> Void) {
        state.withLock { $0.ready.append(.work(work)) }
    }

    /// Runs `body` and all that it starts on the calling thread.
    ///
    /// - Parameter passTime: Lets time pass when everybody waits; says whether anybody waited for
    ///   that.
    /// - Returns: What `body` returns; `nil` when everybody waits and nobody works.
    func run<Value: Sendable>(
        passingTime passTime: () -> Bool, _ body: @escaping @Sendable () async -> Value
    ) -> Value? {
        let value = Guarded<Value?>(nil)
        GlobalJobs.keep(on: self) {
            Task(executorPreference: self) {
                let result = await body()
                value.withLock { $0 = result }
            }
            repeat {
                while let job = draw() { perform(job) }
            } while value.withLock({ $0 == nil }) && passTime()
        }
        return value.withLock { $0 }
    }

    private func draw() -> Job? {
        state.withLock { state in
            guard !state.ready.isEmpty else { return nil }
            state.jobsDone += 1
            let index = state.dice.below(state.ready.count)
            state.ready.swapAt(index, state.ready.count - 1)
            return state.ready.removeLast()
        }
    }

    private func perform(_ job: Job) {
        switch job {
        case .task(let job): job.runSynchronously(on: asUnownedTaskExecutor())
        case .work(let work): work()
        }
    }
}

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A worker without a thread: it runs its body on the thread of whoever wakes it.
///
/// Tests use it to keep everything in one order. Its timer is fired by whoever owns it.
package final class InlineWorker: LogWorker {
    private typealias Body = @Sendable (WorkerSignal) -> Void

    private struct State {
        /// `nil` when stopped: what the body holds on to is let go, because a disk keeps the worker
        /// and may be among it.
        var body: Body?
        var isWoken = false
        var isTimerDue = false
        /// The thread that is in the body, if one is.
        var runner: pthread_t?
        /// When the timer is to fire, counted from when it was set.
        var timer: UInt64?

        mutating func takeSignal() -> WorkerSignal? {
            if isWoken {
                isWoken = false
                return .woken
            }
            if isTimerDue {
                isTimerDue = false
                return .timer
            }
            return nil
        }
    }

    private let state: Guarded<State>
    /// Held while the body runs.
    private let running = Guarded(())

    package init(body: @escaping @Sendable (WorkerSignal) -> Void) {
        state = Guarded(State(body: body))
    }

    package func wake() {
        state.withLock { $0.isWoken = true }
        run()
    }

    package func setTimer(nanoseconds: UInt64) {
        state.withLock { $0.timer = nanoseconds }
    }

    /// The time for which the timer is set, if it is.
    package var timer: UInt64? { state.withLock { $0.timer } }

    /// Lets the timer's time be come.
    ///
    /// Does nothing when none is set.
    package func fireTimer() {
        state.withLock {
            guard $0.timer != nil else { return }
            $0.timer = nil
            $0.isTimerDue = true
        }
        run()
    }

    package var isStopped: Bool { state.withLock { $0.body == nil } }

    package func stop() {
        // The body may hold the last reference to something that takes this lock as it goes.
        let (body, runner) = state.withLock { state in
            defer { state.body = nil }
            return (state.body, state.runner)
        }
        withExtendedLifetime(body) {}
        // The body may let go of the last reference to its own worker.
        if let runner, pthread_equal(runner, pthread_self()) != 0 { return }
        running.withLock { _ in }
    }

    /// Runs the body until no signal is left.
    ///
    /// A signal that comes from inside the body, or from another thread meanwhile, is served by the
    /// loop that is already running.
    private func run() {
        while let (body, signal) = next() {
            running.withLock { _ in if !isStopped { body(signal) } }
            state.withLock { $0.runner = nil }
        }
    }

    private func next() -> (Body, WorkerSignal)? {
        state.withLock { state in
            guard state.runner == nil, let body = state.body, let signal = state.takeSignal()
            else { return nil }
            state.runner = pthread_self()
            return (body, signal)
        }
    }
}

import Wellspring
import WellspringLog

/// Where calls wait until the test lets them go on.
final class Gate: Sendable {
    private let state = Guarded(State())

    private struct State {
        var lastTicket: UInt64 = 0
        /// Who waits, with the answer whether it was let go on; `false` after a cancellation.
        var held: [(ticket: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

        mutating func takeTicket() -> UInt64 {
            lastTicket += 1
            return lastTicket
        }

        /// Lets somebody wait, and returns those who waited for that.
        mutating func hold(
            _ ticket: UInt64, _ continuation: CheckedContinuation<Bool, Never>
        ) -> [CheckedContinuation<Void, Never>] {
            held.append((ticket, continuation))
            let count = held.count
            let seen = watchers.filter { $0.count <= count }.map(\.continuation)
            watchers.removeAll { $0.count <= count }
            return seen
        }
    }

    /// Waits to be let go on; a cancellation ends that.
    func hold() async throws(EventStoreError) {
        let ticket = state.withLock { $0.takeTicket() }
        let goesOn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let seen = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
                    Task.isCancelled ? nil : state.hold(ticket, continuation)
                }
                guard let seen else { return continuation.resume(returning: false) }
                for watcher in seen { watcher.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.held.firstIndex { $0.ticket == ticket }.map { state.held.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
        }
        if !goesOn { throw .cancelled }
    }

    /// Waits to be let go on, whatever becomes of the task.
    func holdWithoutEnd() async {
        _ = await withCheckedContinuation { continuation in
            let seen = state.withLock { $0.hold($0.takeTicket(), continuation) }
            for watcher in seen { watcher.resume() }
        }
    }

    /// Lets the first `count` of those go on who wait.
    func open(_ count: Int) {
        let freed = state.withLock { state in
            let freed = state.held.prefix(max(0, count)).map(\.continuation)
            state.held.removeFirst(freed.count)
            return freed
        }
        for continuation in freed { continuation.resume(returning: true) }
    }

    func waitForHeld(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.held.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}

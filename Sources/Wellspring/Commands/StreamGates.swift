import WellspringLog

/// Lets the commands to one stream decide one after the other, in the order they came.
///
/// Without it, every command of a crowd decides in vain except one, and all but that one start
/// again. A gate exists only while somebody is inside, so idle streams cost nothing.
final class StreamGates: Sendable {
    private let state = Guarded(State())

    private struct State {
        var gates: [StreamID: Gate] = [:]
        var lastTicket: UInt64 = 0
    }

    /// How many streams have somebody inside.
    var count: Int { state.withLock { $0.gates.count } }

    /// How many wait before the gate of `stream`.
    func waiting(at stream: StreamID) -> Int { state.withLock { $0.gates[stream]?.waiting ?? 0 } }

    /// Runs `body` once everybody who came to `stream` earlier has left.
    ///
    /// - Throws: `CancellationError` when the task is cancelled while it waits.
    func pass<Result: Sendable>(
        _ stream: StreamID, _ body: () async -> Result
    ) async throws(CancellationError) -> Result {
        guard await enter(stream) else { throw CancellationError() }
        defer { leave(stream) }
        return await body()
    }

    /// Returns `true` once the gate is the caller's, `false` when the task was cancelled before.
    private func enter(_ stream: StreamID) async -> Bool {
        let ticket: UInt64? = state.withLock { state in
            if state.gates[stream] == nil {
                state.gates[stream] = Gate()
                return nil
            }
            state.lastTicket += 1
            return state.lastTicket
        }
        guard let ticket else { return true }

        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                // Asking and queueing are one step under the lock: a cancellation either comes
                // before and is seen here, or comes after and finds the waiter.
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    guard state.gates[stream] != nil else {
                        state.gates[stream] = Gate()
                        return true
                    }
                    state.gates[stream]?.queue(waiter, ticket: ticket)
                    return nil
                }
                if let answer { waiter.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.gates[stream]?.remove(ticket) }?.resume(returning: false)
        }
    }

    private func leave(_ stream: StreamID) {
        let next = state.withLock { state in
            let next = state.gates[stream]?.takeNext()
            if next == nil { state.gates[stream] = nil }
            return next
        }
        next?.resume(returning: true)
    }
}

/// Who waits to be let in, in order.
private struct Gate {
    typealias Waiter = CheckedContinuation<Bool, Never>

    private var waiters: [UInt64: Waiter] = [:]
    /// Tickets in the order of arrival; those of waiters that gave up are passed over.
    private var order: [UInt64] = []
    private var head = 0

    var waiting: Int { waiters.count }

    mutating func queue(_ waiter: Waiter, ticket: UInt64) {
        waiters[ticket] = waiter
        order.append(ticket)
    }

    mutating func remove(_ ticket: UInt64) -> Waiter? {
        waiters.removeValue(forKey: ticket)
    }

    mutating func takeNext() -> Waiter? {
        while head < order.count {
            let waiter = waiters.removeValue(forKey: order[head])
            head += 1
            if let waiter {
                dropPassed()
                return waiter
            }
        }
        return nil
    }

    /// Keeps the list as long as the queue, for a gate that is never without a crowd.
    private mutating func dropPassed() {
        guard head > 32, head * 2 > order.count else { return }
        order.removeFirst(head)
        head = 0
    }
}

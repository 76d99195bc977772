import WellspringLog

/// Lets those who want the same thing have it one after the other, in the order they came.
///
/// A gate exists only while somebody is inside, so what nobody wants costs nothing.
final class Turns<Key: Hashable & Sendable>: Sendable {
    private let state = Guarded(State())

    private struct State {
        var gates: [Key: Gate] = [:]
        var lastTicket: UInt64 = 0
    }

    /// How many gates have somebody inside.
    var count: Int { state.withLock { $0.gates.count } }

    /// How many wait for `key`.
    func waiting(for key: Key) -> Int { state.withLock { $0.gates[key]?.waiting ?? 0 } }

    /// Runs `body` once everybody who came for `key` earlier has left.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before its turn comes.
    func take<Result: Sendable>(
        _ key: Key, _ body: () async -> Result
    ) async throws(CancellationError) -> Result {
        guard await enter(key) else { throw CancellationError() }
        defer { leave(key) }
        return await body()
    }

    /// Returns `true` once the gate is the caller's, `false` when the task was cancelled before.
    private func enter(_ key: Key) async -> Bool {
        guard !Task.isCancelled else { return false }
        let ticket: UInt64? = state.withLock { state in
            if state.gates[key] == nil {
                state.gates[key] = Gate()
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
                    guard state.gates[key] != nil else {
                        state.gates[key] = Gate()
                        return true
                    }
                    state.gates[key]?.queue(waiter, ticket: ticket)
                    return nil
                }
                if let answer { waiter.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.gates[key]?.remove(ticket) }?.resume(returning: false)
        }
    }

    private func leave(_ key: Key) {
        let next = state.withLock { state in
            let next = state.gates[key]?.takeNext()
            if next == nil { state.gates[key] = nil }
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

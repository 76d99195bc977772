import WellspringLog

/// Lets those who want the same thing have it one after the other, in the order they came.
///
/// Who leaves may hand something to whoever is next; what nobody waits for is dropped. A gate exists
/// only while somebody is inside, so what nobody wants costs nothing.
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
    /// - Parameters:
    ///   - key: What is wanted.
    ///   - body: Gets what the one before handed over, and hands something over itself.
    /// - Throws: `CancellationError` when the task is cancelled before its turn comes.
    func take<Result: Sendable>(
        _ key: Key, _ body: (_ inherited: Baton?) async -> (Result, handOver: Baton?)
    ) async throws(CancellationError) -> Result {
        guard case .begins(let inherited) = await enter(key) else { throw CancellationError() }
        let (result, baton) = await body(inherited)
        leave(key, handingOver: baton)
        return result
    }

    /// Waits for the caller's turn, or the cancellation of its task.
    private func enter(_ key: Key) async -> Turn {
        guard !Task.isCancelled else { return .isCancelled }
        let ticket: UInt64? = state.withLock { state in
            if state.gates[key] == nil {
                state.gates[key] = Gate()
                return nil
            }
            state.lastTicket += 1
            return state.lastTicket
        }
        guard let ticket else { return .begins(nil) }

        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                // Asking and queueing are one step under the lock: a cancellation either comes
                // before and is seen here, or comes after and finds the waiter.
                let answer = state.withLock { state -> Turn? in
                    if Task.isCancelled { return .isCancelled }
                    guard state.gates[key] != nil else {
                        state.gates[key] = Gate()
                        return .begins(nil)
                    }
                    state.gates[key]?.queue(waiter, ticket: ticket)
                    return nil
                }
                if let answer { waiter.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.gates[key]?.remove(ticket) }?.resume(returning: .isCancelled)
        }
    }

    private func leave(_ key: Key, handingOver baton: Baton?) {
        let next = state.withLock { state in
            let next = state.gates[key]?.takeNext()
            if next == nil { state.gates[key] = nil }
            return next
        }
        next?.resume(returning: .begins(baton))
    }
}

/// What one hands to the next.
typealias Baton = any Sendable

private enum Turn: Sendable {
    case begins(Baton?)
    case isCancelled
}

/// Who waits to be let in, in order.
private struct Gate {
    typealias Waiter = CheckedContinuation<Turn, Never>

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

import WellspringLog

/// Lets those who want the same thing have it one after the other, in the order they came.
///
/// Who leaves may hand something to whoever is next. When nobody waits, it is kept for whoever comes
/// later, for as long as it is among the last so many that were left; the rest is dropped, and costs
/// nothing.
final class Turns<Key: Hashable & Sendable>: Sendable {
    private let state: Guarded<GateTable<Key>>

    /// - Parameter limit: How many things are kept that nobody waits for.
    init(keeping limit: Int = 0) {
        state = Guarded(GateTable(keeping: limit))
    }

    /// How many gates have somebody inside.
    var count: Int { state.withLock { $0.occupied } }

    /// How many gates keep something that nobody waits for.
    var kept: Int { state.withLock { $0.kept } }

    /// How many wait for `key`.
    func waiting(for key: Key) -> Int { state.withLock { $0.waiting(for: key) } }

    /// Runs `body` once everybody who came for `key` earlier has left.
    ///
    /// - Parameters:
    ///   - key: What is wanted.
    ///   - body: Gets what the one before left behind, and leaves something behind itself.
    /// - Throws: `CancellationError` when the task is cancelled before its turn comes.
    func take<Result: Sendable>(
        _ key: Key, _ body: (_ inherited: Baton?) async -> (Result, handOver: Baton?)
    ) async throws(CancellationError) -> Result {
        let turn = if let free = enterAtOnce(key) { free } else { await enter(key) }
        guard case .begins(let gate, let inherited) = turn else { throw CancellationError() }
        let (result, baton) = await body(inherited)
        leave(gate, handingOver: baton)
        return result
    }

    /// Lets the caller in unless somebody is inside, without anything to wait for.
    ///
    /// Whoever was let in has to ``leave(_:handingOver:)``.
    func enterAtOnce(_ key: Key) -> Turn? {
        Task.isCancelled ? .isCancelled : state.withLock { $0.enter(key) }
    }

    /// Waits for the caller's turn, or the cancellation of its task.
    ///
    /// Whoever was let in has to ``leave(_:handingOver:)``.
    func enter(_ key: Key) async -> Turn {
        let ticket = state.withLock { $0.takeTicket() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                // Asking and queueing are one step under the lock: a cancellation either comes
                // before and is seen here, or comes after and finds the waiter.
                let answer = state.withLock { state -> Turn? in
                    if Task.isCancelled { return .isCancelled }
                    if let turn = state.enter(key) { return turn }
                    state.queue(waiter, for: key, ticket: ticket)
                    return nil
                }
                if let answer { waiter.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.remove(ticket, from: key) }?.resume(returning: .isCancelled)
        }
    }

    func leave(_ gate: Int, handingOver baton: Baton?) {
        let (next, dropped) = state.withLock { $0.leave(gate, handingOver: baton) }
        next?.resume(returning: .begins(gate: gate, baton))
        withExtendedLifetime(dropped) {}
    }
}

/// What one leaves behind for the next.
///
/// An object, for it is handed on more often than it is looked at.
typealias Baton = any AnyObject & Sendable

/// What becomes of somebody who wants to enter.
enum Turn: Sendable {
    case begins(gate: Int, Baton?)
    case isCancelled
}

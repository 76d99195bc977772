/// Who waits to be let in, in order.
struct WaitingLine: Sendable {
    typealias Waiter = CheckedContinuation<Turn, Never>

    private var waiters: [UInt64: Waiter] = [:]
    /// Tickets in the order of arrival; those of waiters that gave up are passed over.
    private var order: [UInt64] = []
    private var head = 0

    var count: Int { waiters.count }

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
        order = []
        head = 0
        return nil
    }

    /// Keeps the list as long as the queue, for a gate that is never without a crowd.
    private mutating func dropPassed() {
        guard head > 32, head * 2 > order.count else { return }
        order.removeFirst(head)
        head = 0
    }
}

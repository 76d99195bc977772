/// Who is inside, who waits, and what was left behind: the decisions of ``Turns``.
///
/// Free of locks, and of continuations being resumed. A gate is known by its number, so that only
/// entering has to look its key up. It exists while somebody is inside or something is kept there.
struct GateTable<Key: Hashable & Sendable>: Sendable {
    private var numbers: [Key: Int] = [:]
    private var gates: [Gate<Key>] = []
    /// Places in `gates` that stand empty.
    private var free: [Int] = []
    private var lastTicket: UInt64 = 0

    private let limit: Int
    /// How many gates are only there for what is kept in them.
    private(set) var kept = 0
    /// The one that was left last, and the one that is dropped next.
    private var newest: Int?
    private var oldest: Int?

    init(keeping limit: Int) {
        self.limit = max(0, limit)
    }

    /// How many gates have somebody inside.
    var occupied: Int { numbers.count - kept }

    func waiting(for key: Key) -> Int { numbers[key].map { gates[$0].line.count } ?? 0 }

    /// Lets the caller in, or returns `nil` when somebody is inside.
    mutating func enter(_ key: Key) -> Turn? {
        guard let number = numbers[key] else { return .begins(gate: open(key), nil) }
        guard !gates[number].isOccupied else { return nil }
        unlink(number)
        gates[number].isOccupied = true
        return .begins(gate: number, gates[number].keeps.take())
    }

    /// Makes way for who is next, and returns them; keeps or drops the baton where nobody is.
    mutating func leave(
        _ number: Int, handingOver baton: Baton?
    ) -> (next: WaitingLine.Waiter?, dropped: Baton?) {
        if let next = gates[number].line.takeNext() {
            return (next, nil)
        }
        gates[number].isOccupied = false
        guard let baton else {
            close(number)
            return (nil, nil)
        }
        gates[number].keeps = baton
        link(number)
        guard kept > limit, let oldest else { return (nil, nil) }
        return (nil, drop(oldest))
    }
}

// MARK: - Waiting

extension GateTable {
    mutating func takeTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    /// Puts `waiter` at the end of the line before `key`, which is occupied.
    mutating func queue(_ waiter: WaitingLine.Waiter, for key: Key, ticket: UInt64) {
        guard let number = numbers[key] else { return }
        gates[number].line.queue(waiter, ticket: ticket)
    }

    mutating func remove(_ ticket: UInt64, from key: Key) -> WaitingLine.Waiter? {
        numbers[key].flatMap { gates[$0].line.remove(ticket) }
    }
}

// MARK: - Keeping

extension GateTable {
    private mutating func open(_ key: Key) -> Int {
        let number = free.popLast() ?? gates.count
        if number == gates.count { gates.append(Gate()) }
        gates[number].key = key
        gates[number].isOccupied = true
        numbers[key] = number
        return number
    }

    private mutating func close(_ number: Int) {
        if let key = gates[number].key.take() { numbers[key] = nil }
        free.append(number)
    }

    private mutating func drop(_ number: Int) -> Baton? {
        unlink(number)
        close(number)
        return gates[number].keeps.take()
    }

    /// Makes a gate the newest of those that keep something.
    private mutating func link(_ number: Int) {
        kept += 1
        gates[number].older = newest
        if let newest { gates[newest].newer = number } else { oldest = number }
        newest = number
    }

    private mutating func unlink(_ number: Int) {
        kept -= 1
        let (newer, older) = (gates[number].newer.take(), gates[number].older.take())
        if let newer { gates[newer].older = older } else { newest = older }
        if let older { gates[older].newer = newer } else { oldest = newer }
    }
}

/// One thing that is wanted.
private struct Gate<Key: Sendable>: Sendable {
    /// `nil` while the place stands empty.
    var key: Key?
    var isOccupied = false
    var line = WaitingLine()
    /// What the last one left behind, when nobody is inside.
    var keeps: Baton?
    /// The neighbours by age among the gates that keep something.
    var newer: Int?
    var older: Int?
}

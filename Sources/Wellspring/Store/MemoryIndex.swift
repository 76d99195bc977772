import WellspringLog

/// The index of what was committed last, until it is written to a run.
final class MemoryIndex: Sendable {
    /// An event on the list of a stream or a tag.
    struct Item {
        let entry: IndexEntry
        let position: UInt64
    }

    fileprivate struct Contents {
        var lists: [UInt64: List] = [:]
        var count = 0
    }

    fileprivate struct List {
        var items: [Item] = []
        /// Whether the numbers ascend; they need not where two names have the same key.
        var isSorted = true
    }

    private let contents = Guarded(Contents())

    /// How many entries there are.
    var count: Int { contents.withLock { $0.count } }

    /// Adds the events of a group, in their order.
    func add(_ items: [(key: UInt64, item: Item)]) {
        contents.withLock { contents in
            for (key, item) in items { contents.lists[key, default: List()].append(item) }
            contents.count += items.count
        }
    }

    /// Entries of `key` with a number in `numbers`, of events at or before `visible`.
    func entries(
        of key: UInt64, numbers: ClosedRange<UInt64>, limit: Int, newestFirst: Bool,
        through visible: UInt64
    ) -> [IndexEntry] {
        contents.withLock { contents in
            guard let list = contents.lists[key] else { return [] }
            var found: [IndexEntry] = []
            if newestFirst {
                for item in list.upTo(numbers.upperBound).reversed() {
                    if found.count == limit { break }
                    if item.entry.number < numbers.lowerBound, list.isSorted { break }
                    found.add(item, numbers, visible)
                }
            } else {
                for item in list.from(numbers.lowerBound) {
                    if found.count == limit { break }
                    if item.entry.number > numbers.upperBound, list.isSorted { break }
                    found.add(item, numbers, visible)
                }
            }
            return found
        }
    }

    /// Everything, by key.
    func sorted() -> [(key: UInt64, entries: [IndexEntry])] {
        contents.withLock { contents in
            contents.lists.sorted { $0.key < $1.key }
                .map { (key: $0.key, entries: $0.value.items.map(\.entry)) }
        }
    }
}

extension MemoryIndex.List {
    fileprivate mutating func append(_ item: MemoryIndex.Item) {
        if let last = items.last, last.entry.number >= item.entry.number { isSorted = false }
        items.append(item)
    }

    /// The items that may have a number of at least `number`.
    fileprivate func from(_ number: UInt64) -> ArraySlice<MemoryIndex.Item> {
        isSorted ? items[count { $0 < number }...] : items[...]
    }

    /// The items that may have a number of at most `number`.
    fileprivate func upTo(_ number: UInt64) -> ArraySlice<MemoryIndex.Item> {
        isSorted ? items[..<count { $0 <= number }] : items[...]
    }

    /// How many ascending numbers come before the first that fails `condition`.
    private func count(where condition: (UInt64) -> Bool) -> Int {
        var low = 0
        var high = items.count
        while low < high {
            let middle = (low + high) / 2
            if condition(items[middle].entry.number) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension [IndexEntry] {
    fileprivate mutating func add(
        _ item: MemoryIndex.Item, _ numbers: ClosedRange<UInt64>, _ visible: UInt64
    ) {
        guard numbers.contains(item.entry.number), item.position <= visible else { return }
        append(item.entry)
    }
}

import WellspringLog

/// What is in which block of a run.
struct IndexDirectory: Sendable {
    static let entryLength = 24

    struct Entry: Hashable, Sendable {
        var firstKey: UInt64
        /// The numbers of all entries in the block lie in here.
        var numbers: ClosedRange<UInt64>
    }

    private(set) var entries: [Entry] = []
    /// For each block the highest number in it and in those before that begin with the same key,
    /// and in the one before these.
    private var highestSoFar: [UInt64] = []
    /// For each block the lowest number in it and in those behind that begin with the same key.
    private var lowestFromHere: [UInt64] = []

    init() {}

    mutating func append(_ entry: Entry) { entries.append(entry) }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: entries.count * Self.entryLength)
        for entry in entries {
            writer.append(entry.firstKey)
            writer.append(entry.numbers.lowerBound)
            writer.append(entry.numbers.upperBound)
        }
        return writer.bytes
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws(MalformedBody) {
        var reader = ByteReader(bytes)
        entries.reserveCapacity(bytes.count / Self.entryLength)
        while !reader.isAtEnd {
            let start = reader.offset
            let key = try reader.readUInt64()
            let (lowest, highest) = (try reader.readUInt64(), try reader.readUInt64())
            guard lowest <= highest, key >= entries.last?.firstKey ?? 0 else {
                throw MalformedBody(offset: start, reason: "a directory that is not in order")
            }
            entries.append(Entry(firstKey: key, numbers: lowest...highest))
        }
        noteBounds()
    }

    /// The blocks in which `key` can have entries with these numbers.
    ///
    /// In the blocks of a long list numbers rise, but not strictly, because two streams may have the
    /// same key. The highest so far and the lowest from here do, so they can be searched.
    func blocks(of key: UInt64, _ numbers: ClosedRange<UInt64>) -> Range<Int> {
        let first = partition(0..<entries.count) { entries[$0].firstKey < key }
        let last = partition(first..<entries.count) { entries[$0].firstKey <= key }
        let start = partition(first..<last) { highestSoFar[$0] < numbers.lowerBound }
        let end = partition(start..<last) { lowestFromHere[$0] <= numbers.upperBound }
        // The list may begin at the end of the block before the first that begins with it.
        return (start == first ? max(first - 1, 0) : start)..<end
    }

    /// The first place in `range` that is not so, where all that are so come first.
    private func partition(_ range: Range<Int>, _ isSo: (Int) -> Bool) -> Int {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if isSo(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func noteBounds() {
        highestSoFar = entries.map(\.numbers.upperBound)
        lowestFromHere = entries.map(\.numbers.lowerBound)
        for block in entries.indices.dropFirst() {
            let goesOn = entries[block].firstKey == entries[block - 1].firstKey
            let before =
                goesOn ? highestSoFar[block - 1] : entries[block - 1].numbers.upperBound
            highestSoFar[block] = max(highestSoFar[block], before)
        }
        for block in entries.indices.dropLast().reversed()
        where entries[block].firstKey == entries[block + 1].firstKey {
            lowestFromHere[block] = min(lowestFromHere[block], lowestFromHere[block + 1])
        }
    }
}

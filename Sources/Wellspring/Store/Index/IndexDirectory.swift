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
    }

    /// The blocks in which `key` can be.
    func blocks(of key: UInt64) -> Range<Int> {
        // The list of a key may begin at the end of the block before the first that begins with it.
        let first = count { $0.firstKey < key }
        let end = count { $0.firstKey <= key }
        return max(first - 1, 0)..<end
    }

    /// How many entries, all at the beginning, are so.
    private func count(while isSo: (Entry) -> Bool) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if isSo(entries[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

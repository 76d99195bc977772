import WellspringLog

extension IndexRun {
    /// Makes one run of several adjacent ones, oldest first, which stay as they are.
    ///
    /// However long a list is, no more than a block of each run is in memory, besides the directories
    /// and the new filter.
    static func merge(
        _ runs: [IndexRun], in directory: any StoreDirectory, level: Int
    ) throws(IndexError) -> IndexRun {
        guard let oldest = runs.first, let newest = runs.last else {
            // TRAPS: the keeper merges at least as many runs as make a tier.
            preconditionFailure("nothing to merge")
        }
        do {
            let keys = runs.reduce(0 as UInt64) { $0 &+ $1.keyCount }
            let writer = try IndexRunWriter(
                in: directory, storeID: newest.header.storeID,
                range: IndexRange(first: oldest.range.first, last: newest.range.last),
                level: level, anchor: newest.anchor, keyEstimate: Int(clamping: keys))
            var cursors: [IndexCursor] = []
            for run in runs { cursors.append(try IndexCursor(run)) }
            while let key = lowestKey(cursors) {
                writer.begin(key)
                for number in cursors.indices {
                    while cursors[number].key == key {
                        for entry in try cursors[number].entries() { try writer.add(entry) }
                        try cursors[number].advance()
                    }
                }
                writer.end()
            }
            return try writer.finish()
        } catch {
            throw IndexError(error, in: newest.name)
        }
    }

    private static func lowestKey(_ cursors: [IndexCursor]) -> UInt64? {
        var lowest: UInt64?
        for cursor in cursors {
            guard let key = cursor.key else { continue }
            lowest = min(lowest ?? key, key)
        }
        return lowest
    }
}

import WellspringLog

extension IndexRun {
    /// Reads and checks every byte.
    ///
    /// - Returns: All entries, added up.
    @discardableResult
    func verify() throws(IndexError) -> IndexSum {
        let (header, trailer) = try readEnds()
        guard header == self.header, trailer == self.trailer else {
            throw damaged(MalformedBody(offset: 0, reason: "the file was changed"), at: 0)
        }
        let directory = try readDirectory()
        let filter = try readFilter()
        var keyCount: UInt64 = 0
        var sum = IndexSum()
        var cursor = try IndexCursor(self)
        var lastKey: UInt64?
        var lastPlace: (segment: UInt32, offset: UInt32) = (0, 0)
        while let key = cursor.key {
            let block = cursor.blockNumber
            let numbers = directory.entries[block].numbers
            guard filter.mayContain(key) else {
                throw .damaged(
                    file: name, offset: trailer.filterOffset,
                    reason: "a filter that misses a key")
            }
            if key != lastKey {
                keyCount += 1
                lastPlace = (0, 0)
            }
            lastKey = key
            for entry in try cursor.entries() {
                // The same place twice is an event that has a tag twice.
                let place = (entry.place.segment, entry.place.offset)
                if place < lastPlace { sum.noteDisorder() }
                lastPlace = place
                guard numbers.contains(entry.number) else {
                    throw .damaged(
                        file: name, offset: blockOffset(block),
                        reason: "a number that the directory does not know")
                }
                sum.add(entry, under: key)
            }
            try cursor.advance()
        }
        guard keyCount == trailer.keyCount, sum.count == trailer.entryCount else {
            throw .damaged(
                file: name, offset: trailer.offset + 32,
                reason: "it holds another number of entries"
            )
        }
        return sum
    }
}

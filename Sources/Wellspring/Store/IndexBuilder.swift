import WellspringLog

/// Makes parts of the index again from the log.
struct IndexBuilder {
    let log: any LogHistory
    let index: LogIndex
    let names: NameCache

    /// Indexes the sealed frames behind `start` up to the sequence `last`, a part for each segment.
    ///
    /// Every frame is checked on the way.
    ///
    /// - Parameters:
    ///   - start: Where the part before ends; `nil` for the beginning of the log.
    ///   - end: The anchor at which the sequence `last` ends, if that is inside a segment.
    func build(
        after start: LogAnchor?, through last: UInt64, endingAt end: LogAnchor? = nil
    ) throws(LogError) -> [LogIndex.Part] {
        var parts: [LogIndex.Part] = []
        var covered = start?.end.sequence ?? 0
        var number = start?.end.segment ?? log.segmentNumbers.lowerBound
        var offset = start?.end.offset
        while covered < last, number <= log.segmentNumbers.upperBound {
            let sealed = try log.end(ofSealed: number)
            if let sealed, sealed.sequence <= covered {
                number += 1
                offset = nil
                continue
            }
            let memory = try index(segment: number, from: offset, through: last)
            let anchor: LogAnchor
            if let sealed, sealed.sequence <= last {
                anchor = LogAnchor(endOfSegment: sealed, log.rewrites(through: number))
            } else if let end {
                anchor = end
            } else {
                break
            }
            if anchor.end.sequence > covered {
                let range = IndexRange(first: covered + 1, last: anchor.end.sequence)
                parts.append(.memory(memory, range, anchor))
                covered = range.last
            }
            number += 1
            offset = nil
        }
        return parts
    }

    private func index(
        segment number: UInt32, from offset: UInt64?, through last: UInt64
    ) throws(LogError) -> MemoryIndex {
        let memory = MemoryIndex()
        var frames = FrameIndexing(index, log, names)
        let start = (segment: number, offset: offset ?? UInt64(SegmentHeader.length))
        try log.forEachFrame(from: start, throughSequence: last) {
            (place, body) throws(MalformedBody) in
            guard place.segment == number else { return false }
            memory.add(try frames.items(of: place, body: body))
            return true
        }
        return memory
    }
}

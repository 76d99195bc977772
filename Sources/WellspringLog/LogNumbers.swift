/// Which numbers a log can have.
///
/// A file may say anything, with a checksum that holds. Who reads a number from one refuses what no log
/// reaches, so that it can be counted on from all others.
enum LogNumbers {
    /// Positions and sequences count from 1.
    static let range = 1...UInt64(Int64.max)
    static let highest = range.upperBound
    /// No segment is longer: its last frame begins below 2³⁵.
    static let longestSegment: UInt64 = 1 << 36
}

extension LogEnd {
    /// Whether it is a place that a log can reach.
    ///
    /// Before the first frame the sequence is 0.
    var isReachable: Bool {
        sequence <= LogNumbers.highest && LogNumbers.range.contains(nextPosition)
            && offset <= LogNumbers.longestSegment
    }
}

extension Manifest.Segment {
    /// Whether a log can have the segment.
    var isReachable: Bool {
        guard LogNumbers.range.contains(baseSequence), LogNumbers.range.contains(basePosition)
        else {
            return false
        }
        guard let seal else { return true }
        return (baseSequence...LogNumbers.highest).contains(seal.lastSequence)
            && (basePosition...LogNumbers.highest).contains(seal.nextPosition)
            && seal.fileLength <= LogNumbers.longestSegment
    }
}

extension SegmentTrailer {
    /// Whether its numbers fit each other.
    ///
    /// The seal is no group, nor is a mark; and where events are lost there are fewer than positions.
    var isReachable: Bool {
        guard LogNumbers.range.contains(firstSequence), LogNumbers.range.contains(firstPosition),
            (firstSequence...LogNumbers.highest).contains(lastSequence),
            (firstPosition...LogNumbers.highest).contains(nextPosition)
        else { return false }
        return groupCount <= lastSequence - firstSequence
            && eventCount <= nextPosition - firstPosition
            && sealOffset <= LogNumbers.longestSegment
    }
}

extension LogAnchor {
    /// Whether it is a place that a log can reach, of which no more is said than the log has up to there.
    var isReachable: Bool {
        end.isReachable && lastFrame <= end.offset && groupCount <= end.sequence
            && eventCount < end.nextPosition
            && positions.entries.allSatisfy { $0.offset < end.offset }
    }

    /// Whether it is not before the segment, and counts no more than the segment has up to there.
    ///
    /// What is counted on from here ends up in the trailer.
    func fits(_ segment: Manifest.Segment) -> Bool {
        segment.baseSequence <= end.sequence + 1 && segment.basePosition <= end.nextPosition
            && groupCount <= end.sequence + 1 - segment.baseSequence
            && eventCount <= end.nextPosition - segment.basePosition
    }
}

/// A place between two frames: what the frame that follows there must build on.
package struct LogEnd: Hashable, Sendable {
    package var segment: UInt32
    /// The offset at which the next frame begins.
    package var offset: UInt64
    /// The sequence of the last frame; 0 before the first.
    package var sequence: UInt64
    /// The position that the next event gets.
    package var nextPosition: UInt64
    /// The time of the last frame.
    package var recordedAt: Int64
    /// The checksum of the last header in the segment, or the salt's where there is none yet.
    ///
    /// It tells this log from every other of the same length.
    package var chain: UInt32

    /// The place behind a frame.
    package init(after header: FrameHeader, in segment: UInt32) {
        self.segment = segment
        offset = header.offset + UInt64(header.frameLength)
        sequence = header.sequence
        nextPosition = header.nextPosition
        recordedAt = header.recordedAt
        chain = header.checksum
    }

    /// The place before the first frame of a segment.
    package init(beginning header: SegmentHeader) {
        segment = header.number
        offset = UInt64(SegmentHeader.length)
        sequence = header.baseSequence - min(header.baseSequence, 1)
        nextPosition = header.basePosition
        recordedAt = header.previousRecordedAt
        chain = header.firstChain
    }

    /// Whether a log that reaches this place can be the one that was left at `known`.
    ///
    /// In one history of a segment a place lies behind another one by its offset exactly when it does
    /// by its sequence, and there is one end for each.
    func agrees(with known: LogEnd) -> Bool {
        guard segment == known.segment else { return true }
        if offset == known.offset || sequence == known.sequence { return self == known }
        return (offset > known.offset) == (sequence > known.sequence)
    }

    /// Whether a segment that ends here can be the one that was left at `known`.
    func holds(_ known: LogEnd) -> Bool {
        segment != known.segment || offset >= known.offset
    }

    package init(
        segment: UInt32, offset: UInt64, sequence: UInt64, nextPosition: UInt64,
        recordedAt: Int64, chain: UInt32
    ) {
        self.segment = segment
        self.offset = offset
        self.sequence = sequence
        self.nextPosition = nextPosition
        self.recordedAt = recordedAt
        self.chain = chain
    }
}

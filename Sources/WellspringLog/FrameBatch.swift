/// Builds the frames that are written with one call, in memory that is used again and again.
///
/// A class, so that a body may be built while the log that owns the batch is in use.
final class FrameBatch {
    private var bytes = ByteWriter(capacity: 64 << 10)
    private var salt = Salt(value: 0)
    /// What the frames say to be durable.
    private(set) var durableSequence: UInt64 = 0
    private var claimsItself = false
    /// Where the first frame begins, and where the next one would.
    private(set) var start: UInt64 = 0
    private(set) var end = LogEnd(
        segment: 0, offset: 0, sequence: 0, nextPosition: 1, recordedAt: 0, chain: 0)

    /// Where the last frame begins in the file.
    private(set) var lastFrame: UInt64 = 0

    /// The length of the last body, which its header cannot tell if it is far too long.
    private(set) var lastBodyLength = 0

    /// How many bytes have been built.
    var count: Int { bytes.count }

    /// Starts anew: the first frame will follow `end`, and say that `durableSequence` is durable.
    func begin(
        at end: LogEnd, salt: Salt, durableSequence: UInt64, fault: PlantedFault? = nil
    ) {
        bytes.removeAll()
        self.end = end
        self.salt = salt
        self.durableSequence = durableSequence
        claimsItself = fault == .claimDurableEarly
        start = end.offset
    }

    /// Has the frames that follow say that `sequence` is durable.
    func claim(_ sequence: UInt64) { durableSequence = sequence }

    /// Where the body of the next frame will begin in the file.
    var nextBodyOffset: UInt64 { end.offset + UInt64(FrameHeader.length) }

    /// Appends a frame.
    ///
    /// With `aligned`, it is padded so that the next one begins at a multiple of that.
    @discardableResult
    func append(
        _ kind: FrameKind, flags: UInt8 = 0, eventCount: UInt32 = 0, recordedAt: Int64,
        aligned: Int = FrameHeader.alignment, body: (inout ByteWriter) -> Void = { _ in }
    ) -> FrameHeader {
        let begin = bytes.count
        bytes.appendZeros(FrameHeader.length)
        bytes.hide()
        body(&bytes)
        lastBodyLength = bytes.count
        bytes.unhide()
        bytes.pad(to: FrameHeader.alignment)
        let excess = Int((start + UInt64(bytes.count)) % UInt64(aligned))
        let extra = excess == 0 ? 0 : aligned - excess
        bytes.appendZeros(extra)
        var header = FrameHeader(
            bodyLength: UInt32(truncatingIfNeeded: lastBodyLength), sequence: end.sequence + 1,
            firstPosition: end.nextPosition, eventCount: eventCount, kind: kind,
            recordedAt: recordedAt, durableSequence: durableSequence, bodyChecksum: 0,
            chain: end.chain, offset: end.offset)
        header.flags = flags
        header.extraPadding = UInt16(extra / FrameHeader.alignment)
        if claimsItself { header.durableSequence = header.sequence }
        bytes.withUnsafeMutableBytes { all in
            let body = UnsafeRawBufferPointer(rebasing: all[(begin + FrameHeader.length)...])
            header.bodyChecksum = crc32c(salt.body, body)
            header.encode(
                into: UnsafeMutableRawBufferPointer(rebasing: all[begin...]), salt: salt)
        }
        lastFrame = header.offset
        end = LogEnd(after: header, in: end.segment)
        return header
    }

    /// Appends the trailer that follows a seal.
    func append(_ trailer: SegmentTrailer) {
        trailer.encode(into: &bytes, salt: salt)
    }

    /// Writes everything that was built to where it belongs.
    func write(to file: any StoreFile) throws(SystemError) {
        let place = start
        try bytes.withUnsafeBytes { (all) throws(SystemError) in
            try file.write(all, at: place)
        }
    }
}

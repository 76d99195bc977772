/// One segment while it is read at opening, and what is known about it afterwards.
struct ReplayedSegment {
    let header: SegmentHeader
    let file: any StoreFile
    let window: ReadWindow
    private(set) var scanner: FrameScanner

    /// The place behind the last valid frame.
    private(set) var end: LogEnd
    private(set) var groupCount: UInt64 = 0
    private(set) var eventCount: UInt64 = 0
    private(set) var lastGroup: UInt64 = 0
    private(set) var lastFlags: UInt8 = 0
    private(set) var positions = PositionTable()
    /// The trailer, once the segment turned out to be sealed.
    private(set) var trailer: SegmentTrailer?

    /// The highest sequence that a valid frame or the MANIFEST calls durable.
    var proven: UInt64
    /// Frames of which nobody has said so yet, oldest first.
    private(set) var unproven: [(offset: UInt64, end: LogEnd)] = []
    /// The place behind the last frame that somebody calls durable.
    private(set) var provenEnd: LogEnd
    /// Where the last frame begins; 0 before the first.
    private(set) var lastFrame: UInt64 = 0

    /// Begins at the first frame, or at `anchor`, before which everything is known.
    ///
    /// - Parameter mark: The frame before the anchor, which may be the mark of a proper close.
    init(
        _ header: SegmentHeader, file: any StoreFile, window: ReadWindow,
        from anchor: LogAnchor? = nil, behind mark: FrameHeader? = nil, fault: PlantedFault?
    ) {
        self.header = header
        self.file = file
        self.window = window
        scanner = FrameScanner(header, in: window, fault: fault)
        end = LogEnd(beginning: header)
        if let anchor {
            end = anchor.end
            scanner = FrameScanner(header, in: window, after: end, fault: fault)
            lastFrame = anchor.lastFrame
            groupCount = anchor.groupCount
            eventCount = anchor.eventCount
            positions = anchor.positions
            lastFlags = mark?.kind == .mark ? mark?.flags ?? 0 : 0
        }
        proven = end.sequence
        provenEnd = end
    }

    /// The length of the file as far as the log goes: with the trailer, if there is one.
    var fileLength: UInt64 {
        trailer == nil ? end.offset : end.offset + UInt64(SegmentTrailer.length)
    }

    /// The next valid frame; `nil` at the end, be it orderly or not.
    mutating func next() throws(LogError) -> FrameScanner.Frame? {
        guard trailer == nil else { return nil }
        let before = scanner
        guard let frame = try system({ () throws(SystemError) in try scanner.next() }) else {
            return nil
        }
        if frame.header.kind == .seal {
            guard let trailer = try readTrailer(behind: frame.header) else {
                // A seal without its trailer was never finished. It holds nothing of value.
                scanner = before
                return nil
            }
            self.trailer = trailer
        }
        note(frame.header)
        return frame
    }

    private mutating func note(_ frame: FrameHeader) {
        lastFrame = frame.offset
        end = LogEnd(after: frame, in: header.number)
        lastFlags = frame.kind == .mark ? frame.flags : 0
        if frame.kind == .group {
            groupCount += 1
            eventCount += UInt64(frame.eventCount)
            lastGroup = frame.sequence
            positions.note(frame)
        }
        unproven.append((frame.offset, end))
        guard frame.durableSequence > proven || frame.sequence <= proven else { return }
        proven = max(proven, frame.durableSequence)
        let known = proven
        if let first = unproven.firstIndex(where: { $0.end.sequence > known }) {
            if first > 0 { provenEnd = unproven[first - 1].end }
            unproven.removeFirst(first)
        } else {
            provenEnd = end
            unproven.removeAll(keepingCapacity: true)
        }
    }

    private func readTrailer(behind seal: FrameHeader) throws(LogError) -> SegmentTrailer? {
        let place = LogEnd(after: seal, in: header.number)
        let bytes = try system { () throws(SystemError) in
            try window.bytes(at: place.offset, count: SegmentTrailer.length)
        }
        guard let bytes, let trailer = SegmentTrailer(decoding: bytes, salt: header.salt),
            trailer.sealChecksum == seal.checksum, trailer.sealOffset == seal.offset,
            trailer.belongs(to: header), trailer.lastSequence == seal.sequence,
            trailer.nextPosition == place.nextPosition, trailer.groupCount == groupCount,
            trailer.eventCount == eventCount
        else { return nil }
        return trailer
    }
}

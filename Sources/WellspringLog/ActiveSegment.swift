/// The segment to which frames are written.
struct ActiveSegment {
    let file: any StoreFile
    let header: SegmentHeader
    /// Up to here the file is known to be written, with zeros after the last frame.
    var zeroedEnd: UInt64 { didSet { hasNewSize = true } }
    /// Whether the file may have a size that it had at no sync yet.
    var hasNewSize = false
    var groupCount: UInt64 = 0
    var eventCount: UInt64 = 0

    var name: String { header.fileName }

    init(file: any StoreFile, header: SegmentHeader, zeroedEnd: UInt64) {
        self.file = file
        self.header = header
        self.zeroedEnd = zeroedEnd
    }

    /// Notes a frame of events that is now part of the segment.
    mutating func note(_ header: FrameHeader) {
        groupCount += 1
        eventCount += UInt64(header.eventCount)
    }

    /// Writes zeros ahead of the frames, if a write up to `end` would go beyond them.
    ///
    /// A commit that stays inside changes no size and no block map, which makes its sync quicker.
    /// Failing is not an error: the frame is written all the same, if there is room for it.
    mutating func extend(toHold end: UInt64, segmentBytes: UInt64) {
        guard end > zeroedEnd else { return }
        let target = max(end, min(zeroedEnd + Self.step(at: zeroedEnd), segmentBytes))
        let begin = zeroedEnd
        zeroedEnd = end
        do {
            // What the frame itself will cover need not be written twice.
            try Self.writeZeros(to: file, in: max(begin, end)..<target)
            zeroedEnd = target
        } catch {
            // The frame needs the room that these zeros took. The next write tries again.
            try? file.truncate(to: begin)
        }
    }

    /// Fills the file up to `end` with zeros, unless it is, so that what is written there later
    /// finds room.
    mutating func reserve(through end: UInt64) throws(SystemError) {
        guard end > zeroedEnd else { return }
        try Self.writeZeros(to: file, in: zeroedEnd..<end)
        zeroedEnd = end
    }

    /// Segments grow in steps that double with them, so that a small store stays small.
    private static func step(at size: UInt64) -> UInt64 {
        min(max(size, firstStep), lastStep)
    }

    static let firstStep: UInt64 = 256 << 10
    private static let lastStep: UInt64 = 8 << 20

    /// Fills a range of a file with zeros.
    static func writeZeros(
        to file: any StoreFile, in range: Range<UInt64>
    ) throws(SystemError) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = min(UInt64(zeros.count), range.upperBound - offset)
            try zeros.withUnsafeBufferPointer { (all) throws(SystemError) in
                let piece = UnsafeBufferPointer(rebasing: all[0..<Int(count)])
                try file.write(UnsafeRawBufferPointer(piece), at: offset)
            }
            offset += count
        }
    }

    private static let zeros = [UInt8](repeating: 0, count: 256 << 10)
}

/// A segment that is made and named ahead of its use, and holds nothing yet.
struct PreparedSegment {
    let file: any StoreFile
    let zeroedEnd: UInt64

    /// Makes `log/next.tmp`.
    ///
    /// What a crash left under that name never held a frame.
    static func make(
        in directory: any StoreDirectory, segmentBytes: UInt64
    ) throws(SystemError) -> PreparedSegment {
        let file = try AtomicFile.createAnew(directory, LogLayout.nextSegment)
        let length = max(
            UInt64(SegmentHeader.length), min(ActiveSegment.firstStep, segmentBytes))
        do throws(SystemError) {
            try ActiveSegment.writeZeros(to: file, in: 0..<length)
        } catch {
            // On a full disk the segment in use needs the room.
            try? file.truncate(to: 0)
            throw error
        }
        return PreparedSegment(file: file, zeroedEnd: length)
    }

    /// Writes the header that makes it a segment of the log, and makes it durable.
    func write(_ header: SegmentHeader) throws(SystemError) -> ActiveSegment {
        try header.encoded().withUnsafeBufferPointer { (bytes) throws(SystemError) in
            try file.write(UnsafeRawBufferPointer(bytes), at: 0)
        }
        try file.sync()
        return ActiveSegment(file: file, header: header, zeroedEnd: zeroedEnd)
    }
}

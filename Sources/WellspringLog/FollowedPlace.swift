/// Where a follower stands: behind the last frame that it handed over.
struct FollowedPlace {
    let header: SegmentHeader
    let file: any StoreFile
    private(set) var end: LogEnd
    /// The offset of the frame before it in the same segment; 0 at a segment's beginning.
    private(set) var lastFrame: UInt64
    /// What was found to be behind the last valid frame, and to be no damage.
    var judged: JudgedTail?

    /// The last of the valid frames behind the place, none of which is known to be durable.
    var waiting: FrameHeader?

    /// Something that is no frame, and what is said of it further on.
    struct JudgedTail {
        let offset: UInt64
        let fileSize: UInt64
        let bytes: [UInt8]
        let claim: UInt64
    }

    init(_ header: SegmentHeader, file: any StoreFile, end: LogEnd? = nil, lastFrame: UInt64 = 0) {
        self.header = header
        self.file = file
        self.end = end ?? LogEnd(beginning: header)
        self.lastFrame = lastFrame
    }

    var name: String { header.fileName }

    /// Passes over a frame that was handed over.
    mutating func pass(_ frame: FrameHeader) {
        end = LogEnd(after: frame, in: header.number)
        lastFrame = frame.offset
        judged = nil
        waiting = nil
    }

    /// Whether there are bytes behind the place that are not zeros.
    func mayHoldMore() throws(LogError) -> Bool {
        try read(at: end.offset).contains { $0 != 0 }
    }

    // MARK: - The file

    enum State {
        case unchanged
        case removed
        case shorter(than: UInt64)
        case different
    }

    /// What has become of what was read.
    func state() throws(LogError) -> State {
        let (size, links) = try system { () throws(SystemError) in
            (try file.size(), try file.linkCount())
        }
        guard links > 0 else { return .removed }
        guard size >= end.offset else { return .shorter(than: size) }
        guard lastFrame > 0 else { return .unchanged }
        let frame = try read(at: lastFrame).withUnsafeBytes {
            FrameHeader(decoding: $0, at: lastFrame, salt: header.salt)
        }
        return frame?.checksum == end.chain ? .unchanged : .different
    }

    /// Whether a frame is where it was.
    ///
    /// Then all frames before it are: each header holds the checksum of the one before.
    func isUnchanged(_ frame: FrameHeader) throws(LogError) -> Bool {
        try read(at: frame.offset).withUnsafeBytes {
            FrameHeader(decoding: $0, at: frame.offset, salt: header.salt) == frame
        }
    }

    /// What could be the header of a frame.
    private func read(at offset: UInt64) throws(LogError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FrameHeader.length)
        let count = try system { () throws(SystemError) in
            try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
                try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            }
        }
        bytes.removeLast(bytes.count - max(0, min(count, bytes.count)))
        return bytes
    }

    // MARK: - The next segment

    /// The beginning of the segment behind `seal`, as `manifest` lists it; `nil` when it is not
    /// there.
    func next(
        behind seal: FrameHeader, in directory: any StoreDirectory, _ manifest: Manifest
    ) throws(LogError) -> FollowedPlace? {
        guard header.number < .max else { return nil }
        let number = header.number + 1
        let generation = manifest.generation(of: number)
        let name = LogLayout.segment(number, generation: generation)
        do {
            let file = try directory.open(name, .read)
            let next = try SegmentHeader.read(from: file)
            guard next.storeID == manifest.storeID, next.number == number,
                next.generation == generation, next.baseSequence == seal.sequence &+ 1,
                next.basePosition == seal.nextPosition
            else {
                throw FormatError.malformed(
                    offset: 40, reason: "the segment does not follow the one before")
            }
            return FollowedPlace(next, file: file)
        } catch let error as SystemError {
            guard error.kind == .notFound else { throw .system(error) }
            return nil
        } catch {
            throw FormatError(error).found(in: name)
        }
    }

    // MARK: - What is no frame

    /// The highest sequence that is called durable behind the place where `scan` stopped.
    ///
    /// An unfinished write stays where it is when its writer died, so it is looked at once.
    mutating func claim(
        behind scan: FollowedScan, looksBehindZeros: Bool
    ) throws(LogError) -> UInt64 {
        let bytes = try read(at: scan.offset)
        guard looksBehindZeros || bytes.contains(where: { $0 != 0 }) else { return 0 }
        if let judged, judged.offset == scan.offset, judged.fileSize == scan.fileSize,
            judged.bytes == bytes
        {
            return judged.claim
        }
        let claim = try scan.strongestClaim()
        judged = JudgedTail(
            offset: scan.offset, fileSize: scan.fileSize, bytes: bytes, claim: claim)
        return claim
    }
}

/// One pass over the frames behind a place.
struct FollowedScan {
    private var scanner: FrameScanner
    /// Frames of which it is not known yet whether they are durable, oldest first.
    private var waiting: ArraySlice<FrameHeader> = []
    /// The body of the last frame, until another part of the file is looked at.
    private var lastBody: (sequence: UInt64, bytes: UnsafeRawBufferPointer)?
    /// The seal of the segment, once it was found: it is passed on the way to the next one.
    private(set) var seal: FrameHeader?

    /// Begins at the place, or behind a frame that is further on.
    init(_ place: FollowedPlace, behind frame: FrameHeader? = nil) throws(LogError) {
        let window = try system { () throws(SystemError) in try ReadWindow(place.file) }
        let start = frame.map { LogEnd(after: $0, in: place.header.number) } ?? place.end
        scanner = FrameScanner(place.header, in: window, after: start)
    }

    /// The last frame that waits, if there is no seal behind it.
    var ahead: FrameHeader? { seal == nil ? waiting.last : nil }

    var stop: FrameScanner.Stop { scanner.stop }
    var offset: UInt64 { scanner.offset }
    var fileSize: UInt64 { scanner.window.fileSize }
    var hasWaiting: Bool { !waiting.isEmpty }
    /// The sequence that the next frame must have.
    var expected: UInt64 { scanner.expected.sequence ?? 0 }

    /// The next valid frame.
    mutating func next() throws(LogError) -> FrameHeader? {
        guard seal == nil else { return nil }
        lastBody = nil
        guard let frame = try system({ () throws(SystemError) in try scanner.next() }) else {
            return nil
        }
        if frame.header.kind == .seal {
            seal = frame.header
        } else {
            waiting.append(frame.header)
            lastBody = (frame.header.sequence, frame.body)
        }
        return frame.header
    }

    /// Takes the first frame that waits, if it is not behind the sequence `last`.
    ///
    /// The body lives until the next call of any function.
    mutating func takeWaiting(
        through last: UInt64
    ) throws(LogError) -> (FrameHeader, UnsafeRawBufferPointer)? {
        guard let first = waiting.first, first.sequence <= last else { return nil }
        let body = try body(of: first)
        waiting.removeFirst()
        return (first, body)
    }

    private mutating func body(of frame: FrameHeader) throws(LogError) -> UnsafeRawBufferPointer {
        if let lastBody, lastBody.sequence == frame.sequence { return lastBody.bytes }
        lastBody = nil
        let bytes = try system { () throws(SystemError) in
            try scanner.window.bytes(
                at: frame.offset + UInt64(FrameHeader.length), count: frame.paddedBodyLength)
        }
        guard let bytes, crc32c(scanner.header.salt.body, bytes) == frame.bodyChecksum else {
            throw damage("the checksum of the frame's body is wrong", through: frame.sequence)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[0..<Int(frame.bodyLength)])
    }

    func strongestClaim() throws(LogError) -> UInt64 {
        try system { () throws(SystemError) in try scanner.strongestClaim(from: expected) }
    }

    func damage(_ reason: String, through last: UInt64) -> LogError {
        .damaged(
            LogDamage(
                file: scanner.header.fileName, offset: scanner.offset,
                sequences: min(expected, last)...max(expected, last), reason: reason))
    }
}

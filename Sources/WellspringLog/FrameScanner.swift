/// Reads the frames of one segment in order and checks each against everything that is known.
struct FrameScanner {
    /// What must be true of the next frame.
    struct Expectation: Hashable {
        /// `nil` when reading begins in the middle: then the first frame is believed.
        var sequence: UInt64?
        var position: UInt64?
        var chain: UInt32?
    }

    let header: SegmentHeader
    let window: ReadWindow
    private let fault: PlantedFault?
    /// Where the next frame should begin.
    private(set) var offset: UInt64
    private(set) var expected: Expectation
    /// Why the last call found no frame.
    private(set) var stop: Stop = .none

    /// Why there is no frame.
    enum Stop: Hashable {
        case none
        /// Nothing but zeros where a header should be, or the end of the file.
        case nothing
        /// Bytes that are not a frame, or not this one.
        case damage(String)
        /// A frame of a kind that only a newer version knows.
        case unknownKind(UInt8)
    }

    /// A frame whose checksums hold.
    ///
    /// The body lives until the next call.
    struct Frame {
        var header: FrameHeader
        var body: UnsafeRawBufferPointer
    }

    /// Begins at the first frame of the segment.
    init(_ header: SegmentHeader, in window: ReadWindow, fault: PlantedFault? = nil) {
        self.init(
            header, in: window, at: UInt64(SegmentHeader.length),
            expecting: Expectation(
                sequence: header.baseSequence, position: header.basePosition,
                chain: header.firstChain),
            fault: fault)
    }

    init(
        _ header: SegmentHeader, in window: ReadWindow, at offset: UInt64,
        expecting expected: Expectation, fault: PlantedFault? = nil
    ) {
        self.header = header
        self.window = window
        self.offset = offset
        self.expected = expected
        self.fault = fault
    }

    /// Begins at the frame that follows `end`.
    init(
        _ header: SegmentHeader, in window: ReadWindow, after end: LogEnd,
        fault: PlantedFault? = nil
    ) {
        self.init(
            header, in: window, at: end.offset,
            expecting: Expectation(
                sequence: end.sequence &+ 1, position: end.nextPosition, chain: end.chain),
            fault: fault)
    }

    /// The next frame; `nil` when there is none, and then `stop` says why and `offset` where.
    mutating func next() throws(SystemError) -> Frame? {
        guard let header = try readHeader() else { return nil }
        let begin = offset + UInt64(FrameHeader.length)
        let length = header.paddedBodyLength
        guard let body = try window.bytes(at: begin, count: length) else {
            stop = .damage("the frame is longer than the file")
            return nil
        }
        guard
            crc32c(self.header.salt.body, body) == header.bodyChecksum
                || fault == .ignoreBodyChecksum
        else {
            stop = .damage("the checksum of the frame's body is wrong")
            return nil
        }
        guard header.kind.isUnderstood else {
            stop = .unknownKind(header.kind.rawValue)
            return nil
        }
        offset = begin + UInt64(length)
        expected = Expectation(
            sequence: header.sequence &+ 1, position: header.nextPosition, chain: header.checksum)
        let content = UnsafeRawBufferPointer(rebasing: body[0..<Int(header.bodyLength)])
        return Frame(header: header, body: content)
    }

    /// Whether the header of the frame that must follow `end` stands there.
    ///
    /// Its checksum and what it is chained to prove that; the body may be damaged.
    static func isFollowed(
        _ end: LogEnd, _ header: SegmentHeader, in window: ReadWindow
    ) throws(SystemError) -> Bool {
        var scanner = FrameScanner(header, in: window, after: end)
        return try scanner.readHeader() != nil
    }

    /// The header at `offset`, if it is the one that must follow.
    private mutating func readHeader() throws(SystemError) -> FrameHeader? {
        guard let bytes = try window.bytes(at: offset, count: FrameHeader.length) else {
            stop = .nothing
            return nil
        }
        guard
            let header = FrameHeader(
                decoding: bytes, at: offset, salt: self.header.salt,
                checkingOffset: fault != .ignoreOwnOffset)
        else {
            let isZero = bytes.isZero
            stop = isZero ? .nothing : .damage("the bytes are not the header of a frame")
            return nil
        }
        guard fault != .ignoreChain else { return header }
        if let sequence = expected.sequence, header.sequence != sequence {
            stop = .damage("frame \(header.sequence) stands where \(sequence) should be")
            return nil
        }
        if let position = expected.position, header.firstPosition != position {
            stop = .damage("the frame's position does not follow from the one before it")
            return nil
        }
        if let chain = expected.chain, header.chain != chain {
            stop = .damage("the frame does not follow the one before it")
            return nil
        }
        return header
    }

    /// What frame headers say that are valid by themselves.
    struct Remains {
        /// The highest sequence that any of them claims to be durable.
        var strongestClaim: UInt64 = 0
        /// The highest position that follows one of them; 0 when there is none.
        var nextPosition: UInt64 = 0
    }

    /// The highest sequence that any frame header from `offset` on claims to be durable, of those
    /// with a sequence of at least `first`.
    func strongestClaim(from first: UInt64) throws(SystemError) -> UInt64 {
        try remains(from: first).strongestClaim
    }

    /// What the frame headers from `offset` on say, of those with a sequence of at least `first`.
    ///
    /// Frames need not follow each other here: what counts is that somebody once knew.
    func remains(from first: UInt64) throws(SystemError) -> Remains {
        var remains = Remains()
        var place = offset
        while true {
            let piece = try window.piece(at: place, atLeast: FrameHeader.length)
            var index = 0
            while piece.count - index >= FrameHeader.length {
                // Most of what was written ahead is zeros, in which no header begins.
                let block = piece[index..<min(index + 4_096, piece.count)]
                if UnsafeRawBufferPointer(rebasing: block).isZero {
                    index += block.count & ~(FrameHeader.alignment - 1)
                    continue
                }
                for _ in 0..<512 where piece.count - index >= FrameHeader.length {
                    if let found = claim(at: index, of: piece, place), found.sequence >= first {
                        remains.strongestClaim = max(
                            remains.strongestClaim, found.durableSequence)
                        remains.nextPosition = max(remains.nextPosition, found.nextPosition)
                    }
                    index += FrameHeader.alignment
                }
            }
            guard index > 0 else { return remains }
            place += UInt64(index)
        }
    }

    private func claim(
        at index: Int, of piece: UnsafeRawBufferPointer, _ place: UInt64
    ) -> FrameHeader? {
        guard piece.loadLittleEndian(UInt32.self, at: index) == FrameHeader.magic else {
            return nil
        }
        return FrameHeader(
            decoding: UnsafeRawBufferPointer(rebasing: piece[index...]),
            at: place + UInt64(index), salt: header.salt,
            checkingOffset: fault != .ignoreOwnOffset)
    }
}

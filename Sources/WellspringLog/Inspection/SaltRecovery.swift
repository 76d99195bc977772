// A segment's header holds the salt, without which no checksum in the file can be verified. When
// that page is lost, the frames are not: the first state of a CRC follows from its last one and the
// bytes between them, so every frame tells which salt it was written with. Two that agree are
// proof: by chance it happens once in 2^32.

/// Works out the salt of a segment from its frames.
struct SaltRecovery {
    /// How many headers are looked at, and how long a body may be that is counted backwards.
    private static let headerLimit = 256
    private static let bodyLimit = 1 << 20

    private var headerVotes: [UInt32: Int] = [:]
    private var bodyVotes: [UInt32: Int] = [:]

    /// Looks through the file for what may be frames.
    static func salt(of window: ReadWindow) throws(SystemError) -> Salt? {
        var recovery = SaltRecovery()
        try recovery.collect(window)
        guard let header = winner(of: recovery.headerVotes),
            let body = winner(of: recovery.bodyVotes)
        else { return nil }
        return Salt(value: UInt64(header) << 32 | UInt64(body))
    }

    private mutating func collect(_ window: ReadWindow) throws(SystemError) {
        var offset = UInt64(SegmentHeader.length)
        var seen = 0
        while seen < Self.headerLimit,
            let found = try window.firstPossibleHeader(from: offset)
        {
            seen += 1
            offset = found + UInt64(FrameHeader.alignment)
            guard let bytes = try window.bytes(at: found, count: FrameHeader.length) else { break }
            let header = Array(bytes)
            vote(header, at: found)
            try voteByBody(header, at: found, window)
        }
        try voteByTrailer(window)
    }

    private mutating func vote(_ header: [UInt8], at offset: UInt64) {
        header.withUnsafeBytes { bytes in
            let seed = crc32cSeed(
                of: UnsafeRawBufferPointer(rebasing: bytes[0..<60]),
                with: bytes.loadLittleEndian(UInt32.self, at: 60))
            headerVotes[seed, default: 0] += 1
            // The first frame is chained to the salt itself.
            guard offset == UInt64(SegmentHeader.length) else { return }
            bodyVotes[bytes.loadLittleEndian(UInt32.self, at: 52), default: 0] += 1
        }
    }

    private mutating func voteByBody(
        _ header: [UInt8], at offset: UInt64, _ window: ReadWindow
    ) throws(SystemError) {
        let (length, checksum) = header.withUnsafeBytes { bytes in
            let body = Int(bytes.loadLittleEndian(UInt32.self, at: 4))
            let padding = Int(bytes.loadLittleEndian(UInt16.self, at: 30)) * FrameHeader.alignment
            return ((body + 7) & ~7 + padding, bytes.loadLittleEndian(UInt32.self, at: 48))
        }
        // The votes that there are suffice, if they agree; longer bodies need not be counted.
        guard length <= Self.bodyLimit, (bodyVotes.values.max() ?? 0) < 8,
            let body = try window.bytes(at: offset + UInt64(FrameHeader.length), count: length)
        else { return }
        bodyVotes[crc32cSeed(of: body, with: checksum), default: 0] += 1
    }

    private mutating func voteByTrailer(_ window: ReadWindow) throws(SystemError) {
        let length = UInt64(SegmentTrailer.length)
        guard window.fileSize >= length,
            let bytes = try window.bytes(
                at: window.fileSize - length, count: SegmentTrailer.length),
            bytes.prefix(8).elementsEqual(FilePreamble.Magic.trailer.bytes)
        else { return }
        let seed = crc32cSeed(
            of: UnsafeRawBufferPointer(rebasing: bytes[0..<124]),
            with: bytes.loadLittleEndian(UInt32.self, at: 124))
        headerVotes[seed, default: 0] += 1
    }

    /// What most agree on, if at least two do.
    private static func winner(of votes: [UInt32: Int]) -> UInt32? {
        guard let most = votes.max(by: { $0.value < $1.value }), most.value >= 2 else { return nil }
        return most.key
    }
}

/// The seed with which `bytes` have the CRC-32C `checksum`.
func crc32cSeed(of bytes: UnsafeRawBufferPointer, with checksum: UInt32) -> UInt32 {
    let polynomial: UInt32 = 0x82F6_3B78
    var state = ~checksum
    for byte in bytes.reversed() {
        for _ in 0..<8 {
            state = state >> 31 == 1 ? ((state ^ polynomial) << 1) | 1 : state << 1
        }
        state ^= UInt32(byte)
    }
    return ~state
}

extension ReadWindow {
    /// The first multiple of 8 from `offset` on at which the magic of a frame stands, with that
    /// very offset in its place.
    func firstPossibleHeader(from offset: UInt64) throws(SystemError) -> UInt64? {
        let alignment = FrameHeader.alignment
        var place = (offset + 7) & ~7
        while true {
            let piece = try piece(at: place, atLeast: FrameHeader.length)
            var index = 0
            while piece.count - index >= FrameHeader.length {
                // Most of what was written ahead is zeros, in which no header begins.
                let block = piece[index..<min(index + 4_096, piece.count)]
                if UnsafeRawBufferPointer(rebasing: block).isZero {
                    index += block.count & ~(alignment - 1)
                    continue
                }
                for _ in 0..<512 where piece.count - index >= FrameHeader.length {
                    if piece.loadLittleEndian(UInt32.self, at: index) == FrameHeader.magic,
                        UInt64(piece.loadLittleEndian(UInt32.self, at: index + 56)) * 8
                            == place + UInt64(index)
                    {
                        return place + UInt64(index)
                    }
                    index += alignment
                }
            }
            guard index > 0 else { return nil }
            place += UInt64(index)
        }
    }
}

/// The 64 bytes before every frame's body.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | magic `WSF1` |
/// | 4 | 4 | length of the body |
/// | 8 | 8 | sequence of the frame, from 1, without gaps |
/// | 16 | 8 | position of the next event, which is the body's first if it has any |
/// | 24 | 4 | how many events the body holds |
/// | 28 | 1 | kind |
/// | 29 | 1 | flags |
/// | 30 | 2 | further padding after the body, in units of 8 bytes |
/// | 32 | 8 | when it was written, never less than in the frame before |
/// | 40 | 8 | highest sequence known to be durable when it was written |
/// | 48 | 4 | checksum of the body and its padding |
/// | 52 | 4 | checksum of the header before this one |
/// | 56 | 4 | its own offset in the file, divided by 8 |
/// | 60 | 4 | checksum of the 60 bytes before |
package struct FrameHeader: Hashable, Sendable {
    /// The length of an encoded header in bytes.
    package static let length = 64
    /// Frames begin at multiples of this.
    package static let alignment = 8
    /// No body is longer, whatever the configuration says; what claims to be is damage.
    package static let bodyLengthLimit = 256 << 20
    /// The highest offset that a header can tell.
    package static let offsetLimit = UInt64(UInt32.max) * 8
    /// `WSF1`, read as a little-endian number.
    package static let magic: UInt32 = 0x3146_5357

    package var bodyLength: UInt32
    package var sequence: UInt64
    package var firstPosition: UInt64
    package var eventCount: UInt32
    package var kind: FrameKind
    package var flags: UInt8 = 0
    package var extraPadding: UInt16 = 0
    package var recordedAt: Int64
    package var durableSequence: UInt64
    package var bodyChecksum: UInt32
    package var chain: UInt32
    package var offset: UInt64
    /// Filled in by encoding and decoding.
    package var checksum: UInt32 = 0

    /// The flag of the mark that a proper close leaves.
    package static let cleanCloseFlag: UInt8 = 1

    /// The length of body and padding.
    package var paddedBodyLength: Int {
        (Int(bodyLength) + 7) & ~7 + Int(extraPadding) * 8
    }

    /// The length of header, body and padding.
    package var frameLength: Int { Self.length + paddedBodyLength }

    /// The position that the event after this frame has.
    package var nextPosition: UInt64 { firstPosition &+ UInt64(eventCount) }

    /// Where positions and sequences are: what follows a frame is counted on from there.
    private static let numbers = 1...LogNumbers.highest - UInt64(UInt32.max)

    /// How a frame whose body has `length` bytes goes beyond what the format can tell; `nil` if it
    /// does not.
    package func excess(ofBody length: Int) -> String? {
        if length > Self.bodyLengthLimit {
            return "frame \(sequence) would have \(length) bytes, and the limit is "
                + "\(Self.bodyLengthLimit)"
        }
        guard offset > Self.offsetLimit else { return nil }
        return "frame \(sequence) would begin at \(offset), and the limit is \(Self.offsetLimit)"
    }

    /// Writes the header to the start of `target` and notes its checksum.
    package mutating func encode(into target: UnsafeMutableRawBufferPointer, salt: Salt) {
        // TRAPS: the memory is the writer's own, and made for the header.
        precondition(target.count >= Self.length, "a frame's header needs 64 bytes")
        target.storeLittleEndian(Self.magic, at: 0)
        target.storeLittleEndian(bodyLength, at: 4)
        target.storeLittleEndian(sequence, at: 8)
        target.storeLittleEndian(firstPosition, at: 16)
        target.storeLittleEndian(eventCount, at: 24)
        target.storeLittleEndian(kind.rawValue, at: 28)
        target.storeLittleEndian(flags, at: 29)
        target.storeLittleEndian(extraPadding, at: 30)
        target.storeLittleEndian(recordedAt, at: 32)
        target.storeLittleEndian(durableSequence, at: 40)
        target.storeLittleEndian(bodyChecksum, at: 48)
        target.storeLittleEndian(chain, at: 52)
        target.storeLittleEndian(UInt32(truncatingIfNeeded: offset / 8), at: 56)
        checksum = crc32c(salt.header, UnsafeRawBufferPointer(rebasing: target[0..<60]))
        target.storeLittleEndian(checksum, at: 60)
    }

    /// Reads the header at the start of `bytes`, which came from `offset`; `nil` when there is
    /// none, or when it was written for another file or another place.
    package init?(
        decoding bytes: UnsafeRawBufferPointer, at offset: UInt64, salt: Salt,
        checkingOffset: Bool = true
    ) {
        guard bytes.count >= Self.length, bytes.loadLittleEndian(UInt32.self, at: 0) == Self.magic
        else { return nil }
        let ownOffset = UInt64(bytes.loadLittleEndian(UInt32.self, at: 56)) * 8
        guard ownOffset == offset || !checkingOffset else { return nil }
        checksum = bytes.loadLittleEndian(UInt32.self, at: 60)
        guard checksum == crc32c(salt.header, UnsafeRawBufferPointer(rebasing: bytes[0..<60]))
        else { return nil }
        self.offset = offset
        bodyLength = bytes.loadLittleEndian(UInt32.self, at: 4)
        sequence = bytes.loadLittleEndian(UInt64.self, at: 8)
        firstPosition = bytes.loadLittleEndian(UInt64.self, at: 16)
        eventCount = bytes.loadLittleEndian(UInt32.self, at: 24)
        kind = FrameKind(rawValue: bytes[28])
        flags = bytes[29]
        extraPadding = bytes.loadLittleEndian(UInt16.self, at: 30)
        recordedAt = bytes.loadLittleEndian(Int64.self, at: 32)
        durableSequence = bytes.loadLittleEndian(UInt64.self, at: 40)
        bodyChecksum = bytes.loadLittleEndian(UInt32.self, at: 48)
        chain = bytes.loadLittleEndian(UInt32.self, at: 52)
        guard Int(bodyLength) <= Self.bodyLengthLimit, Self.numbers.contains(firstPosition),
            Self.numbers.contains(sequence)
        else { return nil }
    }

    package init(
        bodyLength: UInt32, sequence: UInt64, firstPosition: UInt64, eventCount: UInt32,
        kind: FrameKind, recordedAt: Int64, durableSequence: UInt64, bodyChecksum: UInt32,
        chain: UInt32, offset: UInt64
    ) {
        self.bodyLength = bodyLength
        self.sequence = sequence
        self.firstPosition = firstPosition
        self.eventCount = eventCount
        self.kind = kind
        self.recordedAt = recordedAt
        self.durableSequence = durableSequence
        self.bodyChecksum = bodyChecksum
        self.chain = chain
        self.offset = offset
    }
}

/// What a frame is for.
package struct FrameKind: Hashable, Sendable {
    package var rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Events, all of one group.
    package static let group = FrameKind(rawValue: 1)
    /// Nothing but a witness that the frames before it are durable.
    package static let mark = FrameKind(rawValue: 2)
    /// The last frame of a segment; its body is the footer.
    package static let seal = FrameKind(rawValue: 3)
    /// A range of positions whose events are lost; it has no body.
    package static let hole = FrameKind(rawValue: 4)

    /// Whether a program that does not know the kind may pass over the frame.
    package var isSkippable: Bool { rawValue & 0x80 != 0 }

    /// Whether this version knows what to do with the frame.
    package var isUnderstood: Bool {
        self == .group || self == .mark || self == .seal || self == .hole || isSkippable
    }
}

extension UnsafeMutableRawBufferPointer {
    @inline(__always)
    package func storeLittleEndian<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ value: Integer, at offset: Int
    ) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: Integer.self)
    }
}

extension UnsafeRawBufferPointer {
    @inlinable @inline(__always)
    package func loadLittleEndian<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type, at offset: Int
    ) -> Integer {
        Integer(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}

/// The first page of a segment: which store and which part of the log it holds.
package struct SegmentHeader: Hashable, Sendable {
    /// No frame shares the header's page.
    package static let length = 4096

    package var storeID: StoreUUID
    package var number: UInt32
    /// The position of the first event in the segment.
    package var basePosition: UInt64
    /// The sequence of the first frame in the segment.
    package var baseSequence: UInt64
    /// Seeds every checksum in the file, so that the bytes of another file are never valid here.
    package var salt: Salt
    /// 0 when first written; counts up when the segment is rewritten.
    package var generation: UInt32 = 0
    /// When the segment began, in nanoseconds since 1970.
    package var created: Int64
    /// The time of the last frame before this segment.
    package var previousRecordedAt: Int64
    /// Whether the segment may be written to.
    package private(set) var writing = WritingRule()

    /// The checksum to which the first frame is chained.
    package var firstChain: UInt32 { salt.body }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.length)
        FilePreamble.begin(
            &writer, magic: .segment, fileLength: UInt32(Self.length), storeID: storeID)
        writer.append(UInt64(number))
        writer.append(basePosition)
        writer.append(baseSequence)
        writer.append(salt.value)
        writer.append(generation)
        writer.append(UInt32(0))
        writer.append(created)
        writer.append(previousRecordedAt)
        FilePreamble.end(&writer)
        writer.appendZeros(Self.length - writer.count)
        return writer.bytes
    }

    package init(
        storeID: StoreUUID, number: UInt32, basePosition: UInt64, baseSequence: UInt64,
        salt: Salt, created: Int64, previousRecordedAt: Int64
    ) {
        self.storeID = storeID
        self.number = number
        self.basePosition = basePosition
        self.baseSequence = baseSequence
        self.salt = salt
        self.created = created
        self.previousRecordedAt = previousRecordedAt
    }

    package init(decoding bytes: UnsafeRawBufferPointer) throws(FormatError) {
        let common = try FilePreamble.check(bytes, magic: .segment)
        guard bytes.count >= Self.length, common.fileLength == UInt32(Self.length) else {
            throw .malformed(offset: bytes.count, reason: "the segment's header is too short")
        }
        storeID = common.storeID
        writing = common.writing
        do {
            var reader = ByteReader(bytes, at: FilePreamble.ownFields.lowerBound)
            guard let number = UInt32(exactly: try reader.readUInt64()) else {
                throw FormatError.malformed(offset: 32, reason: "the segment's number is too high")
            }
            self.number = number
            basePosition = try reader.readUInt64()
            baseSequence = try reader.readUInt64()
            salt = Salt(value: try reader.readUInt64())
            generation = try reader.readUInt32()
            try reader.skip(4)
            created = try reader.readInt64()
            previousRecordedAt = try reader.readInt64()
            guard number < .max, LogNumbers.range.contains(basePosition),
                LogNumbers.range.contains(baseSequence)
            else {
                throw FormatError.malformed(offset: 40, reason: "numbers that no log reaches")
            }
        } catch {
            throw FormatError(error)
        }
    }
}

extension SegmentHeader {
    /// Reads the header of a segment's file.
    static func read(from file: any StoreFile) throws -> SegmentHeader {
        var page = [UInt8](repeating: 0, count: length)
        let count = try page.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
            try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
        return try page.withUnsafeBytes { (bytes) throws(FormatError) in
            try SegmentHeader(decoding: UnsafeRawBufferPointer(rebasing: bytes[0..<count]))
        }
    }
}

/// A random number that is new for every segment.
package struct Salt: Hashable, Sendable {
    package var value: UInt64

    package init(value: UInt64) {
        self.value = value
    }

    /// Seeds the checksum of a frame's header.
    package var header: UInt32 { UInt32(truncatingIfNeeded: value >> 32) }
    /// Seeds the checksum of a frame's body.
    package var body: UInt32 { UInt32(truncatingIfNeeded: value) }
}

/// What a sealed segment says about itself, so that nobody need read all of it to find a place.
///
/// It is the body of the seal frame, so chain, salt and checksum of the frame protect it; and the
/// last 128 bytes of the file, the trailer, say where that frame begins.
package struct SegmentFooter: Hashable, Sendable {
    package var positions: PositionTable
    /// What the log's client keeps about the segment; empty where no frame can hold it, or the client
    /// could not say it.
    package var clientContent: [UInt8]

    private static let entryLength = 24

    package func encode(into writer: inout ByteWriter) {
        writer.append(UInt32(truncatingIfNeeded: positions.entries.count))
        writer.append(UInt32(truncatingIfNeeded: clientContent.count))
        for entry in positions.entries {
            writer.append(entry.position)
            writer.append(entry.sequence)
            writer.append(entry.offset)
        }
        writer.append(clientContent)
    }

    package init(positions: PositionTable, clientContent: [UInt8]) {
        self.positions = positions
        let room = FrameHeader.bodyLengthLimit - 8 - positions.entries.count * Self.entryLength
        self.clientContent = clientContent.count <= room ? clientContent : []
    }

    package init(decoding body: UnsafeRawBufferPointer) throws(MalformedBody) {
        var reader = ByteReader(body)
        let entryCount = try reader.readUInt32()
        let clientLength = try reader.readUInt32()
        positions = PositionTable()
        for _ in 0..<entryCount {
            positions.entries.append(
                PositionTable.Entry(
                    position: try reader.readUInt64(), sequence: try reader.readUInt64(),
                    offset: try reader.readUInt64()))
        }
        clientContent = Array(try reader.readBytes(clientLength))
        guard reader.isAtEnd else {
            throw MalformedBody(offset: reader.offset, reason: "more bytes than the footer has")
        }
    }
}

/// One entry for about every 64 KiB of a segment: where to begin looking for a position.
package struct PositionTable: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// The first position in the frame.
        package var position: UInt64
        package var sequence: UInt64
        package var offset: UInt64

        package init(position: UInt64, sequence: UInt64, offset: UInt64) {
            self.position = position
            self.sequence = sequence
            self.offset = offset
        }
    }

    package static let spacing: UInt64 = 64 << 10

    package var entries: [Entry] = []

    package init() {}

    /// Notes a frame of events, if the last one noted is far enough away.
    package mutating func note(_ header: FrameHeader) {
        if let last = entries.last, header.offset - last.offset < Self.spacing { return }
        entries.append(
            Entry(
                position: header.firstPosition, sequence: header.sequence, offset: header.offset))
    }
}

/// The last 128 bytes of a sealed segment.
package struct SegmentTrailer: Hashable, Sendable {
    package static let length = 128
    private static let checksumOffset = 124

    package var number: UInt32
    package var sealOffset: UInt64
    package var firstSequence: UInt64
    /// The sequence of the seal.
    package var lastSequence: UInt64
    package var firstPosition: UInt64
    /// The position after the last event of the segment.
    package var nextPosition: UInt64
    /// How many groups and how many events the segment holds.
    package var groupCount: UInt64
    package var eventCount: UInt64
    package var recordedAt: Int64
    /// The checksum of the seal's header.
    package var sealChecksum: UInt32

    package func encode(into writer: inout ByteWriter, salt: Salt) {
        let start = writer.count
        writer.append(FilePreamble.Magic.trailer.bytes)
        writer.append(UInt64(number))
        writer.append(sealOffset)
        writer.append(firstSequence)
        writer.append(lastSequence)
        writer.append(firstPosition)
        writer.append(nextPosition)
        writer.append(groupCount)
        writer.append(eventCount)
        writer.append(recordedAt)
        writer.append(sealChecksum)
        writer.appendZeros(Self.checksumOffset - (writer.count - start))
        let checksum = writer.withUnsafeBytes {
            crc32c(salt.header, UnsafeRawBufferPointer(rebasing: $0[start...]))
        }
        writer.append(checksum)
    }

    package init(
        number: UInt32, sealOffset: UInt64, firstSequence: UInt64, lastSequence: UInt64,
        firstPosition: UInt64, nextPosition: UInt64, groupCount: UInt64, eventCount: UInt64,
        recordedAt: Int64, sealChecksum: UInt32
    ) {
        self.number = number
        self.sealOffset = sealOffset
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.firstPosition = firstPosition
        self.nextPosition = nextPosition
        self.groupCount = groupCount
        self.eventCount = eventCount
        self.recordedAt = recordedAt
        self.sealChecksum = sealChecksum
    }

    /// Reads a trailer; `nil` when the bytes are none, or not one of this file, or tell of what cannot
    /// be.
    package init?(decoding bytes: UnsafeRawBufferPointer, salt: Salt) {
        guard bytes.count == Self.length,
            bytes.prefix(8).elementsEqual(FilePreamble.Magic.trailer.bytes)
        else { return nil }
        let covered = UnsafeRawBufferPointer(rebasing: bytes[0..<Self.checksumOffset])
        guard
            bytes.loadLittleEndian(UInt32.self, at: Self.checksumOffset)
                == crc32c(salt.header, covered),
            let number = UInt32(exactly: bytes.loadLittleEndian(UInt64.self, at: 8))
        else { return nil }
        self.number = number
        sealOffset = bytes.loadLittleEndian(UInt64.self, at: 16)
        firstSequence = bytes.loadLittleEndian(UInt64.self, at: 24)
        lastSequence = bytes.loadLittleEndian(UInt64.self, at: 32)
        firstPosition = bytes.loadLittleEndian(UInt64.self, at: 40)
        nextPosition = bytes.loadLittleEndian(UInt64.self, at: 48)
        groupCount = bytes.loadLittleEndian(UInt64.self, at: 56)
        eventCount = bytes.loadLittleEndian(UInt64.self, at: 64)
        recordedAt = bytes.loadLittleEndian(Int64.self, at: 72)
        sealChecksum = bytes.loadLittleEndian(UInt32.self, at: 80)
        guard isReachable else { return nil }
    }

    /// Whether it is that of the segment which `header` begins.
    func belongs(to header: SegmentHeader) -> Bool {
        number == header.number && firstSequence == header.baseSequence
            && firstPosition == header.basePosition
    }
}

extension SegmentTrailer {
    /// Reads the trailer of a segment's file; `nil` when the file has none.
    static func read(
        from file: any StoreFile, length: UInt64, salt: Salt
    ) throws(SystemError) -> SegmentTrailer? {
        guard length >= UInt64(Self.length) else { return nil }
        var bytes = [UInt8](repeating: 0, count: Self.length)
        let place = length - UInt64(Self.length)
        let count = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
            try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: place)
        }
        guard count == Self.length else { return nil }
        return bytes.withUnsafeBytes { SegmentTrailer(decoding: $0, salt: salt) }
    }
}

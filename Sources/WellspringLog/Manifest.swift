/// What the file `MANIFEST` holds: which segments there are, and how far the log is known to go.
///
/// A log that somebody else has cut reads as a perfectly good shorter log, and so does one whose
/// newest segment is missing. Only a record outside the segments can tell, and this is it. It is
/// replaced in one step at every opening, roll and proper close.
package struct Manifest: Hashable, Sendable {
    package static let fileName = "MANIFEST"
    /// A larger file is not a manifest: this is enough for a million segments.
    package static let fileLengthLimit = 128 << 20

    package var storeID: StoreUUID
    /// Counts the replacements.
    package var number: UInt64
    /// Whether the log was closed properly: then it ends exactly at `knownEnd`.
    package var isClean: Bool
    /// A synced end of the log: it goes at least this far.
    package var knownEnd: LogEnd
    package var segments: [Segment]
    /// Up to here the log's owner has done to all segments what the events ask for; 0 if nobody knows.
    package private(set) var honouredPosition: UInt64
    /// Whether the store may be written to.
    package private(set) var writing = WritingRule()

    package struct Segment: Hashable, Sendable {
        package var number: UInt32
        package var generation: UInt32
        package var basePosition: UInt64
        package var baseSequence: UInt64
        /// What is known once the segment is sealed.
        package var seal: Seal?

        package struct Seal: Hashable, Sendable {
            package var nextPosition: UInt64
            package var lastSequence: UInt64
            package var fileLength: UInt64
            /// The checksum of the seal's header.
            package var checksum: UInt32

            package init(
                nextPosition: UInt64, lastSequence: UInt64, fileLength: UInt64, checksum: UInt32
            ) {
                self.nextPosition = nextPosition
                self.lastSequence = lastSequence
                self.fileLength = fileLength
                self.checksum = checksum
            }
        }

        package init(
            number: UInt32, generation: UInt32, basePosition: UInt64, baseSequence: UInt64,
            seal: Seal?
        ) {
            self.number = number
            self.generation = generation
            self.basePosition = basePosition
            self.baseSequence = baseSequence
            self.seal = seal
        }
    }

    private static let entryLength = 64
    private static let cleanFlag: UInt32 = 1

    package func encoded() -> [UInt8] {
        let length = FilePreamble.length + segments.count * Self.entryLength + 4
        var writer = ByteWriter(capacity: length)
        FilePreamble.begin(
            &writer, magic: .manifest, fileLength: UInt32(length), storeID: storeID)
        writer.append(number)
        writer.append(isClean ? Self.cleanFlag : 0)
        writer.append(UInt32(segments.count))
        writer.append(knownEnd.segment)
        writer.append(knownEnd.chain)
        writer.append(knownEnd.offset)
        writer.append(knownEnd.sequence)
        writer.append(knownEnd.nextPosition)
        writer.append(knownEnd.recordedAt)
        writer.append(honouredPosition)
        FilePreamble.end(&writer)
        for segment in segments { segment.encode(into: &writer) }
        writer.append(writer.withUnsafeBytes { crc32c(0, $0) })
        return writer.bytes
    }

    /// - Parameter honouredPosition: Taken for 0 where it is not in the log.
    package init(
        storeID: StoreUUID, number: UInt64, isClean: Bool, knownEnd: LogEnd, segments: [Segment],
        honouredPosition: UInt64
    ) {
        self.storeID = storeID
        self.number = number
        self.isClean = isClean
        self.knownEnd = knownEnd
        self.segments = segments
        self.honouredPosition = Self.believed(honouredPosition, before: knownEnd)
    }

    /// What is not in the log cannot have been honoured, and another event will get that position.
    private static func believed(_ honoured: UInt64, before end: LogEnd) -> UInt64 {
        honoured < end.nextPosition ? honoured : 0
    }

    package init(decoding bytes: UnsafeRawBufferPointer) throws(FormatError) {
        let common = try FilePreamble.check(bytes, magic: .manifest)
        guard bytes.count == Int(common.fileLength), bytes.count >= FilePreamble.length + 4 else {
            throw .malformed(offset: bytes.count, reason: "the file has the wrong length")
        }
        let end = bytes.count - 4
        guard
            crc32c(0, UnsafeRawBufferPointer(rebasing: bytes[0..<end]))
                == bytes.loadLittleEndian(UInt32.self, at: end)
        else { throw .malformed(offset: 0, reason: "the checksum is wrong") }
        storeID = common.storeID
        writing = common.writing
        do {
            var reader = ByteReader(bytes, at: FilePreamble.ownFields.lowerBound)
            number = try reader.readUInt64()
            isClean = try reader.readUInt32() & Self.cleanFlag != 0
            let count = Int(try reader.readUInt32())
            knownEnd = try LogEnd(from: &reader)
            guard number <= LogNumbers.highest, knownEnd.isReachable else {
                throw FormatError.malformed(offset: 32, reason: "numbers that no log reaches")
            }
            honouredPosition = Self.believed(try reader.readUInt64(), before: knownEnd)
            guard count >= 1, bytes.count == FilePreamble.length + count * Self.entryLength + 4
            else { throw FormatError.malformed(offset: 44, reason: "the count is wrong") }
            reader = ByteReader(bytes, at: FilePreamble.length)
            segments = []
            for _ in 0..<count { segments.append(try Segment(from: &reader)) }
        } catch {
            throw FormatError(error)
        }
        try checkSegments()
    }

    /// Whether a segment is listed.
    func lists(_ number: UInt32) -> Bool {
        guard let first = segments.first?.number, let last = segments.last?.number else {
            return false
        }
        return (first...max(first, last)).contains(number)
    }

    /// The generation of a segment that lives.
    ///
    /// One that is not listed yet was never rewritten.
    func generation(of number: UInt32) -> UInt32 {
        guard lists(number), let first = segments.first?.number else { return 0 }
        let place = Int(number - first)
        return place < segments.count ? segments[place].generation : 0
    }

    /// Segments are numbered without gaps, all but the last are sealed, and the log ends in it.
    private func checkSegments() throws(FormatError) {
        for (segment, next) in zip(segments, segments.dropFirst()) {
            guard segment.seal != nil,
                segment.number.addingReportingOverflow(1) == (next.number, false)
            else { throw .malformed(offset: FilePreamble.length, reason: "segments with a gap") }
        }
        guard let last = segments.last, last.seal == nil, last.number == knownEnd.segment else {
            throw .malformed(offset: 48, reason: "a log that does not end in its last segment")
        }
    }
}

extension LogEnd {
    fileprivate init(from reader: inout ByteReader) throws(MalformedBody) {
        segment = try reader.readUInt32()
        chain = try reader.readUInt32()
        offset = try reader.readUInt64()
        sequence = try reader.readUInt64()
        nextPosition = try reader.readUInt64()
        recordedAt = try reader.readInt64()
    }
}

extension Manifest.Segment {
    private static let sealedState: UInt32 = 1

    fileprivate func encode(into writer: inout ByteWriter) {
        writer.append(number)
        writer.append(generation)
        writer.append(basePosition)
        writer.append(baseSequence)
        writer.append(seal?.nextPosition ?? 0)
        writer.append(seal?.lastSequence ?? 0)
        writer.append(seal?.fileLength ?? 0)
        writer.append(seal?.checksum ?? 0)
        writer.append(seal == nil ? 0 : Self.sealedState)
        writer.append(UInt64(0))
    }

    fileprivate init(from reader: inout ByteReader) throws(MalformedBody) {
        let start = reader.offset
        number = try reader.readUInt32()
        generation = try reader.readUInt32()
        basePosition = try reader.readUInt64()
        baseSequence = try reader.readUInt64()
        let end = Seal(
            nextPosition: try reader.readUInt64(), lastSequence: try reader.readUInt64(),
            fileLength: try reader.readUInt64(), checksum: try reader.readUInt32())
        seal = try reader.readUInt32() == Self.sealedState ? end : nil
        try reader.skip(8)
        guard isReachable else {
            throw MalformedBody(offset: start, reason: "a segment that no log has")
        }
    }
}

import WellspringLog

/// A record as it lies on disk: names are still references.
struct RawRecord {
    let stream: UInt32
    let type: UInt32
    let version: UInt64
    let id: MessageID
    private let correlation: MessageID?
    private let causation: MessageID?
    let occurredAt: Timestamp?
    let recordedAt: Timestamp?
    /// What few records have.
    private let labels: RecordLabels?
    /// Whether payload and headers were taken away.
    let isRedacted: Bool
    /// Where headers and payload begin, which a redacted record lacks, from the beginning of the
    /// record.
    let content: Int
    /// Where the payload lies, from the beginning of the record.
    let payload: Range<Int>
    let length: Int

    /// Reads the record at the beginning of `bytes`, which lie at `offset` in their file.
    ///
    /// - Parameter isChecked: Whether the checksum of the frame has vouched for the bytes already.
    init(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, isChecked: Bool = false
    ) throws(MalformedBody) {
        guard bytes.count >= RecordFormat.recordPrefix,
            let length = Int(exactly: bytes.loadLittleEndian(UInt32.self, at: 0)),
            length <= bytes.count, length >= RecordFormat.recordPrefix
        else { throw MalformedBody(offset: 0, reason: "a record longer than what holds it") }
        let covered = UnsafeRawBufferPointer(rebasing: bytes[RecordFormat.recordPrefix..<length])
        guard
            isChecked
                || crc32c(RecordFormat.seed(at: offset), covered)
                    == bytes.loadLittleEndian(UInt32.self, at: 4)
        else {
            throw MalformedBody(offset: 0, reason: "a record whose checksum does not match")
        }
        // One look at the length will do for the fields that every record has.
        guard length >= RecordFormat.shortestRecord else {
            throw MalformedBody(offset: length, reason: "a field that runs over the end")
        }
        let flags = RecordFlags(rawValue: bytes.loadLittleEndian(UInt16.self, at: 8))
        guard flags.isSubset(of: .known) else {
            throw MalformedBody(offset: 8, reason: "a record with flags of a newer version")
        }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[..<length]), at: 18)
        let version =
            flags.contains(.wideVersion)
            ? try reader.readUInt64() : UInt64(try reader.readUInt32())
        // What follows it is counted on from here, so there must be room for that.
        guard (1...UInt64(Int64.max)).contains(version) else {
            throw MalformedBody(offset: 18, reason: "a version that no stream reaches")
        }
        let id = try reader.readMessageID()
        let correlation = flags.contains(.correlation) ? try reader.readMessageID() : nil
        let causation = flags.contains(.causation) ? try reader.readMessageID() : nil
        let occurredAt = flags.contains(.occurredAt) ? try reader.readTimestamp() : nil
        let recordedAt = flags.contains(.recordedAt) ? try reader.readTimestamp() : nil
        let tags = flags.contains(.tags) ? try reader.readTags() : []
        let content = reader.offset
        let headers = flags.contains(.headers) ? try reader.readHeaders() : [:]
        let isRedacted = flags.contains(.redacted)
        guard !isRedacted || reader.isAtEnd && !flags.contains(.headers) else {
            throw MalformedBody(offset: 8, reason: "a redacted record that has content")
        }

        stream = bytes.loadLittleEndian(UInt32.self, at: 10)
        type = bytes.loadLittleEndian(UInt32.self, at: 14)
        self.version = version
        self.id = id
        self.correlation = correlation
        self.causation = flags.contains(.causationIsCorrelation) ? correlation : causation
        self.occurredAt = occurredAt
        self.recordedAt = recordedAt
        labels =
            tags.isEmpty && headers.isEmpty ? nil : RecordLabels(tags: tags, headers: headers)
        self.content = content
        payload = reader.offset..<length
        self.length = length
        self.isRedacted = isRedacted
    }

    var tags: [Tag] { labels?.tags ?? [] }

    var metadata: EventMetadata {
        EventMetadata(
            correlation: correlation, causation: causation, headers: labels?.headers ?? [:])
    }
}

/// Kept apart, so that a record without them is copied as plain bytes.
private final class RecordLabels: Sendable {
    let tags: [Tag]
    let headers: [String: String]

    init(tags: [Tag], headers: [String: String]) {
        self.tags = tags
        self.headers = headers
    }
}

/// What a frame's body holds, item by item.
struct BodyReader {
    enum Item {
        case definition(reference: UInt32, Definition)
        /// An append of this many records, which follow.
        case entry(count: UInt32)
    }

    private var reader: ByteReader
    private let bytes: UnsafeRawBufferPointer
    /// Where the body begins in its file.
    let start: UInt64
    /// Definitions that say what is in here are checked and passed over.
    private let known: NameTable

    init(_ bytes: UnsafeRawBufferPointer, at start: UInt64, knowing known: NameTable = .empty) {
        self.bytes = bytes
        self.start = start
        self.known = known
        reader = ByteReader(bytes)
    }

    /// Where the next item begins in the file.
    var offset: UInt64 { start + UInt64(reader.offset) }

    /// Returns the next definition or entry; `nil` at the end.
    mutating func next() throws(MalformedBody) -> Item? {
        while !reader.isAtEnd {
            let at = reader.offset
            switch try reader.readUInt8() {
            case 0: continue
            case RecordFormat.streamDefinition, RecordFormat.typeDefinition:
                if let definition = try readDefinition(at: at) { return definition }
            case RecordFormat.entry: return try readEntry()
            case let kind: throw MalformedBody(offset: at, reason: "an item of kind \(kind)")
            }
        }
        return nil
    }

    /// Reads a record of the entry before.
    mutating func nextRecord(isChecked: Bool = false) throws(MalformedBody) -> RawRecord {
        let at = reader.offset
        let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
        do {
            let record = try RawRecord(rest, at: start + UInt64(at), isChecked: isChecked)
            try reader.skip(record.length)
            return record
        } catch {
            throw MalformedBody(offset: at + error.offset, reason: error.reason)
        }
    }

    /// Passes over a record of the entry before.
    mutating func skipRecord() throws(MalformedBody) {
        let length = try reader.readUInt32()
        guard length >= 4 else {
            throw MalformedBody(offset: reader.offset, reason: "a record without content")
        }
        try reader.skip(length - 4)
    }

    /// Reads a definition; `nil` when it is known.
    private mutating func readDefinition(at: Int) throws(MalformedBody) -> Item? {
        let kind = bytes[at]
        let codec = try reader.readUInt8()
        let schemaVersion = try reader.readUInt16()
        let length = Int(try reader.readUInt16())
        _ = try reader.readUInt16()
        let checksum = try reader.readUInt32()
        var text = reader
        let written = try reader.readBytes(length)
        let whole = UnsafeRawBufferPointer(rebasing: bytes[at..<reader.offset])
        let offset = start + UInt64(at)
        guard offset % 8 == 0, definitionChecksum(whole, at: offset) == checksum else {
            throw MalformedBody(offset: at, reason: "a name whose checksum does not match")
        }
        let reference = UInt32(truncatingIfNeeded: offset / 8)
        let isType = kind == RecordFormat.typeDefinition
        let form: (PayloadCodec, UInt16)? =
            isType ? (PayloadCodec(rawValue: codec), schemaVersion) : nil
        if known.knows(reference, as: written, form) { return nil }
        let name = try text.readString(length)
        if let (codec, schemaVersion) = form {
            let type = StoredType(
                name: EventName(name), codec: codec, schemaVersion: schemaVersion)
            return .definition(reference: reference, .type(type))
        }
        guard let stream = StreamID(name) else {
            throw MalformedBody(offset: at, reason: "a stream name without a category")
        }
        return .definition(reference: reference, .stream(stream))
    }

    private mutating func readEntry() throws(MalformedBody) -> Item {
        let flags = try reader.readUInt8()
        let keyLength = try reader.readUInt16()
        let count = try reader.readUInt32()
        guard flags & ~1 == 0 else {
            throw MalformedBody(
                offset: reader.offset, reason: "an append with flags of a newer version")
        }
        if flags & 1 == 1 { try reader.skip(16 + Int(keyLength)) }
        return .entry(count: count)
    }
}

extension ByteReader {
    fileprivate mutating func readMessageID() throws(MalformedBody) -> MessageID {
        MessageID(
            high: try readUInt64().byteSwapped, low: try readUInt64().byteSwapped)
    }

    fileprivate mutating func readTimestamp() throws(MalformedBody) -> Timestamp {
        Timestamp(nanoseconds: try readInt64())
    }

    fileprivate mutating func readTags() throws(MalformedBody) -> [Tag] {
        var tags: [Tag] = []
        for _ in 0..<(try readUInt8()) { tags.append(Tag(try readString(try readUInt16()))) }
        return tags
    }

    fileprivate mutating func readHeaders() throws(MalformedBody) -> [String: String] {
        var headers: [String: String] = [:]
        let count = try readUInt32()
        guard Int(count) <= remaining / 8 else {
            throw MalformedBody(offset: offset, reason: "more headers than there is room for")
        }
        for _ in 0..<count {
            let keyLength = try readUInt32()
            let valueLength = try readUInt32()
            let key = try readString(keyLength)
            headers[key] = try readString(valueLength)
        }
        return headers
    }
}

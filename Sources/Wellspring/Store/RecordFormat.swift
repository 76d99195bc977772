import WellspringLog

// The body of a frame, as FileFormat.md lays it down under "Records":
//
//     body       := (padding | definition | entry)*
//     padding    := 0x00
//     definition := kind:u8 (1 stream, 2 event type)  codec:u8  schemaVersion:u16
//                   length:u16  reserved:u16  checksum:u32  name:length bytes
//     entry      := kind:u8 (3)  flags:u8  keyLength:u16  count:u32
//                   [fingerprint:16 bytes  key:keyLength bytes]  record*count
//     record     := length:u32  checksum:u32  flags:u16  stream:u32  type:u32
//                   version:u32 or u64  id:16 bytes  optional fields  payload
//
// A definition begins at a multiple of 8 in the file; its offset / 8 is how records refer to it.
// The checksums of definitions and records are CRC-32C begun with the item's own offset in the
// file, so that one that was read from the wrong place does not pass for the right one.

/// Which optional fields a record has.
struct RecordFlags: OptionSet {
    let rawValue: UInt16

    static let correlation = RecordFlags(rawValue: 1 << 0)
    static let causation = RecordFlags(rawValue: 1 << 1)
    /// The causation is the correlation, and written once.
    static let causationIsCorrelation = RecordFlags(rawValue: 1 << 2)
    static let occurredAt = RecordFlags(rawValue: 1 << 3)
    /// The recorded time is the record's own, not that of its frame.
    static let recordedAt = RecordFlags(rawValue: 1 << 4)
    static let tags = RecordFlags(rawValue: 1 << 5)
    static let headers = RecordFlags(rawValue: 1 << 6)
    /// The version has eight bytes, not four.
    static let wideVersion = RecordFlags(rawValue: 1 << 7)
    /// Payload and headers were taken away; neither may be there.
    static let redacted = RecordFlags(rawValue: 1 << 14)
    // Bit 15 (compressed) is reserved.

    static let known: RecordFlags = [
        .correlation, .causation, .causationIsCorrelation, .occurredAt, .recordedAt, .tags,
        .headers, .wideVersion, .redacted,
    ]
}

enum RecordFormat {
    static let streamDefinition: UInt8 = 1
    static let typeDefinition: UInt8 = 2
    static let entry: UInt8 = 3

    /// The part of a definition before its name.
    static let definitionHeader = 12
    /// The part of a record that its checksum does not cover: length and checksum.
    static let recordPrefix = 8
    /// The part of a record that each one has.
    static let shortestRecord = 38

    /// What the checksum of an item at `offset` in its file begins with.
    static func seed(at offset: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: offset) ^ UInt32(truncatingIfNeeded: offset >> 32)
    }
}

extension RecordFormat {
    /// How much the fields of a record can say.
    ///
    /// Whoever writes a record has seen to it that everything fits: by ``StoreLimits``, which are far
    /// narrower, or by ``RecordedEvent/checkFitsRecord()``.
    enum Width {
        /// Stream and type names, tags and keys, in bytes of UTF-8.
        static let name = Int(UInt16.max)
        static let tags = Int(UInt8.max)
        static let fingerprint = 16
    }
}

extension RecordedEvent {
    /// Refuses an event of which a record could not say everything.
    func checkFitsRecord() throws(EventStoreError) {
        try checkFits("the stream name in bytes", stream.exact.count, RecordFormat.Width.name)
        try checkFits("the event name in bytes", event.name.exact.count, RecordFormat.Width.name)
        try checkFits("the number of tags", tags.count, RecordFormat.Width.tags)
        for tag in tags {
            try checkFits("a tag in bytes", tag.exact.count, RecordFormat.Width.name)
        }
    }
}

extension StoreExamination.AppendKey {
    /// Refuses a key of which an entry could not say everything.
    func checkFitsEntry() throws(EventStoreError) {
        try checkFits("the key in bytes", key.utf8.count, RecordFormat.Width.name)
        guard fingerprint.count == RecordFormat.Width.fingerprint else {
            throw .invalidRequest(
                reason: "a fingerprint of \(fingerprint.count) bytes, which has "
                    + "\(RecordFormat.Width.fingerprint)")
        }
    }
}

private func checkFits(_ what: String, _ size: Int, _ limit: Int) throws(EventStoreError) {
    guard size <= limit else { throw .limitExceeded(what: what, size: size, limit: limit) }
}

/// What the payloads of an event type have in common, written once a segment.
struct StoredType: Hashable, Sendable {
    let name: EventName
    let codec: PayloadCodec
    let schemaVersion: UInt16

    init(name: EventName, codec: PayloadCodec, schemaVersion: UInt16) {
        self.name = name
        self.codec = codec
        self.schemaVersion = schemaVersion
    }

    init(_ event: EncodedEvent) {
        self.init(name: event.name, codec: event.codec, schemaVersion: event.schemaVersion)
    }
}

/// A name that records refer to.
enum Definition: Hashable, Sendable {
    case stream(StreamID)
    case type(StoredType)
}

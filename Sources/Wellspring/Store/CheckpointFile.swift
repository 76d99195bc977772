import WellspringLog

// views/<hash of the name>.ckpt, as FileFormat.md lays it down under "Saved projections":
//
//     magic:8 bytes  major:u16  minor:u16  nameLength:u32  storeID:16 bytes
//     revision:i64  position:u64  lastEvent:16 bytes  stateLength:u64  name  state  checksum:u32
//
// The checksum is CRC-32C over everything before it.

/// The saved state of a projection as a file.
enum CheckpointFile {
    static let directory = "views"
    private static let magic: [UInt8] = [0x89, 0x57, 0x53, 0x43, 0x4B, 0x50, 0x0D, 0x0A]
    private static let major: UInt16 = 1
    static let sizeLimit = 4 << 30

    /// The name of the file that belongs to a projection.
    static func name(of projection: ProjectionName) -> String {
        // FNV-1a (Fowler, Noll, Vo), 64 bits. The file holds the whole name as well.
        let hash = projection.rawValue.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
        }
        let digits = String(hash, radix: 16)
        return "\(directory)/\(String(repeating: "0", count: 16 - digits.count))\(digits).ckpt"
    }

    /// Returns the content of the file.
    ///
    /// - Parameter lastEvent: The id of the event at the checkpoint's position, by which the state
    ///   is told from one of another history of the same store.
    static func encode(
        _ checkpoint: Checkpoint, lastEvent: MessageID, storeID: StoreUUID
    ) -> [UInt8] {
        let name = Array(checkpoint.projection.rawValue.utf8)
        var writer = ByteWriter(capacity: 88 + name.count + checkpoint.state.count)
        writer.append(magic)
        writer.append(major)
        writer.append(0 as UInt16)
        writer.append(UInt32(truncatingIfNeeded: name.count))
        writer.append(storeID.high)
        writer.append(storeID.low)
        writer.append(Int64(checkpoint.revision))
        writer.append(checkpoint.position.rawValue)
        writer.append(lastEvent.high.byteSwapped)
        writer.append(lastEvent.low.byteSwapped)
        writer.append(UInt64(checkpoint.state.count))
        writer.append(name)
        checkpoint.state.withUnsafeBytes { writer.append($0) }
        writer.append(writer.withUnsafeBytes { crc32c(0, $0) })
        return writer.bytes
    }

    /// Reads what stands before the state, without checking the checksum behind it.
    static func decodeHead(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MalformedBody) -> (
        storeID: StoreUUID, position: UInt64, lastEvent: MessageID, fileName: String
    ) {
        var reader = ByteReader(bytes)
        guard Array(try reader.readBytes(magic.count)) == magic else {
            throw MalformedBody(offset: 0, reason: "not a saved projection")
        }
        guard try reader.readUInt16() == major else {
            throw MalformedBody(offset: 8, reason: "saved by a newer version")
        }
        try reader.skip(2)
        let nameLength = try reader.readUInt32()
        let storeID = StoreUUID(high: try reader.readUInt64(), low: try reader.readUInt64())
        try reader.skip(8)
        let position = try reader.readUInt64()
        let lastEvent = MessageID(
            high: try reader.readUInt64().byteSwapped, low: try reader.readUInt64().byteSwapped)
        try reader.skip(8)
        let name = ProjectionName(try reader.readString(nameLength))
        return (storeID, position, lastEvent, Self.name(of: name))
    }

    /// Reads a file; `nil` when it belongs to another projection with the same hash.
    static func decode(
        _ bytes: [UInt8], of projection: ProjectionName, storeID: StoreUUID
    ) throws(MalformedBody) -> (checkpoint: Checkpoint, lastEvent: MessageID)? {
        try bytes.withUnsafeBufferPointer { buffer throws(MalformedBody) in
            let all = UnsafeRawBufferPointer(buffer)
            var reader = ByteReader(all)
            guard Array(try reader.readBytes(magic.count)) == magic else {
                throw MalformedBody(offset: 0, reason: "not a saved projection")
            }
            guard try reader.readUInt16() == major else {
                throw MalformedBody(offset: 8, reason: "saved by a newer version")
            }
            _ = try reader.readUInt16()
            let checked = UnsafeRawBufferPointer(rebasing: all[..<max(0, all.count - 4)])
            var trailer = ByteReader(all, at: checked.count)
            guard crc32c(0, checked) == (try trailer.readUInt32()) else {
                throw MalformedBody(offset: 0, reason: "the checksum does not match")
            }
            let nameLength = try reader.readUInt32()
            let owner = StoreUUID(high: try reader.readUInt64(), low: try reader.readUInt64())
            guard owner == storeID else {
                throw MalformedBody(offset: 16, reason: "it belongs to another store")
            }
            let revision = try reader.readInt64()
            let position = try reader.readUInt64()
            let lastEvent = MessageID(
                high: try reader.readUInt64().byteSwapped,
                low: try reader.readUInt64().byteSwapped)
            let stateLength = try reader.readUInt64()
            let name = ProjectionName(try reader.readString(nameLength))
            let state = EventPayload(try reader.readBytes(stateLength))
            guard name == projection, let revision = Int(exactly: revision) else { return nil }
            let checkpoint = Checkpoint(
                projection: name, revision: revision, position: LogPosition(position),
                state: state)
            return (checkpoint, lastEvent)
        }
    }
}

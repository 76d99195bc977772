/// What the file `STORE` holds: written once, when the store is made, and never changed.
struct StoreIdentity: Hashable, Sendable {
    static let fileName = "STORE"
    static let fileLength = 4096

    var storeID: StoreUUID
    /// When the store was made, in nanoseconds since 1970.
    var creationTime: Int64
    /// The key under which names are hashed, so that nobody can choose names that collide.
    var hashKey: SipKey

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.fileLength)
        FilePreamble.begin(
            &writer, magic: .store, fileLength: UInt32(Self.fileLength), storeID: storeID)
        writer.append(creationTime)
        writer.append(hashKey.first)
        writer.append(hashKey.second)
        FilePreamble.end(&writer)
        writer.appendZeros(Self.fileLength - writer.count)
        return writer.bytes
    }

    init(storeID: StoreUUID, creationTime: Int64, hashKey: SipKey) {
        self.storeID = storeID
        self.creationTime = creationTime
        self.hashKey = hashKey
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws(FormatError) {
        let common = try FilePreamble.check(bytes, magic: .store)
        guard bytes.count == Self.fileLength, common.fileLength == UInt32(Self.fileLength) else {
            throw .malformed(offset: bytes.count, reason: "the file has the wrong length")
        }
        do {
            var reader = ByteReader(bytes, at: FilePreamble.ownFields.lowerBound)
            storeID = common.storeID
            creationTime = try reader.readInt64()
            hashKey = SipKey(first: try reader.readUInt64(), second: try reader.readUInt64())
        } catch {
            throw FormatError(error)
        }
    }
}

/// The two words of a SipHash key.
struct SipKey: Hashable, Sendable {
    var first: UInt64
    var second: UInt64
}

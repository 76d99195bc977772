/// What the file `STORE` holds: written once, when the store is made, and never changed.
package struct StoreIdentity: Hashable, Sendable {
    package static let fileName = "STORE"
    package static let fileLength = 4096

    package var storeID: StoreUUID
    /// When the store was made, in nanoseconds since 1970.
    package var creationTime: Int64
    /// The key under which names are hashed, so that nobody can choose names that collide.
    package var hashKey: SipKey
    /// Whether the store may be written to.
    package private(set) var writing = WritingRule()

    package func encoded() -> [UInt8] {
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

    package init(storeID: StoreUUID, creationTime: Int64, hashKey: SipKey) {
        self.storeID = storeID
        self.creationTime = creationTime
        self.hashKey = hashKey
    }

    package init(decoding bytes: UnsafeRawBufferPointer) throws(FormatError) {
        let common = try FilePreamble.check(bytes, magic: .store)
        guard bytes.count == Self.fileLength, common.fileLength == UInt32(Self.fileLength) else {
            throw .malformed(offset: bytes.count, reason: "the file has the wrong length")
        }
        do {
            var reader = ByteReader(bytes, at: FilePreamble.ownFields.lowerBound)
            storeID = common.storeID
            writing = common.writing
            creationTime = try reader.readInt64()
            hashKey = SipKey(first: try reader.readUInt64(), second: try reader.readUInt64())
        } catch {
            throw FormatError(error)
        }
    }
}

/// The two words of a SipHash key.
package struct SipKey: Hashable, Sendable {
    package var first: UInt64
    package var second: UInt64

    package init(first: UInt64, second: UInt64) {
        self.first = first
        self.second = second
    }
}

/// The first 128 bytes of `STORE`, `MANIFEST`, segments and index runs, which all begin alike.
///
/// Magic, version, length, store id, features and checksum keep their places in every future
/// version, so that an old program can tell "newer than I am" from "damaged".
package enum FilePreamble {
    package static let length = 128
    /// Where the fields that differ between the files begin and end.
    package static let ownFields = 32..<112
    private static let checksumOffset = 124

    /// The major version that is written, and the only one that is read.
    package static let majorVersion: UInt16 = 1
    package static let minorVersion: UInt16 = 0

    /// Bits of features without which a file must not be read, or must not be written to.
    ///
    /// None so far, so any bit that is set comes from a newer version.
    private static let knownIncompatible: UInt32 = 0
    private static let knownReadCompatible: UInt32 = 0

    /// What the files have in common, besides their own fields.
    package struct Common {
        /// The store that the file belongs to.
        package var storeID: StoreUUID
        /// The length of the file, as it says itself.
        package var fileLength: UInt32
        package var writing: WritingRule
    }

    /// Eight bytes by which a file says what it is.
    ///
    /// The first has its high bit set and the last three are CR LF and ^Z, which transfers that
    /// treat the file as text will not leave alone.
    package enum Magic: UInt8 {
        case store = 0x53
        case segment = 0x4C
        case manifest = 0x4D
        case trailer = 0x46
        case indexRun = 0x49

        package var bytes: [UInt8] { [0x89, 0x57, 0x53, 0x50, rawValue, 0x0D, 0x0A, 0x1A] }
    }

    /// Appends the fields before the file's own ones.
    package static func begin(
        _ writer: inout ByteWriter, magic: Magic, fileLength: UInt32, storeID: StoreUUID
    ) {
        writer.append(magic.bytes)
        writer.append(majorVersion)
        writer.append(minorVersion)
        writer.append(fileLength)
        writer.append(storeID.high)
        writer.append(storeID.low)
    }

    /// Fills up the file's own fields with zeros and appends features and checksum.
    package static func end(_ writer: inout ByteWriter) {
        writer.appendZeros(ownFields.upperBound - writer.count)
        writer.append(UInt32(0))
        writer.append(UInt32(0))
        writer.append(UInt32(0))
        writer.append(writer.withUnsafeBytes { crc32c(0, $0) })
    }

    /// Checks everything that the files have in common.
    ///
    /// That a newer version forbids to write to the file does not keep it from being read.
    package static func check(
        _ bytes: UnsafeRawBufferPointer, magic: Magic
    ) throws(FormatError) -> Common {
        guard bytes.count >= length else {
            throw .malformed(offset: bytes.count, reason: "the file ends inside its header")
        }
        guard bytes.prefix(8).elementsEqual(magic.bytes) else {
            throw .malformed(offset: 0, reason: "the file does not begin with its magic number")
        }
        do {
            var reader = ByteReader(bytes, at: checksumOffset)
            let covered = UnsafeRawBufferPointer(rebasing: bytes[0..<checksumOffset])
            guard try reader.readUInt32() == crc32c(0, covered) else {
                throw FormatError.malformed(offset: 0, reason: "the header's checksum is wrong")
            }
            reader = ByteReader(bytes, at: 8)
            let major = try reader.readUInt16()
            guard major == majorVersion else {
                throw FormatError.unsupported("major version \(major)")
            }
            try reader.skip(2)
            let fileLength = try reader.readUInt32()
            let storeID = StoreUUID(high: try reader.readUInt64(), low: try reader.readUInt64())
            reader = ByteReader(bytes, at: ownFields.upperBound)
            let incompatible = try reader.readUInt32() & ~knownIncompatible
            guard incompatible == 0 else {
                throw FormatError.unsupported("unknown features \(incompatible)")
            }
            let writing = WritingRule(
                unknownFeatures: try reader.readUInt32() & ~knownReadCompatible)
            return Common(storeID: storeID, fileLength: fileLength, writing: writing)
        } catch {
            throw FormatError(error)
        }
    }
}

/// Whether this version may write to a file that it can read.
package struct WritingRule: Hashable, Sendable {
    /// Bits of features without which the file must not be written to.
    fileprivate(set) var unknownFeatures: UInt32 = 0

    /// Refuses a file that only a newer version may write to.
    ///
    /// Who writes asks for every file of the store that it does not make itself.
    package func check() throws(FormatError) {
        guard unknownFeatures == 0 else {
            throw .unsupported(
                "features \(unknownFeatures), which this version can read and must not change")
        }
    }

    /// The same for a file by its name.
    package func check(_ file: String) throws(LogError) {
        do {
            try check()
        } catch {
            throw error.found(in: file)
        }
    }
}

/// Why the bytes of a file are not what the format says.
package enum FormatError: Error, Hashable {
    /// The bytes make no sense from `offset` on.
    case malformed(offset: Int, reason: String)
    /// The bytes make sense, to a newer version.
    case unsupported(String)

    /// Takes over what a parser threw.
    package init(_ error: any Error) {
        switch error {
        case let error as FormatError: self = error
        case let error as MalformedBody:
            self = .malformed(offset: error.offset, reason: error.reason)
        default: self = .malformed(offset: 0, reason: "it cannot be read")
        }
    }

    /// The same, with the name of the file.
    package func found(in file: String) -> LogError {
        switch self {
        case .malformed(let offset, let reason):
            .damaged(LogDamage(file: file, offset: UInt64(max(offset, 0)), reason: reason))
        case .unsupported(let reason):
            .unsupportedFormat(file: file, reason: reason)
        }
    }
}

import WellspringLog

// idx/<first>-<last>.run, as FileFormat.md lays it down under "Index runs":
//
//     header  blocks of 4096 bytes  directory  filter  trailer:128 bytes

/// The names of index runs.
enum IndexRunName {
    static let directory = "idx"
    private static let suffix = ".run"
    private static let unfinished = ".tmp"

    static func run(_ range: IndexRange) -> String {
        "\(directory)/\(digits(range.first))-\(digits(range.last))\(suffix)"
    }

    /// A run that is being written.
    static func temporary(_ number: UInt64) -> String {
        "\(directory)/\(digits(number))\(unfinished)"
    }

    /// Whether a file is called as one is, in its directory, that is being written.
    static func isTemporary(_ name: some StringProtocol) -> Bool {
        guard name.hasSuffix(unfinished),
            let number = UInt64(name.dropLast(unfinished.count), radix: 16)
        else { return false }
        return temporary(number) == "\(directory)/\(name)"
    }

    /// The range of the run whose file is called `name` in its directory.
    static func parse(_ name: some StringProtocol) -> IndexRange? {
        guard name.hasSuffix(suffix) else { return nil }
        let parts = name.dropLast(suffix.count).split(
            separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = UInt64(parts[0], radix: 16),
            let last = UInt64(parts[1], radix: 16), first <= last
        else { return nil }
        let range = IndexRange(first: first, last: last)
        return run(range) == "\(directory)/\(name)" ? range : nil
    }

    private static func digits(_ number: UInt64) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}

/// What a run says about itself at its beginning.
struct IndexRunHeader: Hashable, Sendable {
    /// A header is never longer.
    static let lengthLimit = FilePreamble.length + anchorLimit + 4
    /// More than an anchor with the positions of the largest segment there can be.
    static let anchorLimit = 4 << 20
    /// What is read of a header at first.
    static let usualLength = 1024

    var storeID: StoreUUID
    var range: IndexRange
    var salt: Salt
    var level: UInt32
    /// The place in the log behind the last frame of the range.
    var anchor: [UInt8]

    var length: Int { FilePreamble.length + anchor.count + 4 }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: length)
        FilePreamble.begin(
            &writer, magic: .indexRun, fileLength: UInt32(truncatingIfNeeded: length),
            storeID: storeID)
        writer.append(range.first)
        writer.append(range.last)
        writer.append(salt.value)
        writer.append(level)
        FilePreamble.end(&writer)
        writer.append(anchor)
        writer.append(crc32c(salt.body, anchor))
        return writer.bytes
    }

    init(storeID: StoreUUID, range: IndexRange, salt: Salt, level: UInt32, anchor: [UInt8]) {
        self.storeID = storeID
        self.range = range
        self.salt = salt
        self.level = level
        self.anchor = anchor
    }

    /// How long the header is of which `start` is the beginning.
    static func length(of start: [UInt8]) throws(FormatError) -> Int {
        try start.withUnsafeBufferPointer { (bytes) throws(FormatError) in
            let common = try FilePreamble.check(UnsafeRawBufferPointer(bytes), magic: .indexRun)
            return Int(min(common.fileLength, UInt32(lengthLimit)))
        }
    }

    /// Reads the header at the beginning of `bytes`.
    init(decoding bytes: UnsafeRawBufferPointer) throws(FormatError) {
        let common = try FilePreamble.check(bytes, magic: .indexRun)
        do {
            storeID = common.storeID
            var reader = ByteReader(bytes, at: FilePreamble.ownFields.lowerBound)
            range = IndexRange(first: try reader.readUInt64(), last: try reader.readUInt64())
            salt = Salt(value: try reader.readUInt64())
            level = try reader.readUInt32()
            let anchorLength = Int64(common.fileLength) - Int64(FilePreamble.length + 4)
            guard (0...Int64(Self.anchorLimit)).contains(anchorLength) else {
                throw FormatError.malformed(offset: 12, reason: "the header's length is wrong")
            }
            reader = ByteReader(bytes, at: FilePreamble.length)
            anchor = Array(try reader.readBytes(anchorLength))
            guard try reader.readUInt32() == crc32c(salt.body, anchor) else {
                throw FormatError.malformed(
                    offset: FilePreamble.length, reason: "the anchor's checksum is wrong")
            }
        } catch {
            throw FormatError(error)
        }
    }
}

/// The last 128 bytes of a run: where its parts are.
struct IndexRunTrailer: Hashable, Sendable {
    static let length = 128
    private static let checksumOffset = 124

    var directoryOffset: UInt64
    var filterOffset: UInt64
    /// Where the filter ends and the trailer begins.
    var offset: UInt64
    var keyCount: UInt64
    var entryCount: UInt64
    var directoryChecksum: UInt32
    var filterChecksum: UInt32

    func encoded(salt: Salt) -> [UInt8] {
        var writer = ByteWriter(capacity: Self.length)
        writer.append(FilePreamble.Magic.indexRun.bytes)
        writer.append(directoryOffset)
        writer.append(filterOffset)
        writer.append(offset)
        writer.append(keyCount)
        writer.append(entryCount)
        writer.append(directoryChecksum)
        writer.append(filterChecksum)
        writer.appendZeros(Self.checksumOffset - writer.count)
        writer.append(writer.withUnsafeBytes { crc32c(salt.header, $0) })
        return writer.bytes
    }

    init(
        directoryOffset: UInt64, filterOffset: UInt64, offset: UInt64, keyCount: UInt64,
        entryCount: UInt64, directoryChecksum: UInt32, filterChecksum: UInt32
    ) {
        self.directoryOffset = directoryOffset
        self.filterOffset = filterOffset
        self.offset = offset
        self.keyCount = keyCount
        self.entryCount = entryCount
        self.directoryChecksum = directoryChecksum
        self.filterChecksum = filterChecksum
    }

    /// Reads the trailer of a run that has `header` and is `fileLength` bytes long, and checks that
    /// all parts fit into one another.
    init(
        decoding bytes: UnsafeRawBufferPointer, header: IndexRunHeader, fileLength: UInt64
    ) throws(MalformedBody) {
        let covered = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.checksumOffset))
        var reader = ByteReader(bytes, at: Self.checksumOffset)
        guard bytes.count == Self.length,
            bytes.prefix(8).elementsEqual(FilePreamble.Magic.indexRun.bytes),
            try reader.readUInt32() == crc32c(header.salt.header, covered)
        else {
            throw MalformedBody(offset: 0, reason: "the run does not end with its trailer")
        }
        reader = ByteReader(bytes, at: 8)
        directoryOffset = try reader.readUInt64()
        filterOffset = try reader.readUInt64()
        offset = try reader.readUInt64()
        keyCount = try reader.readUInt64()
        entryCount = try reader.readUInt64()
        directoryChecksum = try reader.readUInt32()
        filterChecksum = try reader.readUInt32()
        guard isConsistent(headerLength: UInt64(header.length), fileLength: fileLength) else {
            throw MalformedBody(offset: 8, reason: "the parts of the run do not fit")
        }
    }

    private func isConsistent(headerLength: UInt64, fileLength: UInt64) -> Bool {
        guard headerLength <= directoryOffset, directoryOffset <= filterOffset,
            filterOffset < offset, offset < fileLength,
            fileLength - offset == UInt64(Self.length), fileLength <= Int64.max
        else { return false }
        let blocksLength = directoryOffset - headerLength
        let blockLength = UInt64(IndexBlock.length)
        let blockCount = blocksLength / blockLength + (blocksLength % blockLength == 0 ? 0 : 1)
        // The directory cannot be longer than the file, so the product cannot be too large.
        return filterOffset - directoryOffset == blockCount * UInt64(IndexDirectory.entryLength)
            && (offset - filterOffset) % UInt64(IndexFilter.lineLength) == 0
            && keyCount <= entryCount && entryCount <= blocksLength
    }
}

extension Salt {
    /// Seeds the checksum of a block, so that one in the wrong place does not pass.
    func seed(ofBlockAt offset: UInt64) -> UInt32 {
        body ^ UInt32(truncatingIfNeeded: offset) ^ UInt32(truncatingIfNeeded: offset >> 32)
    }
}

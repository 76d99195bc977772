import WellspringLog

/// Writes a run, key by key, in bounded memory.
///
/// The run has its name only once it is whole and synced. A writer that is dropped before leaves
/// nothing behind, or a temporary file when that cannot be removed either.
final class IndexRunWriter {
    /// A chunk of at most so many bytes is not divided, so that a short list costs one read.
    private static let undividedChunk = 512

    private let header: IndexRunHeader
    private let output: IndexRunOutput
    private var block = IndexBlockBuilder()
    private var chunk = IndexChunk()
    private var directory = IndexDirectory()
    private var filter: IndexFilter
    private var keyCount: UInt64 = 0
    private var entryCount: UInt64 = 0
    private var lastKey: UInt64?
    /// The key whose entries are being added, and how long its chunk may become in this block.
    private var key: UInt64 = 0
    private var room = 0

    /// Begins a run.
    ///
    /// - Parameters:
    ///   - anchor: The place in the log behind the range, at most 4 MiB.
    ///   - keyEstimate: How many keys there will be; the filter is made for so many.
    ///   - salt: A number drawn at random, which only a test has a reason to pass.
    init(
        in storeDirectory: any StoreDirectory, storeID: StoreUUID, range: IndexRange, level: Int,
        anchor: [UInt8], keyEstimate: Int, salt: Salt? = nil
    ) throws(SystemError) {
        // TRAPS: an anchor has 24 bytes for each 64 KiB of a segment, which is below 2 GiB.
        precondition(
            anchor.count <= IndexRunHeader.anchorLimit, "an anchor of \(anchor.count) bytes")
        // TRAPS: neither a part in memory nor a run that was opened ends before it begins.
        precondition(range.first <= range.last, "a run of no commits")
        header = IndexRunHeader(
            storeID: storeID, range: range,
            salt: salt ?? Salt(value: storeDirectory.random()),
            level: UInt32(clamping: level), anchor: anchor)
        filter = IndexFilter(keyEstimate: keyEstimate)
        output = try IndexRunOutput(in: storeDirectory)
        output.append(header.encoded())
    }

    /// Adds a list; keys come in ascending order, and a key without entries is left out.
    func append(
        key: UInt64, _ entries: some Sequence<IndexEntry>
    ) throws(SystemError) {
        begin(key)
        for entry in entries { try add(entry) }
        end()
    }

    /// Begins the list of `key`.
    func begin(_ key: UInt64) {
        // TRAPS: lists come sorted, and a cursor refuses a run whose keys do not ascend.
        precondition(lastKey.map { $0 < key } ?? true, "keys that do not ascend")
        lastKey = key
        self.key = key
        room = block.room(for: key)
    }

    /// Adds an entry to the list.
    func add(_ entry: IndexEntry) throws(SystemError) {
        entryCount += 1
        if chunk.isEmpty { beginChunk(for: entry) }
        if chunk.append(entry, limit: room) { return }
        if chunk.bytes.count > Self.undividedChunk || block.isEmpty {
            block.add(chunk, of: key)
            try finishBlock()
            beginChunk(for: entry)
        } else {
            try finishBlock()
        }
        let fits = chunk.append(entry, limit: room)
        // TRAPS: an entry has five numbers of at most ten bytes each, and the block is empty.
        precondition(fits, "an entry that is longer than a block")
    }

    /// Ends the list.
    func end() {
        guard !chunk.isEmpty else { return }
        block.add(chunk, of: key)
        chunk.begin(baseSegment: 0)
        filter.insert(key)
        keyCount += 1
    }

    private func beginChunk(for entry: IndexEntry) {
        chunk.begin(baseSegment: block.isEmpty ? entry.place.segment : block.baseSegment)
    }

    private func finishBlock(isLast: Bool = false) throws(SystemError) {
        directory.append(.init(firstKey: block.firstKey, numbers: block.numbers))
        let seed = header.salt.seed(ofBlockAt: output.offset)
        output.append(block.finish(isLast: isLast, seed: seed))
        try output.writeIfFull()
        room = block.room(for: key)
    }

    /// Makes the run whole and durable, and gives it its name.
    func finish() throws(SystemError) -> IndexRun {
        if !block.isEmpty { try finishBlock(isLast: true) }
        let directoryOffset = output.offset
        let directoryBytes = directory.encoded()
        let filterOffset = directoryOffset + UInt64(directoryBytes.count)
        let trailer = IndexRunTrailer(
            directoryOffset: directoryOffset, filterOffset: filterOffset,
            offset: filterOffset + UInt64(filter.bytes.count), keyCount: keyCount,
            entryCount: entryCount, directoryChecksum: crc32c(header.salt.body, directoryBytes),
            filterChecksum: crc32c(header.salt.body, filter.bytes))
        output.append(directoryBytes)
        output.append(filter.bytes)
        output.append(trailer.encoded(salt: header.salt))
        let name = IndexRunName.run(header.range)
        let file = try output.keep(as: name)
        return IndexRun(
            directory: output.directory, file: file, name: name, header: header, trailer: trailer)
    }
}

/// The file to which a run is written.
private final class IndexRunOutput {
    private static let bufferLength = 256 << 10

    let directory: any StoreDirectory
    private let file: any StoreFile
    private let name: String
    private var written: UInt64 = 0
    private var failure: SystemError?
    private var isKept = false
    var buffer: [UInt8] = []

    /// Where the next byte goes in the file.
    var offset: UInt64 { written + UInt64(buffer.count) }

    init(in directory: any StoreDirectory) throws(SystemError) {
        self.directory = directory
        try directory.makeDirectory(IndexRunName.directory)
        try directory.syncDirectory(nil)
        name = IndexRunName.temporary(directory.random())
        file = try directory.open(name, .create)
    }

    deinit {
        guard !isKept else { return }
        file.close()
        try? directory.remove(name)
    }

    func append(_ bytes: [UInt8]) { buffer += bytes }

    func writeIfFull() throws(SystemError) {
        if buffer.count >= Self.bufferLength { try write() }
    }

    /// Syncs the file and gives it the name by which it counts.
    func keep(as runName: String) throws(SystemError) -> any StoreFile {
        try write()
        // Without this sync the name could outlive a crash that the content does not.
        try file.sync()
        try directory.rename(name, to: runName)
        do {
            try directory.syncDirectory(IndexRunName.directory)
        } catch {
            try? directory.remove(runName)
            throw error
        }
        isKept = true
        return file
    }

    private func write() throws(SystemError) {
        // After a failed write there is a hole; whatever follows would only hide it.
        if let failure { throw failure }
        do {
            try buffer.withUnsafeBufferPointer { (bytes) throws(SystemError) in
                try file.write(UnsafeRawBufferPointer(bytes), at: written)
            }
        } catch {
            failure = error
            throw error
        }
        written += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }
}

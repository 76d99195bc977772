import WellspringLog

/// A part of the index that does not change any more: where the events of every stream and every
/// tag are, for a range of commits.
///
/// Whoever looks a key up compares the name in the event that is found: two names may have the same
/// key, and their entries are in one list then.
final class IndexRun: Sendable {
    /// The name of the file, relative to the store.
    let name: String
    let fileLength: UInt64
    let header: IndexRunHeader
    let trailer: IndexRunTrailer
    private let directory: any StoreDirectory
    private let file: any StoreFile
    /// Read at the first look-up and kept.
    private let tables: Guarded<IndexTables?>

    /// The commits that the run covers.
    var range: IndexRange { header.range }
    /// How often it was merged.
    var level: Int { Int(header.level) }
    /// The place in the log behind the range, as its writer put it.
    var anchor: [UInt8] { header.anchor }
    var entryCount: UInt64 { trailer.entryCount }
    var keyCount: UInt64 { trailer.keyCount }

    init(
        directory: any StoreDirectory, file: any StoreFile, name: String, header: IndexRunHeader,
        trailer: IndexRunTrailer
    ) {
        self.directory = directory
        self.file = file
        self.name = name
        self.header = header
        self.trailer = trailer
        fileLength = trailer.offset + UInt64(IndexRunTrailer.length)
        tables = Guarded(nil)
    }

    /// Opens a run by its name relative to the store; reads its header and its trailer.
    static func open(
        _ directory: any StoreDirectory, name: String, storeID: StoreUUID
    ) throws(IndexError) -> IndexRun {
        do {
            let file = try directory.open(name, .read)
            let (header, trailer) = try readEnds(of: file, name: name)
            guard header.storeID == storeID else {
                throw IndexError.misplaced(
                    file: name, offset: 16, reason: "it belongs to another store")
            }
            guard IndexRunName.run(header.range) == name else {
                throw IndexError.misplaced(
                    file: name, offset: 32, reason: "it covers other commits than its name says")
            }
            return IndexRun(
                directory: directory, file: file, name: name, header: header, trailer: trailer)
        } catch {
            throw IndexError(error, in: name)
        }
    }

    /// Returns the entries of `key` whose number is one of `numbers`, at most `limit`, in the order
    /// of the log or in the opposite one.
    func entries(
        of key: UInt64, numbers: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(IndexError) -> [IndexEntry] {
        guard limit > 0 else { return [] }
        let tables = try loadTables()
        guard tables.filter.mayContain(key) else { return [] }
        let blocks = tables.directory.blocks(of: key, numbers)
        var found: [IndexEntry] = []
        for step in 0..<blocks.count where found.count < limit {
            let number = newestFirst ? blocks.upperBound - 1 - step : blocks.lowerBound + step
            guard tables.directory.entries[number].numbers.overlaps(numbers) else { continue }
            let block = try readBlock(number, tables.directory)
            guard let chunk = block.chunk(of: key) else { continue }
            do {
                if newestFirst {
                    var last = LastEntries(limit: limit - found.count)
                    try block.forEachEntry(of: chunk) { entry in
                        if numbers.contains(entry.number) { last.append(entry) }
                        return true
                    }
                    found += last.newestFirst
                } else {
                    try block.forEachEntry(of: chunk) { entry in
                        if numbers.contains(entry.number) { found.append(entry) }
                        return found.count < limit
                    }
                }
            } catch {
                throw damaged(error, at: blockOffset(number))
            }
        }
        return found
    }

    /// Removes the file.
    ///
    /// Who is reading the run may go on.
    func remove() throws(SystemError) {
        try directory.remove(name)
        try directory.syncDirectory(IndexRunName.directory)
    }
}

/// What of a run is kept in memory.
final class IndexTables: Sendable {
    let directory: IndexDirectory
    let filter: IndexFilter

    init(directory: IndexDirectory, filter: IndexFilter) {
        self.directory = directory
        self.filter = filter
    }
}

/// The last of the entries that were appended.
private struct LastEntries {
    let limit: Int
    private var ring: [IndexEntry] = []
    /// Where the oldest is, once the ring is full.
    private var oldest = 0

    init(limit: Int) { self.limit = limit }

    mutating func append(_ entry: IndexEntry) {
        if ring.count < limit {
            ring.append(entry)
        } else {
            ring[oldest] = entry
            oldest = oldest + 1 == limit ? 0 : oldest + 1
        }
    }

    var newestFirst: [IndexEntry] { ring[..<oldest].reversed() + ring[oldest...].reversed() }
}

// MARK: - Reading

extension IndexRun {
    /// Directory and filter, read once.
    func loadTables() throws(IndexError) -> IndexTables {
        if let known = tables.withLock({ $0 }) { return known }
        // Two first readers may both read them, which is no harm.
        let loaded = try readTables()
        tables.withLock { $0 = loaded }
        return loaded
    }

    private func readTables() throws(IndexError) -> IndexTables {
        IndexTables(directory: try readDirectory(), filter: try readFilter())
    }

    func readDirectory() throws(IndexError) -> IndexDirectory {
        let bytes = try readPart(
            trailer.directoryOffset..<trailer.filterOffset, trailer.directoryChecksum)
        do {
            return try bytes.withUnsafeBufferPointer { (bytes) throws(MalformedBody) in
                try IndexDirectory(decoding: UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw damaged(error, at: trailer.directoryOffset)
        }
    }

    func readFilter() throws(IndexError) -> IndexFilter {
        let bytes = try readPart(trailer.filterOffset..<trailer.offset, trailer.filterChecksum)
        guard let filter = IndexFilter(bytes) else {
            throw .damaged(
                file: name, offset: trailer.filterOffset, reason: "a filter without lines")
        }
        return filter
    }

    func readBlock(_ number: Int, _ directory: IndexDirectory) throws(IndexError) -> IndexBlock {
        let start = blockOffset(number)
        let end = min(start + UInt64(IndexBlock.length), trailer.directoryOffset)
        let bytes = try Self.read(file, start..<max(start, end), name: name)
        do {
            return try IndexBlock(
                bytes, firstKey: directory.entries[number].firstKey,
                seed: header.salt.seed(ofBlockAt: start))
        } catch {
            throw damaged(error, at: start)
        }
    }

    func blockOffset(_ number: Int) -> UInt64 {
        UInt64(header.length) + UInt64(number) * UInt64(IndexBlock.length)
    }

    func damaged(_ error: MalformedBody, at offset: UInt64) -> IndexError {
        .damaged(
            file: name, offset: offset + UInt64(max(error.offset, 0)), reason: error.reason)
    }

    /// Reads header and trailer of a file, and checks them.
    func readEnds() throws(IndexError) -> (IndexRunHeader, IndexRunTrailer) {
        try Self.readEnds(of: file, name: name)
    }

    private static func readEnds(
        of file: any StoreFile, name: String
    ) throws(IndexError) -> (IndexRunHeader, IndexRunTrailer) {
        do {
            let size = try file.size()
            let trailerLength = UInt64(IndexRunTrailer.length)
            guard size >= UInt64(FilePreamble.length) + trailerLength else {
                throw IndexError.damaged(
                    file: name, offset: size, reason: "the file ends inside its header")
            }
            var start = try read(
                file, 0..<min(size, UInt64(IndexRunHeader.usualLength)), name: name)
            let length = try IndexRunHeader.length(of: start)
            if length > start.count, UInt64(length) <= size {
                start = try read(file, 0..<UInt64(length), name: name)
            }
            let header = try start.withUnsafeBufferPointer { (bytes) throws(FormatError) in
                try IndexRunHeader(decoding: UnsafeRawBufferPointer(bytes))
            }
            let end = try read(file, size - trailerLength..<size, name: name)
            let trailer = try end.withUnsafeBufferPointer { (bytes) throws(MalformedBody) in
                try IndexRunTrailer(
                    decoding: UnsafeRawBufferPointer(bytes), header: header, fileLength: size)
            }
            return (header, trailer)
        } catch let error as MalformedBody {
            throw .damaged(file: name, offset: UInt64(error.offset), reason: error.reason)
        } catch {
            throw IndexError(error, in: name)
        }
    }

    private func readPart(
        _ range: Range<UInt64>, _ checksum: UInt32
    ) throws(IndexError) -> [UInt8] {
        let bytes = try Self.read(file, range, name: name)
        guard crc32c(header.salt.body, bytes) == checksum else {
            throw .damaged(
                file: name, offset: range.lowerBound, reason: "a table whose checksum is wrong")
        }
        return bytes
    }

    /// Reads a part of a file that was there when its size was asked for.
    private static func read(
        _ file: any StoreFile, _ range: Range<UInt64>, name: String
    ) throws(IndexError) -> [UInt8] {
        guard let length = Int(exactly: range.upperBound - range.lowerBound) else {
            throw .damaged(file: name, offset: range.lowerBound, reason: "a part that is too long")
        }
        var bytes = [UInt8](repeating: 0, count: length)
        let filled: Int
        do {
            filled = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
                try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
            }
        } catch {
            throw .system(error)
        }
        guard filled == length else {
            throw .damaged(
                file: name, offset: range.lowerBound + UInt64(max(filled, 0)),
                reason: "the file has become shorter")
        }
        return bytes
    }
}

extension IndexError {
    /// Takes over what reading `file` threw.
    init(_ error: any Error, in file: String) {
        switch error {
        case let error as IndexError: self = error
        case let error as SystemError: self = .system(error)
        default:
            switch FormatError(error) {
            case .malformed(let offset, let reason):
                self = .damaged(file: file, offset: UInt64(max(offset, 0)), reason: reason)
            case .unsupported(let reason):
                self = .unsupported(file: file, reason: reason)
            }
        }
    }
}

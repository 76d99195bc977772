import WellspringLog

/// Checks the saved states of projections: their own checksums, and the log that they are of.
struct SavedStateCheck {
    private let directory: any StoreDirectory
    /// States that are sound in themselves, by the position that they take in.
    private var waiting: [UInt64: [(file: String, lastEvent: MessageID)]] = [:]
    private var found: [StoreProblem] = []

    init(_ directory: any StoreDirectory) {
        self.directory = directory
    }

    /// Reads every file, and returns what is wrong with them.
    mutating func readFiles(storeID: StoreUUID) throws(LogError) -> [StoreProblem] {
        var problems: [StoreProblem] = []
        for name in try names(in: CheckpointFile.directory, of: directory)
        where name.hasSuffix(".ckpt") {
            let path = CheckpointFile.directory + "/" + name
            do {
                let state = try read(path)
                if state.storeID != storeID {
                    problems.append(
                        StoreProblem(.unusable, path, at: 16, "it belongs to another store"))
                } else if state.fileName != path {
                    problems.append(
                        StoreProblem(.unusable, path, at: 72, "its name belongs to another file"))
                } else {
                    waiting[state.position, default: []].append((path, state.lastEvent))
                }
            } catch let error as MalformedBody {
                problems.append(
                    StoreProblem(
                        .savedState, path, at: UInt64(max(0, error.offset)), error.reason))
            } catch let error as FormatError {
                guard case .unsupported(let reason) = error else { throw error.found(in: path) }
                problems.append(StoreProblem(.unusable, path, at: 8, reason))
            } catch let error as SystemError {
                guard error.kind != .notFound else { continue }
                guard error.kind == .io else { throw .system(error) }
                problems.append(StoreProblem(.savedState, path, "\(error)"))
            } catch {
                throw LogError.closed
            }
        }
        waiting[0] = nil
        return problems
    }

    /// Reads a file, a second and a third time before it is called damaged.
    private func read(_ path: String) throws -> SavedStateFile {
        for _ in 1..<LogFollower.readings {
            if let state = try? SavedStateFile.read(path, in: directory) { return state }
        }
        return try SavedStateFile.read(path, in: directory)
    }

    /// Compares the event at a position with the one that a state names as its last.
    mutating func note(_ id: MessageID, at position: UInt64) {
        guard !waiting.isEmpty, let states = waiting.removeValue(forKey: position) else { return }
        for state in states where state.lastEvent != id {
            found.append(
                StoreProblem(
                    .unusable, state.file, at: 48,
                    "the log holds \(id == .noEvent ? "no" : "another") event at position \(position)"
                )
            )
        }
    }

    /// Compares what was saved at positions of which it is known that they have no events.
    mutating func note(hole: Range<UInt64>) {
        for position in waiting.keys.filter(hole.contains) { note(.noEvent, at: position) }
    }

    /// What is left to say when the whole log has been read.
    func problems(endingAt last: UInt64) -> [StoreProblem] {
        let beyond = waiting.sorted { $0.key < $1.key }.flatMap { position, states in
            states.map { state in
                StoreProblem(
                    .unusable, state.file, at: 40,
                    position > last
                        ? "it is of position \(position), beyond the end of the log"
                        : "it is of position \(position), whose event is lost")
            }
        }
        return found + beyond
    }
}

/// The head of a saved state, of which the checksum was verified without keeping the state.
struct SavedStateFile {
    var storeID: StoreUUID
    var position: UInt64
    var lastEvent: MessageID
    /// The name that the file should have.
    var fileName: String

    private static let headLength = 72
    /// Head and name are shorter.
    private static let pieceLength = 256 << 10

    static func read(_ path: String, in directory: any StoreDirectory) throws -> SavedStateFile {
        let file = try directory.open(path, .read)
        defer { file.close() }
        return try read(file)
    }

    static func read(_ file: any StoreFile) throws -> SavedStateFile {
        let size = try file.size()
        let tooShort = MalformedBody(offset: Int(size), reason: "the file ends inside its header")
        guard size >= UInt64(headLength + 4) else { throw tooShort }
        let beginning = try checkedBeginning(of: file, size: size)
        do {
            return try beginning.withUnsafeBytes { try SavedStateFile($0) }
        } catch let error as MalformedBody {
            // The bytes are as they were written, by somebody else.
            throw FormatError.unsupported(error.reason)
        }
    }

    private init(_ head: UnsafeRawBufferPointer) throws(MalformedBody) {
        (storeID, position, lastEvent, fileName) = try CheckpointFile.decodeHead(head)
    }

    /// Checks the checksum of a file, and returns the first of the bytes that it holds for.
    ///
    /// Read once more, they need not be the same.
    private static func checkedBeginning(of file: any StoreFile, size: UInt64) throws -> [UInt8] {
        var beginning: [UInt8] = []
        var checksum: UInt32 = 0
        var offset: UInt64 = 0
        while offset < size - 4 {
            let count = Int(min(UInt64(pieceLength), size - 4 - offset))
            let bytes = try piece(of: file, at: offset, count: count)
            if offset == 0 { beginning = bytes }
            checksum = crc32c(checksum, bytes)
            offset += UInt64(count)
        }
        let stored = try piece(of: file, at: size - 4, count: 4).withUnsafeBytes {
            $0.loadLittleEndian(UInt32.self, at: 0)
        }
        guard stored == checksum else {
            throw MalformedBody(offset: 0, reason: "the checksum does not match")
        }
        return beginning
    }

    private static func piece(
        of file: any StoreFile, at offset: UInt64, count: Int
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let filled = try bytes.withUnsafeMutableBytes { buffer in
            try file.read(into: buffer, at: offset)
        }
        guard filled == count else {
            throw MalformedBody(offset: Int(offset) + filled, reason: "the file ends too early")
        }
        return bytes
    }
}

/// Checks every run of the index in itself.
struct IndexCheck {
    private let directory: any StoreDirectory
    private let storeID: StoreUUID

    init(_ directory: any StoreDirectory, storeID: StoreUUID) {
        self.directory = directory
        self.storeID = storeID
    }

    /// - Parameter note: Told of every run that is sound, and of all its entries.
    func run(
        _ report: (StoreProblem) -> Void, noting note: (IndexRun, IndexSum) -> Void
    ) throws(LogError) {
        var known: Set<String> = []
        var isComplete = false
        while !isComplete {
            isComplete = true
            for run in try list() where known.insert(run.name).inserted {
                do throws(IndexError) {
                    let checked = try check(run.name)
                    note(checked.run, checked.sum)
                } catch {
                    switch error {
                    case .damaged(let file, let offset, let reason):
                        report(StoreProblem(.index, file, at: offset, reason))
                    case .misplaced(let file, let offset, let reason):
                        report(StoreProblem(.unusable, file, at: offset, reason))
                    case .unsupported(let file, let reason):
                        report(
                            StoreProblem(.unusable, file, "a newer version wrote it: \(reason)"))
                    case .system(let error) where error.kind == .notFound:
                        // Beside a writer runs are merged, and the old ones removed.
                        isComplete = false
                    case .system(let error):
                        guard error.kind == .io else { throw .system(error) }
                        report(StoreProblem(.index, run.name, "\(error)"))
                    }
                }
            }
        }
    }

    /// Reads a run, a second and a third time before it is called damaged.
    private func check(_ name: String) throws(IndexError) -> (run: IndexRun, sum: IndexSum) {
        for _ in 1..<LogFollower.readings {
            if let checked = try? checkOnce(name) { return checked }
        }
        return try checkOnce(name)
    }

    private func checkOnce(_ name: String) throws(IndexError) -> (run: IndexRun, sum: IndexSum) {
        let run = try IndexRun.open(directory, name: name, storeID: storeID)
        return (run, try run.verify())
    }

    private func list() throws(LogError) -> [IndexListing.Run] {
        do {
            return try IndexRun.list(directory).runs
        } catch {
            throw .system(error)
        }
    }
}

/// Finds files that do not belong to the store.
struct StrayFiles {
    private let directory: any StoreDirectory
    private let manifest: Manifest?

    private static let known: Set = [
        LogLayout.lockFile, LogLayout.segments, LogLayout.quarantine, StoreIdentity.fileName,
        StoreIdentity.fileName + ".tmp", Manifest.fileName, Manifest.fileName + ".tmp",
        StoreIdentity.fileName + ".part", Manifest.fileName + ".part",
        CheckpointFile.directory, IndexRunName.directory, "lost+found", ".DS_Store",
    ]

    init(_ inspection: LogInspection) {
        directory = inspection.directory
        manifest = inspection.manifest
    }

    func find() throws(LogError) -> [StoreProblem] {
        var problems: [StoreProblem] = []
        for name in try names(in: nil, of: directory) where !Self.known.contains(name) {
            problems.append(StoreProblem(.strayFile, name, "the file is not part of a store"))
        }
        for name in try names(in: LogLayout.segments, of: directory) {
            let path = LogLayout.segments + "/" + name
            guard !LogLayout.isLeftByCreation(name), let reason = reason(against: path, name)
            else { continue }
            problems.append(StoreProblem(.strayFile, path, reason))
        }
        return problems
    }

    /// Why a file beside the segments is none of those that count.
    private func reason(against path: String, _ name: String) -> String? {
        if path == LogLayout.rewrittenSegment {
            return "the rest of a rewriting; opening the store removes it"
        }
        guard let (number, generation) = LogLayout.parse(name) else {
            return "the file is not part of a store"
        }
        guard let manifest, let first = manifest.segments.first?.number else { return nil }
        if number < first { return "the MANIFEST does not list the segment any more" }
        let listed = manifest.segments.first { $0.number == number }
        guard let listed, listed.generation != generation else { return nil }
        return "the MANIFEST lists \(listed.fileName); opening the store removes this one"
    }
}

/// The names in a directory of a store, in order; none when there is no such directory.
private func names(
    in folder: String?, of directory: any StoreDirectory
) throws(LogError) -> [String] {
    do {
        return try directory.list(folder).sorted()
    } catch {
        guard error.kind == .notFound else { throw .system(error) }
        return []
    }
}

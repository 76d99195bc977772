import WellspringLog

/// Copies a store, also while somebody appends to it, and checks the copy.
///
/// Sealed segments do not change and are copied as they are; one that is rewritten meanwhile is
/// another file. Of the newest one everything up to the end of a commit that is known to be durable
/// is copied, and the MANIFEST of the copy says that it goes exactly that far. All files have other
/// names until the copy has been verified.
struct StoreBackup {
    private let source: any StoreDirectory
    private let target: any StoreDirectory
    private let staged: StagedDirectory
    /// The caller knows that everything up to this position is durable.
    private let durable: UInt64
    private var tracker: ProgressTracker
    private var report = BackupReport()

    private static let pieceLength = 1 << 20

    init(
        _ source: any StoreDirectory, to target: any StoreDirectory, durable: UInt64,
        _ tracker: ProgressTracker
    ) throws {
        guard try target.list(nil).allSatisfy(Self.ignored.contains) else {
            throw LogError.notEmpty(path: target.path)
        }
        self.source = source
        self.target = target
        self.durable = durable
        self.tracker = tracker
        staged = StagedDirectory(target)
    }

    private static let ignored: Set = ["lost+found", ".DS_Store"]

    consuming func run() throws -> BackupReport {
        let found = try BackupSource(source)
        // Both are written anew for the copy; segments keep what they say.
        try found.identity.writing.check(StoreIdentity.fileName)
        try found.manifest.writing.check(Manifest.fileName)
        try target.makeDirectory(LogLayout.segments)
        try target.syncDirectory(nil)
        let (segments, end) = try copySegments(found)
        try staged.syncDirectory(LogLayout.segments)
        try copyCaches(upTo: end, of: segments)
        let copied = Manifest(
            storeID: found.identity.storeID, number: found.manifest.number, isClean: false,
            knownEnd: end, segments: segments,
            // Of the first MANIFEST: what was honoured since may not be in all that was copied.
            honouredPosition: found.manifest.honouredPosition)
        try AtomicFile.replace(staged, name: Manifest.fileName, contents: copied.encoded())
        try AtomicFile.replace(
            staged, name: StoreIdentity.fileName, contents: found.identity.encoded())
        try verify()
        try staged.publish()
        report.lastPosition = LogPosition(end.nextPosition - 1)
        tracker.finish(events: report.eventCount)
        return report
    }

    // MARK: - Segments

    /// Copies all segments, and returns what is to be listed and where the last one ends.
    ///
    /// The newest one may be sealed and rewritten meanwhile. Then there are further segments, of
    /// which the last is the newest.
    private mutating func copySegments(
        _ first: BackupSource
    ) throws -> (segments: [Manifest.Segment], end: LogEnd) {
        var found = first
        var copied: [Manifest.Segment] = []
        for _ in 1..<Self.rewritingLimit {
            let listed = found.manifest.segments
            for segment in listed.dropFirst(copied.count) where segment.seal != nil {
                copied.append(try copySegment(segment))
            }
            guard let newest = listed.last else { throw LogError.closed }
            do {
                let end = try copyNewest(newest, of: found)
                return (copied + [newest], end)
            } catch {
                guard !(error is CancellationError) else { throw error }
                let now = try BackupSource(source)
                guard now.manifest.segments.count > listed.count else { throw error }
                try giveUp(newest)
                found = now
            }
        }
        throw EventStoreError.storage(
            reason: "its newest segment is rewritten again and again; back up again later")
    }

    /// Removes what was copied of a segment that is to be copied anew.
    private mutating func giveUp(_ segment: Manifest.Segment) throws {
        report.unprovenEvents = 0
        do {
            try staged.remove(segment.fileName)
        } catch {
            guard error.kind == .notFound else { throw error }
        }
    }

    /// Copies a sealed segment, and returns what is to be listed: it may be rewritten meanwhile.
    private mutating func copySegment(_ listed: Manifest.Segment) throws -> Manifest.Segment {
        var segment = listed
        for _ in 0..<Self.rewritingLimit {
            guard let seal = segment.seal else { break }
            tracker.begin(fileSize: seal.fileLength)
            do {
                try copy(segment.fileName, length: seal.fileLength)
                return segment
            } catch let error as SystemError {
                let now = try listing().first { $0.number == segment.number }
                guard error.kind == .notFound, let now, now.generation != segment.generation else {
                    throw error
                }
                segment = now
            }
        }
        throw EventStoreError.storage(
            reason: "\(segment.fileName) is rewritten again and again; back up again later")
    }

    /// How often one segment may be rewritten while it is copied.
    private static let rewritingLimit = 100

    /// What the MANIFEST lists now.
    private func listing() throws -> [Manifest.Segment] {
        try LogInspection(source).readManifest().segments
    }

    /// Copies the newest segment up to the end of its last durable commit, and returns that place.
    private mutating func copyNewest(
        _ newest: Manifest.Segment, of found: BackupSource
    ) throws -> LogEnd {
        let name = newest.fileName
        let header = try Self.header(of: name, in: source)
        var end = LogEnd(beginning: header)
        var isOver = false
        try found.inspection.run(after: found.beginningOfNewest) { item in
            try tracker.check()
            switch item {
            case .frame(let frame):
                guard frame.place.segment == newest.number, frame.header.kind != .seal else {
                    return false
                }
                guard frame.isProven || frame.header.nextPosition <= durable + 1 else {
                    // Nobody may know yet whether it stays.
                    isOver = true
                    report.unprovenEvents += UInt64(frame.header.eventCount)
                    return true
                }
                if !isOver { end = LogEnd(after: frame.header, in: newest.number) }
            case .damage(let damage): throw Self.damaged(damage)
            case .segment, .remains, .unfinished: break
            }
            return true
        }
        guard end.nextPosition > durable else {
            throw EventStoreError.damaged(
                StoreDamage(
                    file: name, offset: end.offset, reason: "position \(durable) is missing"))
        }
        tracker.begin(fileSize: end.offset)
        try copy(name, length: end.offset)
        return end
    }

    private static func header(
        of name: String, in directory: any StoreDirectory
    ) throws -> SegmentHeader {
        var page = [UInt8](repeating: 0, count: SegmentHeader.length)
        let file = try directory.open(name, .read)
        defer { file.close() }
        let filled = try page.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        page.removeLast(page.count - max(0, filled))
        do {
            return try page.withUnsafeBytes { try SegmentHeader(decoding: $0) }
        } catch {
            throw FormatError(error).found(in: name)
        }
    }

    /// Copies the first bytes of a segment.
    private mutating func copy(_ name: String, length: UInt64) throws {
        let from = try source.open(name, .read)
        defer { from.close() }
        do {
            try copy(from, to: name, length: length)
        } catch let unreadable as Unreadable {
            throw unreadable.reason
        }
    }

    /// What cannot be copied because it cannot be read.
    private struct Unreadable: Error {
        let reason: any Error
    }

    /// Copies the first bytes of a file, and syncs the copy.
    ///
    /// - Throws: ``Unreadable`` when the fault is that of the file.
    private mutating func copy(_ from: any StoreFile, to name: String, length: UInt64) throws {
        let to = try staged.open(name, .create)
        defer { to.close() }
        var piece = [UInt8](repeating: 0, count: Self.pieceLength)
        var offset: UInt64 = 0
        while offset < length {
            try tracker.check()
            let wanted = Int(min(UInt64(piece.count), length - offset))
            let count: Int
            do {
                count = try piece.withUnsafeMutableBytes { buffer in
                    try from.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[0..<wanted]),
                        at: offset)
                }
            } catch {
                throw Unreadable(reason: error)
            }
            guard count == wanted else {
                throw Unreadable(
                    reason: EventStoreError.damaged(
                        StoreDamage(
                            file: name, offset: offset + UInt64(max(0, count)),
                            reason: "the file is shorter than it was")))
            }
            try piece.withUnsafeBytes { bytes in
                try to.write(UnsafeRawBufferPointer(rebasing: bytes[0..<count]), at: offset)
            }
            offset += UInt64(count)
            tracker.advance(to: offset, events: 0)
        }
        try to.sync()
        report.byteCount += length
        report.fileCount += 1
    }

    // MARK: - What can be made again

    /// Copies saved states and parts of the index that are of the copied part of the log.
    ///
    /// They only save time: what cannot be read is left out.
    private mutating func copyCaches(upTo end: LogEnd, of segments: [Manifest.Segment]) throws {
        let states = ((try? source.list(CheckpointFile.directory)) ?? [])
            .filter { $0.hasSuffix(".ckpt") }.map { CheckpointFile.directory + "/" + $0 }
        _ = try copyCaches(states, in: CheckpointFile.directory) { file in
            try SavedStateFile.read(file).position < end.nextPosition
        }
        let runs = ((try? IndexRun.list(source).runs) ?? [])
            .filter { $0.range.last <= end.sequence }.map(\.name)
        report.wrongIndexRuns = try copyCaches(runs, in: IndexRunName.directory) { _ in true }
        let now = try listing()
        guard !zip(segments, now).allSatisfy({ $0.generation == $1.generation }) else { return }
        // The runs may be those of segments that were rewritten after they were copied.
        for name in runs where (try? target.remove(name)) != nil { report.fileCount -= 1 }
        if !runs.isEmpty { try target.syncDirectory(IndexRunName.directory) }
    }

    /// - Returns: The names of those that the medium does not give back.
    private mutating func copyCaches(
        _ names: [String], in folder: String, where isMeant: (any StoreFile) throws -> Bool
    ) throws -> [String] {
        guard !names.isEmpty else { return [] }
        try target.makeDirectory(folder)
        try target.syncDirectory(nil)
        var unreadable: [String] = []
        for name in names where try !copyCache(name, where: isMeant) { unreadable.append(name) }
        try target.syncDirectory(folder)
        return unreadable
    }

    /// Judges and copies what one opened file holds: another may have its name before the end.
    ///
    /// - Returns: False when the medium does not give it back.
    private mutating func copyCache(
        _ name: String, where isMeant: (any StoreFile) throws -> Bool
    ) throws -> Bool {
        // Merged meanwhile, or removed.
        guard let file = try? source.open(name, .read) else { return true }
        defer { file.close() }
        guard (try? isMeant(file)) == true, let size = try? file.size() else { return true }
        do {
            try copy(file, to: name, length: size)
            return true
        } catch is Unreadable {
            try target.remove(name)
            return false
        }
    }

    // MARK: - Checking

    /// Reads the copy back and checks every byte of it.
    private mutating func verify() throws {
        let checked = try StoreVerifier(staged, tracker.quiet).run()
        let damage = checked.problems.filter(\.kind.isDamage)
        // Whoever opens the copy makes these anew, from a log that is whole.
        let wrongRuns = damage.filter { $0.kind.isOfIndex }.map(\.file)
        try IndexRun.remove(wrongRuns, in: target)
        report.wrongIndexRuns += wrongRuns
        report.fileCount -= wrongRuns.count
        // Of very many problems only the first are kept.
        let isKnown = checked.damageCount == damage.count
        if let problem = damage.first(where: { !$0.kind.isOfIndex || !isKnown }) {
            throw EventStoreError.damaged(
                StoreDamage(
                    file: problem.file, offset: problem.offset,
                    reason: problem.reason + " (found in the copy, which was given up)"))
        }
        report.eventCount = checked.eventCount
        report.commitCount = checked.commitCount
    }

    private static func damaged(_ damage: InspectedDamage) -> EventStoreError {
        .damaged(StoreDamage(file: damage.file, offset: damage.offset, reason: damage.reason))
    }
}

extension StoreProblem.Kind {
    fileprivate var isOfIndex: Bool { self == .index || self == .indexEntries }
}

/// What was copied, see ``FileEventStore/backup(to:progress:)``.
public struct BackupReport: Hashable, Sendable {
    /// How many events the copy has.
    public internal(set) var eventCount: UInt64 = 0
    /// How many commits they came in.
    public internal(set) var commitCount: UInt64 = 0
    /// The position of the last event in the copy.
    public internal(set) var lastPosition = LogPosition.start
    /// How many files the copy has.
    public internal(set) var fileCount = 0
    /// How many bytes were copied.
    public internal(set) var byteCount: UInt64 = 0
    /// Events at the end that were left out, because nothing says that they are durable.
    ///
    /// There are some where the store was in use by another process, or killed. Open and close the
    /// store to have them proved.
    public internal(set) var unprovenEvents: UInt64 = 0
    /// Parts of the index that were left out, because they are damaged or do not list what the log
    /// holds.
    ///
    /// The copy is whole without them. The store itself still has them, and reads of it may pass
    /// events over: do at once what the advice of ``FileEventStore/verify(at:progress:)`` says.
    public internal(set) var wrongIndexRuns: [String] = []
}

package import WellspringLog

/// Makes anew what a store can be without: its MANIFEST, and damaged parts of its index.
///
/// Only that: a store of which anything else is damaged is left alone.
struct StoreRepair {
    private let directory: any StoreDirectory
    private let allowsNetworkFileSystem: Bool
    private var tracker: ProgressTracker

    init(
        _ directory: any StoreDirectory, allowsNetworkFileSystem: Bool, _ tracker: ProgressTracker
    ) {
        self.directory = directory
        self.allowsNetworkFileSystem = allowsNetworkFileSystem
        self.tracker = tracker
    }

    consuming func run() throws -> RepairReport {
        var report = RepairReport()
        guard try hasDamage(LogInspection(directory)) else { return report }
        let lock = try CommitLog.lock(
            directory, allowsNetworkFileSystem: allowsNetworkFileSystem)
        defer { lock.release() }
        // Beside a writer it may have been another store a moment ago.
        let inspection = try LogInspection(directory)
        let identity = try identity(of: inspection)
        try identity.writing.check(StoreIdentity.fileName)
        try inspection.manifest?.writing.check(Manifest.fileName)
        let found = try read(inspection)
        let runs = try damagedRuns(identity)
        guard inspection.manifest == nil || !runs.isEmpty else { return report }
        if !runs.isEmpty { try checkCanBeIndexed() }
        if inspection.manifest == nil {
            let manifest = try manifest(of: found, identity)
            try Self.check(manifest)
            report.quarantined = try setAside()
            try AtomicFile.replace(directory, name: Manifest.fileName, contents: manifest.encoded())
            report.unproven = [
                "that segment \(manifest.knownEnd.segment) is the last one: a later one that is "
                    + "missing leaves no trace",
                "that the log did not go on behind position \(found.lastPosition)",
            ]
        }
        try IndexRun.remove(runs, in: directory)
        report.removedIndexFiles = runs
        report.isRepaired = true
        report.segmentCount = found.segments.count
        report.eventCount = found.eventCount
        report.lastPosition = LogPosition(found.lastPosition)
        tracker.finish(events: found.eventCount)
        return report
    }

    private func hasDamage(_ inspection: LogInspection) throws -> Bool {
        let identity = try identity(of: inspection)
        return try inspection.manifest == nil || !damagedRuns(identity).isEmpty
    }

    private func identity(of inspection: LogInspection) throws -> StoreIdentity {
        guard let identity = inspection.identity else {
            throw EventStoreError.damaged(
                StoreDamage(
                    file: StoreIdentity.fileName, offset: 0,
                    reason:
                        "without this file a store cannot be repaired; salvage copies its events"))
        }
        return identity
    }

    /// The names of the parts of the index that are not what they were.
    private func damagedRuns(_ identity: StoreIdentity) throws(LogError) -> [String] {
        var names: [String] = []
        try IndexCheck(directory, storeID: identity.storeID).run { problem in
            if problem.kind == .index { names.append(problem.file) }
        } noting: { _, _ in
        }
        return names
    }

    /// Reads all that the next opening will index anew, as thoroughly as that will.
    ///
    /// A store whose index is gone does not open when the log makes no sense where the index covered
    /// it, and it could before.
    private func checkCanBeIndexed() throws {
        let made: Set<StoreProblem.Kind> = [.manifest, .index, .savedState]
        let checked = try StoreVerifier(directory, tracker.quiet).run()
        let damage = checked.problems.first { $0.kind.isDamage && !made.contains($0.kind) }
        if let damage { throw Self.beyondRepair(damage.file, damage.offset, damage.reason) }
    }

    private static func beyondRepair(
        _ file: String, _ offset: UInt64, _ reason: String
    ) -> EventStoreError {
        .damaged(
            StoreDamage(
                file: file, offset: offset, reason: reason + ", which repair cannot make good"))
    }

    // MARK: - Reading

    private struct Found {
        var segments: [InspectedSegment] = []
        var eventCount: UInt64 = 0
        var lastPosition: UInt64 = 0
        /// The place behind the last frame that is known to be durable.
        var provenEnd: LogEnd?
    }

    /// Reads all segments, which must be sound and follow each other.
    private mutating func read(_ inspection: LogInspection) throws -> Found {
        var found = Found()
        let end = try inspection.run { item in
            try tracker.check()
            switch item {
            case .segment(let segment):
                try segment.header.writing.check(segment.file)
                tracker.begin(fileSize: segment.fileSize)
                found.segments.append(segment)
            case .frame(let frame):
                found.lastPosition = frame.header.nextPosition - 1
                if frame.header.kind == .group {
                    found.eventCount += UInt64(frame.place.eventCount)
                }
                tracker.advance(to: frame.place.offset, events: found.eventCount)
            case .damage(let damage) where damage.kind == .manifest: break
            case .damage(let damage):
                throw Self.beyondRepair(damage.file, damage.offset, damage.reason)
            case .remains, .unfinished: break
            }
            return true
        }
        found.provenEnd = end
        return found
    }

    // MARK: - Writing

    private func manifest(of found: Found, _ identity: StoreIdentity) throws -> Manifest {
        guard let newest = found.segments.last else {
            throw EventStoreError.damaged(
                StoreDamage(
                    file: LogLayout.segments, offset: 0,
                    reason: "there is no segment to repair from"))
        }
        var end = LogEnd(beginning: newest.header)
        // The place behind a seal is no place at which a log goes on.
        if let proven = found.provenEnd, proven.segment == newest.header.number, newest.seal == nil
        {
            end = proven
        }
        let last = found.segments.count - 1
        let entries = found.segments.enumerated().map { index, segment in
            Manifest.Segment(
                number: segment.header.number, generation: segment.header.generation,
                basePosition: segment.header.basePosition,
                baseSequence: segment.header.baseSequence,
                seal: index == last ? nil : segment.seal?.trailer.manifestEntry(segment.fileSize))
        }
        return Manifest(
            storeID: identity.storeID, number: 1, isClean: false, knownEnd: end, segments: entries,
            honouredPosition: 0)
    }

    /// Refuses to write a MANIFEST that no opening would believe.
    static func check(_ manifest: Manifest) throws {
        do {
            _ = try manifest.encoded().withUnsafeBytes { try Manifest(decoding: $0) }
        } catch {
            guard case .malformed(let offset, let reason) = FormatError(error) else { throw error }
            throw beyondRepair(
                Manifest.fileName, UInt64(max(0, offset)), "made anew it would have " + reason)
        }
    }

    /// Moves what is left of the old MANIFEST out of the way; returns where to.
    private func setAside() throws(SystemError) -> String? {
        guard try directory.list(nil).contains(Manifest.fileName) else { return nil }
        try directory.makeDirectory(LogLayout.quarantine)
        try directory.syncDirectory(nil)
        let taken = Set(try directory.list(LogLayout.quarantine))
        let number = (1...UInt32.max).first { !taken.contains("MANIFEST-\($0).damaged") } ?? 0
        let name = LogLayout.quarantine + "/MANIFEST-\(number).damaged"
        try directory.rename(Manifest.fileName, to: name)
        try directory.syncDirectory(LogLayout.quarantine)
        try directory.syncDirectory(nil)
        return name
    }
}

/// What repairing a store did, see ``FileEventStore/repair(at:allowsNetworkFileSystem:progress:)``.
public struct RepairReport: Hashable, Sendable {
    /// Whether there was anything to repair.
    public internal(set) var isRepaired = false
    /// Damaged parts of the index that were removed, relative to the store.
    ///
    /// The next opening for writing makes them anew from the log.
    public internal(set) var removedIndexFiles: [String] = []
    /// Where the damaged MANIFEST was moved to, relative to the store.
    ///
    /// `nil` when there was none.
    public internal(set) var quarantined: String?
    /// How many segments the store has.
    public internal(set) var segmentCount = 0
    /// How many events it has.
    public internal(set) var eventCount: UInt64 = 0
    /// The position of the last event.
    public internal(set) var lastPosition = LogPosition.start
    /// What nobody can prove any more of a log whose MANIFEST was made anew, each in a clause that
    /// begins with "that".
    public internal(set) var unproven: [String] = []
}

extension FileEventStore {
    /// Makes the MANIFEST of a store anew when it is missing or damaged, and removes damaged parts of
    /// the index, which the next opening makes anew.
    ///
    /// The MANIFEST says which segments there are and how far the log goes, so without it a loss at
    /// the very end of the log cannot be noticed any more: the report says what could not be proved.
    /// The segments must be sound, or nothing is changed and the error names the damage; then
    /// ``salvage(from:to:progress:)`` is what helps. A damaged MANIFEST is kept in `quarantine/`.
    ///
    /// - Parameters:
    ///   - path: The directory of the store.
    ///   - allowsNetworkFileSystem: As in ``Configuration/allowsNetworkFileSystem``.
    ///   - progress: Told now and then how far the reading has come, on a thread of the store.
    /// - Throws: ``EventStoreError/damaged(_:)`` when there is more damage than repair makes good,
    ///   ``EventStoreError/locked(path:owner:)`` when the store is open.
    @discardableResult
    public static func repair(
        at path: String, allowsNetworkFileSystem: Bool = false,
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> RepairReport {
        try await repair(
            at: path, in: PosixFileSystem(), allowsNetworkFileSystem: allowsNetworkFileSystem,
            progress: progress)
    }

    /// Repairs a store in a directory of any file system.
    @discardableResult
    package static func repair(
        at path: String, in fileSystem: any FileSystem, allowsNetworkFileSystem: Bool = false,
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> RepairReport {
        try await maintain(path, in: fileSystem, named: "wellspring-repair") {
            directory, isCancelled in
            let tracker = ProgressTracker(directory, isCancelled: isCancelled, progress)
            return try StoreRepair(
                directory, allowsNetworkFileSystem: allowsNetworkFileSystem, tracker
            ).run()
        }
    }
}

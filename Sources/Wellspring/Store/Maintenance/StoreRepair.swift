package import WellspringLog

/// Makes the MANIFEST of a store anew from its segments.
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
        let inspection = try LogInspection(directory)
        guard let identity = inspection.identity else {
            throw EventStoreError.damaged(
                StoreDamage(
                    file: StoreIdentity.fileName, offset: 0,
                    reason:
                        "without this file a store cannot be repaired; salvage copies its events"))
        }
        if inspection.manifest != nil { return try nothingToDo() }
        let lock = try CommitLog.lock(
            directory, allowsNetworkFileSystem: allowsNetworkFileSystem)
        defer { lock.release() }
        let found = try read(inspection)
        let manifest = try manifest(of: found, identity)
        var report = RepairReport()
        report.quarantined = try setAside()
        try AtomicFile.replace(directory, name: Manifest.fileName, contents: manifest.encoded())
        report.isRepaired = true
        report.segmentCount = manifest.segments.count
        report.eventCount = found.eventCount
        report.lastPosition = LogPosition(found.lastPosition)
        report.unproven = [
            "that segment \(manifest.knownEnd.segment) is the last one: a later one that is missing "
                + "leaves no trace",
            "that the log did not go on behind position \(found.lastPosition)",
        ]
        tracker.finish(events: found.eventCount)
        return report
    }

    private func nothingToDo() throws -> RepairReport { RepairReport() }

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
                throw EventStoreError.damaged(
                    StoreDamage(
                        file: damage.file, offset: damage.offset,
                        reason: damage.reason + ", which repair cannot make good"))
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
    /// Where the damaged file was moved to, relative to the store.
    ///
    /// `nil` when there was none.
    public internal(set) var quarantined: String?
    /// How many segments the store has.
    public internal(set) var segmentCount = 0
    /// How many events it has.
    public internal(set) var eventCount: UInt64 = 0
    /// The position of the last event.
    public internal(set) var lastPosition = LogPosition.start
    /// What nobody can prove any more, each in a clause that begins with "that".
    public internal(set) var unproven: [String] = []
}

extension FileEventStore {
    /// Makes the MANIFEST of a store anew, when it is missing or damaged.
    ///
    /// The file says which segments there are and how far the log goes, so without it a loss at the
    /// very end of the log cannot be noticed any more: the report says what could not be proved.
    /// The segments must be sound, or nothing is changed and the error names the damage; then
    /// ``salvage(from:to:progress:)`` is what helps. The damaged file is kept in `quarantine/`.
    ///
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

import WellspringLog

/// Takes the content of truncated and redacted events out of the files of a store.
///
/// First everything is read that tells what is to be done: the log behind what was honoured before,
/// and not the index, which may lack a request. When nobody has asked for anything since the last
/// time, nothing is written save, where that was long to read, up to where it was read. Then the
/// index is removed as far as it names places that will change, and one segment after the other is
/// written anew. In the end the MANIFEST says which requests were honoured. A crash leaves every
/// event with its content or without it, and the next scavenge finds those that still have it.
struct StoreScavenge {
    private let directory: any StoreDirectory
    private let allowsNetworkFileSystem: Bool
    private let isCancelled: @Sendable () -> Bool
    private let progress: (@Sendable (MaintenanceProgress) -> Void)?
    private let plantedFault: PlantedFault?
    /// So many events are rather read again by the next scavenge than a file is touched.
    private let rereadLimit: UInt64
    private var report = ScavengeReport()

    init(
        _ directory: any StoreDirectory, allowsNetworkFileSystem: Bool = false,
        isCancelled: @escaping @Sendable () -> Bool,
        _ progress: (@Sendable (MaintenanceProgress) -> Void)?, plantedFault: PlantedFault? = nil,
        rereadLimit: UInt64 = 100_000
    ) {
        self.rereadLimit = rereadLimit
        self.allowsNetworkFileSystem = allowsNetworkFileSystem
        self.plantedFault = plantedFault
        self.directory = directory
        self.isCancelled = isCancelled
        self.progress = progress
    }

    consuming func run() throws -> ScavengeReport {
        let lock = try lockAsClosed()
        let plan: ScavengePlan
        let manifest: Manifest
        do {
            manifest = try LogInspection(directory).readManifest()
            plan = try self.plan(for: manifest)
            report.bytesBefore = try bytes(of: manifest.segments)
            report.bytesAfter = report.bytesBefore
            if !plan.isEmpty || manifest.honouredPosition > 0 { try listCopies() }
        } catch {
            lock.release()
            throw error
        }
        let wasLong = manifest.knownEnd.nextPosition - manifest.honouredPosition > rereadLimit
        guard !plan.isEmpty || wasLong else {
            lock.release()
            return report
        }
        try carryOut(plan, on: manifest, holding: lock)
        return report
    }

    /// Takes the lock of a store that was closed properly.
    ///
    /// What a crash left behind is judged as at any opening before, and is no longer in doubt then.
    private func lockAsClosed() throws -> any LockToken {
        // Refuses what is no store before there is a lock file.
        _ = try LogInspection(directory)
        let lock = try lock()
        let wasClosed: Bool
        do {
            wasClosed = try LogInspection(directory).manifest?.isClean ?? false
        } catch {
            lock.release()
            throw error
        }
        guard !wasClosed else { return lock }
        try open(ScavengedLogClient(), holding: lock).close()
        return try self.lock()
    }

    private func lock() throws(LogError) -> any LockToken {
        try CommitLog.lock(directory, allowsNetworkFileSystem: allowsNetworkFileSystem)
    }

    private func plan(for manifest: Manifest) throws -> ScavengePlan {
        // Without anything new in the log not even the index is asked.
        guard manifest.honouredPosition + 1 < manifest.knownEnd.nextPosition else {
            return ScavengePlan()
        }
        let log = try FollowedLog.open(
            FollowedFiles(directory: directory, includesUnproven: false, keyMask: .max))
        defer { log.close() }
        while try !log.advance(upTo: .max) {}
        // What is asked for at the end must not be missed.
        guard log.visible + 1 == manifest.knownEnd.nextPosition else {
            throw EventStoreError.storage(
                reason: "the log was read up to position \(log.visible) and goes up to "
                    + "\(manifest.knownEnd.nextPosition - 1)")
        }
        let tracker = ProgressTracker(totalBytes: 0, isCancelled: isCancelled, nil)
        return try ScavengePlan(
            of: log, manifest.segments, honoured: manifest.honouredPosition, tracker)
    }

    // MARK: - Writing

    private func open(
        _ client: any LogClient, holding lock: any LockToken
    ) throws(LogError) -> CommitLog {
        var configuration = LogConfiguration()
        configuration.createsStore = false
        let end = try LogInspection(directory).manifest?.knownEnd.offset ?? 0
        // A log that ends with a page may be one that is opened in this mode only.
        if end % UInt64(CommitLog.pageLength) == 0 { configuration.durability = .strict }
        return try CommitLog.open(
            directory, configuration: configuration, client: client, holding: lock)
    }

    private mutating func carryOut(
        _ plan: ScavengePlan, on manifest: Manifest, holding lock: any LockToken
    ) throws {
        let client = ScavengedLogClient()
        let log = try open(client, holding: lock)
        // The plan was made of all that is asked for up to here.
        let asked = manifest.knownEnd.nextPosition - 1
        do {
            if plantedFault == .honourEarly { log.noteHonoured(through: asked) }
            let affected = manifest.segments.filter { plan.segments.contains($0.number) }
            if !affected.isEmpty {
                try rewrite(affected, of: manifest.segments, as: plan, log, client)
            }
            log.noteHonoured(through: asked)
            try log.close()
            report.bytesAfter = log.byteCount
        } catch is CancellationError {
            // What was done is whole, and the rest can be done another time.
            try log.close()
            throw CancellationError()
        } catch {
            log.abandon()
            throw error
        }
    }

    private mutating func rewrite(
        _ affected: [Manifest.Segment], of listed: [Manifest.Segment], as plan: ScavengePlan,
        _ log: CommitLog, _ client: ScavengedLogClient
    ) throws {
        let index = try IndexRun.list(directory).part(from: affected.first?.baseSequence ?? 1)
        let unindexed = listed.filter { $0.seal.map { $0.lastSequence >= index.first } ?? true }
        var tracker = ProgressTracker(
            totalBytes: try bytes(of: unindexed) + bytes(of: affected),
            isCancelled: isCancelled, progress)
        try check(unindexed, of: log, &tracker)
        try IndexRun.remove(index.names, in: directory)
        if affected.contains(where: { $0.seal == nil }) { try log.sealActive(client: client) }
        for segment in affected {
            try tracker.check()
            tracker.begin(fileSize: try bytes(of: [segment]))
            let rewriter = SegmentScavenge(plan, tracker, before: report.redactedCount)
            try log.rewrite(segment.number, with: rewriter, client: client)
            tracker = rewriter.tracker
            report.segmentCount += 1
            report.redactedCount += rewriter.redactedCount
        }
        tracker.finish(events: report.redactedCount)
    }

    /// Reads what will have to be indexed anew, as that will.
    ///
    /// A store whose index is gone cannot be opened when a segment is damaged that the index covered,
    /// and it could before.
    private func check(
        _ segments: [Manifest.Segment], of log: CommitLog, _ tracker: inout ProgressTracker
    ) throws {
        var indexing = FrameIndexing(LogIndex(hashKey: log.hashKey), log, NameCache())
        var rest = segments[...]
        guard let first = rest.first else { return }
        try log.forEachFrame(
            from: (first.number, UInt64(SegmentHeader.length)), throughSequence: .max
        ) { (place, body) throws(MalformedBody) in
            _ = try indexing.items(of: place, body: body)
            while let next = rest.first, next.number <= place.segment {
                tracker.begin(fileSize: next.seal?.fileLength ?? 0)
                rest.removeFirst()
            }
            tracker.advance(to: place.bodyOffset + UInt64(place.bodyLength), events: 0)
            return !isCancelled()
        }
        try tracker.check()
    }

    // MARK: - Files

    /// The size of the files of segments.
    private func bytes(of segments: [Manifest.Segment]) throws -> UInt64 {
        try segments.reduce(0) { sum, segment in
            if let seal = segment.seal { return sum + seal.fileLength }
            let file = try directory.open(segment.fileName, .read)
            defer { file.close() }
            return try sum + file.size()
        }
    }

    /// Lists the files that a scavenge does not look into.
    private mutating func listCopies() throws {
        report.quarantined = try names(in: LogLayout.quarantine)
        report.savedStates = try names(in: CheckpointFile.directory)
    }

    private func names(in folder: String) throws(SystemError) -> [String] {
        do {
            return try directory.list(folder).sorted().map { "\(folder)/\($0)" }
        } catch {
            guard error.kind == .notFound else { throw error }
            return []
        }
    }
}

extension IndexListing {
    /// What is of no use once places behind a sequence change: runs that name such places, those
    /// behind them, and leftovers.
    ///
    /// - Returns: Their names, and the first sequence that is not indexed without them.
    fileprivate func part(from sequence: UInt64) -> (names: [String], first: UInt64) {
        let gone = runs.filter { $0.range.last >= sequence }
        let first = gone.map(\.range.first).min() ?? sequence
        return (gone.map(\.name) + leftovers, min(first, sequence))
    }
}

/// Writes the groups of one segment anew.
private final class SegmentScavenge: RewritingClient {
    private let plan: ScavengePlan
    private let before: UInt64
    private var bodies = BodyRewriting()
    private(set) var tracker: ProgressTracker

    /// - Parameter before: How many events lost their content in other segments.
    init(_ plan: ScavengePlan, _ tracker: ProgressTracker, before: UInt64) {
        self.plan = plan
        self.tracker = tracker
        self.before = before
    }

    var redactedCount: UInt64 { bodies.redactedCount }

    func rewrite(
        _ place: FramePlace, body: UnsafeRawBufferPointer, for context: FrameContext,
        into writer: inout ByteWriter
    ) throws(MalformedBody) {
        try bodies.rewrite(body, of: place, for: context, into: &writer) { plan.isToGo($0) }
        tracker.advance(
            to: place.bodyOffset + UInt64(place.bodyLength), events: before + redactedCount)
    }

    func footerContent(ofRewritten segment: UInt32) -> [UInt8] { bodies.names.footer }
}

/// What a log needs that is opened only to be scavenged.
private final class ScavengedLogClient: LogClient {
    /// The names that the active segment defines.
    private var names = SegmentNames()

    /// The plan was made of all of it, so only the newest segment is read: its footer is still to be
    /// written.
    func coverage(of log: LogOutline) -> LogCoverage? { LogCoverage(anchor: nil) }

    func segmentBegan(_ segment: UInt32) { names = SegmentNames() }

    func replay(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody) {
        var reader = BodyReader(body, at: place.bodyOffset)
        while let item = try reader.next() {
            switch item {
            case .definition(let reference, let definition): names.add(definition, reference)
            case .entry(let count): for _ in 0..<count { try reader.skipRecord() }
            }
        }
    }

    func footerContent(of segment: UInt32) -> [UInt8] { names.footer }
}

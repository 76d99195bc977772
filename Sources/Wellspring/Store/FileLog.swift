import WellspringLog

/// A log in a directory of files: the durable log, with events in its frames.
final class FileLog: EventLog {
    private let log: CommitLog
    private let directory: any StoreDirectory
    private let reader: LogReader
    private let keeper: IndexKeeper
    /// Touched by whoever commits, one at a time.
    private let client: FileLogClient
    private let durability: LogDurability
    private let idleMark: UInt64?

    /// What opening found and did.
    let report: RecoveryReport
    let storeID: StoreUUID

    /// How long after a mark that could not be written the next one is tried, in nanoseconds.
    private static let markRetry: UInt64 = 1_000_000_000

    /// With more entries than this in memory, the index is written out.
    private static let indexLimit = 1 << 18

    /// Opens the log.
    static func open(
        _ directory: any StoreDirectory, _ configuration: LogConfiguration,
        onNotice: @escaping @Sendable (StoreNotice) -> Void = { _ in }
    ) throws(LogError) -> FileLog {
        let began = directory.wallClock()
        let client = FileLogClient(
            keyMask: configuration.indexKeyMask, fault: configuration.plantedFault)
        let log = try CommitLog.open(directory, configuration: configuration, client: client)
        let builder = IndexBuilder(log: log, index: client.index, names: client.names)
        let reindexed: Int
        do {
            reindexed =
                configuration.plantedFault == .leaveIndexGap
                ? 0 : try fillGap(of: client, with: builder)
        } catch {
            log.abandon()
            throw error
        }
        // After a proper close the index has all of the newest segment too.
        let rereadsNewest = log.recovery.wasClean && client.index.recentCount > 0
        client.finishOpening(of: log)
        return FileLog(
            log, client, builder, configuration, in: directory,
            reindexed: reindexed + (rereadsNewest ? 1 : 0), began: began, onNotice: onNotice)
    }

    /// Indexes what lies between the runs that were found and the frames that were replayed; returns
    /// how many segments that are.
    private static func fillGap(
        of client: FileLogClient, with builder: IndexBuilder
    ) throws(LogError) -> Int {
        guard let last = client.replayedAfter, last > client.chain.covered else { return 0 }
        let parts = try builder.build(after: client.chain.end, through: last)
        client.index.insert(parts)
        return parts.count
    }

    private init(
        _ log: CommitLog, _ client: FileLogClient, _ builder: IndexBuilder,
        _ configuration: LogConfiguration, in directory: any StoreDirectory, reindexed: Int,
        began: Int64, onNotice: @escaping @Sendable (StoreNotice) -> Void
    ) {
        self.log = log
        self.directory = directory
        self.client = client
        durability = configuration.durability
        idleMark = configuration.idleMarkNanoseconds
        storeID = log.storeID
        let keeper = IndexKeeper(
            client.index, in: directory, storeID: log.storeID, fault: configuration.plantedFault,
            rebuild: { (damaged) throws(LogError) in
                try builder.build(
                    after: damaged.start, through: damaged.run.range.last,
                    endingAt: try? damaged.run.decodedAnchor())
            },
            onFailure: { onNotice(.keptIndexInMemory(reason: $0)) })
        self.keeper = keeper
        reader = LogReader(
            log, client.index, client.names, fault: configuration.plantedFault
        ) {
            (error) throws(EventStoreError) in
            try Self.heal(error, keeper)
        }
        let removed = keeper.removeOthers()
        report = RecoveryReport(
            log.recovery,
            index: .init(reindexed: reindexed, removed: removed, unread: client.index.unread),
            duration: .nanoseconds(max(0, directory.wallClock() &- began)),
            syncsReachMedium: directory.syncsReachMedium)
        keeper.start()
        keeper.wake()
    }

    /// Makes a damaged run again from the log.
    private static func heal(
        _ error: IndexError, _ keeper: IndexKeeper
    ) throws(EventStoreError) {
        guard case .damaged(let file, _, _) = error else { return }
        do {
            try keeper.replace(file)
        } catch {
            throw EventStoreError(error, path: "")
        }
    }

    var isInstant: Bool { false }
    var isForked: Bool { log.isForked }
    var durablePosition: UInt64 { log.durablePosition }
    /// The last position that is written.
    var writtenPosition: UInt64 { log.writtenPosition }

    func commit(_ group: [QueuedAppend]) throws(CommitFailure) {
        let count = group.reduce(0) { $0 + $1.events.count }
        // Appends that only checked a version leave no trace.
        guard count > 0 else { return }
        if client.index.recentCount > Self.indexLimit { freezeIndex() }
        let bytes = group.reduce(0) { $0 + $1.bytes }
        let place: FramePlace
        do {
            place = try log.commit(
                client: client, eventCount: UInt32(truncatingIfNeeded: count), sizeHint: bytes
            ) { context, writer in
                client.writer.write(group, context: context, to: &writer)
            }
        } catch {
            client.writer.takeBack()
            throw error
        }
        client.add(group, at: place)
        reader.resumes.withLock { $0.wrote(place) }
        if client.takeEndedPart() { keeper.wake() }
        try syncWhenIntervalIsOver()
    }

    /// Ends the part of the index that is in memory, if all of it is durable.
    private func freezeIndex() {
        guard let anchor = log.anchor else { return }
        client.endPart(at: anchor)
    }

    /// Syncs in the midst of steady traffic too, when no timer gets its turn.
    private func syncWhenIntervalIsOver() throws(CommitFailure) {
        guard case .interval(let nanoseconds, _) = durability else { return }
        guard log.unsyncedBytes > 0 else { return client.firstUnsyncedAt = nil }
        // Recorded times would stand still while the clock is behind them.
        let now = directory.wallClock()
        let first = client.firstUnsyncedAt ?? now
        client.firstUnsyncedAt = first
        // A clock that was set back has hidden how long it was: then it was long enough.
        guard UInt64(bitPattern: now &- first) >= nanoseconds else { return }
        try log.sync()
        client.firstUnsyncedAt = nil
    }

    func doHousekeeping(timerFired: Bool) throws(CommitFailure) -> HousekeepingTimer {
        switch durability {
        case .everyCommit, .strict:
            guard let idleMark, log.wantsMark else { return .notNeeded }
            guard timerFired else { return .after(nanoseconds: idleMark) }
            guard try writeMark() else { return .after(nanoseconds: Self.markRetry) }
        case .interval(let nanoseconds, _):
            if timerFired {
                client.hasTimer = false
                // Syncs, and says so in a mark.
                let isWritten = try writeMark()
                client.firstUnsyncedAt = nil
                // The next append does not wait for that: it has its own interval.
                guard isWritten else {
                    return .after(nanoseconds: max(nanoseconds, Self.markRetry))
                }
            }
            // The timer that runs already is for the oldest bytes; it must not be put off.
            guard log.wantsMark, !client.hasTimer else { return .notNeeded }
            client.hasTimer = true
            return .after(nanoseconds: nanoseconds)
        case .osManaged: break
        }
        return .notNeeded
    }

    func sync() throws(CommitFailure) {
        try log.sync()
        // No timer says it in this mode, and readers in other processes wait to be told.
        if case .osManaged = durability { _ = try writeMark() }
    }

    /// Says in the log that everything before is durable; `false` when there is no room for it.
    ///
    /// No event rests on a mark, so its failure is nobody's.
    private func writeMark() throws(CommitFailure) -> Bool {
        do {
            try log.writeMark()
            return true
        } catch {
            guard case .rolledBack = error else { throw error }
            return false
        }
    }

    func close() throws(CommitFailure) {
        if !log.isForked {
            keeper.stop()
            try? log.sync()
            freezeIndex()
            keeper.work()
        }
        try log.close()
    }

    func abandon() {
        if !log.isForked { keeper.stop() }
        log.abandon()
    }
}

// MARK: - Reading

extension FileLog {
    func version(of stream: StreamID, through visible: UInt64) throws(EventStoreError) -> UInt64 {
        try reader.version(of: stream, through: visible)
    }

    func events(
        _ read: StreamRead, in extent: StreamExtent
    ) throws(EventStoreError) -> [RecordedEvent] {
        try reader.events(read, in: extent)
    }

    func page(_ read: LogRead, through visible: UInt64) throws(EventStoreError) -> LogPage {
        switch read.order {
        case .forward(let after):
            try reader.page(after: after.rawValue, read, through: visible)
        case .backward(let before):
            try reader.page(before: before?.rawValue, read, through: visible)
        }
    }
}

import WellspringLog

/// A log in a directory of files: the durable log, with events in its frames.
final class FileLog: EventLog {
    private let log: CommitLog
    private let directory: any StoreDirectory
    private let shelf: RecordShelf
    /// Touched by whoever commits, one at a time.
    private let client: FileLogClient
    private let durability: LogDurability
    private let idleMark: UInt64?

    let recovery: LogRecovery
    let storeID: StoreUUID

    /// How far apart two records may lie and still be read in one go.
    private static let gapBytes = 4 << 10
    private static let readBytes = 256 << 10

    /// Opens the log, and returns with it the state that its events amount to.
    static func open(
        _ directory: any StoreDirectory, _ configuration: LogConfiguration
    ) throws(LogError) -> (FileLog, CoreState) {
        let client = FileLogClient()
        let log = try CommitLog.open(directory, configuration: configuration, client: client)
        let state = client.takeRebuilt()
        return (FileLog(log, client, configuration, in: directory), state)
    }

    private init(
        _ log: CommitLog, _ client: FileLogClient, _ configuration: LogConfiguration,
        in directory: any StoreDirectory
    ) {
        self.log = log
        self.directory = directory
        self.client = client
        shelf = client.shelf
        durability = configuration.durability
        idleMark = configuration.idleMarkNanoseconds
        recovery = log.recovery
        storeID = log.storeID
    }

    var isInstant: Bool { false }
    var isForked: Bool { log.isForked }
    var durablePosition: UInt64 { log.durablePosition }

    func commit(_ group: [QueuedAppend]) throws(CommitFailure) {
        let count = group.reduce(0) { $0 + $1.events.count }
        // Appends that only checked a version leave no trace.
        guard count > 0 else { return }
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
        shelf.add(
            places: client.writer.places, definitions: client.writer.definitions, frame: place)
        try syncWhenIntervalIsOver()
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
            try log.writeMark()
        case .interval(let nanoseconds, _):
            if timerFired {
                client.hasTimer = false
                // Syncs, and says so in a mark.
                try log.writeMark()
                client.firstUnsyncedAt = nil
            }
            // The timer that runs already is for the oldest bytes; it must not be put off.
            guard log.wantsMark, !client.hasTimer else { return .notNeeded }
            client.hasTimer = true
            return .after(nanoseconds: nanoseconds)
        case .osManaged: break
        }
        return .notNeeded
    }

    func sync() throws(CommitFailure) { try log.sync() }
    func close() throws(CommitFailure) { try log.close() }
    func abandon() { log.abandon() }
}

// MARK: - Reading

extension FileLog {
    func events(
        at positions: some Collection<UInt64>, bytes: Int
    ) throws(EventStoreError) -> [RecordedEvent] {
        guard !positions.isEmpty else { return [] }
        let places = try shelf.places(of: positions)
        var events: [RecordedEvent] = []
        events.reserveCapacity(places.count)
        var size = 0
        var next = 0
        while next < places.count, size < bytes {
            let run = Self.run(in: places, from: next)
            for event in try readRun(places[next..<run]) {
                events.append(event)
                size += event.event.payload.count
                if size >= bytes { break }
            }
            next = run
        }
        return events
    }

    /// The end of the stretch of records, from `start` on, that one read brings in.
    private static func run(in places: [ShelvedRecord], from start: Int) -> Int {
        let first = places[start].place
        var end = start + 1
        while end < places.count {
            let last = places[end - 1].place
            let next = places[end].place
            guard next.segment == first.segment, next.offset > last.offset,
                Int(next.offset) - Int(last.offset + last.length) <= gapBytes,
                Int(next.offset + next.length - first.offset) <= readBytes
            else { break }
            end += 1
        }
        return end
    }

    private func readRun(
        _ run: ArraySlice<ShelvedRecord>
    ) throws(EventStoreError) -> [RecordedEvent] {
        guard let first = run.first?.place, let last = run.last?.place else { return [] }
        let bytes: [UInt8]
        do {
            bytes = try log.read(
                segment: first.segment, at: UInt64(first.offset),
                count: Int(last.offset + last.length - first.offset))
        } catch {
            throw EventStoreError(error, path: "")
        }
        var raw: [RawRecord] = []
        raw.reserveCapacity(run.count)
        for record in run {
            raw.append(
                try Self.parse(record.place, at: Int(record.place.offset - first.offset), in: bytes)
            )
        }
        return try shelf.resolve(raw, run, in: bytes)
    }

    private static func parse(
        _ place: RecordPlace, at start: Int, in bytes: [UInt8]
    ) throws(EventStoreError) -> RawRecord {
        do {
            return try bytes.withUnsafeBufferPointer { all throws(MalformedBody) in
                let record = all[start..<start + Int(place.length)]
                return try RawRecord(
                    UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: record)),
                    at: UInt64(place.offset))
            }
        } catch {
            throw .damaged(
                StoreDamage(
                    file: LogLayout.segment(place.segment), offset: UInt64(place.offset),
                    reason: error.reason))
        }
    }
}

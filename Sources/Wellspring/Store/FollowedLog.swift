import Synchronization
import WellspringLog

/// A log in a directory of files that somebody else may be writing.
final class FollowedLog: Sendable {
    private let follower: Guarded<LogFollower>
    private let segments: FollowedSegments
    let index: LogIndex
    private let reader: LogReader
    private let progress: FollowedProgress
    private let path: String
    let storeID: StoreUUID

    static func open(
        _ directory: any StoreDirectory, includesUnproven: Bool, keyMask: UInt64
    ) throws(LogError) -> FollowedLog {
        let client = FollowedLogClient(keyMask: keyMask)
        let follower = try LogFollower.open(
            directory, includesUnproven: includesUnproven, client: client)
        return FollowedLog(follower, client, path: directory.path)
    }

    private init(_ follower: LogFollower, _ client: FollowedLogClient, path: String) {
        self.path = path
        storeID = follower.storeID
        segments = follower.segments
        index = client.index
        progress = FollowedProgress()
        progress.position.store(follower.end.nextPosition - 1, ordering: .releasing)
        let names = client.names
        let healing = Guarded(())
        let builder = IndexBuilder(log: segments, index: client.index, names: names)
        reader = LogReader(segments, client.index, names) { (error) throws(EventStoreError) in
            do throws(LogError) {
                try healing.withLock { (_) throws(LogError) in try builder.heal(error) }
            } catch {
                throw EventStoreError(error, path: path)
            }
        }
        self.follower = Guarded(follower)
    }

    /// The last position that may be shown.
    var visible: UInt64 { progress.position.load(ordering: .acquiring) }

    /// Takes in what has become durable; returns whether that was all.
    ///
    /// Whoever else wants to know waits meanwhile, and then finds it done.
    func advance(upTo bytes: Int) throws(EventStoreError) -> Bool {
        do {
            return try follower.withLock { (follower) throws(LogError) in
                let segment = follower.end.segment
                defer {
                    progress.position.store(follower.end.nextPosition - 1, ordering: .releasing)
                }
                let isDone = try follower.advance(upTo: bytes)
                // Without the writer's index there is only more in memory.
                if follower.end.segment != segment, let outline = try? follower.outline() {
                    index.adoptRuns(of: outline)
                }
                return isDone
            }
        } catch {
            throw EventStoreError(error, path: path)
        }
    }

    func close() { segments.close() }

    /// Whether a path leads to this store.
    ///
    /// A path that cannot be looked at counts as one that does: the open files decide then.
    func isAtHome(at path: String, in fileSystem: any FileSystem) -> Bool {
        guard let directory = try? fileSystem.openStore(at: path, create: false),
            let bytes = try? AtomicFile.read(
                directory, name: StoreIdentity.fileName, limit: StoreIdentity.fileLength),
            let identity = try? bytes.withUnsafeBytes({
                try StoreIdentity(decoding: $0)
            })
        else { return true }
        return identity.storeID == storeID
    }

    /// What is said when it does not.
    var isElsewhere: EventStoreError {
        .replaced(path: path, reason: "another store is at the path now")
    }

    // MARK: - Reading

    func read(_ request: StreamRead) throws(EventStoreError) -> StreamPage {
        let visible = visible
        return try rereading { () throws(EventStoreError) in
            let extent = try reader.extent(of: request.stream, through: visible)
            return StreamPage(events: try reader.events(request, in: extent), of: extent)
        }
    }

    func read(_ request: LogRead) throws(EventStoreError) -> LogPage {
        let visible = visible
        return try rereading { () throws(EventStoreError) in
            switch request.order {
            case .forward(let after):
                try reader.page(after: after.rawValue, request, through: visible)
            case .backward(let before):
                try reader.page(before: before?.rawValue, request, through: visible)
            }
        }
    }

    /// What is read wrong once is no damage.
    private func rereading<Page>(
        _ body: () throws(EventStoreError) -> Page
    ) throws(EventStoreError) -> Page {
        for _ in 1..<LogFollower.readings {
            do throws(EventStoreError) {
                return try body()
            } catch {
                guard case .damaged = error else { throw error }
            }
        }
        return try body()
    }
}

/// How far a log was followed.
final class FollowedProgress: Sendable {
    let position = Atomic<UInt64>(0)
}

/// Files in an index what a follower hands over.
final class FollowedLogClient: LogFollowerClient {
    private(set) var index = LogIndex(hashKey: (0, 0))
    let names = NameCache()
    private let keyMask: UInt64
    private var frames: FrameIndexing?
    private var isFirst = true

    init(keyMask: UInt64) {
        self.keyMask = keyMask
    }

    func coverage(of log: LogOutline, in segments: any LogSource) -> LogAnchor? {
        index = LogIndex(hashKey: log.hashKey, mask: keyMask)
        frames = FrameIndexing(index, segments, names)
        isFirst = true
        return index.openBesideWriter(of: log).end
    }

    func segmentBegan(_ segment: UInt32, after covered: UInt64) {
        frames?.begin(segment)
        guard isFirst else { return }
        isFirst = false
        index.begin(after: covered)
    }

    func take(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody) {
        guard let items = try frames?.items(of: place, body: body) else { return }
        index.add(items)
    }

    func segmentEnded(_ end: LogEnd) {
        index.freeze(at: LogAnchor(endOfSegment: end))
    }
}

extension LogIndex {
    /// Opens the runs of a log whose writer may merge them at this moment.
    fileprivate func openBesideWriter(of log: LogOutline) -> Chain {
        var chain = Chain()
        for _ in 0..<3 {
            let before = try? IndexRun.list(log.directory)
            chain = open(of: log)
            // A run that vanished in between is part of another one now.
            if let before, (try? IndexRun.list(log.directory)) == before { break }
        }
        return chain
    }
}

extension IndexBuilder {
    /// Makes a damaged run again from the log, in memory only.
    fileprivate func heal(_ error: IndexError) throws(LogError) {
        guard case .damaged(let file, _, _) = error, let damaged = index.rebuilding(file) else {
            return
        }
        let parts = try build(
            after: damaged.start, through: damaged.run.range.last,
            endingAt: try? damaged.run.decodedAnchor())
        index.replace([damaged.run.range], by: parts)
    }
}

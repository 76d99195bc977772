import Synchronization

/// A durable log of opaque frames.
///
/// It owns frames, sequences, positions, segments and recovery, and knows nothing of streams or
/// events: a body is bytes to it. `FileFormat.md` tells what it writes, and why.
///
/// Committing, syncing, marking and closing are for one caller at a time, which the owner of the
/// log guarantees. Everything else may be called from any thread, also meanwhile.
package final class CommitLog: Sendable {
    /// What opening the log found and did.
    package let recovery: LogRecovery
    /// The identity of the store.
    package let storeID: StoreUUID
    /// When the store was made, in nanoseconds since 1970.
    package let creationTime: Int64
    /// The store's own SipHash key, under which names are hashed.
    package let hashKey: (UInt64, UInt64)

    let directory: any StoreDirectory
    let configuration: LogConfiguration
    package let files: SegmentFiles

    /// What a commit reads and changes.
    ///
    /// Only the one caller who may commit touches it.
    nonisolated(unsafe) var writer: LogWriter
    nonisolated(unsafe) let batch = FrameBatch()

    /// What anybody may ask at any time.
    let progress = LogProgress()
    private let poisonError = Guarded<SystemError?>(nil)

    init(
        directory: any StoreDirectory, configuration: LogConfiguration, identity: StoreIdentity,
        files: SegmentFiles, writer: LogWriter, recovery: LogRecovery
    ) {
        self.directory = directory
        self.configuration = configuration
        self.files = files
        self.recovery = recovery
        self.writer = writer
        storeID = identity.storeID
        creationTime = identity.creationTime
        hashKey = (identity.hashKey.first, identity.hashKey.second)
        progress.publish(writer)
    }

    /// The last position that is in the log as written, acknowledged as the durability mode says.
    package var writtenPosition: UInt64 {
        progress.writtenPosition.load(ordering: .acquiring)
    }

    /// The last position that is in the log as synced.
    package var durablePosition: UInt64 {
        progress.durablePosition.load(ordering: .acquiring)
    }

    /// The last frame that readers may look at.
    var writtenSequence: UInt64 {
        progress.writtenSequence.load(ordering: .acquiring)
    }

    /// How many bytes have been written since the last sync.
    package var unsyncedBytes: UInt64 {
        progress.unsyncedBytes.load(ordering: .acquiring)
    }

    /// Whether there are groups of which no synced frame says that they are durable.
    package var wantsMark: Bool {
        progress.wantsMark.load(ordering: .acquiring)
    }

    /// The end of the log, if all of it is durable.
    ///
    /// For the one caller who may commit.
    package var anchor: LogAnchor? {
        guard writer.synced == writer.written, !writer.isPoisoned, case .none = writer.roll else {
            return nil
        }
        return LogAnchor(
            end: writer.written, lastFrame: writer.lastFrame,
            groupCount: writer.active.groupCount, eventCount: writer.active.eventCount,
            positions: files.activePositions,
            rewrites: rewrites(through: writer.written.segment))
    }

    /// Whether this process is a fork of the one that opened the log.
    package var isForked: Bool { directory.isForked }

    /// The failure after which the log writes no more; `nil` while all is well.
    package var poison: SystemError? {
        poisonError.withLock { $0 }
    }

    /// Refuses all further writing, because nobody can know any more what the disk has.
    func poison(with error: SystemError) -> CommitFailure {
        poisonError.withLock { $0 = $0 ?? error }
        writer.isPoisoned = true
        return .poisoned(error)
    }
}

/// The state of the one who writes.
struct LogWriter {
    /// All segments, the active one last, as the MANIFEST lists them.
    var segments: [Manifest.Segment]
    var manifestNumber: UInt64
    /// Up to here the client has done to all segments what the events ask for.
    var honouredPosition: UInt64
    var active: ActiveSegment
    /// The end of what is written, and of what is known to be durable.
    var written: LogEnd
    var synced: LogEnd
    /// Where the last frame of the active segment begins; 0 when it has none.
    var lastFrame: UInt64 = 0
    /// How many bytes have been written since the last sync.
    var unsyncedBytes: UInt64 = 0
    /// The last sequence that holds a group, and the last that a synced frame or the MANIFEST
    /// calls durable.
    var lastGroup: UInt64 = 0
    var witnessed: UInt64
    /// What the last frame that was written says to be durable.
    var claimed: UInt64 = 0
    /// The segment that comes next, once it is prepared.
    var next: PreparedSegment?
    /// The size of the active segment at which preparing is tried again after a failure.
    var prepareAgainAt: UInt64 = 0
    var roll = RollStage.none
    /// Old files of rewritten segments that could not be removed.
    var superseded: [String] = []
    var lock: (any LockToken)?
    var isPoisoned = false

    /// How far a change of segments has got.
    ///
    /// A failure leaves it where it was, to be continued.
    enum RollStage {
        case none
        /// The active segment is sealed; the next one has no name yet.
        case sealed
        /// The next segment has its name; the MANIFEST does not list it yet.
        case named(ActiveSegment)
    }

    /// Whether the log has been given up.
    var isReleased: Bool { lock == nil }
}

/// The numbers by which others follow the log.
struct LogProgress: ~Copyable, Sendable {
    let writtenPosition = Atomic<UInt64>(0)
    let writtenSequence = Atomic<UInt64>(0)
    let durablePosition = Atomic<UInt64>(0)
    let unsyncedBytes = Atomic<UInt64>(0)
    let wantsMark = Atomic<Bool>(false)

    /// Shows everybody what the writer has reached.
    func publish(_ writer: LogWriter) {
        writtenSequence.store(writer.written.sequence, ordering: .releasing)
        writtenPosition.store(writer.written.nextPosition &- 1, ordering: .releasing)
        durablePosition.store(writer.synced.nextPosition &- 1, ordering: .releasing)
        unsyncedBytes.store(writer.unsyncedBytes, ordering: .releasing)
        wantsMark.store(writer.lastGroup > writer.witnessed, ordering: .releasing)
    }
}

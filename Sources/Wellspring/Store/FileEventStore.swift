#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
package import WellspringLog

/// An event store in a directory of files, written by one process at a time.
///
/// ```swift
/// let store = try await FileEventStore(at: "/var/lib/shop/events")
/// ```
///
/// With the default ``Durability/everyCommit`` an append that returned survives a power cut. A
/// second opener, in this process or another, gets ``EventStoreError/locked(path:owner:)``.
/// `close()` the store when done; one that is dropped or killed without it loses nothing, and the
/// next opening says so in its ``report`` and takes a little longer.
///
/// The format of the files is described in <doc:FileFormat>.
public final class FileEventStore: QueuedHeadStore {
    /// How a store is opened.
    public struct Configuration: Sendable {
        /// When an append counts as done.
        public var durability: Durability = .everyCommit
        /// The size at which a file of the log is sealed and the next one begins, in bytes.
        ///
        /// At least 64 KiB and at most 1 GiB; other values count as the nearest of these.
        public var segmentBytes = 64 << 20
        /// Whether a store is made where there is none.
        public var createsStore = true
        /// Whether a store on a network file system is opened for writing, where it is refused
        /// otherwise (``EventStoreError/networkFileSystem(path:kind:)``).
        ///
        /// Its lock may not keep out a writer on another machine, and two writers destroy the store;
        /// and what it calls synced may be in a server's memory only. Allow it where one machine
        /// alone writes and the server keeps what it says it has kept. FUSE file systems are known
        /// by name only where they are common.
        public var allowsNetworkFileSystem = false
        /// Whether a task may sync its own append when no other is waiting, which saves handing it
        /// to the store's thread but holds a thread of the pool meanwhile.
        ///
        /// The default is yes on machines with more than two processors.
        public var syncsOnCallingTask = ProcessInfo.processInfo.activeProcessorCount > 2
        /// Told what an operator may want to know.
        ///
        /// Called on the store's own thread or that of a task which uses the store, so it must
        /// return soon and not wait for the store; see ``StoreNotice``.
        public var onNotice: (@Sendable (StoreNotice) -> Void)?
        /// Switches a protection off.
        ///
        /// For the tests of Wellspring itself.
        package var plantedFault: PlantedFault?
        /// Which bits of a hash count in the index; the tests let names collide by it.
        package var indexKeyMask = UInt64.max
        /// How many streams are held in memory.
        package var streamLimit = 1 << 16

        /// Creates the configuration that suits most applications.
        public init() {}
    }

    /// What opening the store found and did.
    public let report: RecoveryReport
    /// The directory.
    public let path: String

    let core: StoreCore
    let directory: any StoreDirectory
    let storeID: StoreUUID
    let configuration: Configuration
    /// Held while the state of a projection is being saved.
    let savingCheckpoints = Guarded(())

    /// Opens the store in the directory at `path`, and makes it first when there is none.
    ///
    /// - Throws: ``EventStoreError/damaged(_:)`` when acknowledged events are missing or changed:
    ///   nothing is touched then. ``EventStoreError/locked(path:owner:)`` when it is open already.
    ///   ``EventStoreError/notEmpty(path:)`` when the directory holds other things than a store.
    ///   ``EventStoreError/networkFileSystem(path:kind:)`` when it is on another machine.
    public convenience init(
        at path: String, configuration: Configuration = Configuration()
    ) async throws(EventStoreError) {
        try await self.init(at: path, in: PosixFileSystem(), configuration: configuration)
    }

    /// Opens the store in a directory of any file system.
    package init(
        at path: String, in fileSystem: any FileSystem, configuration: Configuration
    ) async throws(EventStoreError) {
        let directory: any StoreDirectory
        do {
            directory = try fileSystem.openStore(at: path, create: configuration.createsStore)
        } catch {
            throw error.kind == .notFound ? .notAStore(path: path) : EventStoreError(error)
        }
        let settings = configuration.forLog
        let onNotice = configuration.onNotice ?? { _ in }
        let opened = await onThread(of: directory, named: "wellspring-open") {
            Result { () throws(LogError) in
                try FileLog.open(directory, settings, onNotice: onNotice)
            }
        }
        let log: FileLog
        do {
            log = try opened.get()
        } catch {
            throw EventStoreError(error, path: path)
        }
        self.path = path
        self.directory = directory
        self.configuration = configuration
        storeID = log.storeID
        report = log.report
        core = StoreCore(
            log: log,
            state: CoreState(
                endingAt: log.writtenPosition, streamLimit: configuration.streamLimit),
            seed: directory.random(),
            mayLead: configuration.syncsOnCallingTask,
            clock: { Timestamp(nanoseconds: directory.wallClock()) },
            plantedFault: configuration.plantedFault,
            onNotice: onNotice)
        core.start { directory.makeWorker(named: "wellspring-commit", body: $0) }
        configuration.onNotice?(.opened(report))
    }

    deinit {
        guard core.abandon() else { return }
        configuration.onNotice?(.abandoned)
    }

    /// Appends all events of `request`, to all of its streams, or none of them.
    @discardableResult
    public func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await core.append(request)
    }

    /// Reads a page of one stream.
    public func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try core.read(request)
    }

    /// Reads a page of the log.
    public func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        try core.read(request)
    }

    /// Returns once an event after `position` can be read.
    public func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await core.waitForEvents(after: position)
    }

    /// Returns once everything appended so far survives a power cut, whatever the mode.
    ///
    /// - Throws: ``EventStoreError/poisoned(_:)`` when the device refused.
    public func sync() async throws(EventStoreError) {
        try await core.sync()
    }

    /// The last position that survives a power cut.
    public var durablePosition: LogPosition { LogPosition(core.log.durablePosition) }

    /// Finishes the appends under way, ends the log with a mark that says so, and lets others open
    /// the store.
    ///
    /// Everything on it fails from now on. Further calls do nothing.
    public func close() async {
        core.refuseMore()
        // A projection that is being saved is ours; afterwards the directory may be another's.
        await onThread(of: directory, named: "wellspring-close") { [savingCheckpoints] in
            savingCheckpoints.withLock { _ in }
        }
        await core.close()
    }
}

extension FileEventStore.Configuration {
    fileprivate var forLog: LogConfiguration {
        var log = LogConfiguration()
        log.durability = durability.forLog
        log.segmentBytes = UInt64(min(max(64 << 10, segmentBytes), 1 << 30))
        log.createsStore = createsStore
        log.allowsNetworkFileSystem = allowsNetworkFileSystem
        log.plantedFault = plantedFault
        log.indexKeyMask = indexKeyMask
        return log
    }
}

extension FileEventStore {
    package func readQueued(
        _ request: StreamRead
    ) async throws(EventStoreError) -> (page: StreamPage, mark: QueueMark) {
        try core.readQueued(request)
    }

    package func enqueue(
        _ request: AppendRequest, basedOn mark: QueueMark?
    ) throws(EventStoreError) -> PendingAppend {
        let ticket = try core.enqueue(request, basedOn: mark)
        // Holds on to the store, which gives up its log when it goes away.
        return PendingAppend { () async throws(EventStoreError) in
            try await self.core.receipt(for: ticket)
        }
    }

    package func mark() -> QueueMark { core.mark() }

    package func settle(_ mark: QueueMark) async throws(EventStoreError) -> Bool {
        try await core.settle(mark)
    }
}

/// Does blocking work on a thread of its own, so that it does not hold one of the pool.
func onThread<Value: Sendable>(
    of directory: any StoreDirectory, named name: String,
    _ work: @escaping @Sendable () -> Value
) async -> Value {
    let worker = Guarded<(any LogWorker)?>(nil)
    let value = await withUnsafeContinuation { (continuation: UnsafeContinuation<Value, Never>) in
        let thread = directory.makeWorker(named: name) { _ in
            continuation.resume(returning: work())
        }
        worker.withLock { $0 = thread }
        thread.wake()
    }
    worker.withLock { $0 }?.stop()
    return value
}

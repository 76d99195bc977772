package import WellspringLog

/// Reads an event store in a directory of files, beside the process that writes it or when nobody
/// does.
///
/// ```swift
/// let reader = try await FileEventReader(at: "/var/lib/shop/events")
/// for try await page in reader.subscribe() { ... }
/// ```
///
/// Any number of readers may have a store open. A reader takes no lock and never writes, so it works
/// on a read-only medium too, and on a network file system: what that holds back is read later, and
/// every byte is checked by its checksum. It is no ``EventStore``: an append to it does not compile.
///
/// It shows what is known to be durable and nothing else, so nothing it showed can vanish in a crash
/// of the writer or of the machine. An event is shown as soon as the writer has noted that it is
/// durable: with the next append, or about 20 ms after the last one. The modes
/// ``Durability/interval(time:bytes:)`` and ``Durability/osManaged`` note it as often as they sync.
public final class FileEventReader: EventSource {
    /// How a store is opened for reading.
    public struct Configuration: Sendable {
        /// How often the files are looked at while somebody waits for events; at least a
        /// millisecond.
        public var pollInterval: Duration = .milliseconds(20)
        /// Whether events are shown too of which nobody noted that they are durable.
        ///
        /// For a store whose writer died: it shows the last events that were written, which the next
        /// opening for writing will keep. Beside a living writer an event may be taken back that was
        /// shown like this, and the reader then fails with
        /// ``EventStoreError/replaced(path:reason:)``.
        public var includesUnproven = false
        /// Which bits of a hash count in the index; the tests let names collide by it.
        package var indexKeyMask = UInt64.max
        /// Switches one protection off, so that a test can show that something notices.
        package var plantedFault: PlantedFault?

        /// Creates the configuration that suits most applications.
        public init() {}
    }

    /// The directory.
    public let path: String

    private let log: FollowedLog
    let watch: FollowedWatch
    private let directory: any StoreDirectory

    /// The most that a read takes in on the calling task; more is taken in on a thread.
    private static let callerBytes = 256 << 10
    /// How often in a row files may be rewritten while a page is read.
    private static let rewritingLimit = 1_000

    /// Opens the store in the directory at `path` for reading.
    ///
    /// - Throws: ``EventStoreError/notAStore(path:)`` when there is none, or none yet.
    ///   ``EventStoreError/damaged(_:)`` when events are missing or changed that were durable.
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
            directory = try fileSystem.openStore(at: path, create: false)
        } catch {
            throw error.kind == .notFound ? .notAStore(path: path) : EventStoreError(error)
        }
        let opened = await onThread(of: directory, named: "wellspring-open") {
            Result { () throws(LogError) in
                try FollowedLog.open(
                    FollowedFiles(
                        directory: directory, includesUnproven: configuration.includesUnproven,
                        keyMask: configuration.indexKeyMask,
                        plantedFault: configuration.plantedFault))
            }
        }
        do {
            log = try opened.get()
        } catch {
            throw EventStoreError(error, path: path)
        }
        self.path = path
        self.directory = directory
        watch = FollowedWatch(log, interval: configuration.pollInterval) { [log] in
            log.isAtHome(at: path, in: fileSystem)
        }
        watch.start(in: directory)
    }

    deinit { watch.close() }

    /// The last position that was found to be durable so far.
    public var position: LogPosition { LogPosition(log.visible) }

    /// Reads a page of one stream.
    public func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await catchUp()
        return try await reading { (log) throws(EventStoreError) in try log.read(request) }
    }

    /// Reads a page of the log.
    public func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        if case .forward(let after) = request.order, after.rawValue < log.visible {
            // There is something to read: what came since is for a later page.
            try checkIsUsable()
        } else {
            try await catchUp()
        }
        return try await reading { (log) throws(EventStoreError) in try log.read(request) }
    }

    /// Reads a page, and reads it again when its files were rewritten meanwhile.
    private func reading<Page>(
        _ body: (FollowedLog) throws(EventStoreError) -> Page
    ) async throws(EventStoreError) -> Page {
        for _ in 1..<Self.rewritingLimit {
            do throws(EventStoreError) {
                return try body(log)
            } catch {
                guard log.isOutdated else { throw error }
            }
            try await takeInRest()
        }
        return try body(log)
    }

    /// Returns once an event after `position` can be read.
    ///
    /// Nothing tells one process of another's appends, so the files are looked at again and again,
    /// as often as ``Configuration/pollInterval`` says.
    public func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        guard position.rawValue >= log.visible else { return try checkIsUsable() }
        try await catchUp()
        try await watch.wait(until: position.rawValue == .max ? .max : position.rawValue + 1)
    }

    /// Lets go of the files.
    ///
    /// Everything on the reader fails from now on, and so does what waits. Further calls do nothing.
    public func close() async {
        watch.close()
    }

    private func checkIsUsable() throws(EventStoreError) {
        try watch.checkIsOpen()
        // The thread that looks at the files stayed behind in the process that forked.
        guard !directory.isForked else { throw .forked }
    }

    /// Takes in what has become durable.
    private func catchUp() async throws(EventStoreError) {
        try checkIsUsable()
        guard try !log.advance(upTo: Self.callerBytes) else { return }
        try await takeInRest()
    }

    /// Takes in everything, on a thread.
    private func takeInRest() async throws(EventStoreError) {
        let rest = await onThread(of: directory, named: "wellspring-read") { [log] in
            Result { () throws(EventStoreError) in try log.advance(upTo: .max) }
        }
        _ = try rest.get()
    }
}

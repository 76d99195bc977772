package import WellspringLog

extension FileEventStore {
    /// Copies every event of a damaged store that can be proved into a new store.
    ///
    /// Events keep their ids, times, versions and positions. Where events are lost the new store
    /// has a *hole*: positions without an event, over which reads pass. Versions of a stream may be
    /// missing where a hole explains it. The new store has an id of its own; saved states of
    /// projections and the index are not copied, they are made again.
    ///
    /// The damaged store is only read. The new one is no store before all of it is there: what an
    /// interrupted salvage leaves behind does not open and may be removed.
    ///
    /// - Parameters:
    ///   - path: The directory of the damaged store. It must not be open for writing.
    ///   - target: A directory that is empty or does not exist yet.
    ///   - progress: Told now and then how far it has come, on a thread of the store.
    /// - Throws: ``EventStoreError/notAStore(path:)``, ``EventStoreError/notEmpty(path:)`` for the
    ///   target, ``EventStoreError/cancelled``, or a failure of the machine.
    @discardableResult
    public static func salvage(
        from path: String, to target: String,
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> SalvageReport {
        let files = PosixFileSystem()
        return try await salvage(
            from: path, in: files, to: target, in: files, progress: progress)
    }

    /// Salvages from any file system to any other.
    @discardableResult
    package static func salvage(
        from path: String, in source: any FileSystem, to target: String,
        in destination: any FileSystem, segmentBytes: UInt64 = 64 << 20,
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> SalvageReport {
        try await maintain(path, in: source, named: "wellspring-salvage") {
            directory, isCancelled in
            // Refuses what is no store before a directory is made.
            _ = try LogInspection(directory)
            let made = try destination.openStore(at: target, create: true)
            let tracker = ProgressTracker(directory, isCancelled: isCancelled, progress)
            return try StoreSalvage(
                directory, to: made, segmentBytes: segmentBytes, tracker
            ).run()
        }
    }
}

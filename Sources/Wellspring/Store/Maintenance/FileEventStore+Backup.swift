package import WellspringLog

extension FileEventStore {
    /// Copies the store into an empty directory, while appends go on, and checks the copy.
    ///
    /// Everything that was acknowledged before the call is in the copy, and all events up to some
    /// position, none of them in part. The copy opens like a store after a crash. It is the same
    /// store with the same id, to be used in the place of this one and not beside it. Saved states
    /// of projections and the index come along, as far as they are of the copied events; a part of the
    /// index that does not list them is left out and reported.
    ///
    /// Nothing is written to this store save what `sync()` writes. What an interrupted backup
    /// leaves behind is no store, and opening it does not make one of it.
    ///
    /// - Parameters:
    ///   - path: A directory that is empty or does not exist yet.
    ///   - progress: Told now and then how far it has come, on a thread of the store.
    /// - Throws: ``EventStoreError/notEmpty(path:)``, ``EventStoreError/damaged(_:)`` when the store
    ///   is damaged, ``EventStoreError/cancelled``, or a failure of the machine.
    @discardableResult
    public func backup(
        to path: String, progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> BackupReport {
        try await backup(to: path, in: PosixFileSystem(), progress: progress)
    }

    /// Copies the store to a directory of any file system.
    @discardableResult
    package func backup(
        to target: String, in destination: any FileSystem,
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> BackupReport {
        try await sync()
        let durable = durablePosition.rawValue
        return try await Self.maintain(directory, path: path, named: "wellspring-backup") {
            directory, isCancelled in
            let made = try destination.openStore(at: target, create: true)
            let tracker = ProgressTracker(directory, isCancelled: isCancelled, progress)
            return try StoreBackup(directory, to: made, durable: durable, tracker).run()
        }
    }

    /// Copies the store in a directory that is closed, or open in another process.
    ///
    /// Of a store that is open elsewhere or was killed, the copy has all events that the log itself
    /// says to be durable; the report counts those that were left out.
    @discardableResult
    public static func backup(
        at path: String, to target: String,
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> BackupReport {
        let files = PosixFileSystem()
        return try await backup(at: path, in: files, to: target, in: files, progress: progress)
    }

    /// Copies a store from any file system to any other.
    @discardableResult
    package static func backup(
        at path: String, in source: any FileSystem, to target: String,
        in destination: any FileSystem,
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> BackupReport {
        try await maintain(path, in: source, named: "wellspring-backup") {
            directory, isCancelled in
            // Refuses what is no store before a directory is made.
            _ = try LogInspection(directory)
            let made = try destination.openStore(at: target, create: true)
            let tracker = ProgressTracker(directory, isCancelled: isCancelled, progress)
            return try StoreBackup(directory, to: made, durable: 0, tracker).run()
        }
    }
}

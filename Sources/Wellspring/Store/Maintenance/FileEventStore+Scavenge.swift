package import WellspringLog

extension FileEventStore {
    /// Takes the content of truncated and redacted events out of the files of a store for good.
    ///
    /// Every event that a stream was truncated before, or whose redaction was requested, loses its
    /// payload and its headers. All else stays: its place in the log and in its stream, its type, its
    /// id, its times, its causes and its tags. So versions and positions go on as if nothing had
    /// happened, and who reads the event sees ``Recorded/isRedacted``.
    ///
    /// The store must not be open. A good moment is before it is opened when the program starts: what
    /// was honoured once is not looked at again, and a scavenge of which nothing new is asked reads what
    /// was appended since, and rewrites nothing. Other processes may read the store meanwhile. After a
    /// crash, a failure or a cancellation every event is there, with its content or without it, and
    /// another scavenge does the rest.
    ///
    /// Only what is in the log is looked after. Saved states of projections and what was set aside in
    /// `quarantine/` may hold copies; the report names those files. So may backups, exports, and
    /// blocks that the file system or the drive has freed and not overwritten yet.
    ///
    /// ```swift
    /// let report = try await FileEventStore.scavenge(at: "/var/lib/shop/events")
    /// log.info("\(report.redactedCount) events lost their content")
    /// ```
    ///
    /// - Parameters:
    ///   - path: The directory of the store.
    ///   - allowsNetworkFileSystem: As in ``Configuration/allowsNetworkFileSystem``.
    ///   - progress: Told now and then how far the writing has come, on a thread of the store. Counts
    ///     the events that lost their content.
    /// - Throws: ``EventStoreError/locked(path:owner:)`` when the store is open,
    ///   ``EventStoreError/damaged(_:)`` when it is damaged where it matters,
    ///   ``EventStoreError/storageFull(reason:)`` when there is no room for another copy of one
    ///   segment, ``EventStoreError/cancelled``, or a failure of the machine.
    @discardableResult
    public static func scavenge(
        at path: String, allowsNetworkFileSystem: Bool = false,
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> ScavengeReport {
        try await scavenge(
            at: path, in: PosixFileSystem(), allowsNetworkFileSystem: allowsNetworkFileSystem,
            progress: progress)
    }

    /// Scavenges a store in a directory of any file system.
    @discardableResult
    package static func scavenge(
        at path: String, in fileSystem: any FileSystem, allowsNetworkFileSystem: Bool = false,
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> ScavengeReport {
        try await maintain(path, in: fileSystem, named: "wellspring-scavenge") {
            directory, isCancelled in
            try StoreScavenge(
                directory, allowsNetworkFileSystem: allowsNetworkFileSystem,
                isCancelled: isCancelled, progress
            ).run()
        }
    }
}

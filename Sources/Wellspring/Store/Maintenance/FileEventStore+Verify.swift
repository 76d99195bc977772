package import WellspringLog

extension FileEventStore {
    /// Checks every byte of the store in the directory at `path`, and reports everything that is
    /// not as it should be.
    ///
    /// All checksums of the log, the order of commits and positions, every event and every name,
    /// the versions of every stream, what segments say about themselves, the MANIFEST, the saved
    /// states of projections, and the index in itself and beside the log. Nothing is written, nothing
    /// is locked: the store may be open elsewhere, also for writing, or lie on a medium that is
    /// read-only. Before anything is called damaged it is read three times.
    ///
    /// Takes as long as reading the store takes. Memory is bounded, save for about a hundred bytes
    /// for every stream.
    ///
    /// ```swift
    /// let report = try await FileEventStore.verify(at: "/var/lib/shop/events")
    /// for problem in report.problems { log.warning("\(problem). \(problem.advice)") }
    /// ```
    ///
    /// - Parameters:
    ///   - path: The directory of the store.
    ///   - progress: Told now and then how far it has come, on a thread of the store.
    /// - Throws: ``EventStoreError/notAStore(path:)``, ``EventStoreError/unsupportedFormat(file:reason:)``
    ///   for a store of a newer version, ``EventStoreError/cancelled``, or a failure of the machine.
    ///   Damage is not thrown.
    public static func verify(
        at path: String, progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> VerificationReport {
        try await verify(at: path, in: PosixFileSystem(), progress: progress)
    }

    /// Checks a store in a directory of any file system.
    package static func verify(
        at path: String, in fileSystem: any FileSystem,
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) async throws(EventStoreError) -> VerificationReport {
        try await maintain(path, in: fileSystem, named: "wellspring-verify") {
            directory, isCancelled in
            let tracker = ProgressTracker(directory, isCancelled: isCancelled, progress)
            return try StoreVerifier(directory, tracker).run()
        }
    }

    /// Runs long work on the files of a store on a thread of its own, which ends when the task is
    /// cancelled.
    static func maintain<Value: Sendable>(
        _ path: String, in fileSystem: any FileSystem, named name: String,
        _ work:
            @escaping @Sendable (any StoreDirectory, @escaping @Sendable () -> Bool) throws -> Value
    ) async throws(EventStoreError) -> Value {
        let directory: any StoreDirectory
        do {
            directory = try fileSystem.openStore(at: path, create: false)
        } catch {
            throw error.kind == .notFound ? .notAStore(path: path) : EventStoreError(error)
        }
        return try await maintain(directory, path: path, named: name, work)
    }

    /// Runs long work on the files of a store whose directory is open.
    static func maintain<Value: Sendable>(
        _ directory: any StoreDirectory, path: String, named name: String,
        _ work:
            @escaping @Sendable (any StoreDirectory, @escaping @Sendable () -> Bool) throws -> Value
    ) async throws(EventStoreError) -> Value {
        let isCancelled = Guarded(false)
        let result = await withTaskCancellationHandler {
            await onThread(of: directory, named: name) {
                Result { try work(directory) { isCancelled.withLock { $0 } } }
            }
        } onCancel: {
            isCancelled.withLock { $0 = true }
        }
        do {
            return try result.get()
        } catch {
            throw EventStoreError(maintenance: error, path: path)
        }
    }
}

extension EventStoreError {
    /// What ended long work on the files of a store.
    init(maintenance error: any Error, path: String) {
        switch error {
        case let error as EventStoreError: self = error
        case LogError.system(let cause) where cause.kind == .noSpace:
            self = .storageFull(reason: "\(cause)")
        case let error as SystemError where error.kind == .noSpace:
            self = .storageFull(reason: "\(error)")
        case let error as LogError: self.init(error, path: path)
        case let error as SystemError: self.init(error)
        case let error as CommitFailure:
            switch error {
            case .rolledBack(let cause), .poisoned(let cause):
                self = cause.kind == .noSpace ? .storageFull(reason: "\(cause)") : Self(cause)
            default: self = .storage(reason: error.reason)
            }
        case let error as RewriteFailure:
            switch error {
            case .damaged(let damage): self.init(LogError.damaged(damage), path: path)
            case .unsupportedFormat(let file, let reason):
                self = .unsupportedFormat(file: file, reason: reason)
            case .failed(let failure): self.init(maintenance: failure, path: path)
            case .oldFileRemains(_, let cause): self.init(cause)
            case .beyondLimits(let reason): self = .storage(reason: reason)
            case .notSealed: self = .storage(reason: "\(error)")
            }
        case is CancellationError: self = .cancelled
        default: self = .storage(reason: "\(error)")
        }
    }
}

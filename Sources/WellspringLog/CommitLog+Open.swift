extension CommitLog {
    /// Opens the log in `directory`, or makes one, and hands every group in it to `client`.
    ///
    /// Nothing on disk is changed before everything has been read and judged, so a log that is
    /// reported as damaged is left exactly as it was found.
    package static func open(
        _ directory: any StoreDirectory, configuration: LogConfiguration, client: any LogClient
    ) throws(LogError) -> CommitLog {
        try checkIsOurs(directory, makes: configuration.createsStore)
        let lock = try lock(
            directory, allowsNetworkFileSystem: configuration.allowsNetworkFileSystem)
        return try open(directory, configuration: configuration, client: client, holding: lock)
    }

    /// Opens the log in `directory`, whose lock the caller has taken.
    ///
    /// The log releases it when it is closed or abandoned, and a failure does so at once.
    package static func open(
        _ directory: any StoreDirectory, configuration: LogConfiguration, client: any LogClient,
        holding lock: any LockToken
    ) throws(LogError) -> CommitLog {
        do {
            let opening = LogOpening(directory, configuration.withinLimits, client)
            return try opening.run(holding: lock)
        } catch {
            lock.release()
            throw error
        }
    }

    /// Refuses a directory that is no store and must not become one, before anything is left in it.
    ///
    /// A mistyped path must not make a store of somebody's home directory.
    private static func checkIsOurs(
        _ directory: any StoreDirectory, makes: Bool
    ) throws(LogError) {
        let names = try system { () throws(SystemError) in Set(try directory.list(nil)) }
        // A store, or what is left of one: opening says which.
        if names.contains(StoreIdentity.fileName) || names.contains(Manifest.fileName) { return }
        let segments = try segments(directory, names)
        if segments.contains(where: { LogLayout.parse($0) != nil }) { return }
        guard makes else { throw .notAStore(path: directory.path) }
        guard names.isSubset(of: LogLayout.namesBeforeCreation),
            segments.allSatisfy(LogLayout.isLeftByCreation)
        else { throw .notEmpty(path: directory.path) }
    }

    private static func segments(
        _ directory: any StoreDirectory, _ names: Set<String>
    ) throws(LogError) -> [String] {
        guard names.contains(LogLayout.segments) else { return [] }
        do {
            return try directory.list(LogLayout.segments)
        } catch {
            // A file of that name, or a directory that is not for us to read, is none of ours.
            if error.kind == .io || error.kind == .tooManyFiles { throw .system(error) }
            return []
        }
    }

    /// Takes the lock that keeps others from opening the log in `directory` for writing.
    ///
    /// On a network file system it may not keep them out, so it is refused there unless that is
    /// allowed.
    package static func lock(
        _ directory: any StoreDirectory, allowsNetworkFileSystem: Bool
    ) throws(LogError) -> any LockToken {
        if !allowsNetworkFileSystem, let kind = directory.networkFileSystem {
            throw .networkFileSystem(path: directory.path, kind: kind)
        }
        let outcome: LockOutcome
        do {
            outcome = try directory.lock(
                LogLayout.lockFile, owner: "pid \(directory.processID)")
        } catch {
            throw .system(error)
        }
        switch outcome {
        case .acquired(let token): return token
        case .held(let owner): throw .locked(owner: owner)
        }
    }
}

extension LogConfiguration {
    /// The same, with a segment size in which every frame can say where it lies.
    fileprivate var withinLimits: LogConfiguration {
        var limited = self
        limited.segmentBytes = min(max(segmentBytes, UInt64(SegmentHeader.length)), 8 << 30)
        return limited
    }
}

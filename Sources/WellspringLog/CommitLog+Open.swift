extension CommitLog {
    /// Opens the log in `directory`, or makes one, and hands every group in it to `client`.
    ///
    /// Nothing on disk is changed before everything has been read and judged, so a log that is
    /// reported as damaged is left exactly as it was found.
    package static func open(
        _ directory: any StoreDirectory, configuration: LogConfiguration, client: any LogClient
    ) throws(LogError) -> CommitLog {
        if !configuration.createsStore { try checkThereIsSomething(in: directory) }
        let lock = try takeLock(of: directory)
        do {
            let opening = LogOpening(directory, configuration.withinLimits, client)
            return try opening.run(holding: lock)
        } catch {
            lock.release()
            throw error
        }
    }

    /// Refuses a directory in which nothing is ours, before a lock file is left in it.
    private static func checkThereIsSomething(
        in directory: any StoreDirectory
    ) throws(LogError) {
        let ours: Set = [
            LogLayout.lockFile, StoreIdentity.fileName, Manifest.fileName, LogLayout.segments,
        ]
        let names: [String]
        do {
            names = try directory.list(nil)
        } catch {
            throw .system(error)
        }
        if ours.isDisjoint(with: names) { throw .notAStore(path: directory.path) }
    }

    private static func takeLock(
        of directory: any StoreDirectory
    ) throws(LogError) -> any LockToken {
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

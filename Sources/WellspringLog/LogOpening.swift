/// One opening of a log: read everything, judge it, and only then change what must be changed.
struct LogOpening {
    let directory: any StoreDirectory
    let configuration: LogConfiguration
    let client: any LogClient

    var fault: PlantedFault? { configuration.plantedFault }

    init(
        _ directory: any StoreDirectory, _ configuration: LogConfiguration, _ client: any LogClient
    ) {
        self.directory = directory
        self.configuration = configuration
        self.client = client
    }

    func run(holding lock: any LockToken) throws(LogError) -> CommitLog {
        // A dead process may have written what it never synced. Nothing is believed, and no
        // decision rests on it, before it is durable.
        try system { () throws(SystemError) in try directory.syncDirectory(nil) }
        let names = try system { () throws(SystemError) in Set(try directory.list(nil)) }
        var recovery = LogRecovery()
        if !names.contains(StoreIdentity.fileName) {
            try create()
            recovery.created = true
        }
        let identity = try readIdentity()
        let manifest = try readManifest(of: identity)
        let living = try LivingSegments(self, manifest)
        let replay = try LogReplay(self, identity, manifest, living).run()
        let judgement = try TailJudgement(replay, manifest, fault: fault)
        return try LogRepair(self, identity, manifest, replay, judgement).run(
            recovery, removing: living.leftovers, holding: lock)
    }

    // MARK: - Small files

    func readIdentity() throws(LogError) -> StoreIdentity {
        let bytes = try readBelieved(StoreIdentity.fileName, limit: StoreIdentity.fileLength)
        return try decoding(bytes, of: StoreIdentity.fileName) { (bytes) throws(FormatError) in
            let identity = try StoreIdentity(decoding: bytes)
            try identity.writing.check()
            return identity
        }
    }

    private func readManifest(of identity: StoreIdentity) throws(LogError) -> Manifest {
        let bytes = try readBelieved(Manifest.fileName, limit: Manifest.fileLengthLimit)
        let manifest = try decoding(bytes, of: Manifest.fileName) { (bytes) throws(FormatError) in
            let manifest = try Manifest(decoding: bytes)
            try manifest.writing.check()
            return manifest
        }
        guard manifest.storeID == identity.storeID else {
            throw .damaged(
                LogDamage(
                    file: Manifest.fileName, offset: 16, reason: "it belongs to another store"))
        }
        return manifest
    }

    /// Syncs a file and reads it whole.
    private func readBelieved(_ name: String, limit: Int) throws(LogError) -> [UInt8] {
        do {
            let file = try directory.open(name, .read)
            defer { file.close() }
            try file.sync()
            guard try file.size() <= UInt64(limit) else {
                throw LogError.damaged(
                    LogDamage(file: name, offset: UInt64(limit), reason: "the file is too long"))
            }
            return try AtomicFile.contents(of: file, name: name, limit: limit)
        } catch let error as SystemError {
            guard error.kind == .notFound else { throw .system(error) }
            throw .damaged(LogDamage(file: name, offset: 0, reason: "the file is missing"))
        } catch let error as LogError {
            throw error
        } catch {
            throw FormatError(error).found(in: name)
        }
    }

    private func decoding<Result>(
        _ bytes: [UInt8], of name: String,
        _ decode: (UnsafeRawBufferPointer) throws(FormatError) -> Result
    ) throws(LogError) -> Result {
        do {
            return try bytes.withUnsafeBufferPointer { (buffer) throws(FormatError) -> Result in
                try decode(UnsafeRawBufferPointer(buffer))
            }
        } catch {
            throw error.found(in: name)
        }
    }
}

/// Runs `body` and reports a failure of the machine as the log does.
func system<Result>(
    _ body: () throws(SystemError) -> Result
) throws(LogError) -> Result {
    do {
        return try body()
    } catch {
        throw .system(error)
    }
}

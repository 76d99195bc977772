import WellspringLog

/// Keeps the state of projections in the directory of a ``FileEventStore``.
///
/// Each is a file of its own, replaced whole. A state is written only after its events are synced,
/// so a projection never remembers what the log has forgotten.
public struct FileCheckpointStore: CheckpointStore {
    let store: FileEventStore

    /// Returns what was saved last for `projection`, or `nil` when there is nothing.
    ///
    /// State that was saved over another history of the log, as when the log alone was restored
    /// from a backup and went on from there, is not believed.
    ///
    /// - Throws: ``EventStoreError/damaged(_:)`` when the file cannot be believed. Nothing is lost
    ///   by that: the projection is replayed.
    public func load(_ projection: ProjectionName) async throws(EventStoreError) -> Checkpoint? {
        try store.core.checkNotClosed()
        let (directory, storeID, core) = (store.directory, store.storeID, store.core)
        let loaded = await onThread(of: directory, named: "wellspring-load") {
            Result { () throws(EventStoreError) in
                try Self.load(projection, from: directory, storeID: storeID, core)
            }
        }
        if case .failure(.damaged(let damage)) = loaded {
            store.configuration.onNotice?(
                .discardedCheckpoint(projection, reason: "\(damage.file): \(damage.reason)"))
        }
        return try loaded.get()
    }

    /// Replaces what was saved for the checkpoint's projection, wholly or not at all.
    ///
    /// - Throws: ``EventStoreError/invalidRequest(reason:)`` for a position beyond the log.
    public func save(_ checkpoint: Checkpoint) async throws(EventStoreError) {
        try store.core.checkNotClosed()
        try store.core.checkNotForked()
        if store.configuration.plantedFault != .checkpointAheadOfLog {
            if checkpoint.position > store.durablePosition { try await store.sync() }
            guard checkpoint.position <= store.durablePosition else {
                throw .invalidRequest(
                    reason: "\(checkpoint.projection) claims position \(checkpoint.position), "
                        + "the log ends at \(store.durablePosition)")
            }
        }
        let (directory, storeID, lock) = (store.directory, store.storeID, store.savingCheckpoints)
        let core = store.core
        return try await onThread(of: directory, named: "wellspring-save") {
            Result { () throws(EventStoreError) in
                let file = CheckpointFile.encode(
                    checkpoint, lastEvent: try core.eventID(at: checkpoint.position) ?? .noEvent,
                    storeID: storeID)
                // One at a time: two savers of one projection would share a temporary file.
                try lock.withLock { _ throws(EventStoreError) in
                    try core.checkNotClosed()
                    try Self.save(
                        file, as: CheckpointFile.name(of: checkpoint.projection), in: directory)
                }
            }
        }.get()
    }

    /// Forgets what was saved for `projection`.
    public func remove(_ projection: ProjectionName) async throws(EventStoreError) {
        try store.core.checkNotClosed()
        try store.core.checkNotForked()
        let (directory, lock, core) = (store.directory, store.savingCheckpoints, store.core)
        return try await onThread(of: directory, named: "wellspring-remove") {
            Result { () throws(EventStoreError) in
                try lock.withLock { _ throws(EventStoreError) in
                    try core.checkNotClosed()
                    try Self.remove(CheckpointFile.name(of: projection), from: directory)
                }
            }
        }.get()
    }
}

extension FileCheckpointStore {
    private static func load(
        _ projection: ProjectionName, from directory: any StoreDirectory, storeID: StoreUUID,
        _ core: StoreCore
    ) throws(EventStoreError) -> Checkpoint? {
        let name = CheckpointFile.name(of: projection)
        let bytes: [UInt8]?
        do {
            bytes = try AtomicFile.read(directory, name: name, limit: CheckpointFile.sizeLimit)
        } catch {
            throw EventStoreError(error)
        }
        guard let bytes else { return nil }
        let saved: (checkpoint: Checkpoint, lastEvent: MessageID)?
        do {
            saved = try CheckpointFile.decode(bytes, of: projection, storeID: storeID)
        } catch {
            throw .damaged(
                StoreDamage(file: name, offset: UInt64(error.offset), reason: error.reason))
        }
        guard let (checkpoint, lastEvent) = saved else { return nil }
        let found = try core.eventID(at: checkpoint.position) ?? .noEvent
        guard found == lastEvent || core.plantedFault == .believeForeignState else {
            throw .damaged(
                StoreDamage(
                    file: name, offset: 48,
                    reason: (found == .noEvent
                        ? "the log holds no event" : "the log holds another event")
                        + " at position \(checkpoint.position), as after restoring a backup of it"))
        }
        return checkpoint
    }

    private static func save(
        _ file: [UInt8], as name: String, in directory: any StoreDirectory
    ) throws(EventStoreError) {
        do {
            try directory.makeDirectory(CheckpointFile.directory)
            try directory.syncDirectory(nil)
            try AtomicFile.replace(directory, name: name, contents: file)
        } catch {
            throw EventStoreError(notStoredBecauseOf: error)
        }
    }

    private static func remove(
        _ name: String, from directory: any StoreDirectory
    ) throws(EventStoreError) {
        do {
            try directory.remove(name)
            try directory.syncDirectoryTwice(CheckpointFile.directory)
        } catch {
            guard error.kind == .notFound else { throw EventStoreError(error) }
        }
    }
}

extension FileEventStore {
    /// Where projections over this store keep their state: in the store's own directory.
    public var checkpoints: FileCheckpointStore { FileCheckpointStore(store: self) }
}

extension StoreCore {
    /// Returns the id of the event at `position`, or `nil` where the log has none.
    fileprivate func eventID(at position: LogPosition) throws(EventStoreError) -> MessageID? {
        guard position > .start else { return nil }
        let before = LogPosition(position.rawValue - 1)
        let page = try read(LogRead(.forward(after: before), limit: ReadLimit(events: 1)))
        return page.events.first { $0.position == position }?.id
    }
}

extension MessageID {
    /// Stands for the event at a position without one: before the first, or in a hole.
    static let noEvent = MessageID(high: 0, low: 0)
}

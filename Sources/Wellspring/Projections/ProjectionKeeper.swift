#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import WellspringLog

/// Keeps the state of one projection in a ``CheckpointStore``, and decides when it is time to.
struct ProjectionKeeper<P: Projection>: Sendable {
    let checkpoints: any CheckpointStore
    let encode: @Sendable (P) throws -> EventPayload
    let decode: @Sendable (EventPayload) throws -> P
    let saving = Guarded(SavingSchedule())
    /// One save at a time, so that an older state never replaces a newer one.
    let turns = Turns<ProjectionName>()

    init(_ checkpoints: some CheckpointStore) where P: Codable {
        self.checkpoints = checkpoints
        encode = { try SavedStateCoding.encode($0) }
        decode = { try SavedStateCoding.decode(P.self, from: $0) }
    }

    /// Counts what a page would cost to replay.
    func noteReplay(of page: LogPage, after start: LogPosition) {
        let bytes = page.events.reduce(0) { $0 + $1.event.payload.count }
        saving.withLock {
            $0.noteReplay(bytes: bytes, positions: page.end.rawValue &- start.rawValue)
        }
    }
}

/// Writes and reads the state of projections.
///
/// With the coders of events: the text is what Foundation's would be, in a fraction of the time.
enum SavedStateCoding {
    static func encode(_ state: some Encodable) throws -> EventPayload {
        do {
            return EventPayload(try JSONPayloadEncoder.encode(state))
        } catch {
            // A state that asks for what only Foundation's coder has is saved all the same.
            return EventPayload(try JSONEncoder().encode(state))
        }
    }

    static func decode<P: Decodable>(_ type: P.Type, from state: EventPayload) throws -> P {
        do {
            return try state.withUnsafeBytes { try JSONPayloadDecoder.decode(type, from: $0) }
        } catch {
            return try JSONDecoder().decode(type, from: Data(state))
        }
    }
}

/// Decides when saving costs little beside replaying.
///
/// A save writes the whole state. Saving every so many events would make the cost of a replay grow
/// with the square of its length; saving once the bytes to be replayed are several times those to
/// be written keeps what is spent on saving a small part of the whole.
struct SavingSchedule {
    private var replayBytes: UInt64 = 0
    private var stateBytes: UInt64 = 0
    private var saved: SavedPoint?
    /// Whether the saved state was looked at; once is enough for all runs.
    var hasRestored = false

    private struct SavedPoint: Equatable {
        let position: LogPosition
        let generation: Int
    }

    /// What a record takes besides its payload, and what looking at one costs at the least.
    private static let bytesPerRecord: UInt64 = 64
    /// Less than this is replayed sooner than a small file is synced.
    static let leastReplay: UInt64 = 256 << 10

    /// How many bytes are taken in for each that is saved.
    ///
    /// A byte of state is written, copied by the next event and synced, which costs about what
    /// replaying one does: a fifth of the time goes into saving, at the most.
    static let replayPerSave: UInt64 = 4

    var isDue: Bool { replayBytes > max(stateBytes * Self.replayPerSave, Self.leastReplay) }

    mutating func noteReplay(bytes: Int, positions: UInt64) {
        // What is far more than enough is counted as that, so that no sum overflows.
        let cost = UInt64(max(0, bytes)) + min(positions, 1 << 32) * Self.bytesPerRecord
        replayBytes = min(replayBytes + cost, 1 << 60)
    }

    /// Remembers what is in the checkpoint store now.
    mutating func noteSaved(_ position: LogPosition, generation: Int, bytes: Int) {
        saved = SavedPoint(position: position, generation: generation)
        stateBytes = min(UInt64(max(0, bytes)), 1 << 60)
        replayBytes = 0
    }

    /// A failed save is tried again as late as one that succeeded.
    mutating func noteFailure() { replayBytes = 0 }

    func isSaved(_ position: LogPosition, generation: Int) -> Bool {
        saved == SavedPoint(position: position, generation: generation)
            || saved == nil && position == .start
    }
}

// MARK: - Restoring

extension ProjectionRunner {
    /// Takes over the saved state, on the first run, when it is of use.
    func restore() async throws(EventStoreError) {
        guard let keeper, !keeper.saving.withLock({ $0.hasRestored }) else { return }
        try await restore(from: keeper)
        // Not before: a run that ends in the midst of it leaves it to the next one.
        keeper.saving.withLock { $0.hasRestored = true }
    }

    private func restore(from keeper: ProjectionKeeper<P>) async throws(EventStoreError) {
        // Before the state is looked at, so that a log that grows meanwhile does not catch up with it.
        let head = try await store.read(LogRead(.backward(before: nil), limit: .oneEvent)).head
        let checkpoint: Checkpoint
        do {
            guard let found = try await keeper.checkpoints.load(P.name) else { return }
            checkpoint = found
        } catch {
            if error == .cancelled { throw error }
            return await discard("it cannot be read: \(error.asReason)")
        }
        guard checkpoint.revision == P.revision else {
            return await discard(
                "it is of revision \(checkpoint.revision), the projection of \(P.revision)")
        }
        // A restored backup of the log may end before the state that was saved later.
        guard checkpoint.position <= head else {
            return await discard(
                "it is from position \(checkpoint.position), the log ends at \(head)")
        }
        let model: P
        do {
            model = try keeper.decode(checkpoint.state)
        } catch {
            return await discard("its state does not fit the projection any more")
        }
        guard progress.withLock({ $0.restore(model, at: checkpoint.position) }) else { return }
        keeper.saving.withLock {
            $0.noteSaved(checkpoint.position, generation: 0, bytes: checkpoint.state.count)
        }
    }

    private func discard(_ reason: String) async {
        onNotice(.checkpointDiscarded(reason: reason))
        // Else the same would be reported on the next start. When it fails, it will be.
        try? await keeper?.checkpoints.remove(P.name)
    }
}

extension ReadLimit {
    fileprivate static let oneEvent = ReadLimit(events: 1)
}

extension EventStoreError {
    /// What is wrong with saved state, without the advice for a damaged log: no backup is needed.
    fileprivate var asReason: String {
        guard case .damaged(let damage) = self else { return "\(self)" }
        return "\(damage.file) at byte \(damage.offset): \(damage.reason)"
    }
}

// MARK: - Saving

extension ProjectionRunner {
    func saveIfDue() async {
        guard let keeper, keeper.saving.withLock({ $0.isDue }) else { return }
        await save()
    }

    /// Saves what a run has come to.
    func saveAtEnd(after reason: ProjectionStop.Reason) async {
        if case .store = reason { return }
        await saveToTheEnd()
    }

    /// Saves, which the cancellation of the caller must not prevent.
    func saveToTheEnd() async {
        guard keeper != nil else { return }
        await Task { await save() }.value
    }

    /// Saves the model in use, unless that is what was saved last.
    func save() async {
        guard let keeper else { return }
        try? await keeper.turns.take(P.name) { _ in (await save(with: keeper), nil) }
    }

    private func save(with keeper: ProjectionKeeper<P>) async {
        // Taken in turn: what is saved later is never older.
        let (model, position, generation) = progress.withLock {
            ($0.model, $0.position, $0.generation)
        }
        guard !keeper.saving.withLock({ $0.isSaved(position, generation: generation) }) else {
            return
        }
        do {
            let state = try keeper.encode(model)
            try await keeper.checkpoints.save(
                Checkpoint(
                    projection: P.name, revision: P.revision, position: position, state: state))
            keeper.saving.withLock {
                $0.noteSaved(position, generation: generation, bytes: state.count)
            }
            onNotice(.saved(position, bytes: state.count))
        } catch {
            keeper.saving.withLock { $0.noteFailure() }
            onNotice(.notSaved(reason: "\(error)"))
        }
    }
}

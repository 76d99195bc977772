public import Wellspring
import WellspringLog

/// Keeps the state of projections in memory, for tests of what happens between two runs.
public final class InMemoryCheckpointStore: CheckpointStore {
    private let checkpoints = Guarded<[ProjectionName: Checkpoint]>([:])

    /// Creates an empty store.
    public init() {}

    /// Returns what was saved last for `projection`.
    public func load(_ projection: ProjectionName) async throws(EventStoreError) -> Checkpoint? {
        checkpoints.withLock { $0[projection] }
    }

    /// Replaces what was saved for the checkpoint's projection.
    public func save(_ checkpoint: Checkpoint) async throws(EventStoreError) {
        checkpoints.withLock { $0[checkpoint.projection] = checkpoint }
    }

    /// Forgets what was saved for `projection`.
    public func remove(_ projection: ProjectionName) async throws(EventStoreError) {
        checkpoints.withLock { $0[projection] = nil }
    }
}

/// A read model as of one position of the log, in saved form.
///
/// State and position are one record. A position alone would claim that events were taken in which
/// the state does not show.
public struct Checkpoint: Hashable, Sendable {
    /// Whose state it is.
    public var projection: ProjectionName
    /// The revision of the projection that wrote it.
    public var revision: Int
    /// The last position that was taken in.
    public var position: LogPosition
    /// The state, in JSON.
    public var state: EventPayload

    /// Creates a checkpoint.
    public init(
        projection: ProjectionName, revision: Int, position: LogPosition, state: EventPayload
    ) {
        self.projection = projection
        self.revision = revision
        self.position = position
        self.state = state
    }
}

/// Keeps the state of projections between runs.
///
/// What is kept may be lost without harm: it only saves a replay. What is returned must be true.
public protocol CheckpointStore: Sendable {
    /// Returns what was saved last for `projection`, or `nil` when there is nothing.
    ///
    /// - Throws: When what is there cannot be read or is damaged. The projection is then replayed.
    func load(_ projection: ProjectionName) async throws(EventStoreError) -> Checkpoint?

    /// Replaces what was saved for the checkpoint's projection, wholly or not at all.
    ///
    /// Must not succeed for a position that is not durable: a checkpoint that survives a crash
    /// which its events do not survive would make the projection skip those that take their place.
    /// A store of files therefore syncs the log first.
    func save(_ checkpoint: Checkpoint) async throws(EventStoreError)

    /// Forgets what was saved for `projection`.
    func remove(_ projection: ProjectionName) async throws(EventStoreError)
}

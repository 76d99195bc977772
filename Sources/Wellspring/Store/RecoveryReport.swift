import WellspringLog

/// What opening a store found and did.
///
/// Worth logging: nothing that recovery does is kept silent.
public struct RecoveryReport: Hashable, Sendable {
    /// The store did not exist and was made.
    public let created: Bool
    /// The store had been closed properly; `false` after a crash, or when it was dropped unclosed.
    public let wasClean: Bool
    /// How many events it holds.
    public let eventCount: UInt64
    /// How many segment files it has.
    public let segmentCount: Int
    /// Bytes of an unfinished append that were cut off the end, and kept in ``quarantined``.
    public let tornBytes: UInt64
    /// Frames at the end that were written again, because nothing showed them to be durable.
    public let rewrittenFrames: UInt64
    /// Files, relative to the store, that hold what was cut off or set aside.
    public let quarantined: [String]

    /// How many segments were read because the index of their events was missing or damaged.
    ///
    /// It was made again from them, with every frame checked; opening took the longer for it.
    public let reindexedSegments: Int

    init(_ recovery: LogRecovery, reindexedSegments: Int) {
        self.reindexedSegments = reindexedSegments
        created = recovery.created
        wasClean = recovery.wasClean
        eventCount = recovery.eventCount
        segmentCount = recovery.segmentCount
        tornBytes = recovery.tornBytes
        rewrittenFrames = recovery.restampedFrames
        quarantined = recovery.quarantined
    }
}

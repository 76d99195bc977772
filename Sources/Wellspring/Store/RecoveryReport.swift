import WellspringLog

/// What opening a store found and did.
///
/// Worth logging, as which it is a line of text: nothing that recovery does is kept silent.
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
    /// Files, relative to the store, that were removed: what a scavenge left that a crash ended, the
    /// old file of a segment or the unfinished new one.
    ///
    /// They held no event that the store does not have.
    public let removed: [String]

    /// How many segments were read because the index of their events was missing or damaged.
    ///
    /// It was made again from them, with every frame checked; opening took the longer for it.
    public let reindexedSegments: Int

    /// Whether the system has the drive empty its own cache when the store syncs.
    ///
    /// `false` on Apple systems where the volume does not support that (`F_FULLFSYNC`), as some external
    /// and most network volumes do not. Then a power cut may take back what was acknowledged, in
    /// every mode of ``Durability``. Keep the store on another volume.
    public let syncsReachMedium: Bool

    init(_ recovery: LogRecovery, reindexedSegments: Int, syncsReachMedium: Bool = true) {
        self.reindexedSegments = reindexedSegments
        self.syncsReachMedium = syncsReachMedium
        created = recovery.created
        wasClean = recovery.wasClean
        eventCount = recovery.eventCount
        segmentCount = recovery.segmentCount
        tornBytes = recovery.tornBytes
        rewrittenFrames = recovery.restampedFrames
        quarantined = recovery.quarantined
        removed = recovery.removed
    }
}

extension RecoveryReport: CustomStringConvertible {
    /// The report in a line, for a log.
    ///
    /// It names only what was out of the ordinary, and the size of the store.
    public var description: String {
        let warning =
            syncsReachMedium
            ? []
            : [
                "a power cut may take back what was acknowledged, because this volume cannot have "
                    + "the drive empty its cache: keep the store on another one"
            ]
        if created { return (["the store was made"] + warning).joined(separator: ", ") }
        var parts = [
            "\(Self.count(eventCount, "event")) in \(Self.count(segmentCount, "segment"))",
            wasClean ? "closed properly" : "not closed properly",
        ]
        if tornBytes > 0 {
            parts.append("\(Self.count(tornBytes, "byte")) of an unfinished append cut off")
        }
        if rewrittenFrames > 0 {
            parts.append("\(Self.count(rewrittenFrames, "frame")) at the end written again")
        }
        if !quarantined.isEmpty {
            parts.append("kept aside: \(quarantined.joined(separator: " "))")
        }
        if !removed.isEmpty { parts.append("removed: \(removed.joined(separator: " "))") }
        if reindexedSegments > 0 {
            parts.append("index made again of \(Self.count(reindexedSegments, "segment"))")
        }
        return (parts + warning).joined(separator: ", ")
    }

    private static func count(_ number: some BinaryInteger, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}

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
    /// The positions that the events in ``tornBytes`` had, of which nobody was told that they are
    /// stored; the next appends get them.
    ///
    /// As far as the bytes still say. Where the first of them did not reach the disk nobody knows how
    /// many events there were, and the range is empty and begins with the first position that was
    /// free. `nil` when nothing was cut off.
    public let tornPositions: Range<UInt64>?
    /// Frames at the end that were written again, because nothing showed them to be durable.
    public let rewrittenFrames: UInt64
    /// Files, relative to the store, that hold what was cut off or set aside.
    public let quarantined: [String]
    /// Files beside the segments, relative to the store, that were removed after a crash: the segment
    /// that was to come next, and what a scavenge left, the old file of a segment or the unfinished
    /// new one.
    ///
    /// They held no event that the store does not have.
    public let removed: [String]

    /// How many segments were read because the index of their events was missing or damaged.
    ///
    /// It was made again from them, with every frame checked; opening took the longer for it. The end
    /// of the newest segment is read after every crash, and counts only where the store was closed
    /// properly.
    public let reindexedSegments: Int
    /// Files of the index, relative to the store, that were removed: parts that were damaged or of
    /// another history of the log, or that a crash kept from being finished or replaced.
    ///
    /// No event is lost with them. What they should have held is indexed anew, see
    /// ``reindexedSegments``.
    public let removedIndexFiles: [String]
    /// Files of the index, relative to the store, that the machine did not give back, or the directory
    /// that they are in.
    ///
    /// They may be sound, so they stay and the next opening tries again; until then what they cover
    /// is indexed anew, see ``reindexedSegments``. If that happens again, look at the disk.
    public let unreadIndexFiles: [String]

    /// How long opening took, by the clock of the system; zero where that was set back meanwhile.
    public let duration: Duration

    /// Whether the system has the drive empty its own cache when the store syncs.
    ///
    /// `false` on Apple systems where the volume does not support that (`F_FULLFSYNC`), as some external
    /// and most network volumes do not. Then a power cut may take back what was acknowledged, in
    /// every mode of ``Durability``. Keep the store on another volume.
    public let syncsReachMedium: Bool

    /// What was done about the index.
    struct Index {
        var reindexed = 0
        var removed: [String] = []
        var unread: [String] = []
    }

    init(
        _ recovery: LogRecovery, index: Index = Index(), duration: Duration = .zero,
        syncsReachMedium: Bool = true
    ) {
        reindexedSegments = index.reindexed
        removedIndexFiles = index.removed
        unreadIndexFiles = index.unread
        self.duration = duration
        self.syncsReachMedium = syncsReachMedium
        created = recovery.created
        wasClean = recovery.wasClean
        eventCount = recovery.eventCount
        segmentCount = recovery.segmentCount
        tornBytes = recovery.tornBytes
        tornPositions = recovery.tornPositions
        rewrittenFrames = recovery.restampedFrames
        quarantined = recovery.quarantined
        removed = recovery.removed
    }

    /// Whether the store was as a proper close leaves it, so that nothing had to be done.
    package var isOrdinary: Bool {
        wasClean && removed.isEmpty && reindexedSegments == 0 && removedIndexFiles.isEmpty
            && unreadIndexFiles.isEmpty
    }
}

extension RecoveryReport: CustomStringConvertible {
    /// The report in a line, for a log.
    ///
    /// It names only what was out of the ordinary, the size of the store and how long it took.
    public var description: String {
        var parts =
            created
            ? ["the store was made"]
            : [
                "\(Self.count(eventCount, "event")) in \(Self.count(segmentCount, "segment"))",
                wasClean ? "closed properly" : "not closed properly",
            ]
        if tornBytes > 0 {
            parts.append(
                "\(Self.count(tornBytes, "byte")) of an unfinished append cut off\(tornPlace)")
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
        if !removedIndexFiles.isEmpty {
            parts.append("removed from the index: \(removedIndexFiles.joined(separator: " "))")
        }
        if !unreadIndexFiles.isEmpty {
            parts.append("could not be read: \(unreadIndexFiles.joined(separator: " "))")
        }
        parts.append("in \(Int(duration / .milliseconds(1))) ms")
        if !syncsReachMedium {
            parts.append(
                "a power cut may take back what was acknowledged, because this volume cannot have "
                    + "the drive empty its cache: keep the store on another one")
        }
        return parts.joined(separator: ", ")
    }

    /// Where the unfinished append was.
    private var tornPlace: String {
        guard let tornPositions else { return "" }
        let first = tornPositions.lowerBound
        // As many positions as these need not be countable.
        guard tornPositions.upperBound - first > 1 else { return " at position \(first)" }
        return " at positions \(first) to \(tornPositions.upperBound - 1)"
    }

    private static func count(_ number: some BinaryInteger, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}

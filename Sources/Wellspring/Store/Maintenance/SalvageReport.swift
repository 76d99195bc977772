/// What was saved of a damaged store, see ``FileEventStore/salvage(from:to:progress:)``.
public struct SalvageReport: Hashable, Sendable {
    /// How many events were copied.
    public internal(set) var eventCount: UInt64 = 0
    /// How many commits they came in.
    public internal(set) var commitCount: UInt64 = 0
    /// How many of them were saved out of commits that are damaged in part.
    public internal(set) var rescuedEvents: UInt64 = 0
    /// The last position of the new store; the next event gets the one after it.
    public internal(set) var lastPosition = LogPosition.start
    /// The positions whose events are not in the new store, in order.
    ///
    /// Those of an earlier salvage are among them.
    public internal(set) var holes: [Range<UInt64>] = []
    /// Events whose bytes are there and whose stream or type is lost.
    ///
    /// Their positions are among ``holes``.
    public internal(set) var unresolvedEvents: UInt64 = 0
    /// How many bytes these have in the damaged store.
    public internal(set) var unresolvedBytes: UInt64 = 0
    /// Bytes of an unfinished write at the end, which were left out, as opening a store does.
    public internal(set) var unfinishedBytes: UInt64 = 0
    /// Whether events may be lost behind the last position, because nothing says how far the log
    /// went.
    ///
    /// The new store may then give out positions a second time.
    public internal(set) var mayHaveLostMore = false
    /// What is wrong with the damaged store, the first ``VerificationReport/problemLimit`` of it.
    public internal(set) var problems: [StoreProblem] = []

    /// How many events are lost, as far as is known.
    public var lostEvents: UInt64 { holes.reduce(0) { $0 &+ ($1.upperBound - $1.lowerBound) } }

    mutating func add(_ problem: StoreProblem) {
        if problems.count < VerificationReport.problemLimit { problems.append(problem) }
    }

    mutating func addHole(_ positions: Range<UInt64>) { holes.addRange(positions) }
}

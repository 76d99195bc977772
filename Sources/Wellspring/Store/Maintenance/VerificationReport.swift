/// What a check of every byte of a store came to, see ``FileEventStore/verify(at:progress:)``.
public struct VerificationReport: Hashable, Sendable {
    /// Everything that is not as it should be, in the order in which it was found.
    ///
    /// Of a store with more than ``problemLimit`` only the first are kept.
    public internal(set) var problems: [StoreProblem] = []
    /// How many problems were left out of ``problems``.
    public internal(set) var furtherProblems = 0
    /// How many segments could be read, and how many commits and events they hold.
    public internal(set) var segmentCount = 0
    /// How many commits there are.
    public internal(set) var commitCount: UInt64 = 0
    /// How many events there are.
    public internal(set) var eventCount: UInt64 = 0
    /// How many of them are redacted: their content was taken away on purpose.
    public internal(set) var redactedCount: UInt64 = 0
    /// How many streams have an event.
    public internal(set) var streamCount = 0
    /// The position of the last event.
    public internal(set) var lastPosition = LogPosition.start
    /// How many bytes of segments were read.
    public internal(set) var byteCount: UInt64 = 0
    /// Bytes of an unfinished write at the end, which the next opening cuts off and keeps.
    public internal(set) var unfinishedBytes: UInt64 = 0
    /// Events at the end of which nothing says yet that they are durable.
    ///
    /// There are some while a store is in use, and after a crash; no loss of them would be noticed.
    public internal(set) var unprovenEvents: UInt64 = 0

    /// The most problems that are kept.
    public static let problemLimit = 10_000

    /// Whether no file of the store is damaged.
    ///
    /// Damage need not cost an event, see ``lostPositions``; it tells of a disk that does not keep
    /// what it was given.
    public var isSound: Bool { damageCount == 0 }

    /// How many of the problems are damage.
    public internal(set) var damageCount = 0

    /// The positions whose events are lost, in order.
    public internal(set) var lostPositions: [Range<UInt64>] = []

    /// The positions that a salvaged store has no events for, in order.
    ///
    /// They were lost before, in the store that it was made of, and are no problem of this one.
    public internal(set) var holes: [Range<UInt64>] = []

    mutating func addHole(_ positions: Range<UInt64>) { holes.addRange(positions) }
    mutating func addLost(_ positions: Range<UInt64>) { lostPositions.addRange(positions) }

    mutating func add(_ problem: StoreProblem) {
        if problem.kind.isDamage { damageCount += 1 }
        if problems.count < Self.problemLimit {
            problems.append(problem)
        } else {
            furtherProblems += 1
        }
    }
}

extension [Range<UInt64>] {
    /// Adds a range behind the others, as a part of the last one where it adjoins it.
    mutating func addRange(_ positions: Range<UInt64>) {
        guard !positions.isEmpty else { return }
        if let last, last.upperBound == positions.lowerBound {
            self[count - 1] = last.lowerBound..<positions.upperBound
        } else {
            append(positions)
        }
    }
}

/// Something in a store that is not as it should be.
public struct StoreProblem: Hashable, Sendable {
    /// What it is about.
    public let kind: Kind
    /// The file, relative to the store's directory.
    public let file: String
    /// The offset in the file at which sense ends.
    public let offset: UInt64
    /// What is wrong there.
    public let reason: String
    /// The numbers of the commits that are lost by it, as far as is known.
    public let commits: ClosedRange<UInt64>?
    /// The positions of the events that are lost by it.
    ///
    /// `nil` where that is counted with the problem before, or cannot be said.
    public let positions: Range<UInt64>?
    /// Whether more may be lost behind these, because nothing says how far the log went.
    public let mayBeMore: Bool

    /// What a problem is about.
    @nonexhaustive
    public enum Kind: String, Hashable, Sendable {
        /// The file `STORE` is damaged or missing.
        case identity
        /// The file `MANIFEST` is damaged or missing.
        case manifest
        /// A segment is missing or cannot be opened, or another file is in its place.
        case missingSegment
        /// The first page of a segment is damaged.
        case segmentHeader
        /// Commits are damaged.
        case commits
        /// The checksums of a commit hold, and what it says makes no sense.
        case records
        /// A stream has a version that does not follow, and no lost event explains it.
        case versions
        /// What a segment repeats about itself at its end is damaged.
        case footer
        /// The log does not end where it was said to end.
        case end
        /// The saved state of a projection is damaged.
        case savedState
        /// A part of the index is damaged, or it cannot be read at which place in the log it ends.
        case index
        /// A part of the index is whole, and does not list what the log holds.
        case indexEntries
        /// A saved state or a part of the index is whole and of no use: it is of another history of
        /// the log, or of another store or version.
        case unusable
        /// A file that does not belong to the store.
        case strayFile
    }

    init(
        _ kind: Kind, _ file: String, at offset: UInt64 = 0, _ reason: String,
        commits: ClosedRange<UInt64>? = nil, positions: Range<UInt64>? = nil,
        mayBeMore: Bool = false
    ) {
        self.kind = kind
        self.file = file
        self.offset = offset
        self.reason = reason
        self.commits = commits
        self.positions = positions
        self.mayBeMore = mayBeMore
    }
}

extension StoreProblem.Kind {
    /// Whether bytes of the store are not what they should be.
    ///
    /// Files that are whole and of no use, or not of the store at all, are no damage.
    public var isDamage: Bool {
        switch self {
        case .unusable, .strayFile: false
        default: true
        }
    }
}

extension StoreProblem: CustomStringConvertible {
    /// The problem in a line: where, what, and what it costs.
    public var description: String {
        var text = "\(file) at byte \(offset): \(reason)"
        if let positions, !positions.isEmpty {
            let last = positions.upperBound - 1
            text +=
                positions.upperBound - positions.lowerBound == 1
                ? "; the event at position \(last) is lost"
                : "; the events at positions \(positions.lowerBound) to \(last) are lost"
        }
        guard mayBeMore else { return text }
        return text
            + (kind == .manifest
                ? "; without it events at the end may be lost and nobody notices"
                : "; more may be lost behind it")
    }

    private static let strange =
        "The bytes are as they were written, so this is an error of the program that wrote them, or "
        + "somebody changed them on purpose. Keep a copy and report it. "

    private static let costless =
        "The store may not open. No event is lost by what is told here: salvage copies them."

    /// What the problem means and what to do next, in a few sentences.
    public var advice: String {
        switch kind {
        case .identity:
            "The store does not open. No event is lost by it: salvage copies them all."
        case .manifest:
            "The store does not open. Repair makes the file anew from the segments that are there, "
                + "and salvage copies their events. Only this file said how far the log went: that "
                + "its last segments or events are gone too cannot be noticed without it, so compare "
                + "the last position with what you know of, as from a backup."
        case .missingSegment, .segmentHeader, .commits:
            positions?.isEmpty == true && !mayBeMore
                ? Self.costless
                : "These events cannot be read, and the store may not open. Restore a backup that "
                    + "has them; if there is none, salvage copies all others and lists what is lost."
        case .records:
            Self.strange + "Salvage copies all other events."
        case .versions:
            Self.strange + "Salvage copies all other streams, and of this one what follows without "
                + "a gap or behind lost events."
        case .footer, .end: Self.costless
        case .savedState:
            "No event is lost: the projection is replayed and saved anew. Remove the file if the "
                + "projection is no longer in use. The disk has changed what it keeps: look at it."
        case .index:
            "No event is lost: a read that comes upon the damage makes this part of the index anew "
                + "from the log. To have it done now, close the store, repair it and open it. The "
                + "disk has changed what it keeps: look at it."
        case .indexEntries:
            "No event is lost, but reads of a stream or a tag may pass some over, and appends may "
                + "then take a version that is taken. Close the store and all its readers, move the "
                + "file away and open the store, which makes it anew from the log; keep the file, "
                + "and report it. If the store does not open without it, put it back and salvage."
        case .unusable:
            "No event is lost: the file is left aside, and made anew where it is needed. Remove it "
                + "if it stays."
        case .strayFile:
            "No event is lost. Move the file away if you know that nobody needs it."
        }
    }
}

/// How far long work on a store has come.
public struct MaintenanceProgress: Hashable, Sendable {
    /// How many bytes of the log have been read, and how many there were at the start.
    public let bytes: UInt64
    /// How many bytes the log had at the start.
    public let totalBytes: UInt64
    /// How many events have been read.
    public let events: UInt64
}

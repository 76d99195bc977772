/// When a commit counts as done, for the log.
///
/// The public `Durability` says it for users.
package enum LogDurability: Hashable, Sendable {
    /// One sync a group, before anything of the group is acknowledged or visible.
    case everyCommit
    /// As `everyCommit`, then a mark that says so, synced too; groups begin on a page of their own.
    case strict
    /// Written at once; synced when `nanoseconds` have passed or `bytes` have been written.
    case interval(nanoseconds: UInt64, bytes: UInt64)
    /// Written at once; synced at a roll, by `sync()` and at a clean close.
    case osManaged
}

/// How a log is opened.
package struct LogConfiguration: Sendable {
    package var durability: LogDurability = .everyCommit
    /// The size at which a segment is sealed and the next one begins.
    package var segmentBytes: UInt64 = 64 << 20
    /// How long after the last commit a mark is written, so that the last frame has a witness too.
    ///
    /// `nil` leaves the mark to `close()`.
    package var idleMarkNanoseconds: UInt64? = 20_000_000
    /// The largest body of one frame.
    package var frameBytesLimit = 16 << 20
    /// Whether an empty directory is made into a store.
    package var createsStore = true
    /// Whether a log on a network file system is opened.
    package var allowsNetworkFileSystem = false
    /// Which bits count of what the client's index files names under.
    ///
    /// A test lets names collide by it.
    package var indexKeyMask = UInt64.max
    /// Switches one protection off, so that a test can show that something notices.
    ///
    /// Never set outside tests.
    package var plantedFault: PlantedFault?

    package init() {}
}

/// Where a frame lies and what it holds.
package struct FramePlace: Hashable, Sendable {
    /// The number of the segment.
    package var segment: UInt32
    /// The offset of the frame's header in the segment's file.
    package var offset: UInt64
    /// The length of the body in bytes, without padding.
    package var bodyLength: Int
    /// The number of the frame in the log, from 1, without gaps.
    package var sequence: UInt64
    /// The position of the first event; meaningless when there are none.
    package var firstPosition: UInt64
    /// How many events the body holds.
    package var eventCount: UInt32
    /// When it was written, in nanoseconds since 1970, never less than in the frame before.
    package var recordedAt: Int64

    /// The offset of the body in the segment's file.
    package var bodyOffset: UInt64 { offset + UInt64(FrameHeader.length) }

    package init(
        segment: UInt32, offset: UInt64, bodyLength: Int, sequence: UInt64, firstPosition: UInt64,
        eventCount: UInt32, recordedAt: Int64
    ) {
        self.segment = segment
        self.offset = offset
        self.bodyLength = bodyLength
        self.sequence = sequence
        self.firstPosition = firstPosition
        self.eventCount = eventCount
        self.recordedAt = recordedAt
    }
}

/// What the log knows when it asks for the body of the next frame.
package struct FrameContext: Sendable {
    /// The segment that the frame goes to.
    ///
    /// A roll may have changed it since the last frame.
    package var segment: UInt32
    /// The file offset at which the body will begin; a multiple of 8.
    package var bodyOffset: UInt64
    /// The position of the first event.
    package var firstPosition: UInt64
    /// The time of the frame, in nanoseconds since 1970.
    package var recordedAt: Int64

    package init(
        segment: UInt32, bodyOffset: UInt64, firstPosition: UInt64, recordedAt: Int64
    ) {
        self.segment = segment
        self.bodyOffset = bodyOffset
        self.firstPosition = firstPosition
        self.recordedAt = recordedAt
    }

    /// The file offset at which the frame's header begins.
    package var frameOffset: UInt64 { bodyOffset - UInt64(FrameHeader.length) }
}

/// The owner of what is inside the frames.
///
/// The log calls it from `open`, and from `commit` and `close`, always from one thread at a time.
package protocol LogClient: AnyObject {
    /// What the client knows of the log from an earlier time; `nil` when everything is to be
    /// replayed.
    ///
    /// With an answer, segments that the MANIFEST lists as sealed are compared with it and not
    /// replayed. The client then answers for what is in them.
    func coverage(of log: LogOutline) -> LogCoverage?

    /// The frames that follow are in `segment`; what is defined once a segment starts anew.
    func segmentBegan(_ segment: UInt32)

    /// Hands over a frame that was found during `open`, in order. `body` is gone afterwards.
    ///
    /// - Throws: ``MalformedBody`` when the checksums hold and the content still makes no sense.
    func replay(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody)

    /// What the footer of `segment`, which is about to be sealed, keeps for the client.
    ///
    /// Nothing, where it cannot be said now.
    func footerContent(of segment: UInt32) -> [UInt8]

    /// A segment was sealed and is followed by another: `anchor` is the place behind its seal, and
    /// everything before it is durable.
    func segmentEnded(_ anchor: LogAnchor)
}

extension LogClient {
    package func coverage(of log: LogOutline) -> LogCoverage? { nil }
    package func segmentEnded(_ anchor: LogAnchor) {}
}

/// A body that its owner cannot read.
@usableFromInline
package struct MalformedBody: Error, Hashable, Sendable {
    /// The offset inside the body at which sense ends.
    package var offset: Int
    package var reason: String
    /// What kept the owner from reading it; `nil` when the body itself makes no sense.
    package var cause: LogError?

    package init(offset: Int, reason: String, cause: LogError? = nil) {
        self.offset = offset
        self.reason = reason
        self.cause = cause
    }
}

/// What opening a log found and did.
///
/// Nothing that recovery does is kept silent.
package struct LogRecovery: Hashable, Sendable {
    /// The store was made by this opening.
    package var created = false
    /// The store had been closed properly.
    package var wasClean = false
    /// How many segments there are, and how many frames and events they hold.
    package var segmentCount = 0
    package var frameCount: UInt64 = 0
    package var eventCount: UInt64 = 0
    /// Bytes of an unfinished write that were cut off the end of the log.
    package var tornBytes: UInt64 = 0
    /// The positions that the events in them had, as far as the bytes still say; `nil` when nothing
    /// was cut off.
    package var tornPositions: Range<UInt64>?
    /// Frames that were written again, because nothing showed that they had reached the disk.
    package var restampedFrames: UInt64 = 0
    /// Files in `quarantine/` that hold what was cut off or set aside, relative to the store.
    package var quarantined: [String] = []
    /// Files of segments that were removed: superseded by a rewritten one, not finished, or made
    /// ahead and not begun.
    package var removed: [String] = []

    package init() {}
}

/// Damage that was found in a log.
package struct LogDamage: Hashable, Sendable {
    /// The file, relative to the store.
    package var file: String
    /// The offset in the file at which sense ends.
    package var offset: UInt64
    /// The frames that are affected, as far as is known.
    package var sequences: ClosedRange<UInt64>?
    package var reason: String

    package init(
        file: String, offset: UInt64, sequences: ClosedRange<UInt64>? = nil, reason: String
    ) {
        self.file = file
        self.offset = offset
        self.sequences = sequences
        self.reason = reason
    }
}

/// Why a log could not be opened or read.
package enum LogError: Error, Hashable, Sendable {
    /// Acknowledged data is damaged or missing. Nothing was changed on disk.
    case damaged(LogDamage)
    /// Another opener writes; `owner` is what its lock file says.
    case locked(owner: String)
    /// There is no store in the directory, and none was to be made.
    case notAStore(path: String)
    /// There is no store in the directory, but there is something else. Nothing was changed.
    case notEmpty(path: String)
    /// The directory is on a network file system, which nobody allowed. Nothing was changed.
    case networkFileSystem(path: String, kind: String)
    /// The store was written by a newer version.
    case unsupportedFormat(file: String, reason: String)
    /// What is in the directory is no longer the log that was opened.
    case replaced(reason: String)
    /// A segment was rewritten that had been read: places in it mean nothing any more. Open the log
    /// anew.
    case rewritten(segment: UInt32)
    /// The log was closed.
    case closed
    /// The log was opened before a `fork`, and this is the child.
    case forked
    /// The machine failed.
    case system(SystemError)
}

/// Why a commit did not happen.
package enum CommitFailure: Error, Hashable, Sendable {
    /// Nothing is stored, and it is durable that nothing is. The same commit may be tried again.
    case rolledBack(SystemError)
    /// The body exceeds the limit. Nothing was written.
    case tooLarge(bytes: Int, limit: Int)
    /// A sync failed, or the mark behind a strict commit, or a failed write could not be taken back:
    /// whether the frame will be there after the next opening is unknown, and this log writes no
    /// more.
    case poisoned(SystemError)
    /// An earlier commit poisoned the log. This one was not written.
    case alreadyPoisoned
    /// The log was closed, or this process is a fork of the one that opened it.
    case closed
    case forked
}

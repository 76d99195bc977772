import WellspringLog

/// When an append counts as done, and what it survives from then on.
///
/// In every mode an append is all or nothing, and what survives a crash is a beginning of the
/// acknowledged order: no event without those before it. The mode belongs to the opening of a
/// store, not to its files.
public enum Durability: Hashable, Sendable {
    /// `append` returns once its events are synced to the device (`fdatasync` on Linux,
    /// `F_FULLFSYNC` on Apple systems). Appends that arrive together share one sync. Nothing
    /// acknowledged is lost by a killed process, a crash of the system or a power cut, as long as
    /// the device keeps what it said it keeps. The default.
    case everyCommit

    /// As ``everyCommit``, and a second sync makes it provable that the first one happened, so
    /// that damage to the very last append is reported rather than taken for an unfinished write.
    /// Each group of appends has pages of its own, so that a disk that destroys the sector in which
    /// it loses power destroys nothing acknowledged; only the first append after an opening in
    /// another mode shares a page with what that left.
    ///
    /// Costs a second sync for each group of appends. If only the proof cannot be written or
    /// synced, the append ends with ``EventStoreError/outcomeUnknown(_:)``. Room for it is made
    /// beforehand, which a file system that copies on write (APFS, btrfs, ZFS) does not keep.
    case strict

    /// `append` returns once its events are handed to the operating system; a sync follows after
    /// `time` or `bytes`. A killed process loses nothing; a power cut, or a sync that fails, loses
    /// at most that much.
    case interval(time: Duration = .milliseconds(50), bytes: Int = 1 << 20)

    /// `append` returns once its events are handed to the operating system, which writes them
    /// when it likes. A killed process loses nothing; a power cut may lose everything since the
    /// last `sync()`, and so may a device that fails when the system writes: `sync()` and closing
    /// notice it, too late for the appends that were acknowledged.
    case osManaged
}

extension Durability {
    var forLog: LogDurability {
        switch self {
        case .everyCommit: .everyCommit
        case .strict: .strict
        case .interval(let time, let bytes):
            .interval(nanoseconds: time.nanoseconds, bytes: UInt64(max(1, bytes)))
        case .osManaged: .osManaged
        }
    }
}

extension Duration {
    /// Whole nanoseconds; 0 for what is negative, the most there are for what is too long.
    var nanoseconds: UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product &+ UInt64(attoseconds / 1_000_000_000)
    }
}

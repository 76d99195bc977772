import WellspringLog

/// Where a store keeps its events: memory, or a directory of files.
///
/// Knows nothing of expected versions or waiting; those are decided once, in ``CoreState``, over
/// either log. Readers say up to which position they may see.
protocol EventLog: AnyObject, Sendable, StreamSource {
    /// Whether a commit does no I/O, so that it can happen inside the store's lock.
    var isInstant: Bool { get }

    /// Adds a group whose first event is at the position after the last one. One caller at a time.
    ///
    /// On return the group may be shown: it is as durable as the mode promises.
    func commit(_ group: [QueuedAppend]) throws(CommitFailure)

    /// Reads a page of the log up to `visible`: whole appends, at least one where there is one.
    func page(_ read: LogRead, through visible: UInt64) throws(EventStoreError) -> LogPage

    /// Whether this process is a fork of the one that opened the log.
    var isForked: Bool { get }

    /// The last position that outlives a power cut.
    var durablePosition: UInt64 { get }

    /// What is due after a commit or when the timer fires. One caller at a time, as for `commit`.
    func doHousekeeping(timerFired: Bool) throws(CommitFailure) -> HousekeepingTimer

    /// Makes everything that was committed durable. One caller at a time, as for `commit`.
    func sync() throws(CommitFailure)

    /// Ends the log properly. One caller at a time, as for `commit`.
    func close() throws(CommitFailure)

    /// Lets go of the log without writing anything more.
    func abandon()
}

/// When a log wants to be looked after next.
enum HousekeepingTimer: Hashable, Sendable {
    case notNeeded
    case after(nanoseconds: UInt64)
}

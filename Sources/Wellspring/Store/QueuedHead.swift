/// What a store of this library offers to its own command bus beyond ``EventStore``: a look at
/// appends that are accepted and not yet durable.
///
/// A hot stream would otherwise cost one sync a command, with everybody else deciding in vain
/// meanwhile. Nothing that rests on a queued event may be answered before that event is durable:
/// pass the ``QueueMark`` of what was read to `settle`, and decide anew when it says `false`.
package protocol QueuedHeadStore: EventStore {
    /// Reads one stream forward, queued events included.
    func readQueued(
        _ request: StreamRead
    ) async throws(EventStoreError) -> (page: StreamPage, mark: QueueMark)

    /// Returns how far one stream goes, what is queued included, without reading it; `nil` where that
    /// takes a read.
    func queuedStream(_ stream: StreamID) throws(EventStoreError) -> QueuedStream?

    /// Accepts an append and returns without waiting for its sync.
    ///
    /// Refuses it as ``EventStoreError/cancelled`` in a task that is cancelled.
    ///
    /// Versions are compared with the queued heads. A conflict may therefore rest on queued
    /// events; `mark()` taken after it tells when it is final.
    ///
    /// With the mark of what it was decided on, the append is refused as
    /// ``EventStoreError/notStored(reason:)`` when appends were taken back since. A version alone
    /// does not tell: others may have brought the stream to the same one with other events.
    func enqueue(
        _ request: AppendRequest, basedOn mark: QueueMark?
    ) throws(EventStoreError) -> PendingAppend

    /// The mark of everything that is queued now.
    func mark() -> QueueMark

    /// Returns `true` once everything up to `mark` is durable, `false` when some of it was taken
    /// back.
    func settle(_ mark: QueueMark) async throws(EventStoreError) -> Bool
}

extension QueuedHeadStore {
    /// Takes a read.
    package func queuedStream(_ stream: StreamID) throws(EventStoreError) -> QueuedStream? { nil }
}

/// A stream at one moment, what is queued for it included.
package struct QueuedStream: Hashable, Sendable {
    package var version: StreamVersion
    /// The first version that is read.
    package var firstVersion: StreamVersion
    package var mark: QueueMark

    package init(version: StreamVersion, firstVersion: StreamVersion, mark: QueueMark) {
        self.version = version
        self.firstVersion = firstVersion
        self.mark = mark
    }
}

/// A point in the queue of a store.
package struct QueueMark: Hashable, Sendable {
    /// The last position that was accepted.
    package var position: LogPosition
    /// How often accepted appends have been taken back so far.
    package var epoch: UInt64

    package init(position: LogPosition, epoch: UInt64) {
        self.position = position
        self.epoch = epoch
    }
}

/// An append that was accepted and is on its way to the disk.
package enum PendingAppend: Sendable {
    /// Settled at once, and nothing to wait for.
    case settled(AppendReceipt)
    case awaited(@Sendable () async throws(EventStoreError) -> AppendReceipt)

    package init(_ wait: @escaping @Sendable () async throws(EventStoreError) -> AppendReceipt) {
        self = .awaited(wait)
    }

    /// Waits for the receipt.
    ///
    /// Not cut short by cancellation: the append cannot be taken back.
    package func receipt() async throws(EventStoreError) -> AppendReceipt {
        switch self {
        case .settled(let receipt): receipt
        case .awaited(let wait): try await wait()
        }
    }
}

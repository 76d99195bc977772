import WellspringLog

/// Every decision of a store: who may append, what is visible, who is to be told.
///
/// A plain value behind the lock of ``StoreCore``. It does no I/O and resumes nobody; it returns
/// what is to be done.
struct CoreState {
    /// Streams that were used lately.
    var heads: StreamHeads

    /// The last position that readers see.
    var visible: UInt64
    /// The last position that was given out.
    var queued: UInt64
    /// How often accepted appends were taken back.
    var epoch: UInt64 = 0

    /// Accepted, and not yet handed to the log.
    var pending: [QueuedAppend] = []
    /// Handed to the log, and not yet settled.
    var inFlight: [QueuedAppend] = []
    /// Whether somebody is at work on the log.
    ///
    /// There is at most one.
    var isCommitting = false
    /// Whether the timer fired and the log was not told yet.
    var isTimerDue = false
    var syncRequests: [SyncRequest] = []
    var closeRequests: [UnsafeContinuation<Void, Never>] = []
    /// Whether the end was asked for, be the store poisoned or not.
    var isClosing = false
    /// Whether the log has been given up, by whoever was at work on it.
    var isReleased = false

    var waiters = WaitingList()
    var end: End?
    /// Switches a protection off, for a test.
    var plantedFault: PlantedFault?

    /// Why the store takes no more appends.
    enum End {
        case closed
        case poisoned(StoreFailure)

        var error: EventStoreError {
            switch self {
            case .closed: .closed
            case .poisoned(let failure): .poisoned(failure)
            }
        }
    }

    /// The state of a store whose log ends at `position`.
    init(endingAt position: UInt64 = 0, streamLimit: Int = 1 << 16) {
        visible = position
        queued = position
        heads = StreamHeads(limit: streamLimit)
    }
}

/// An append that was accepted: its versions and positions are given.
final class QueuedAppend: AppendTicket, @unchecked Sendable {
    // SAFETY: what it adds to the ticket never changes.
    let receipt: AppendReceipt
    let events: [QueuedEvent]
    /// The stream that it truncates.
    let truncates: StreamHead?
    /// About how many bytes it takes on disk, and never less.
    let bytes: Int

    init(receipt: AppendReceipt, events: [QueuedEvent], truncates: StreamHead?, bytes: Int) {
        self.receipt = receipt
        self.events = events
        self.truncates = truncates
        self.bytes = bytes
    }
}

/// Whose append it is.
enum AppendPurpose: Sendable {
    /// Somebody's who uses the store, to streams that are not the store's own.
    case user
    /// The store's, which writes a request down.
    case redacting
    /// The store's, which truncates a stream that the append names too.
    case truncating(StreamTruncation)
}

/// One event of an accepted append.
///
/// A class, because it passes through several hands, and a record is large.
final class QueuedEvent: Sendable {
    let stream: StreamHead
    /// The record, with a provisional recorded time.
    let recorded: RecordedEvent
    /// The recorded time that the caller insists on.
    let recordedAt: Timestamp?
    /// The time that the caller says it happened.
    let occurredAt: Timestamp?

    init(
        stream: StreamHead, recorded: RecordedEvent, recordedAt: Timestamp?, occurredAt: Timestamp?
    ) {
        self.stream = stream
        self.recorded = recorded
        self.recordedAt = recordedAt
        self.occurredAt = occurredAt
    }
}

/// What the caller of an append waits on.
///
/// Guarded by the lock of the store.
class AppendTicket: @unchecked Sendable {
    // SAFETY: `state` is only touched inside `StoreCore.state.withLock`.
    final var state = State.queued

    typealias Waiter = UnsafeContinuation<Result<AppendReceipt, EventStoreError>, Never>

    enum State {
        case queued
        case awaited([Waiter])
        case settled(Result<AppendReceipt, EventStoreError>)
    }

    /// What came of it, once that is known.
    final var outcome: Result<AppendReceipt, EventStoreError>? {
        if case .settled(let result) = state { result } else { nil }
    }

    /// Records the outcome, and returns who is to be told.
    final func settle(_ result: Result<AppendReceipt, EventStoreError>) -> Wakeup? {
        defer { state = .settled(result) }
        guard case .awaited(let continuations) = state else { return nil }
        return Wakeup { for waiter in continuations { waiter.resume(returning: result) } }
    }

    /// Takes a waiter, unless there is nothing to wait for any more: then returns the outcome.
    final func wait(
        _ continuation: Waiter
    ) -> Result<AppendReceipt, EventStoreError>? {
        switch state {
        case .settled(let result): return result
        case .queued: state = .awaited([continuation])
        case .awaited(let others): state = .awaited(others + [continuation])
        }
        return nil
    }
}

/// Somebody who wants everything up to a position to be durable.
struct SyncRequest {
    var position: UInt64
    let continuation: UnsafeContinuation<EventStoreError?, Never>
}

/// A continuation to be resumed outside the lock.
struct Wakeup {
    let resume: () -> Void
    init(_ resume: @escaping () -> Void) { self.resume = resume }
}

/// Those who wait for the log to grow.
struct WaitingList {
    private var waiters: [UInt64: Waiter] = [:]
    private var nextTicket: UInt64 = 0

    /// How many wait.
    var count: Int { waiters.count }

    struct Waiter {
        /// The waiter is told once the visible tail is at or beyond this position.
        let position: UInt64
        /// Told also when something was taken back.
        let watchesEpoch: Bool
        let continuation: UnsafeContinuation<EventStoreError?, Never>
    }

    var isEmpty: Bool { waiters.isEmpty }

    mutating func makeTicket() -> UInt64 {
        nextTicket += 1
        return nextTicket
    }

    mutating func park(_ waiter: Waiter, ticket: UInt64) { waiters[ticket] = waiter }

    mutating func remove(_ ticket: UInt64) -> Waiter? { waiters.removeValue(forKey: ticket) }

    /// Removes and returns those who have what they wait for, in the order in which they came.
    mutating func takeDue(visible: UInt64, epochChanged: Bool = false) -> [Wakeup] {
        guard !waiters.isEmpty else { return [] }
        var due: [Wakeup] = []
        let tickets = waiters.filter {
            $0.value.position <= visible || epochChanged && $0.value.watchesEpoch
        }.keys.sorted()
        for ticket in tickets {
            guard let waiter = waiters.removeValue(forKey: ticket) else { continue }
            due.append(Wakeup { waiter.continuation.resume(returning: nil) })
        }
        return due
    }

    /// Removes and returns everybody, to be told that nothing will come.
    mutating func takeAll(_ error: EventStoreError) -> [Wakeup] {
        defer { waiters = [:] }
        return waiters.sorted { $0.key < $1.key }.map { _, waiter in
            Wakeup { waiter.continuation.resume(returning: error) }
        }
    }
}

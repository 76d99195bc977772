import WellspringLog

/// Every decision of a store: who may append, what is visible, who is to be told.
///
/// A plain value behind the lock of ``StoreCore``. It does no I/O and resumes nobody; it returns
/// what is to be done.
struct CoreState {
    /// Streams by number, in the order in which they were first accepted.
    var streams: [StreamHead] = []
    private var streamNumbers: [StreamID: Int] = [:]
    private var categoryNumbers: [StreamCategory: UInt32] = [:]
    /// What each visible event is, by position - 1.
    var events = EventIndex()

    /// The last position that readers see.
    var visible: UInt64 = 0
    /// The last position that was given out.
    var queued: UInt64 = 0
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

    func number(of stream: StreamID) -> Int? { streamNumbers[stream] }

    func number(of category: StreamCategory) -> UInt32? { categoryNumbers[category] }

    mutating func numberMakingRoom(for stream: StreamID) -> Int {
        if let number = streamNumbers[stream] { return number }
        let number = streams.count
        streamNumbers[stream] = number
        streams.append(StreamHead(id: stream, category: numberMakingRoom(for: stream.category)))
        return number
    }

    private mutating func numberMakingRoom(for category: StreamCategory) -> UInt32 {
        if let number = categoryNumbers[category] { return number }
        let number = UInt32(truncatingIfNeeded: categoryNumbers.count)
        categoryNumbers[category] = number
        return number
    }
}

/// What is known of one stream.
struct StreamHead {
    let id: StreamID
    /// The number of the stream's category.
    let category: UInt32
    /// The positions of the visible events, oldest first; their count is the visible version.
    private(set) var positions: [UInt64] = []
    /// Events that were accepted, oldest first, behind those that have become visible meanwhile.
    private var accepted: [RecordedEvent] = []
    private var published = 0

    var visibleVersion: UInt64 { UInt64(positions.count) }
    var queuedVersion: UInt64 { UInt64(positions.count + accepted.count - published) }

    /// Events that were accepted and are not visible yet, oldest first.
    var queued: ArraySlice<RecordedEvent> { accepted[published...] }

    init(id: StreamID, category: UInt32) {
        self.id = id
        self.category = category
    }

    mutating func queue(_ event: RecordedEvent) { accepted.append(event) }

    /// Makes the oldest queued event visible.
    ///
    /// A hot stream has many: moving up the others each time would take the square of their number.
    mutating func publishNext(at position: UInt64) {
        positions.append(position)
        published += 1
        guard published == accepted.count || published > 32 && published * 2 > accepted.count
        else { return }
        accepted.removeFirst(published)
        published = 0
    }

    /// Learns of an event that was visible already.
    mutating func replay(at position: UInt64) { positions.append(position) }

    /// Forgets what is not visible.
    mutating func takeBackQueued() {
        accepted = []
        published = 0
    }
}

/// What is kept of every visible event to find it without reading it.
struct EventIndex {
    /// The number of the stream.
    private(set) var streams: [UInt32] = []
    /// The number of the event's name.
    private(set) var names: [UInt32] = []
    private var nameNumbers: [EventName: UInt32] = [:]
    /// One bit an event: whether the next event belongs to the same append.
    private var joins: [UInt64] = []

    mutating func append(stream: Int, name: EventName, isLastOfAppend: Bool) {
        let index = streams.count
        streams.append(UInt32(truncatingIfNeeded: stream))
        names.append(number(of: name))
        if index % 64 == 0 { joins.append(0) }
        if !isLastOfAppend { joins[index / 64] |= 1 << UInt64(index % 64) }
    }

    /// Whether the event at `position` and the one after it were appended together.
    func isJoinedToNext(_ position: UInt64) -> Bool {
        guard position > 0, position <= UInt64(streams.count) else { return false }
        let index = Int(position - 1)
        return joins[index / 64] >> UInt64(index % 64) & 1 == 1
    }

    func number(of name: EventName) -> UInt32? { nameNumbers[name] }

    private mutating func number(of name: EventName) -> UInt32 {
        if let number = nameNumbers[name] { return number }
        let number = UInt32(truncatingIfNeeded: nameNumbers.count)
        nameNumbers[name] = number
        return number
    }
}

/// An append that was accepted: its versions and positions are given.
struct QueuedAppend: Sendable {
    let ticket: AppendTicket
    let receipt: AppendReceipt
    let events: [QueuedEvent]
    /// About how many bytes it takes on disk, and never less.
    let bytes: Int
}

/// One event of an accepted append.
struct QueuedEvent: Sendable {
    /// The stream's number in the index.
    let stream: Int
    /// The record, with a provisional recorded time.
    let recorded: RecordedEvent
    /// The recorded time that the caller insists on.
    let recordedAt: Timestamp?
    /// The time that the caller says it happened.
    let occurredAt: Timestamp?
}

/// What the caller of an append waits on.
///
/// Guarded by the lock of the store.
final class AppendTicket: @unchecked Sendable {
    // SAFETY: `state` is only touched inside `StoreCore.state.withLock`.
    var state = State.queued

    typealias Waiter = UnsafeContinuation<Result<AppendReceipt, EventStoreError>, Never>

    enum State {
        case queued
        case awaited([Waiter])
        case settled(Result<AppendReceipt, EventStoreError>)
    }

    /// Records the outcome, and returns who is to be told.
    func settle(_ result: Result<AppendReceipt, EventStoreError>) -> Wakeup? {
        defer { state = .settled(result) }
        guard case .awaited(let continuations) = state else { return nil }
        return Wakeup { for waiter in continuations { waiter.resume(returning: result) } }
    }

    /// Takes a waiter, unless there is nothing to wait for any more: then returns the outcome.
    func wait(
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

    struct Waiter {
        /// The waiter is told once the visible tail is at or beyond this position.
        let position: UInt64
        /// Told also when something was taken back.
        let watchesEpoch: Bool
        let continuation: UnsafeContinuation<EventStoreError?, Never>
    }

    mutating func makeTicket() -> UInt64 {
        nextTicket += 1
        return nextTicket
    }

    mutating func park(_ waiter: Waiter, ticket: UInt64) { waiters[ticket] = waiter }

    mutating func remove(_ ticket: UInt64) -> Waiter? { waiters.removeValue(forKey: ticket) }

    /// Removes and returns those who have what they wait for.
    mutating func takeDue(visible: UInt64, epochChanged: Bool = false) -> [Wakeup] {
        guard !waiters.isEmpty else { return [] }
        var due: [Wakeup] = []
        for (ticket, waiter) in waiters
        where waiter.position <= visible || epochChanged && waiter.watchesEpoch {
            waiters[ticket] = nil
            due.append(Wakeup { waiter.continuation.resume(returning: nil) })
        }
        return due
    }

    /// Removes and returns everybody, to be told that nothing will come.
    mutating func takeAll(_ error: EventStoreError) -> [Wakeup] {
        defer { waiters = [:] }
        return waiters.values.map { waiter in
            Wakeup { waiter.continuation.resume(returning: error) }
        }
    }
}

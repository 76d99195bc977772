import WellspringLog

/// An event store that keeps everything in memory and forgets it on exit.
///
/// It is the file store without the files: every decision about versions and waiting is made by the
/// same code, and events are encoded all the same. What a filter lets through and where a page ends
/// is decided by each log for itself, and both pass the same checks. So what works here works on
/// disk. Use it in tests and for data that may be lost.
public final class InMemoryEventStore: QueuedHeadStore {
    let core: StoreCore

    /// Creates an empty store.
    ///
    /// - Parameters:
    ///   - seed: Where the ids of events begin. They hold the time too: the same ids come of the
    ///     same seed and a clock that says the same.
    ///   - clock: What time it is. The store never records a time before the one before.
    public init(
        seed: UInt64 = .random(in: .min ... .max),
        clock: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        core = StoreCore(
            log: MemoryLog(), state: CoreState(), seed: seed, mayLead: false, clock: clock,
            onNotice: { _ in })
    }

    /// Appends all events of `request`, or none of them.
    @discardableResult
    public func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await core.append(request)
    }

    /// Reads a page of one stream.
    public func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try core.read(request)
    }

    /// Reads a page of the log.
    public func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        try core.read(request)
    }

    /// Returns once an event after `position` can be read.
    public func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await core.waitForEvents(after: position)
    }

    /// Ends the store: appends, reads and waiting readers fail from now on.
    public func close() async {
        await core.close()
    }
}

extension InMemoryEventStore {
    package func readQueued(
        _ request: StreamRead
    ) async throws(EventStoreError) -> (page: StreamPage, mark: QueueMark) {
        try core.readQueued(request)
    }

    package func enqueue(
        _ request: AppendRequest, basedOn mark: QueueMark?
    ) throws(EventStoreError) -> PendingAppend {
        let ticket = try core.enqueue(request, basedOn: mark)
        if let receipt = core.receiptAtOnce(for: ticket) { return .settled(receipt) }
        return PendingAppend { () async throws(EventStoreError) in
            try await self.core.receipt(for: ticket)
        }
    }

    package func mark() -> QueueMark { core.mark() }

    package func settle(_ mark: QueueMark) async throws(EventStoreError) -> Bool {
        try await core.settle(mark)
    }
}

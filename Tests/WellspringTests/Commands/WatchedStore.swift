import Wellspring
import WellspringLog

/// A store with a queued head that says which reads of streams it was asked for.
final class WatchedStore: QueuedHeadStore {
    let base = InMemoryEventStore()
    private let reads = Guarded<[StreamVersion]>([])
    private let refusal = Guarded<EventStoreError?>(nil)

    /// Where the reads of streams began, in order.
    var starts: [StreamVersion] { reads.withLock { $0 } }

    /// Has the next append fail before anything of it is accepted.
    func refuseNext(_ error: EventStoreError) { refusal.withLock { $0 = error } }

    func forgetReads() { reads.withLock { $0 = [] } }

    func readQueued(
        _ request: StreamRead
    ) async throws(EventStoreError) -> (page: StreamPage, mark: QueueMark) {
        if case .forward(let after) = request.order { reads.withLock { $0.append(after) } }
        return try await base.readQueued(request)
    }

    func queuedStream(_ stream: StreamID) throws(EventStoreError) -> QueuedStream? {
        try base.queuedStream(stream)
    }

    func enqueue(
        _ request: AppendRequest, basedOn mark: QueueMark?
    ) throws(EventStoreError) -> PendingAppend {
        if let error = refusal.withLock({ $0.take() }) { throw error }
        return try base.enqueue(request, basedOn: mark)
    }

    func mark() -> QueueMark { base.mark() }

    func settle(_ mark: QueueMark) async throws(EventStoreError) -> Bool {
        try await base.settle(mark)
    }

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await base.append(request)
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await base.read(request)
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        try await base.read(request)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.waitForEvents(after: position)
    }
}

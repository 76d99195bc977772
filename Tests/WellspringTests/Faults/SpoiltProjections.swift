import Wellspring
import WellspringLog
import WellspringTestKit

/// What goes wrong between a projection and its saved state.
enum CheckpointFault: String, CaseIterable, Sendable {
    /// The state is saved under the position after its own.
    case savePositionTooLate
    /// The state is saved under the position before its own.
    case savePositionTooEarly
    /// The state of the save before is kept under the new position.
    case saveOldState
    /// State of another revision is passed off as of the present one.
    case ignoreRevision
}

/// A checkpoint store that is sound but for one fault.
final class SpoiltCheckpoints: CheckpointStore {
    private let base = InMemoryCheckpointStore()
    private let fault: CheckpointFault?
    private let last = Guarded<EventPayload?>(nil)

    init(_ fault: CheckpointFault?) {
        self.fault = fault
    }

    func load(_ projection: ProjectionName) async throws(EventStoreError) -> Checkpoint? {
        var found = try await base.load(projection)
        if fault == .ignoreRevision { found?.revision = 1 }
        return found
    }

    func save(_ checkpoint: Checkpoint) async throws(EventStoreError) {
        var checkpoint = checkpoint
        let position = checkpoint.position.rawValue
        let before = last.withLock { last in
            defer { last = checkpoint.state }
            return last
        }
        switch fault {
        case .savePositionTooLate: checkpoint.position = LogPosition(position + 1)
        case .savePositionTooEarly: checkpoint.position = LogPosition(position - 1)
        case .saveOldState: checkpoint.state = before ?? checkpoint.state
        default: break
        }
        try await base.save(checkpoint)
    }

    func remove(_ projection: ProjectionName) async throws(EventStoreError) {
        try await base.remove(projection)
    }
}

/// What goes wrong between commands and the queue of their store.
enum QueueFault: String, CaseIterable, Sendable {
    /// Everything is said to be durable at once.
    case settleAtOnce
    /// What a decision rests on is not passed on with its append.
    case forgetBasis
    /// A stream is said to begin where it always did.
    case keepCachedAggregate
}

/// A store with a queue that is sound but for one fault.
struct SpoiltQueue: QueuedHeadStore {
    let base: FileEventStore
    let fault: QueueFault?

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

    func readQueued(
        _ request: StreamRead
    ) async throws(EventStoreError) -> (page: StreamPage, mark: QueueMark) {
        try await base.readQueued(request)
    }

    func queuedStream(_ stream: StreamID) throws(EventStoreError) -> QueuedStream? {
        var found = try base.queuedStream(stream)
        if fault == .keepCachedAggregate { found?.firstVersion = StreamVersion(1) }
        return found
    }

    func enqueue(
        _ request: AppendRequest, basedOn mark: QueueMark?
    ) throws(EventStoreError) -> PendingAppend {
        try base.enqueue(request, basedOn: fault == .forgetBasis ? nil : mark)
    }

    func mark() -> QueueMark { base.mark() }

    func settle(_ mark: QueueMark) async throws(EventStoreError) -> Bool {
        if fault == .settleAtOnce { return true }
        return try await base.settle(mark)
    }
}

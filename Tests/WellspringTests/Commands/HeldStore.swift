import Wellspring
import WellspringLog

/// A store whose appends stay queued until the test makes them durable or takes them back.
final class HeldStore: QueuedHeadStore {
    private let state = Guarded(State())
    /// Done when an append was refused for a conflict.
    let afterConflict: @Sendable (HeldStore) -> Void

    /// Whether it says the version of a stream without a read.
    let knowsVersions: Bool

    init(
        knowsVersions: Bool = true,
        afterConflict: @escaping @Sendable (HeldStore) -> Void = { _ in }
    ) {
        self.knowsVersions = knowsVersions
        self.afterConflict = afterConflict
    }

    fileprivate struct State {
        var durable: [RecordedEvent] = []
        var queued: [RecordedEvent] = []
        var epoch: UInt64 = 0
        var watchers: [CheckedContinuation<Void, Never>] = []

        var all: [RecordedEvent] { durable + queued }
        var mark: QueueMark {
            QueueMark(
                position: queued.isEmpty ? .start : LogPosition(UInt64(all.count)), epoch: epoch)
        }

        mutating func wakeAll() -> [CheckedContinuation<Void, Never>] {
            defer { watchers = [] }
            return watchers
        }
    }

    /// How many events wait to become durable.
    var queuedCount: Int { state.withLock { $0.queued.count } }

    /// How many wait for an outcome.
    var waiting: Int { state.withLock { $0.watchers.count } }

    /// Makes everything that is queued durable.
    func commit() {
        change { state in
            state.durable += state.queued
            state.queued = []
        }
    }

    /// Takes back everything that is queued.
    func takeBack() {
        change { state in
            state.queued = []
            state.epoch += 1
        }
    }

    private func change(_ change: (inout State) -> Void) {
        let woken = state.withLock { state in
            change(&state)
            return state.wakeAll()
        }
        for watcher in woken { watcher.resume() }
    }

    private func waitForChange(unless isThere: (State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if isThere(state) { return true }
                state.watchers.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    // MARK: The queued head

    func readQueued(
        _ request: StreamRead
    ) async throws(EventStoreError) -> (page: StreamPage, mark: QueueMark) {
        state.withLock { state in
            (state.page(request, of: state.all), state.mark)
        }
    }

    func queuedStream(_ stream: StreamID) throws(EventStoreError) -> QueuedStream? {
        guard knowsVersions else { return nil }
        return state.withLock { state in
            QueuedStream(
                version: StreamVersion(UInt64(state.all.count { $0.stream == stream })),
                firstVersion: StreamVersion(1), mark: state.mark)
        }
    }

    func enqueue(
        _ request: AppendRequest, basedOn mark: QueueMark?
    ) throws(EventStoreError) -> PendingAppend {
        let positions: Range<UInt64>
        let epoch: UInt64
        do {
            (positions, epoch) = try state.withLock { state throws(EventStoreError) in
                if let mark, mark.epoch != state.epoch { throw .notStored(reason: "taken back") }
                return (try state.accept(request), state.epoch)
            }
        } catch {
            if case .conflict = error { afterConflict(self) }
            throw error
        }
        return PendingAppend { () async throws(EventStoreError) in
            guard await self.becomesDurable(LogPosition(positions.upperBound - 1), in: epoch)
            else { throw .notStored(reason: "taken back") }
            let stream = request.writes[0].stream
            let version = self.state.withLock { state in
                state.durable.prefix(Int(positions.upperBound - 1)).count { $0.stream == stream }
            }
            return AppendReceipt(
                versions: [StreamVersion(UInt64(version))], positions: positions)
        }
    }

    func mark() -> QueueMark { state.withLock { $0.mark } }

    func settle(_ mark: QueueMark) async throws(EventStoreError) -> Bool {
        guard mark.position > .start else { return true }
        return await becomesDurable(mark.position, in: mark.epoch)
    }

    private func becomesDurable(_ position: LogPosition, in epoch: UInt64) async -> Bool {
        while true {
            let outcome = state.withLock { state -> Bool? in
                if state.epoch != epoch { return false }
                return UInt64(state.durable.count) >= position.rawValue ? true : nil
            }
            if let outcome { return outcome }
            await waitForChange {
                $0.epoch != epoch || UInt64($0.durable.count) >= position.rawValue
            }
        }
    }

    // MARK: An event store

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await enqueue(request, basedOn: nil).receipt()
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        state.withLock { $0.page(request, of: $0.durable) }
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        throw .unsupported(feature: "reading the log")
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        throw .unsupported(feature: "following the log")
    }
}

extension HeldStore.State {
    fileprivate func page(_ request: StreamRead, of events: [RecordedEvent]) -> StreamPage {
        let stream = events.filter { $0.stream == request.stream }
        guard case .forward(let after) = request.order else {
            return StreamPage(events: [], version: .start)
        }
        return StreamPage(
            events: stream.filter { $0.version > after },
            version: StreamVersion(UInt64(stream.count)))
    }

    fileprivate mutating func accept(
        _ request: AppendRequest
    ) throws(EventStoreError) -> Range<UInt64> {
        let write = request.writes[0]
        var version = UInt64(all.count { $0.stream == write.stream })
        guard write.expected.allows(StreamVersion(version)) else {
            throw .conflict(
                StreamConflict(
                    stream: write.stream, expected: write.expected,
                    actual: StreamVersion(version)))
        }
        let first = UInt64(all.count) + 1
        for (offset, event) in write.events.enumerated() {
            version += 1
            queued.append(
                RecordedEvent(
                    event: event.event, id: MessageID(high: 0, low: first + UInt64(offset)),
                    stream: write.stream, version: StreamVersion(version),
                    position: LogPosition(first + UInt64(offset)),
                    recordedAt: Timestamp(nanoseconds: 0)))
        }
        return first..<first + UInt64(write.events.count)
    }
}

import Wellspring
import WellspringLog
import XCTest

/// Counts calls from anywhere.
final class Counter: Sendable {
    private let value = Guarded(0)
    var count: Int { value.withLock { $0 } }

    @discardableResult
    func increase() -> Int {
        value.withLock {
            $0 += 1
            return $0
        }
    }
}

/// Lets tasks wait until the test says go.
final class Signal: Sendable {
    private let state = Guarded((isGiven: false, waiters: [CheckedContinuation<Void, Never>]()))

    func give() {
        let waiters = state.withLock { state in
            defer { state = (true, []) }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { waiter in
            let isGiven = state.withLock { state in
                if !state.isGiven { state.waiters.append(waiter) }
                return state.isGiven
            }
            if isGiven { waiter.resume() }
        }
    }
}

/// A store without a queued head that does something before each append, or read of the log.
struct InterferingStore: EventStore {
    var base = InMemoryEventStore()
    var interfere: @Sendable (InMemoryEventStore, AppendRequest) async -> Void = { _, _ in }
    var beforeReading: @Sendable (LogRead) async -> Void = { _ in }
    var afterReading: @Sendable (LogRead) async -> Void = { _ in }
    var beforeReadingStream: @Sendable (StreamRead) async -> Void = { _ in }

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        await interfere(base, request)
        return try await base.append(request)
    }
    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        await beforeReadingStream(request)
        return try await base.read(request)
    }
    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        await beforeReading(request)
        let page = try await base.read(request)
        await afterReading(request)
        return page
    }
    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.waitForEvents(after: position)
    }
}

/// Spends, and says when it is asked.
struct WatchedSpend: AggregateCommand {
    let cents: Int
    let onDecide: @Sendable () -> Void
    func decide(given purse: Purse) throws(Purse.Rejection) -> [Purse.Event] {
        onDecide()
        return try Spend(cents: cents).decide(given: purse)
    }
}

/// Fills, and says when it is asked.
struct WatchedFill: AggregateCommand {
    let cents: Int
    let onDecide: @Sendable () -> Void
    func decide(given purse: Purse) -> [Purse.Event] {
        onDecide()
        return Fill(cents: cents).decide(given: purse)
    }
}

extension EventStore {
    /// Puts money into a purse behind everybody's back.
    func fill(_ purse: Purse.ID, cents: Int) async {
        do {
            let event = NewEvent(try Purse.Event.filled(cents: cents).encoded())
            _ = try await append(AppendRequest([event], to: purse.stream, expecting: .any))
        } catch {
            XCTFail("\(error)")
        }
    }

    /// The whole stream of a purse.
    func events(of purse: Purse.ID) async throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        for try await event in self.events(in: purse.stream) { events.append(event) }
        return events
    }
}

/// Returns what `body` fails with, as its own type.
func caught<Value, Failure: Error>(
    of body: () async throws(Failure) -> Value
) async -> Failure? {
    do throws(Failure) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

extension CommandFailure {
    var rejection: Rejection? {
        if case .rejected(let rejection) = self { rejection } else { nil }
    }
    var storeError: EventStoreError? {
        if case .store(let error) = self { error } else { nil }
    }
    var isCancellation: Bool {
        if case .interrupted(let error) = self { error is CancellationError } else { false }
    }
}

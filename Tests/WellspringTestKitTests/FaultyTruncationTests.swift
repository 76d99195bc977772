import Wellspring
import WellspringTestKit
import XCTest

/// Requests to truncate and redact meet the faults that appends meet.
final class FaultyTruncationTests: XCTestCase {
    private let stream = StreamID(category: "sample", key: "1")

    /// A store with three events in one stream.
    private func makeStore(chances: FaultyEventStore.Chances = .init()) async throws
        -> (store: FaultyEventStore, base: InMemoryEventStore)
    {
        let base = InMemoryEventStore()
        let event = NewEvent(EncodedEvent(name: "sample.happened", payload: [1], codec: .opaque))
        try await base.append(
            AppendRequest([event, event, event], to: stream, expecting: .noStream))
        return (FaultyEventStore(base, chances: chances), base)
    }

    private func firstVersion(in store: some EventStore) async throws -> UInt64 {
        try await store.read(StreamRead(stream)).firstVersion.rawValue
    }

    private func requestCount(in store: some EventStore) async throws -> Int {
        try await store.read(LogRead(filter: .tagged("$scavenge"))).events.count
    }

    private func failure<T>(
        line: UInt = #line, _ body: () async throws -> T
    ) async -> EventStoreError? {
        do {
            _ = try await body()
            XCTFail("nothing was thrown", line: line)
        } catch let error as EventStoreError {
            return error
        } catch {
            XCTFail("\(error)", line: line)
        }
        return nil
    }

    func test_without_faults_requests_go_through() async throws {
        let (store, base) = try await makeStore()
        try await store.truncate(stream, before: StreamVersion(2))
        let receipt = try await store.requestRedaction(of: [LogPosition(3)])
        XCTAssertEqual(receipt.position, LogPosition(5))
        let first = try await firstVersion(in: base)
        let requests = try await requestCount(in: base)
        XCTAssertEqual(first, 2)
        XCTAssertEqual(requests, 2)
        XCTAssertEqual(store.count(of: .truncate), 1)
        XCTAssertEqual(store.count(of: .redact), 1)
        XCTAssertEqual(store.count(of: .append), 0)
        XCTAssertEqual(store.encounters, [])
    }

    func test_a_lost_acknowledgement_leaves_the_request_there() async throws {
        let (store, base) = try await makeStore()
        store.inject(.lostAcknowledgement, .untilHealed)
        let truncation = await failure { try await store.delete(self.stream) }
        let redaction = await failure {
            try await store.requestRedaction(of: [LogPosition(1)])
        }
        for (error, before) in [(truncation, 3), (redaction, 4)] as [(EventStoreError?, UInt64)] {
            guard case .outcomeUnknown(let unknown) = error else {
                return XCTFail("\(error as Any)")
            }
            XCTAssertEqual(unknown.lastDurable, LogPosition(before))
        }
        let first = try await firstVersion(in: base)
        let requests = try await requestCount(in: base)
        XCTAssertEqual(first, 4)
        XCTAssertEqual(requests, 2)
        XCTAssertEqual(store.encounters.map(\.operation), [.truncate, .redact])
    }

    func test_a_lost_or_failed_request_leaves_nothing_there() async throws {
        let (store, base) = try await makeStore()
        for fault in [FaultyEventStore.Fault.lostRequest, .failureBeforeCommit()] {
            store.inject(fault, .untilHealed)
            _ = await failure { try await store.delete(self.stream) }
            _ = await failure { try await store.requestRedaction(of: [LogPosition(1)]) }
            store.heal()
        }
        let first = try await firstVersion(in: base)
        let requests = try await requestCount(in: base)
        XCTAssertEqual(first, 1)
        XCTAssertEqual(requests, 0)
        try await store.delete(stream)
    }

    func test_a_conflict_happens_only_to_who_believes_something() async throws {
        let (store, base) = try await makeStore()
        store.inject(.conflict)
        try await store.truncate(stream, before: StreamVersion(2))
        try await store.requestRedaction(of: [LogPosition(3)])
        let believed = ExpectedVersion.exactly(StreamVersion(3))
        let error = await failure { try await store.delete(self.stream, expecting: believed) }
        guard case .conflict(let conflict) = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(conflict.expected, believed)
        let first = try await firstVersion(in: base)
        XCTAssertEqual(first, 2)
    }

    func test_a_rival_is_quicker_than_a_deletion_and_stays() async throws {
        let (store, base) = try await makeStore()
        let event = NewEvent(EncodedEvent(name: "sample.happened", payload: [2], codec: .opaque))
        store.inject(.rival(AppendRequest([event], to: stream, expecting: .any)))
        let error = await failure {
            try await store.delete(self.stream, expecting: .exactly(StreamVersion(3)))
        }
        guard case .conflict(let conflict) = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(conflict.actual, StreamVersion(4))
        let first = try await firstVersion(in: base)
        XCTAssertEqual(first, 1)
    }

    func test_a_truncation_held_before_its_commit_shows_nothing_until_released() async throws {
        let (store, base) = try await makeStore()
        store.inject(.delayBeforeCommit)
        let request = TruncationRequest(stream, before: StreamVersion(3))
        async let receipt = store.truncate(request)
        await store.waitForHeld()
        let before = try await firstVersion(in: base)
        XCTAssertEqual(before, 1)
        store.release()
        let first = try await receipt.firstVersion
        XCTAssertEqual(first, StreamVersion(3))
    }

    func test_chance_happens_to_requests_as_to_appends() async throws {
        var chances = FaultyEventStore.Chances()
        chances.failureBeforeCommit = 1
        let (store, _) = try await makeStore(chances: chances)
        _ = await failure { try await store.delete(self.stream) }
        _ = await failure { try await store.requestRedaction(of: [LogPosition(1)]) }
        XCTAssertEqual(
            store.encounters.map(\.fault), [.failureBeforeCommit(), .failureBeforeCommit()])
    }

    func test_a_store_that_takes_no_requests_refuses_them_and_meets_no_fault() async throws {
        let store = FaultyEventStore(PlainStore())
        store.inject(.lostAcknowledgement)
        let truncation = await failure { try await store.delete(self.stream) }
        let redaction = await failure { try await store.requestRedaction(of: [LogPosition(1)]) }
        for error in [truncation, redaction] {
            guard case .unsupported = error else { return XCTFail("\(error as Any)") }
        }
        XCTAssertEqual(store.encounters, [])
    }
}

/// A store that can append and read, and no more.
private struct PlainStore: EventStore {
    private let base = InMemoryEventStore()

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

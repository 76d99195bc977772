import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A store that others have written, without a queued head, whose history is replaced beneath the
/// bus: a backup was restored, or another server took over that had not seen the last appends.
final class ReplacedHistoryTests: XCTestCase {
    private let ada = Purse.ID("ada")
    private let store = ReplaceableStore()

    func test_what_others_append_to_such_a_store_is_seen() async throws {
        let bus = CommandBus(store)
        try await bus.send(Fill(cents: 1), to: ada)
        await store.fill(ada, cents: 5)
        let receipt = try await bus.send(Fill(cents: 2), to: ada)
        XCTAssertEqual(receipt.state.amounts, [1, 5, 2])
    }

    func test_what_others_append_is_seen_behind_a_page_that_the_last_event_fills() async throws {
        let faulty = FaultyEventStore(store)
        let bus = CommandBus(faulty)
        try await bus.send(Fill(cents: 10), to: ada)
        await store.fill(ada, cents: 100)
        faulty.inject(.shortRead())
        let receipt = try await bus.send(Spend(cents: 50), to: ada)
        XCTAssertEqual(receipt.state.cents, 60)
        XCTAssertEqual(receipt.version, StreamVersion(3))
    }

    func test_only_the_last_event_of_what_is_kept_is_read_again() async throws {
        let bus = CommandBus(store)
        for cents in 1...3 { try await bus.send(Fill(cents: cents), to: ada) }
        store.forgetReads()
        let receipt = try await bus.send(Fill(cents: 4), to: ada)
        XCTAssertEqual(receipt.state.amounts, [1, 2, 3, 4])
        XCTAssertEqual(store.starts, [StreamVersion(2)])
    }

    func test_a_stream_that_became_shorter_is_folded_anew() async throws {
        let bus = try await busThatHasSeen(3)
        try await replaceHistory(with: [7])
        let receipt = try await bus.send(Fill(cents: 9), to: ada)
        XCTAssertEqual(receipt.state.amounts, [7, 9])
    }

    func test_a_stream_that_is_gone_is_a_new_one() async throws {
        let bus = try await busThatHasSeen(3)
        store.replace(with: InMemoryEventStore())
        let receipt = try await bus.send(Fill(cents: 9), to: ada)
        XCTAssertEqual(receipt.state.amounts, [9])
    }

    func test_other_events_at_the_same_version_are_folded_anew() async throws {
        let bus = try await busThatHasSeen(3)
        try await replaceHistory(with: [7, 7, 7])
        let receipt = try await bus.send(Fill(cents: 9), to: ada)
        XCTAssertEqual(receipt.state.amounts, [7, 7, 7, 9])
    }

    func test_other_events_beyond_the_version_are_folded_anew() async throws {
        let bus = try await busThatHasSeen(3)
        try await replaceHistory(with: [7, 7, 7, 7, 7])
        let receipt = try await bus.send(Fill(cents: 9), to: ada)
        XCTAssertEqual(receipt.state.amounts, [7, 7, 7, 7, 7, 9])
    }

    func test_a_state_that_was_read_is_known_again_by_its_last_event_too() async throws {
        for cents in 1...3 { await store.fill(ada, cents: cents) }
        let bus = CommandBus(store)
        try await bus.send(Fill(cents: 0), to: ada)
        try await replaceHistory(with: [7, 7, 7])
        let receipt = try await bus.send(Fill(cents: 9), to: ada)
        XCTAssertEqual(receipt.state.amounts, [7, 7, 7, 9])
    }

    private func busThatHasSeen(_ count: Int) async throws -> CommandBus {
        let bus = CommandBus(store)
        for cents in 1...count { try await bus.send(Fill(cents: cents), to: ada) }
        return bus
    }

    private func replaceHistory(with amounts: [Int]) async throws {
        let other = InMemoryEventStore()
        for cents in amounts { await other.fill(ada, cents: cents) }
        store.replace(with: other)
    }
}

/// A store whose content can be replaced as a whole, and that has no queued head.
private final class ReplaceableStore: EventStore {
    private let base = Guarded(InMemoryEventStore())
    private let reads = Guarded<[StreamVersion]>([])

    var starts: [StreamVersion] { reads.withLock { $0 } }

    func forgetReads() { reads.withLock { $0 = [] } }

    func replace(with other: InMemoryEventStore) { base.withLock { $0 = other } }

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await base.withLock { $0 }.append(request)
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        if case .forward(let after) = request.order { reads.withLock { $0.append(after) } }
        return try await base.withLock { $0 }.read(request)
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        try await base.withLock { $0 }.read(request)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.withLock { $0 }.waitForEvents(after: position)
    }
}

import Wellspring
import WellspringTestKit
import XCTest

/// A store that fails on demand fails as it says, and in no other way.
final class FaultyEventStoreTests: XCTestCase {
    private let stream = StreamID(category: "sample", key: "1")

    func test_without_faults_it_is_an_event_store() async throws {
        try await EventStoreChecks.run { FaultyEventStore(InMemoryEventStore()) }
    }

    func test_with_short_reads_it_is_an_event_store_that_answers_shortly() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.shortRead(events: 2), .untilHealed)
        for number in 0..<3 { try await store.append(request(number, count: 3)) }

        let page = try await store.read(StreamRead(stream))
        XCTAssertEqual(page.events.map(\.version.rawValue), [1, 2])
        XCTAssertEqual(page.version, StreamVersion(9))
        let log = try await store.read(LogRead())
        XCTAssertEqual(log.events.count, 3, "an append stays whole")
        XCTAssertEqual(log.end, LogPosition(3))
        var versions: [UInt64] = []
        for try await event in store.events(in: stream) { versions.append(event.version.rawValue) }
        XCTAssertEqual(versions, Array(1...9))
    }

    // MARK: - Appends

    func test_a_lost_acknowledgement_leaves_the_events_there() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        try await store.append(request(1, count: 2))
        store.inject(.lostAcknowledgement)

        let error = await failure { try await store.append(self.request(2)) }
        guard case .outcomeUnknown(let unknown) = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(unknown.lastDurable, LogPosition(2), "what came before is sure")
        try await expect(store, holds: [1, 1, 2])
    }

    func test_a_lost_request_leaves_nothing_there() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        try await store.append(request(1))
        store.inject(.lostRequest)

        let error = await failure { try await store.append(self.request(2)) }
        guard case .outcomeUnknown(let unknown) = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(unknown.lastDurable, LogPosition(1))
        try await expect(store, holds: [1])
    }

    func test_a_failure_before_the_commit_leaves_nothing_there() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.failureBeforeCommit(.storageFull(reason: "by the script")))
        let error = await failure { try await store.append(self.request(1)) }
        XCTAssertEqual(error, .storageFull(reason: "by the script"))
        try await expect(store, holds: [])
    }

    func test_a_failure_after_the_commit_leaves_the_events_there() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.failureAfterCommit(.storage(reason: "time ran out")))
        let error = await failure { try await store.append(self.request(1)) }
        XCTAssertEqual(error, .storage(reason: "time ran out"))
        try await expect(store, holds: [1])
    }

    func test_a_conflict_out_of_nowhere_stores_nothing_and_is_one() async throws {
        let beliefs: [ExpectedVersion] = [.noStream, .exists, .exactly(StreamVersion(0))]
        for belief in beliefs {
            let store = FaultyEventStore(InMemoryEventStore())
            store.inject(.conflict)
            let error = await failure {
                try await store.append(self.request(1, expecting: belief))
            }
            guard case .conflict(let conflict) = error else { return XCTFail("\(error as Any)") }
            XCTAssertEqual(conflict.expected, belief)
            XCTAssertFalse(belief.allows(conflict.actual))
            try await expect(store, holds: [])
        }
    }

    func test_a_conflict_waits_for_an_append_that_can_lose() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.conflict)
        try await store.append(request(1))
        _ = await failure {
            try await store.append(self.request(2, expecting: .exactly(StreamVersion(1))))
        }
        try await expect(store, holds: [1])
    }

    func test_a_rival_is_quicker_and_stays() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.rival(request(7)))
        let error = await failure {
            try await store.append(self.request(1, expecting: .noStream))
        }
        let conflict = StreamConflict(
            stream: stream, expected: .noStream, actual: StreamVersion(1))
        XCTAssertEqual(error, .conflict(conflict))
        try await expect(store, holds: [7])
    }

    func test_a_rival_that_cannot_append_is_a_mistake_in_the_script() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.rival(request(7, expecting: .exists)))
        let error = await failure { try await store.append(self.request(1)) }
        guard case .storage = error else { return XCTFail("\(error as Any)") }
    }

    // MARK: - Delays

    func test_an_append_held_before_its_commit_shows_nothing_until_released() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.delayBeforeCommit)
        let request = request(1)
        async let receipt = store.append(request)
        await store.waitForHeld()
        try await expect(store, holds: [])
        store.release()
        let position = try await receipt.position
        XCTAssertEqual(position, LogPosition(1))
        try await expect(store, holds: [1])
    }

    func test_an_append_held_before_its_commit_can_be_cancelled() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.delayBeforeCommit)
        let request = request(1)
        let append = Task { try await store.append(request) }
        await store.waitForHeld()
        append.cancel()
        let error = await failure { try await append.value }
        XCTAssertEqual(error, .cancelled)
        try await expect(store, holds: [])
    }

    func test_an_append_held_after_its_commit_is_there_and_cannot_be_cancelled() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.delayAfterCommit)
        let request = request(1)
        let append = Task { try await store.append(request) }
        await store.waitForHeld()
        try await expect(store, holds: [1])
        append.cancel()
        store.release()
        let receipt = try await append.value
        XCTAssertEqual(receipt.position, LogPosition(1))
    }

    func test_releasing_one_lets_the_first_of_several_go_on() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.delayBeforeCommit, .untilHealed)
        var appends: [Task<AppendReceipt, any Error>] = []
        for number in 1...3 {
            let request = request(number)
            appends.append(Task { try await store.append(request) })
            await store.waitForHeld(number)
        }
        store.release(1)
        _ = try await appends[0].value
        try await expect(store, holds: [1])
        store.heal()
        for append in appends { _ = try await append.value }
        XCTAssertEqual(store.encounters.count, 3)
    }

    // MARK: - Reads

    func test_a_read_fails_once_and_then_works() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        try await store.append(request(1))
        store.inject(.failedRead(.storage(reason: "gone")))
        let error = await failure { try await store.read(StreamRead(self.stream)) }
        XCTAssertEqual(error, .storage(reason: "gone"))
        let page = try await store.read(StreamRead(stream))
        XCTAssertEqual(page.events.count, 1)

        store.inject(.failedRead())
        _ = await failure { try await store.read(LogRead()) }
        try await expect(store, holds: [1])
    }

    func test_a_delayed_page_lacks_what_came_meanwhile() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        try await store.append(request(1))
        store.inject(.delayedRead)
        async let page = store.read(LogRead())
        await store.waitForHeld()
        try await store.append(request(2))
        store.release()
        let events = try await page.events
        XCTAssertEqual(events.count, 1)
    }

    func test_a_delayed_page_is_given_up_by_a_cancellation() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.delayedRead)
        let read = Task { try await store.read(LogRead()) }
        await store.waitForHeld()
        read.cancel()
        let error = await failure { try await read.value }
        XCTAssertEqual(error, .cancelled)
    }

    func test_a_wait_fails_and_the_subscription_says_so() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.failedWait(.storage(reason: "gone")))
        var pages = store.subscribe().makeAsyncIterator()
        do {
            _ = try await pages.next()
            XCTFail("an empty log has no page")
        } catch {
            XCTAssertEqual(error, .storage(reason: "gone"))
        }
    }

    // MARK: - Scripts and chance

    func test_a_fault_spares_as_many_calls_as_asked() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.lostRequest, afterSparing: 2)
        for number in 1...2 { try await store.append(request(number)) }
        _ = await failure { try await store.append(self.request(3)) }
        try await store.append(request(4))
        try await expect(store, holds: [1, 2, 4])
        XCTAssertEqual(store.count(of: .append), 4)
        XCTAssertEqual(store.encounters.map(\.number), [3])
        XCTAssertEqual(store.encounters.first?.fault, .lostRequest)
    }

    func test_a_fault_that_stays_is_healed() async throws {
        let store = FaultyEventStore(InMemoryEventStore())
        store.inject(.failureBeforeCommit(), .untilHealed)
        for number in 1...3 {
            _ = await failure { try await store.append(self.request(number)) }
        }
        store.heal()
        try await store.append(request(4))
        try await expect(store, holds: [4])
    }

    func test_the_same_seed_meets_the_same_faults() async throws {
        let first = try await encounters(seed: 3)
        let again = try await encounters(seed: 3)
        let other = try await encounters(seed: 4)
        XCTAssertEqual(first, again)
        XCTAssertNotEqual(first, other)
        XCTAssertEqual(Set(first.map(\.fault)).count, 6, "every kind that has a chance")
    }

    func test_whatever_chance_does_each_error_tells_the_truth() async throws {
        for seed in UInt64(1)...20 {
            let base = InMemoryEventStore()
            let store = FaultyEventStore(base, seed: seed, chances: chances)
            var sure: Set<Int> = []
            var possible: Set<Int> = []
            for number in 1...60 {
                do {
                    try await store.append(request(number, expecting: .any))
                    sure.insert(number)
                } catch .outcomeUnknown {
                    possible.insert(number)
                } catch {}
            }
            let there = try await numbers(in: base)
            XCTAssertTrue(sure.isSubset(of: there))
            XCTAssertTrue(Set(there).subtracting(sure).isSubset(of: possible))
        }
    }

    private var chances: FaultyEventStore.Chances {
        var chances = FaultyEventStore.Chances()
        chances.lostAcknowledgement = 0.1
        chances.lostRequest = 0.1
        chances.failureBeforeCommit = 0.1
        chances.conflict = 0.1
        chances.failedRead = 0.1
        chances.shortRead = 0.2
        return chances
    }

    private func encounters(seed: UInt64) async throws -> [FaultyEventStore.Encounter] {
        let store = FaultyEventStore(InMemoryEventStore(), seed: seed, chances: chances)
        for number in 1...100 {
            let stream = StreamID(category: "sample", key: "\(number)")
            _ = try? await store.append(
                AppendRequest([event(number)], to: stream, expecting: .noStream))
            _ = try? await store.read(LogRead())
        }
        return store.encounters
    }

    // MARK: - Help

    private func event(_ number: Int) -> NewEvent {
        NewEvent(EncodedEvent(name: "sample.happened", payload: EventPayload(utf8: "\(number)")))
    }

    private func request(
        _ number: Int, count: Int = 1, expecting expected: ExpectedVersion = .any
    ) -> AppendRequest {
        let events = Array(repeating: event(number), count: count)
        return AppendRequest(events, to: stream, expecting: expected)
    }

    private func numbers(in store: some EventStore) async throws -> [Int] {
        try await store.read(LogRead()).events.compactMap {
            Int(String(decoding: $0.event.payload, as: UTF8.self))
        }
    }

    private func expect(
        _ store: FaultyEventStore, holds expected: [Int], line: UInt = #line
    ) async throws {
        let found = try await numbers(in: store)
        XCTAssertEqual(found, expected, line: line)
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
}

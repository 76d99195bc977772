import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

final class CommandConflictTests: XCTestCase {
    func test_a_command_that_lost_a_race_decides_anew() async throws {
        let rounds = Counter()
        let store = InterferingStore { base, _ in
            if rounds.increase() == 1 { await base.fill("ada", cents: 5) }
        }
        await store.base.fill("ada", cents: 100)
        let decisions = Counter()

        let receipt = try await CommandBus(store).update("ada") {
            (purse: Purse) throws(Purse.Rejection) in
            decisions.increase()
            return [.spent(cents: purse.cents, on: "all")]
        }

        XCTAssertEqual(decisions.count, 2)
        XCTAssertEqual(receipt.events, [.spent(cents: 105, on: "all")], "not what it decided first")
        XCTAssertEqual(receipt.version, StreamVersion(3))
    }

    func test_a_command_may_be_rejected_on_its_second_look() async throws {
        let store = InterferingStore { base, _ in
            do {
                let event = NewEvent(try Purse.Event.spent(cents: 80, on: "tea").encoded())
                _ = try await base.append(
                    AppendRequest([event], to: Purse.ID("ada").stream, expecting: .any))
            } catch { XCTFail("\(error)") }
        }
        await store.base.fill("ada", cents: 100)
        let failure = await caught { () async throws(Spend.Failure) in
            try await CommandBus(store).send(Spend(cents: 50), to: "ada")
        }
        XCTAssertEqual(failure?.rejection, .tooLittle(missing: 30))
    }

    func test_retries_end_with_the_budget_and_the_conflict() async throws {
        for retries in [0, 1, 3] {
            let decisions = Counter()
            let store = InterferingStore { base, _ in await base.fill("ada", cents: 1) }
            let bus = CommandBus(store, conflictRetries: retries)
            let failure = await caught { () async throws(WatchedFill.Failure) in
                try await bus.send(WatchedFill(cents: 5) { decisions.increase() }, to: "ada")
            }
            XCTAssertEqual(decisions.count, retries + 1)
            let last = UInt64(retries)
            XCTAssertEqual(
                failure?.storeError,
                .conflict(
                    StreamConflict(
                        stream: Purse.ID("ada").stream, expected: .exactly(StreamVersion(last)),
                        actual: StreamVersion(last + 1))))
        }
    }

    func test_a_stale_edit_is_a_conflict_at_once_that_names_both_versions() async throws {
        let store = InMemoryEventStore()
        for _ in 0..<3 { await store.fill("ada", cents: 100) }
        for wrong: ExpectedVersion in [.noStream, .exactly(StreamVersion(2))] {
            let decisions = Counter()
            let failure = await caught { () async throws(WatchedFill.Failure) in
                try await CommandBus(store).send(
                    WatchedFill(cents: 5) { decisions.increase() }, to: "ada", expecting: wrong)
            }
            XCTAssertEqual(decisions.count, 0)
            XCTAssertEqual(
                failure?.storeError,
                .conflict(
                    StreamConflict(
                        stream: Purse.ID("ada").stream, expected: wrong,
                        actual: StreamVersion(3))))
        }
        let count = try await store.events(of: "ada").count
        XCTAssertEqual(count, 3)
    }

    func test_an_edit_that_goes_stale_on_the_way_is_not_tried_again() async throws {
        let decisions = Counter()
        let store = InterferingStore { base, _ in await base.fill("ada", cents: 1) }
        await store.base.fill("ada", cents: 100)
        let expected = ExpectedVersion.exactly(StreamVersion(1))
        let failure = await caught { () async throws(WatchedFill.Failure) in
            try await CommandBus(store).send(
                WatchedFill(cents: 5) { decisions.increase() }, to: "ada", expecting: expected)
        }
        XCTAssertEqual(decisions.count, 1)
        XCTAssertEqual(
            failure?.storeError,
            .conflict(
                StreamConflict(
                    stream: Purse.ID("ada").stream, expected: expected, actual: StreamVersion(2))))
    }

    func test_an_edit_of_what_was_seen_is_carried_out() async throws {
        let bus = CommandBus(InMemoryEventStore())
        let first = try await bus.send(Fill(cents: 5), to: "ada", expecting: .noStream)
        let second = try await bus.send(
            Fill(cents: 5), to: "ada", expecting: .exactly(first.version))
        XCTAssertEqual(second.version, StreamVersion(2))
    }

    func test_64_tasks_on_one_aggregate_all_land_in_memory() async throws {
        try await assertCrowdLands(on: InMemoryEventStore())
    }

    func test_64_tasks_on_one_aggregate_all_land_on_disk() async throws {
        let store = try await FileEventStore(on: SimulatedDisk())
        try await assertCrowdLands(on: store)
        await store.close()
    }

    func test_64_tasks_on_one_aggregate_all_land_in_a_store_without_a_queue() async throws {
        try await assertCrowdLands(on: InterferingStore { _, _ in await Task.yield() })
    }

    private func assertCrowdLands(on store: some EventStore, line: UInt = #line) async throws {
        let bus = CommandBus(store)
        let decisions = Counter()
        let receipts = try await withThrowingTaskGroup(of: (UInt64, Int).self) { group in
            for number in 1...64 {
                group.addTask {
                    let receipt = try await bus.send(
                        WatchedFill(cents: number) { decisions.increase() }, to: "ada")
                    XCTAssertEqual(receipt.state.amounts.last, number)
                    return (receipt.version.rawValue, number)
                }
            }
            return try await group.reduce(into: [UInt64: Int]()) { $0[$1.0] = $1.1 }
        }
        let events = try await store.events(of: "ada")
        XCTAssertEqual(events.map(\.version.rawValue), Array(1...64), line: line)
        for event in events {
            let decoded = try event.decoded(as: Purse.Event.self).event
            XCTAssertEqual(
                decoded, receipts[event.version.rawValue].map { .filled(cents: $0) }, line: line)
        }
        XCTAssertEqual(Set(receipts.values), Set(1...64), line: line)
        XCTAssertLessThanOrEqual(decisions.count, 96, line: line)
    }

    func test_commands_of_two_buses_all_land() async throws {
        let store = InMemoryEventStore()
        let buses = [
            CommandBus(store, conflictRetries: 1_000), CommandBus(store, conflictRetries: 1_000),
        ]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask { try await buses[number % 2].send(Fill(cents: 1), to: "ada") }
            }
            try await group.waitForAll()
        }
        let versions = try await store.events(of: "ada").map(\.version.rawValue)
        XCTAssertEqual(versions, Array(1...100))
    }

    func test_commands_to_different_aggregates_do_not_wait_for_each_other() async throws {
        let (begun, go) = (Signal(), Signal())
        let store = InterferingStore { _, request in
            guard request.writes[0].stream == Purse.ID("ada").stream else { return }
            begun.give()
            await go.wait()
        }
        let bus = CommandBus(store)
        async let slow = bus.send(Fill(cents: 1), to: "ada")
        await begun.wait()
        try await bus.send(Fill(cents: 2), to: "bob")
        go.give()
        let position = try await slow.position
        XCTAssertEqual(position, LogPosition(2))
    }
}

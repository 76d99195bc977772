import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// What the bus keeps of an aggregate between two commands, and what it asks the store each time.
final class CommandCacheTests: XCTestCase {
    private let store = WatchedStore()
    private let ada = Purse.ID("ada")

    func test_an_aggregate_at_hand_is_not_read_again() async throws {
        let bus = CommandBus(store)
        try await bus.send(Fill(cents: 100), to: ada)
        store.forgetReads()
        let receipt = try await bus.send(Spend(cents: 30), to: ada)
        XCTAssertEqual(receipt.state.cents, 70)
        XCTAssertEqual(receipt.version, StreamVersion(2))
        XCTAssertEqual(store.starts, [])
    }

    func test_what_another_writer_appended_is_read_and_no_more_than_that() async throws {
        let bus = CommandBus(store)
        for _ in 0..<3 { try await bus.send(Fill(cents: 10), to: ada) }
        await store.base.fill(ada, cents: 500)
        store.forgetReads()
        let receipt = try await bus.send(Spend(cents: 400), to: ada)
        XCTAssertEqual(receipt.state.cents, 130)
        XCTAssertEqual(receipt.version, StreamVersion(5))
        XCTAssertEqual(store.starts, [StreamVersion(3)])
    }

    func test_a_command_that_lost_a_race_reads_what_the_winner_wrote_and_no_more() async throws {
        let bus = CommandBus(store, conflictRetries: 1)
        for _ in 0..<3 { try await bus.send(Fill(cents: 10), to: ada) }
        store.forgetReads()
        let (base, ada) = (store.base, ada)
        let decisions = Counter()
        let receipt = try await bus.send(
            WatchedFill(cents: 1) {
                guard decisions.increase() == 1 else { return }
                do {
                    let other = NewEvent(try Purse.Event.filled(cents: 500).encoded())
                    let request = AppendRequest([other], to: ada.stream, expecting: .any)
                    _ = try base.enqueue(request, basedOn: nil)
                } catch { XCTFail("\(error)") }
            }, to: ada)
        XCTAssertEqual(receipt.state.amounts, [10, 10, 10, 500, 1])
        XCTAssertEqual(store.starts, [StreamVersion(3)])
    }

    func test_a_rejection_changes_nothing_of_what_is_kept() async throws {
        let bus = CommandBus(store)
        try await bus.send(Fill(cents: 100), to: ada)
        store.forgetReads()
        for _ in 0..<2 {
            let failure = await caught { () async throws(Spend.Failure) in
                try await bus.send(Spend(cents: 130), to: ada)
            }
            XCTAssertEqual(failure?.rejection, .tooLittle(missing: 30))
        }
        let receipt = try await bus.send(Spend(cents: 100), to: ada)
        XCTAssertEqual(receipt.version, StreamVersion(2))
        XCTAssertEqual(store.starts, [])
    }

    func test_nothing_to_do_on_an_aggregate_at_hand_names_its_position() async throws {
        let bus = CommandBus(store)
        for other in ["bob", "eve"] { try await bus.send(Fill(cents: 1), to: Purse.ID(other)) }
        for _ in 0..<2 { try await bus.send(Fill(cents: 1), to: ada) }
        try await bus.send(Fill(cents: 1), to: "bob")
        store.forgetReads()
        let receipt = try await bus.send(Fill(cents: 0), to: ada)
        XCTAssertEqual(receipt.position, LogPosition(4))
        XCTAssertEqual(receipt.version, StreamVersion(2))
        XCTAssertEqual(receipt.state.amounts, [1, 1])
        XCTAssertEqual(store.starts, [StreamVersion(1)], "no more than the last event")
    }

    func test_an_event_that_cannot_be_read_is_not_hidden_by_what_is_kept() async throws {
        let bus = CommandBus(store)
        try await bus.send(Fill(cents: 10), to: ada)
        let broken = EncodedEvent(name: "purse.spent", payload: EventPayload(utf8: "{}"))
        _ = try await store.append(
            AppendRequest([NewEvent(broken)], to: ada.stream, expecting: .any))
        for _ in 0..<2 {
            let failure = await caught { () async throws(Fill.Failure) in
                try await bus.send(Fill(cents: 10), to: ada)
            }
            guard case .undecodable(_, ada.stream, StreamVersion(2))? = failure else {
                return XCTFail("\(failure as Any)")
            }
        }
    }

    func test_the_aggregates_that_were_used_last_are_kept() async throws {
        let bus = CommandBus(store, cachedAggregates: 2)
        for name in ["a", "b", "a", "c"] { try await bus.send(Fill(cents: 1), to: Purse.ID(name)) }
        XCTAssertEqual(bus.keptAggregates, 2)
        for (name, reads) in [("a", 0), ("c", 0), ("b", 1), ("c", 0), ("a", 1)] {
            store.forgetReads()
            let receipt = try await bus.send(Fill(cents: 1), to: Purse.ID(name))
            XCTAssertEqual(store.starts.count, reads, name)
            XCTAssertEqual(receipt.state.cents, Int(receipt.version.rawValue), name)
        }
        XCTAssertEqual(bus.keptAggregates, 2)
    }

    func test_a_bus_that_keeps_nothing_reads_the_stream_each_time() async throws {
        let bus = CommandBus(store, cachedAggregates: 0)
        for _ in 0..<3 { try await bus.send(Fill(cents: 1), to: ada) }
        XCTAssertEqual(store.starts, [.start, .start, .start])
        XCTAssertEqual(bus.keptAggregates, 0)
    }

    func test_copies_of_a_bus_share_what_they_keep() async throws {
        let bus = CommandBus(store)
        let copy = bus
        try await bus.send(Fill(cents: 1), to: ada)
        store.forgetReads()
        try await copy.send(Fill(cents: 1), to: ada)
        XCTAssertEqual(store.starts, [])
    }

    func test_an_aggregate_of_another_type_is_not_taken_for_the_one_that_is_kept() async throws {
        let bus = CommandBus(store)
        try await bus.send(Fill(cents: 7), to: ada)
        let spent = try await bus.update("ada") { (tally: Tally) in
            [.filled(cents: tally.events * 100)]
        }
        XCTAssertEqual(spent.state.events, 2)
        let filled = try await bus.send(Fill(cents: 1), to: ada)
        XCTAssertEqual(filled.state.amounts, [7, 100, 1])
    }

    func test_a_closed_store_is_not_answered_for() async throws {
        let bus = CommandBus(store)
        try await bus.send(Fill(cents: 1), to: ada)
        await store.base.close()
        let failure = await caught { () async throws(Spend.Failure) in
            try await bus.send(Spend(cents: 30), to: ada)
        }
        XCTAssertEqual(failure?.storeError, .closed)
    }

    // MARK: - What was taken back

    func test_nothing_of_an_append_that_was_refused_is_left_though_nothing_was_taken_back()
        async throws
    {
        let bus = CommandBus(store, conflictRetries: 0)
        try await bus.send(Fill(cents: 1), to: ada)
        store.refuseNext(.notStored(reason: "the version of the stream cannot be read"))
        let failure = await caught { () async throws(Fill.Failure) in
            try await bus.send(Fill(cents: 2), to: ada)
        }
        guard case .notStored? = failure?.storeError else { return XCTFail("\(failure as Any)") }

        // Brings the stream to the version that the refused append would have brought it to.
        await store.base.fill(ada, cents: 7)
        let receipt = try await bus.send(Fill(cents: 3), to: ada)
        XCTAssertEqual(receipt.state.amounts, [1, 7, 3])
    }

    func test_nothing_of_a_failed_commit_is_left_in_what_is_kept() async throws {
        let disk = SimulatedDisk()
        let file = try await FileEventStore(on: disk)
        let bus = CommandBus(file)
        try await bus.send(Fill(cents: 1), to: ada)
        disk.inject(.init(.noSpace, operations: [.write]))
        let failure = await caught { () async throws(Fill.Failure) in
            try await bus.send(Fill(cents: 2), to: ada)
        }
        XCTAssertNotNil(failure?.storeError)

        // Brings the stream to the version that the failed command would have brought it to.
        await file.fill(ada, cents: 7)
        let receipt = try await bus.send(Fill(cents: 3), to: ada)
        XCTAssertEqual(receipt.state.amounts, [1, 7, 3])
        XCTAssertEqual(receipt.version, StreamVersion(3))
        await file.close()
    }

    func test_nothing_that_was_taken_back_is_left_where_asking_takes_a_read() async throws {
        let held = HeldStore(knowsVersions: false)
        let bus = CommandBus(held)
        let lost = Task { try? await bus.send(Fill(cents: 2), to: Purse.ID("ada")) }
        while held.queuedCount < 1 { await Task.yield() }
        held.takeBack()
        let receipt = await lost.value
        XCTAssertNil(receipt)

        let other = NewEvent(try Purse.Event.filled(cents: 7).encoded())
        _ = try held.enqueue(
            AppendRequest([other], to: ada.stream, expecting: .any), basedOn: nil)
        let next = Task { try await bus.send(Fill(cents: 3), to: Purse.ID("ada")) }
        while held.queuedCount < 2 { await Task.yield() }
        held.commit()
        let amounts = try await next.value.state.amounts
        XCTAssertEqual(amounts, [7, 3])
    }
}

/// Another view of a purse.
private struct Tally: Aggregate {
    static let category = Purse.category
    var events = 0
    mutating func apply(_ event: Purse.Event) { events += 1 }
}

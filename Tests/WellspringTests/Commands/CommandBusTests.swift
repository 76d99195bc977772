import Wellspring
import XCTest

final class CommandBusTests: XCTestCase {
    private let store = InMemoryEventStore()
    private var bus: CommandBus { CommandBus(store) }

    func test_an_id_is_what_it_was_made_of_whatever_that_holds() throws {
        for text in ["ada", "a/b", "/", "", "e\u{301}", "customer-0193438b-8e2a-7cc3"] {
            let id = Purse.ID(text)
            XCTAssertEqual(Array(id.rawValue.utf8), Array(text.utf8))
            XCTAssertEqual(id.stream, StreamID(category: "purse", key: text))
            XCTAssertEqual(id.description, text)
        }
        XCTAssertNotEqual(Purse.ID("e\u{301}"), "\u{e9}")
        XCTAssertEqual(["b", "a/b", "a"].map { Purse.ID($0) }.sorted(), ["a", "a/b", "b"])
    }

    func test_a_command_is_decided_by_its_aggregate_and_recorded() async throws {
        try await bus.send(Fill(cents: 100), to: "ada")
        let receipt = try await bus.send(Spend(cents: 30), to: "ada")

        XCTAssertEqual(receipt.state.cents, 70)
        XCTAssertEqual(receipt.events, [.spent(cents: 30, on: "bread")])
        XCTAssertEqual(receipt.version, StreamVersion(2))
        XCTAssertEqual(receipt.position, LogPosition(2))
        let recorded = try await store.events(of: "ada")
        XCTAssertEqual(recorded.map(\.event.name), ["purse.filled", "purse.spent"])
    }

    func test_a_rejection_is_typed_and_records_nothing() async throws {
        try await bus.send(Fill(cents: 10), to: "ada")
        let failure = await caught { () async throws(Spend.Failure) in
            try await bus.send(Spend(cents: 30), to: "ada")
        }
        XCTAssertEqual(failure?.rejection, .tooLittle(missing: 20))
        let count = try await store.events(of: "ada").count
        XCTAssertEqual(count, 1)
    }

    func test_a_decision_without_events_appends_nothing_and_says_where_things_stand() async throws {
        try await bus.send(Fill(cents: 10), to: "ada")
        try await bus.send(Fill(cents: 10), to: "bob")
        let receipt = try await bus.send(Fill(cents: 0), to: "ada")

        XCTAssertEqual(receipt.events, [])
        XCTAssertEqual(receipt.state.cents, 10)
        XCTAssertEqual(receipt.version, StreamVersion(1))
        XCTAssertEqual(receipt.position, LogPosition(1), "where the aggregate's last event is")
        let head = try await store.read(LogRead()).head
        XCTAssertEqual(head, LogPosition(2))
    }

    func test_events_name_the_command_as_their_cause_and_as_the_begin_of_the_chain() async throws {
        let receipt = try await bus.send(Fill(cents: 10), to: "ada")
        let metadata = try await store.events(of: "ada").map(\.metadata)
        XCTAssertEqual(
            metadata,
            [EventMetadata(correlation: receipt.commandID, causation: receipt.commandID)])
    }

    func test_every_command_gets_an_id_of_its_own() async throws {
        let bus = bus
        let copy = bus
        var ids: Set<MessageID> = []
        for _ in 0..<50 {
            ids.insert(try await bus.send(Fill(cents: 10), to: "ada").commandID)
            ids.insert(try await copy.send(Fill(cents: 10), to: "ada").commandID)
        }
        XCTAssertEqual(ids.count, 100)
    }

    func test_the_context_gives_ids_headers_and_time() async throws {
        let context = CommandContext(
            id: MessageID(high: 1, low: 1), correlation: MessageID(high: 2, low: 2),
            headers: ["user": "ada"], occurredAt: Timestamp(nanoseconds: 7))
        let receipt = try await bus.send(Fill(cents: 10), to: "ada", context: context)

        XCTAssertEqual(receipt.commandID, MessageID(high: 1, low: 1))
        let recorded = try await store.events(of: "ada")
        XCTAssertEqual(
            recorded.map(\.metadata),
            [
                EventMetadata(
                    correlation: MessageID(high: 2, low: 2), causation: MessageID(high: 1, low: 1),
                    headers: ["user": "ada"])
            ])
        XCTAssertEqual(recorded.map(\.occurredAt), [Timestamp(nanoseconds: 7)])
        XCTAssertNotEqual(recorded.map(\.recordedAt), [Timestamp(nanoseconds: 7)])
    }

    func test_a_command_in_response_to_an_event_continues_its_chain() async throws {
        let first = try await bus.send(Fill(cents: 10), to: "ada")
        let cause = try await store.events(of: "ada")[0]
        try await bus.send(
            Fill(cents: 10), to: "bob", context: CommandContext(inResponseTo: cause))

        let metadata = try await store.events(of: "bob").map(\.metadata)
        XCTAssertEqual(
            metadata, [EventMetadata(correlation: first.commandID, causation: cause.id)])
    }

    func test_events_are_tagged_as_they_say() async throws {
        try await bus.send(Fill(cents: 10), to: "ada")
        try await bus.send(Spend(cents: 3, thing: "milk"), to: "ada")
        let page = try await store.read(LogRead(filter: .tagged("thing:milk")))
        XCTAssertEqual(page.events.map(\.position), [LogPosition(2)])
    }

    func test_a_rule_may_be_a_closure() async throws {
        try await bus.send(Fill(cents: 10), to: "ada")
        let receipt = try await bus.update("ada") { (purse: Purse) throws(Purse.Rejection) in
            [.spent(cents: purse.cents, on: "all")]
        }
        XCTAssertEqual(receipt.state.cents, 0)
    }

    func test_a_stream_of_many_pages_is_folded_to_its_end() async throws {
        let event = NewEvent(try Purse.Event.filled(cents: 1).encoded())
        for _ in 0..<10 {
            _ = try await store.append(
                AppendRequest(
                    Array(repeating: event, count: 100), to: Purse.ID("ada").stream,
                    expecting: .any))
        }
        let receipt = try await bus.send(Spend(cents: 1_000), to: "ada")
        XCTAssertEqual(receipt.version, StreamVersion(1_001))
        XCTAssertEqual(receipt.state.cents, 0)
    }

    func test_an_event_that_cannot_be_read_stops_the_decision_and_is_named() async throws {
        try await bus.send(Fill(cents: 10), to: "ada")
        let stream = Purse.ID("ada").stream
        let broken = EncodedEvent(name: "purse.spent", payload: EventPayload(utf8: "{}"))
        _ = try await store.append(
            AppendRequest([NewEvent(broken)], to: stream, expecting: .any))

        let failure = await caught { () async throws(Fill.Failure) in
            try await bus.send(Fill(cents: 10), to: "ada")
        }
        guard case .undecodable(_, stream, StreamVersion(2))? = failure else {
            return XCTFail("\(failure as Any)")
        }
        let count = try await store.events(of: "ada").count
        XCTAssertEqual(count, 2)
    }

    func test_an_event_that_cannot_be_written_is_refused_whole() async throws {
        let failure = await caught { () async throws(CommandFailure<Never>) in
            try await bus.update("m") { (_: Meter) in [.read(value: 1), .read(value: .infinity)] }
        }
        guard case .unencodable? = failure else { return XCTFail("\(failure as Any)") }
        let head = try await store.read(LogRead()).head
        XCTAssertEqual(head, .start)
    }

    func test_a_failure_of_the_store_is_kept_apart_from_a_rejection() async throws {
        await store.close()
        let failure = await caught { () async throws(Spend.Failure) in
            try await bus.send(Spend(cents: 30), to: "ada")
        }
        XCTAssertEqual(failure?.storeError, .closed)
    }
}

private struct Meter: Aggregate {
    static let category: StreamCategory = "meter"
    enum Event: DomainEvent {
        case read(value: Double)
        enum CodingKeys: String, EventNames { case read = "meter.read" }
    }
    mutating func apply(_ event: Event) {}
}

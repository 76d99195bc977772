import Wellspring
import XCTest

final class CommandBusTests: XCTestCase {
    func test_a_command_is_decided_by_its_aggregate_and_recorded() async throws {
        let store = InMemoryEventStore()
        let bus = CommandBus(store)

        try await bus.send(Fill(cents: 100), to: "ada")
        let receipt = try await bus.send(Spend(cents: 30), to: "ada")

        XCTAssertEqual(receipt.state.cents, 70)
        XCTAssertEqual(receipt.events, [.spent(cents: 30, on: "bread")])
        XCTAssertEqual(receipt.version, StreamVersion(2))
        XCTAssertEqual(receipt.position, LogPosition(2))
        let recorded = try await store.read(StreamRead(Purse.ID("ada").stream)).events
        XCTAssertEqual(recorded.map(\.event.name), ["purse.filled", "purse.spent"])
    }

    func test_reads_its_own_write() async throws {
        let store = InMemoryEventStore()
        let bus = CommandBus(store)
        let runner = ProjectionRunner(Contents.self, from: store)
        let queries = QueryBus(runner)
        let cents = try await withRunning(runner) {
            let receipt = try await bus.send(Fill(cents: 100), to: "ada")
            return try await queries.ask(ContentOf(purse: "ada"), after: receipt.position)
        }
        XCTAssertEqual(cents, 100)
    }
}

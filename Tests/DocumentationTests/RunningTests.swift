import Wellspring
import WellspringTestKit
import XCTest

// snippet: running-service
struct Welcome: Runnable {
    let store: any EventStore
    let greet: @Sendable (StreamID) async throws -> Void

    func run() async throws {
        for try await page in store.subscribe(filter: .named(["account.opened"])) {
            for opened in page.events { try await greet(opened.stream) }
        }
    }
}
// end

final class RunningTests: XCTestCase {
    func test_services_run_as_long_as_the_body_lasts() async throws {
        let store = InMemoryEventStore()
        let commands = CommandBus(store)
        let greeted = AsyncStream<StreamID>.makeStream()
        let welcome = Welcome(store: store) { greeted.continuation.yield($0) }
        let balances = ProjectionRunner(Balances.self, from: store)
        // snippet: running
        let answer = try await withRunning(balances, welcome) {
            let receipt = try await commands.send(Open(owner: "Ada"), to: "ada")
            return try await balances.ask(BalanceOf(account: "ada"), after: receipt.position)
        }
        // end
        XCTAssertEqual(answer, 0)
    }

    func test_the_service_of_the_guide_greets() async throws {
        let store = InMemoryEventStore()
        let greeted = AsyncStream<StreamID>.makeStream()
        let welcome = Welcome(store: store) { greeted.continuation.yield($0) }
        let first = try await withRunning(welcome) {
            try await CommandBus(store).send(Open(owner: "Ada"), to: "ada")
            var names = greeted.stream.makeAsyncIterator()
            return await names.next()
        }
        XCTAssertEqual(first, Account.ID("ada").stream)
    }
}

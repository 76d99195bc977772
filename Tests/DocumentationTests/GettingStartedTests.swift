import ExampleTestSupport
import Wellspring
import XCTest

final class GettingStartedTests: XCTestCase {
    func test_the_first_steps_work() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path("bank")
        // snippet: getting-started
        let store = try await FileEventStore(at: path)
        let commands = CommandBus(store)
        let ada: Account.ID = "ada"

        try await commands.send(Open(owner: "Ada"), to: ada)
        let receipt = try await commands.send(Deposit(cents: 70), to: ada)
        // end
        XCTAssertEqual(receipt.state.balance, 70)
        // snippet: getting-started-refusal
        do {
            try await commands.send(Withdraw(cents: 100), to: ada)
        } catch .rejected(.insufficientFunds(let missing)) {
            print("\(missing) cents are missing.")
        } catch {
            print(error)  // The machine failed; the error says what to do next.
        }
        // end
        // snippet: getting-started-asking
        let balances = ProjectionRunner(Balances.self, from: store)
        let queries = QueryBus(balances)

        let cents = try await withRunning(balances) {
            try await queries.ask(BalanceOf(account: ada), after: receipt.position)
        }
        // end
        XCTAssertEqual(cents, 70)
        // snippet: getting-started-closing
        await store.close()
        // end
    }
}

import Wellspring
import XCTest

// snippet: answering-richest
struct Richest: Query {
    let count: Int

    func answer(from balances: Balances) -> [Account.ID] {
        balances.cents.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .prefix(count).map(\.key)
    }
}
// end

final class AnsweringTests: XCTestCase {
    func test_an_answer_includes_what_was_just_written() async throws {
        let store = InMemoryEventStore()
        let commands = CommandBus(store)
        let ada: Account.ID = "ada"
        let balances = ProjectionRunner(Balances.self, from: store)
        let statistics = ProjectionRunner(Statistics.self, from: store)
        // snippet: answering
        let queries = QueryBus(balances, statistics)
        // end
        try await withRunning(balances, statistics) {
            try await commands.send(Open(owner: "Ada"), to: ada)
            // snippet: answering
            let receipt = try await commands.send(Deposit(cents: 70), to: ada)
            let richest = try await queries.ask(Richest(count: 3), after: receipt.position)
            // end
            XCTAssertEqual(richest, [ada])
        }
    }

    func test_a_question_that_cannot_be_answered_says_why() async throws {
        let store = InMemoryEventStore()
        let receipt = try await CommandBus(store).send(Open(owner: "Ada"), to: "ada")
        let queries = QueryBus(ProjectionRunner(Balances.self, from: store))
        // snippet: answering-failures
        do {
            let cents = try await queries.ask(
                BalanceOf(account: "ada"), after: receipt.position, timeout: .milliseconds(20))
            print(cents ?? 0)
        } catch .timedOut(let position, let wanted) {
            print("the model is at \(position), not at \(wanted)")  // Ask again, or show less.
        } catch .stopped(let stop) {
            print(stop)  // Will not change by asking again.
        } catch {
            print(error)
        }
        // end
    }
}

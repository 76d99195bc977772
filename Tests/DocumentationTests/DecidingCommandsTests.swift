import Wellspring
import XCTest

// snippet: deciding-draft
struct ChargeFees: AggregateCommand {
    let fees: [Int]

    func decide(given account: Account) -> [Account.Event] {
        var draft = Draft(account)
        for fee in fees where draft.state.balance >= fee {
            draft.record(.withdrawn(cents: fee))
        }
        return draft.events
    }
}
// end

private struct NotAllowed: Error {}

// snippet: deciding-middleware
struct OnlyKnownUsers: CommandMiddleware {
    let users: Set<String>

    func handle<C: Command>(
        _ delivery: Delivery<C>, next: Next<C>
    ) async throws(C.Failure) -> C.Receipt {
        guard let user = delivery.context.headers["user"], users.contains(user) else {
            throw .interrupted(NotAllowed())
        }
        return try await next(delivery)
    }
}
// end

final class DecidingCommandsTests: XCTestCase {
    private let store = InMemoryEventStore()
    private let ada: Account.ID = "ada"

    private func openAccount(with cents: Int) async throws {
        let commands = CommandBus(store)
        try await commands.send(Open(owner: "Ada"), to: ada)
        try await commands.send(Deposit(cents: cents), to: ada)
    }

    func test_a_draft_knows_what_it_has_decided() async throws {
        try await openAccount(with: 100)
        let receipt = try await CommandBus(store).send(ChargeFees(fees: [60, 70, 40]), to: ada)
        XCTAssertEqual(receipt.events, [.withdrawn(cents: 60), .withdrawn(cents: 40)])
    }

    func test_failures_are_told_apart() async throws {
        try await openAccount(with: 10)
        let commands = CommandBus(store)
        // snippet: deciding-failures
        do throws(Withdraw.Failure) {
            try await commands.send(Withdraw(cents: 30), to: ada)
        } catch .rejected(.insufficientFunds(let missing)) {
            print("\(missing) cents are missing.")  // Tell the user.
        } catch .store(.conflict) {
            print("Too many others wrote at once.")  // May be tried again later.
        } catch {
            print(error)  // Says what failed, and what to do next.
        }
        // end
    }

    func test_a_stale_edit_is_a_conflict() async throws {
        try await openAccount(with: 100)
        let commands = CommandBus(store)
        // snippet: deciding-stale
        let account = try await store.load(Account.self, ada)
        // ... a person looks at the account and makes up their mind ...
        let receipt = try await commands.send(
            Withdraw(cents: account.state.balance), to: ada,
            expecting: .exactly(account.version))
        // end
        XCTAssertEqual(receipt.state.balance, 0)
        do {
            try await commands.send(
                Deposit(cents: 1), to: ada, expecting: .exactly(account.version))
            XCTFail("a stale edit went through")
        } catch .store(.conflict(let conflict)) {
            XCTAssertEqual(conflict.actual, receipt.version)
        }
    }

    func test_a_bus_keeps_as_many_aggregates_as_it_is_told() async throws {
        try await openAccount(with: 100)
        // snippet: deciding-cache
        let commands = CommandBus(store, cachedAggregates: 20_000)
        // end
        let receipt = try await commands.send(Withdraw(cents: 30), to: ada)
        XCTAssertEqual(receipt.state.balance, 70)
    }

    func test_a_small_rule_is_a_closure() async throws {
        try await openAccount(with: 100)
        let commands = CommandBus(store)
        // snippet: deciding-update
        let receipt = try await commands.update(ada) {
            (account: Account) throws(Account.Rejection) in
            account.balance > 0 ? [.withdrawn(cents: account.balance)] : []
        }
        // end
        XCTAssertEqual(receipt.state.balance, 0)
    }

    func test_middleware_refuses_strangers_and_headers_are_kept() async throws {
        try await openAccount(with: 100)
        // snippet: deciding-context
        let commands = CommandBus(store, middleware: OnlyKnownUsers(users: ["teller"]))
        let receipt = try await commands.send(
            Deposit(cents: 5), to: ada, context: CommandContext(headers: ["user": "teller"]))
        // end
        XCTAssertEqual(receipt.state.balance, 105)
    }

    func test_what_follows_from_an_event_names_it_as_its_cause() async throws {
        try await openAccount(with: 100)
        let commands = CommandBus(store)
        // snippet: deciding-cause
        for try await opened in store.events(in: ada.stream)
        where opened.event.name == "account.opened" {
            try await commands.send(  // A present for new customers.
                Deposit(cents: 10), to: ada, context: CommandContext(inResponseTo: opened))
        }
        // end
        let events = try await store.read(StreamRead(ada.stream)).events
        XCTAssertEqual(events.last?.metadata.causation, events.first?.id)
        XCTAssertEqual(
            events.last?.metadata.correlation, events.first?.metadata.correlation)
    }
}

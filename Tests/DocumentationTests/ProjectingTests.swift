import ExampleTestSupport
import Wellspring
import WellspringTestKit
import XCTest

struct Customer: Aggregate {
    static let category: StreamCategory = "customer"
    private(set) var name = ""

    enum Event: DomainEvent {
        case joined(name: String)
        enum CodingKeys: String, EventNames { case joined = "customer.joined" }
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .joined(let name): self.name = name
        }
    }
}

struct Join: AggregateCommand {
    let name: String
    func decide(given customer: Customer) -> [Customer.Event] { [.joined(name: name)] }
}

// snippet: projecting-union
enum BankEvent: EventUnion {
    case account(Account.Event)
    case customer(Customer.Event)

    static let members = EventMembers(BankEvent.account, BankEvent.customer)
}

struct Statistics: Projection {
    static let name: ProjectionName = "statistics"
    private(set) var customers = 0
    private(set) var deposited = 0

    mutating func apply(_ recorded: Recorded<BankEvent>) {
        switch recorded.event {
        case .customer(.joined): customers += 1
        case .account(.deposited(let cents)): deposited += cents
        case .account: break
        }
    }
}
// end

// snippet: projecting-throws
struct Ledger: Projection {
    static let name: ProjectionName = "ledger"
    static let revision = 2
    private(set) var total = 0

    struct Overdrawn: Error {}

    mutating func apply(_ recorded: Recorded<Account.Event>) throws(Overdrawn) {
        switch recorded.event {
        case .opened: break
        case .deposited(let cents): total += cents
        case .withdrawn(let cents): total -= cents
        }
        guard total >= 0 else { throw Overdrawn() }
    }
}
// end

final class ProjectingTests: XCTestCase {
    private let ada: Account.ID = "ada"

    func test_a_projection_reads_two_kinds_of_events() async throws {
        let store = InMemoryEventStore()
        let commands = CommandBus(store)
        try await commands.send(Join(name: "Ada"), to: "ada")
        try await commands.send(Open(owner: "Ada"), to: ada)
        let receipt = try await commands.send(Deposit(cents: 70), to: ada)
        let runner = ProjectionRunner(Statistics.self, from: store)
        try await withRunning(runner) {
            _ = try await runner.ask(DepositedInAll(), after: receipt.position)
        }
        XCTAssertEqual(runner.snapshot().model.customers, 1)
        XCTAssertEqual(runner.snapshot().model.deposited, 70)
    }

    func test_a_projection_that_is_saved_resumes_and_can_be_rebuilt() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let store = try await FileEventStore(at: directory.path("bank"))
        let commands = CommandBus(store)
        try await commands.send(Open(owner: "Ada"), to: ada)
        let receipt = try await commands.send(Deposit(cents: 70), to: ada)
        // snippet: projecting-saved
        let balances = ProjectionRunner(
            Balances.self, from: store, checkpoints: store.checkpoints,
            onNotice: { print("balances:", $0) })
        // end
        try await withRunning(balances) {
            let cents = try await balances.ask(
                BalanceOf(account: "ada"), after: receipt.position)
            XCTAssertEqual(cents, 70)
        }
        let saved = try await store.checkpoints.load("balances")
        XCTAssertEqual(saved?.position, receipt.position)
        // snippet: projecting-status
        let status = await balances.status
        switch status.state {
        case .stopped(let stop): print(stop)
        case .rebuilding(let progress): print(progress.position, "of", progress.target)
        default: print(status.lagEvents, "events and", status.lagTime, "behind")
        }
        // end
        XCTAssertEqual(status.lagEvents, 0)
        // snippet: rebuilding
        let position = try await balances.rebuild()
        // end
        XCTAssertEqual(position, receipt.position)
        // snippet: rebuilding-verify
        let inUse = balances.snapshot()
        let fresh = ProjectionRunner(Balances.self, from: store)
        if try await fresh.rebuild() == inUse.position,
            fresh.snapshot().model.cents != inUse.model.cents
        {
            print("the model at \(inUse.position) is not what the log says")
        }
        // end
        XCTAssertEqual(fresh.snapshot().model.cents, ["ada": 70])
        await store.close()
    }

    func test_a_projection_that_refuses_an_event_stops_before_it() async throws {
        let store = InMemoryEventStore()
        let bad = NewEvent(try Account.Event.withdrawn(cents: 5).encoded())
        let good = NewEvent(try Account.Event.deposited(cents: 5).encoded())
        for event in [good, bad, bad] {
            try await store.append(AppendRequest([event], to: ada.stream, expecting: .any))
        }
        let runner = ProjectionRunner(Ledger.self, from: store)
        try await runner.run()
        guard case .stopped(let stop) = await runner.status.state else {
            return XCTFail("it took in what cannot be true")
        }
        XCTAssertEqual(stop.position, LogPosition(2))
    }
}

private struct DepositedInAll: Query {
    func answer(from statistics: Statistics) -> Int { statistics.deposited }
}

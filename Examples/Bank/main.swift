import Wellspring

struct Account: Aggregate {
    static let category: StreamCategory = "account"
    private(set) var balance = 0

    enum Event: DomainEvent {
        case deposited(cents: Int)
        case withdrawn(cents: Int)

        enum CodingKeys: String, EventNames {  // The names under which events are stored, for good.
            case deposited = "account.deposited"
            case withdrawn = "account.withdrawn"
        }
    }

    enum Rejection: Error { case insufficientFunds(missing: Int) }

    mutating func apply(_ event: Event) {
        switch event {
        case .deposited(let cents): balance += cents
        case .withdrawn(let cents): balance -= cents
        }
    }
}

struct Deposit: AggregateCommand {
    let cents: Int
    func decide(given account: Account) -> [Account.Event] { [.deposited(cents: cents)] }
}

struct Withdraw: AggregateCommand {
    let cents: Int
    func decide(given account: Account) throws(Account.Rejection) -> [Account.Event] {
        guard account.balance >= cents else {
            throw .insufficientFunds(missing: cents - account.balance)
        }
        return [.withdrawn(cents: cents)]
    }
}

struct Deposits: Projection {
    static let name: ProjectionName = "deposits"
    private(set) var total: [Account.ID: Int] = [:]

    mutating func apply(_ recorded: Recorded<Account.Event>) {
        guard case .deposited(let cents) = recorded.event else { return }
        total[recorded.id(of: Account.self), default: 0] += cents
    }
}

struct TotalDeposits: Query {
    let account: Account.ID
    func answer(from deposits: Deposits) -> Int { deposits.total[account] ?? 0 }
}

let path = CommandLine.arguments.dropFirst().first ?? "/tmp/bank"
let store = try await FileEventStore(at: path)
let commands = CommandBus(store)
let deposits = ProjectionRunner(Deposits.self, from: store)
let queries = QueryBus(deposits)

try await withRunning(deposits) {
    try await commands.send(Deposit(cents: 100), to: "ada")
    let receipt = try await commands.send(Withdraw(cents: 30), to: "ada")  // Synced to the disk.
    let total = try await queries.ask(TotalDeposits(account: "ada"), after: receipt.position)
    print("Ada has \(receipt.state.balance) cents of \(total) ever deposited.")

    do throws(Withdraw.Failure) {
        try await commands.send(Withdraw(cents: 1_000_000), to: "ada")
    } catch {
        print(error)  // `.rejected`: a rule said no. `.store`: the machine failed.
    }
}
await store.close()

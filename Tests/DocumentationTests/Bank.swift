import Wellspring

// The bank that the guides tell about.

// snippet: account
struct Account: Aggregate {
    static let category: StreamCategory = "account"
    private(set) var owner: String?
    private(set) var balance = 0

    enum Event: DomainEvent, Hashable {
        case opened(owner: String)
        case deposited(cents: Int)
        case withdrawn(cents: Int)

        enum CodingKeys: String, EventNames {
            case opened = "account.opened"
            case deposited = "account.deposited"
            case withdrawn = "account.withdrawn"
        }
    }

    enum Rejection: Error, Hashable {
        case notOpen, openAlready
        case insufficientFunds(missing: Int)
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .opened(let owner): self.owner = owner
        case .deposited(let cents): balance += cents
        case .withdrawn(let cents): balance -= cents
        }
    }
}
// end

// snippet: commands
struct Open: AggregateCommand {
    let owner: String
    func decide(given account: Account) throws(Account.Rejection) -> [Account.Event] {
        guard account.owner == nil else { throw .openAlready }
        return [.opened(owner: owner)]
    }
}

struct Deposit: AggregateCommand {
    let cents: Int
    func decide(given account: Account) throws(Account.Rejection) -> [Account.Event] {
        guard account.owner != nil else { throw .notOpen }
        return [.deposited(cents: cents)]
    }
}

struct Withdraw: AggregateCommand {
    let cents: Int
    func decide(given account: Account) throws(Account.Rejection) -> [Account.Event] {
        guard account.owner != nil else { throw .notOpen }
        guard account.balance >= cents else {
            throw .insufficientFunds(missing: cents - account.balance)
        }
        return [.withdrawn(cents: cents)]
    }
}
// end

// snippet: balances
struct Balances: Projection, Codable {
    static let name: ProjectionName = "balances"
    private(set) var cents: [Account.ID: Int] = [:]

    mutating func apply(_ recorded: Recorded<Account.Event>) {
        let account = recorded.id(of: Account.self)
        switch recorded.event {
        case .opened: cents[account] = 0
        case .deposited(let amount): cents[account, default: 0] += amount
        case .withdrawn(let amount): cents[account, default: 0] -= amount
        }
    }
}
// end

// snippet: balance-of
struct BalanceOf: Query {
    let account: Account.ID
    func answer(from balances: Balances) -> Int? { balances.cents[account] }
}
// end

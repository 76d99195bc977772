import Wellspring

/// The aggregate that the tests of commands and projections send commands to.
struct Purse: Aggregate {
    static let category: StreamCategory = "purse"
    private(set) var cents = 0
    private(set) var amounts: [Int] = []

    enum Event: DomainEvent, Hashable {
        case filled(cents: Int)
        case spent(cents: Int, on: String)

        enum CodingKeys: String, EventNames {
            case filled = "purse.filled"
            case spent = "purse.spent"
        }

        var tags: [Tag] {
            if case .spent(_, let thing) = self { [Tag("thing:\(thing)")] } else { [] }
        }
    }

    enum Rejection: Error, Hashable {
        case tooLittle(missing: Int)
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .filled(let added):
            cents += added
            amounts.append(added)
        case .spent(let taken, _):
            cents -= taken
        }
    }
}

struct Fill: AggregateCommand {
    let cents: Int
    func decide(given purse: Purse) -> [Purse.Event] {
        cents == 0 ? [] : [.filled(cents: cents)]
    }
}

struct Spend: AggregateCommand {
    let cents: Int
    var thing = "bread"
    func decide(given purse: Purse) throws(Purse.Rejection) -> [Purse.Event] {
        guard purse.cents >= cents else { throw .tooLittle(missing: cents - purse.cents) }
        return [.spent(cents: cents, on: thing)]
    }
}

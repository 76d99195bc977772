import Wellspring

/// The event that every workload writes: six fields, about 200 bytes of JSON.
enum CartEvent: DomainEvent, Equatable {
    case itemAdded(
        orderId: String, customerId: String, sku: String, quantity: Int, amountCents: Int,
        note: String)

    enum CodingKeys: String, EventNames {
        case itemAdded = "cart.itemAdded"
    }

    /// The event with the given number: the same in every run, and unlike its neighbours.
    static func number(_ number: Int) -> CartEvent {
        let mixed = mix(UInt64(truncatingIfNeeded: number))
        return .itemAdded(
            orderId: "order-" + padded(mixed >> 20 % 100_000_000, 8),
            customerId: "customer-" + padded(UInt64(number % 1000), 5),
            sku: "sku-" + padded(mixed >> 7 % 1_000_000, 7), quantity: number % 9 + 1,
            amountCents: Int(mixed % 9_000) + 1_000, note: note(mixed))
    }

    var customer: String {
        switch self {
        case .itemAdded(_, let customer, _, _, _, _): customer
        }
    }

    var amountCents: Int {
        switch self {
        case .itemAdded(_, _, _, _, let amount, _): amount
        }
    }

    /// The finaliser of SplitMix64.
    private static func mix(_ number: UInt64) -> UInt64 {
        var z = number &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    private static func note(_ mixed: UInt64) -> String {
        "leave at the door, ring twice, code " + padded(mixed >> 11 % 10_000_000_000, 14)
            + ", thanks a lot"
    }

    private static func padded(_ number: UInt64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// What a fold over the events computes, so that no work can be left out.
struct CartTotals: Aggregate, Equatable {
    static let category: StreamCategory = "cart"
    var count = 0
    var cents = 0

    mutating func apply(_ event: CartEvent) {
        count += 1
        cents += event.amountCents
    }
}

/// Adds one more item: what the command workloads send.
struct AddItem: AggregateCommand {
    let number: Int

    func decide(given cart: CartTotals) -> [CartEvent] { [.number(number)] }
}

/// Makes orders from a seed, and knows what they come to without any of the code under test.
struct OrderGenerator {
    private(set) var lines: [String] = []
    private(set) var units = 0
    private(set) var revenueCents = 0
    private(set) var months: [String: (orders: Int, revenueCents: Int)] = [:]
    private(set) var customers: [String: (orders: Int, revenueCents: Int)] = [:]

    /// - Parameter count: How many orders, with about nine customers for a hundred of them, on days
    ///   of three years in no order.
    init(count: Int, seed: UInt64) {
        var dice = SplitMix64(state: seed)
        for number in 0..<count {
            let customer = "customer-\(dice.roll(max(1, count * 9 / 100)))"
            let (month, day) = (dice.roll(12) + 1, dice.roll(28) + 1)
            let monthOfYear = "\(2023 + dice.roll(3))-\(month < 10 ? "0" : "")\(month)"
            let (quantity, cents) = (dice.roll(9) + 1, dice.roll(100_000))
            // One in eight is quoted, as some programs write everything.
            let quote = dice.roll(8) == 0 ? "\"" : ""
            let fields = [
                "order-\(number)", customer, "\(monthOfYear)-\(day < 10 ? "0" : "")\(day)",
                "\(quantity)", "\(cents)",
            ]
            lines.append(fields.map { quote + $0 + quote }.joined(separator: ","))
            units += quantity
            revenueCents += cents
            months[monthOfYear, default: (0, 0)].orders += 1
            months[monthOfYear, default: (0, 0)].revenueCents += cents
            customers[customer, default: (0, 0)].orders += 1
            customers[customer, default: (0, 0)].revenueCents += cents
        }
    }

    /// The file, with its header.
    var csv: String {
        "order_id,customer_id,date,quantity,amount_cents\n" + lines.joined(separator: "\n") + "\n"
    }

    /// What `report --json` should say, as `JSONSerialization` would read it.
    var report: [String: Any] {
        let best = customers.sorted { a, b in
            (-a.value.revenueCents, a.key) < (-b.value.revenueCents, b.key)
        }
        return [
            "customers": customers.count, "orders": lines.count, "units": units,
            "revenue_cents": revenueCents, "cancelled": 0,
            "months": months.sorted { $0.key < $1.key }.map { month, sales in
                [
                    "month": month, "orders": sales.orders, "revenue_cents": sales.revenueCents,
                ] as [String: Any]
            },
            "top_customers": best.prefix(10).map { customer, sales in
                [
                    "customer_id": customer, "orders": sales.orders,
                    "revenue_cents": sales.revenueCents,
                ] as [String: Any]
            },
        ]
    }
}

/// A generator that gives the same numbers on every machine.
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `sides` - 1.
    mutating func roll(_ sides: Int) -> Int { Int(next() % UInt64(sides)) }
}

/// What was sold to somebody or in some time.
///
/// Counted in 128 bits: no number of 64-bit amounts that a store can hold makes it overflow.
struct Sales: Hashable, Sendable {
    var orders = 0
    var units: Int128 = 0
    var revenueCents: Int128 = 0

    mutating func add(_ terms: Order.Terms) {
        orders += 1
        units += Int128(terms.quantity)
        revenueCents += Int128(terms.amountCents)
    }

    mutating func remove(_ terms: Order.Terms) {
        orders -= 1
        units -= Int128(terms.quantity)
        revenueCents -= Int128(terms.amountCents)
    }
}

/// Sales by something: by month, by customer.
struct Tally<Key: Hashable & Codable & Sendable>: Sendable {
    private var parts = Register<Part>()

    struct Part: Identifiable, Sendable {
        let id: Key
        var sales = Sales()
    }

    mutating func add(_ terms: Order.Terms, to key: Key) {
        if parts[key] == nil { parts.insert(Part(id: key)) }
        parts.update(key) { $0.sales.add(terms) }
    }

    mutating func remove(_ terms: Order.Terms, from key: Key) {
        parts.update(key) { $0.sales.remove(terms) }
    }

    /// The parts in which something was sold and not cancelled.
    var sold: [Part] { parts.entries.filter { $0.sales.orders > 0 } }

    /// Everything together.
    var total: Sales {
        parts.entries.reduce(into: Sales()) { total, part in
            total.orders += part.sales.orders
            total.units += part.sales.units
            total.revenueCents += part.sales.revenueCents
        }
    }
}

extension Tally: Codable {
    init(from decoder: any Decoder) throws {
        parts = try decoder.singleValueContainer().decode(Register<Part>.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(parts)
    }
}

extension Tally.Part: Codable {
    init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        id = try row.decode(Key.self)
        sales.orders = try row.decode(Int.self)
        sales.units = try row.decode(Int128.self)
        sales.revenueCents = try row.decode(Int128.self)
    }

    func encode(to encoder: any Encoder) throws {
        var row = encoder.unkeyedContainer()
        try row.encode(id)
        try row.encode(sales.orders)
        try row.encode(sales.units)
        try row.encode(sales.revenueCents)
    }
}

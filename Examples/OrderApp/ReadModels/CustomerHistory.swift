import Wellspring

/// What each customer ordered, and what became of it.
struct CustomerHistory: Projection, Codable {
    static let name: ProjectionName = "customer-history"

    struct Customer: Identifiable, Hashable, Sendable, Codable {
        let id: CustomerID
        var orders: [Purchase] = []

        /// The orders that count: those not cancelled.
        var standing: [Purchase] { orders.filter { $0.status != .cancelled } }
        var revenueCents: Int128 { standing.reduce(0) { $0 + Int128($1.amountCents) } }
    }

    struct Purchase: Hashable, Sendable {
        let order: Order.ID
        let date: CalendarDate
        let quantity: Int64
        let amountCents: Int64
        var status: Order.Status
    }

    private var customers: Register<Customer>
    /// Whose order it is, and the place in the history: what later events do not say.
    private var places: [Order.ID: (customer: CustomerID, place: Int)] = [:]

    init() { customers = Register() }

    subscript(id: CustomerID) -> Customer? { customers[id] }

    mutating func apply(_ recorded: Recorded<Order.Event>) {
        let id = recorded.id(of: Order.self)
        switch recorded.event {
        case .placed(let terms): add(id, terms)
        case .paid: mark(id, .paid)
        case .shipped: mark(id, .shipped)
        case .cancelled: mark(id, .cancelled)
        }
    }

    private mutating func add(_ id: Order.ID, _ terms: Order.Terms) {
        if customers[terms.customer] == nil { customers.insert(Customer(id: terms.customer)) }
        let purchase = Purchase(
            order: id, date: terms.date, quantity: terms.quantity,
            amountCents: terms.amountCents, status: .placed)
        customers.update(terms.customer) { customer in
            places[id] = (customer.id, customer.orders.count)
            customer.orders.append(purchase)
        }
    }

    private mutating func mark(_ id: Order.ID, _ status: Order.Status) {
        guard let (customer, place) = places[id] else { return }
        customers.update(customer) { $0.orders[place].status = status }
    }

    // MARK: - Codable

    /// The places follow from the customers, so only these are saved.
    init(from decoder: any Decoder) throws {
        customers = try decoder.singleValueContainer().decode(Register<Customer>.self)
        for customer in customers.entries {
            for (place, purchase) in customer.orders.enumerated() {
                places[purchase.order] = (customer.id, place)
            }
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(customers)
    }
}

extension CustomerHistory.Purchase: Codable {
    init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        order = try row.orderID()
        date = try row.date()
        quantity = try row.number()
        amountCents = try row.number()
        status = try row.status()
    }

    func encode(to encoder: any Encoder) throws {
        var row = encoder.unkeyedContainer()
        try row.encode(order)
        try row.encode(date)
        try row.encode(quantity)
        try row.encode(amountCents)
        try row.encode(status)
    }
}

/// Asks for one customer's history.
struct HistoryOf: Query {
    let customer: CustomerID

    func answer(from history: CustomerHistory) -> CustomerHistory.Customer? { history[customer] }
}

import Wellspring

/// Every order in one line, in the order in which they reached the shop.
struct OrderList: Projection, Codable {
    static let name: ProjectionName = "order-list"

    struct Entry: Identifiable, Hashable, Sendable {
        let id: Order.ID
        let customer: CustomerID
        let date: CalendarDate
        let amountCents: Int64
        var status: Order.Status
    }

    private(set) var orders = Register<Entry>()

    mutating func apply(_ recorded: Recorded<Order.Event>) {
        let id = recorded.id(of: Order.self)
        switch recorded.event {
        case .placed(let terms):
            orders.insert(
                Entry(
                    id: id, customer: terms.customer, date: terms.date,
                    amountCents: terms.amountCents, status: .placed))
        case .paid: orders.update(id) { $0.status = .paid }
        case .shipped: orders.update(id) { $0.status = .shipped }
        case .cancelled: orders.update(id) { $0.status = .cancelled }
        }
    }
}

extension OrderList.Entry: Codable {
    init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        id = try row.orderID()
        customer = try row.customer()
        date = try row.date()
        amountCents = try row.number()
        status = try row.status()
    }

    func encode(to encoder: any Encoder) throws {
        var row = encoder.unkeyedContainer()
        try row.encode(id)
        try row.encode(customer)
        try row.encode(date)
        try row.encode(amountCents)
        try row.encode(status)
    }
}

/// Asks for the orders of one status, or for all of them.
struct Orders: Query {
    var status: Order.Status?

    func answer(from list: OrderList) -> [OrderList.Entry] {
        list.orders.entries.filter { status == nil || $0.status == status }
    }
}

import Wellspring

/// Everything there is to know about each order.
struct OrderDetails: Projection, Codable {
    static let name: ProjectionName = "order-details"

    struct Entry: Identifiable, Hashable, Sendable {
        let id: Order.ID
        let terms: Order.Terms
        var history: [Step]
        /// Why it was called off.
        var cancellation: String?

        var status: Order.Status { history.last?.status ?? .placed }
    }

    struct Step: Hashable, Sendable, Codable {
        let status: Order.Status
        let date: CalendarDate
    }

    private var orders = Register<Entry>()

    subscript(id: Order.ID) -> Entry? { orders[id] }

    mutating func apply(_ recorded: Recorded<Order.Event>) {
        let id = recorded.id(of: Order.self)
        switch recorded.event {
        case .placed(let terms):
            let first = Step(status: .placed, date: terms.date)
            orders.insert(Entry(id: id, terms: terms, history: [first]))
        case .paid(let date): add(.paid, on: date, to: id)
        case .shipped(let date): add(.shipped, on: date, to: id)
        case .cancelled(let date, let reason, _):
            add(.cancelled, on: date, to: id)
            orders.update(id) { $0.cancellation = reason }
        }
    }

    private mutating func add(_ status: Order.Status, on date: CalendarDate, to id: Order.ID) {
        orders.update(id) { $0.history.append(Step(status: status, date: date)) }
    }
}

extension OrderDetails.Entry: Codable {
    init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        id = try row.orderID()
        terms = try row.terms()
        cancellation = try row.decodeNil() ? nil : row.decode(String.self)
        history = []
        while !row.isAtEnd {
            history.append(OrderDetails.Step(status: try row.status(), date: try row.date()))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var row = encoder.unkeyedContainer()
        try row.encode(id)
        try row.encode(terms)
        if let cancellation { try row.encode(cancellation) } else { try row.encodeNil() }
        for step in history {
            try row.encode(step.status)
            try row.encode(step.date)
        }
    }
}

/// Asks for one order.
struct OrderByID: Query {
    let id: Order.ID

    func answer(from details: OrderDetails) -> OrderDetails.Entry? { details[id] }
}

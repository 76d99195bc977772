import ExampleSupport
import Wellspring

// list, order, customer: what the read models know.
extension OrderProgram {
    static func list(_ arguments: Arguments) async throws {
        let question = Orders(status: try status(arguments))
        try await Shop.open(at: arguments.store) { shop in
            let orders = try await shop.ask(question)
            if arguments.has("json") {
                try JSONDocument.write(ListDocument(orders))
            } else {
                try StandardOutput.write(table(of: orders))
            }
        }
    }

    static func order(_ arguments: Arguments) async throws {
        let id = try orderID(arguments)
        let entry = try await Shop.open(at: arguments.store) { try await $0.ask(OrderByID(id: id)) }
        guard let entry else { throw Failure("there is no order '\(id.rawValue.printable)'") }
        if arguments.has("json") {
            try JSONDocument.write(OrderDocument(entry))
        } else {
            try StandardOutput.write(text(entry))
        }
    }

    static func customer(_ arguments: Arguments) async throws {
        let id = CustomerID(try identifier(arguments.positional[0], "ID"))
        let customer = try await Shop.open(at: arguments.store) {
            try await $0.ask(HistoryOf(customer: id))
        }
        guard let customer else { throw Failure("there is no customer '\(id.text.printable)'") }
        if arguments.has("json") {
            try JSONDocument.write(CustomerDocument(customer))
        } else {
            try StandardOutput.write(text(customer))
        }
    }

    private static func status(_ arguments: Arguments) throws -> Order.Status? {
        guard let text = arguments[option: "status"] else { return nil }
        guard let status = Order.Status(rawValue: text) else {
            throw UsageError(
                "--status must be placed, paid, shipped or cancelled, not '\(text.printable)'.")
        }
        return status
    }

    private static func table(of orders: [OrderList.Entry]) -> String {
        var table = TextTable(
            ("order", .left), ("date", .left), ("customer", .left), ("amount", .right),
            ("status", .left))
        for order in orders {
            table.add(
                order.id.rawValue, "\(order.date)", order.customer.text, order.amountCents.money,
                order.status.rawValue)
        }
        return table.text
    }

    private static func text(_ entry: OrderDetails.Entry) -> String {
        let reason = entry.cancellation.map { $0.isEmpty ? "" : ": \($0.printable)" } ?? ""
        let steps = entry.history.map { "  \($0.date)  \($0.status)\n" }.joined()
        return "Order \(entry.id.rawValue.printable), \(entry.status)\(reason)\n"
            + "\(entry.terms)\n" + steps
    }

    private static func text(_ customer: CustomerHistory.Customer) -> String {
        var table = TextTable(
            ("order", .left), ("date", .left), ("quantity", .right), ("amount", .right),
            ("status", .left))
        for purchase in customer.orders {
            table.add(
                purchase.order.rawValue, "\(purchase.date)", purchase.quantity.grouped,
                purchase.amountCents.money, purchase.status.rawValue)
        }
        return "Customer \(customer.id.text.printable): \(customer.standing.count.grouped) orders, "
            + "revenue \(customer.revenueCents.money)\n\n" + table.text
    }
}

/// What `list --json` writes.
private struct ListDocument: Encodable {
    let orders: [OrderDocument]

    init(_ entries: [OrderList.Entry]) { orders = entries.map { OrderDocument($0) } }
}

/// An order as `order`, `list` and `customer` write it with `--json`.
private struct OrderDocument: Encodable {
    let orderID: Order.ID
    var customerID: CustomerID?
    let date: CalendarDate
    var quantity: Int64?
    let amountCents: Int64
    let status: Order.Status
    var history: [OrderDetails.Step]?
    var cancellationReason: String?

    init(_ entry: OrderDetails.Entry) {
        orderID = entry.id
        customerID = entry.terms.customer
        date = entry.terms.date
        quantity = entry.terms.quantity
        amountCents = entry.terms.amountCents
        status = entry.status
        history = entry.history
        cancellationReason = entry.cancellation
    }

    init(_ entry: OrderList.Entry) {
        orderID = entry.id
        customerID = entry.customer
        date = entry.date
        amountCents = entry.amountCents
        status = entry.status
    }

    init(_ purchase: CustomerHistory.Purchase) {
        orderID = purchase.order
        date = purchase.date
        quantity = purchase.quantity
        amountCents = purchase.amountCents
        status = purchase.status
    }

    enum CodingKeys: String, CodingKey {
        case date, quantity, status, history
        case orderID = "order_id"
        case customerID = "customer_id"
        case amountCents = "amount_cents"
        case cancellationReason = "cancellation_reason"
    }
}

private struct CustomerDocument: Encodable {
    let customerID: CustomerID
    let orders: Int
    let cancelled: Int
    let revenueCents: Int128
    let history: [OrderDocument]

    init(_ customer: CustomerHistory.Customer) {
        customerID = customer.id
        orders = customer.standing.count
        cancelled = customer.orders.count - customer.standing.count
        revenueCents = customer.revenueCents
        history = customer.orders.map(OrderDocument.init)
    }

    enum CodingKeys: String, CodingKey {
        case orders, cancelled, history
        case customerID = "customer_id"
        case revenueCents = "revenue_cents"
    }
}

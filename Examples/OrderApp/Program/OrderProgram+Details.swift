import ExampleSupport
import Wellspring

// list, order, customer: what the read models know.
extension OrderProgram {
    static func list(_ arguments: Arguments) async throws {
        let status = try arguments[option: "status"].map { text in
            guard let status = Order.Status(rawValue: text) else {
                let all = Order.Status.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError("--status must be one of \(all), not '\(text.printable)'.")
            }
            return status
        }
        let orders = try await Shop.open(at: arguments.store) {
            try await $0.ask(Orders(status: status))
        }
        if arguments.has("json") {
            return try JSONDocument.write(["orders": orders.map(OrderDocument.init)])
        }
        var table = TextTable(
            ("order", .left), ("date", .left), ("customer", .left), ("amount", .right),
            ("status", .left))
        for order in orders {
            table.add(
                order.id.rawValue, "\(order.date)", order.customer.text, order.amountCents.money,
                order.status.rawValue)
        }
        try StandardOutput.write(table.text)
    }

    static func order(_ arguments: Arguments) async throws {
        let id = try orderID(arguments)
        let entry = try await Shop.open(at: arguments.store) { try await $0.ask(OrderByID(id: id)) }
        guard let entry else { throw Failure("there is no order '\(id.rawValue.printable)'") }
        if arguments.has("json") { return try JSONDocument.write(OrderDocument(entry)) }
        let reason = entry.cancellation.map { $0.isEmpty ? "" : ": \($0.printable)" } ?? ""
        try StandardOutput.line("Order \(id.rawValue.printable), \(entry.status)\(reason)")
        try StandardOutput.line("\(entry.terms)")
        for step in entry.history { try StandardOutput.line("  \(step.date)  \(step.status)") }
    }

    static func customer(_ arguments: Arguments) async throws {
        let id = CustomerID(try identifier(arguments.positional[0], "ID"))
        let customer = try await Shop.open(at: arguments.store) {
            try await $0.ask(HistoryOf(customer: id))
        }
        guard let customer else { throw Failure("there is no customer '\(id.text.printable)'") }
        if arguments.has("json") { return try JSONDocument.write(CustomerDocument(customer)) }
        var table = TextTable(
            ("order", .left), ("date", .left), ("quantity", .right), ("amount", .right),
            ("status", .left))
        for purchase in customer.orders {
            table.add(
                purchase.order.rawValue, "\(purchase.date)", purchase.quantity.grouped,
                purchase.amountCents.money, purchase.status.rawValue)
        }
        try StandardOutput.line(
            "Customer \(id.text.printable): \(customer.standing.count.grouped) orders, "
                + "revenue \(customer.revenueCents.money)\n")
        try StandardOutput.write(table.text)
    }
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

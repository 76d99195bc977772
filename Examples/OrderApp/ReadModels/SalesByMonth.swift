import Wellspring

/// What was sold in each month and to each customer, cancelled orders left out.
struct SalesByMonth: Projection, Codable {
    static let name: ProjectionName = "sales-by-month"

    private(set) var months = Tally<Month>()
    private(set) var customers = Tally<CustomerID>()
    private(set) var cancelled = 0

    mutating func apply(_ recorded: Recorded<Order.Event>) {
        switch recorded.event {
        case .placed(let terms):
            months.add(terms, to: terms.date.monthOfYear)
            customers.add(terms, to: terms.customer)
        case .cancelled(_, _, let terms):
            months.remove(terms, from: terms.date.monthOfYear)
            customers.remove(terms, from: terms.customer)
            cancelled += 1
        case .paid, .shipped: break
        }
    }
}

/// Asks for the figures of the whole shop.
struct SalesReport: Query {
    var topCustomers = 10

    struct Figures: Sendable {
        let total: Sales
        let customers: Int
        let cancelled: Int
        /// In the order of the calendar.
        let months: [Tally<Month>.Part]
        /// By revenue, and by id where that is equal.
        let top: [Tally<CustomerID>.Part]
    }

    func answer(from model: SalesByMonth) -> Figures {
        let customers = model.customers.sold
        let ranked = customers.sorted { a, b in
            (b.sales.revenueCents, a.id) < (a.sales.revenueCents, b.id)
        }
        return Figures(
            total: model.months.total, customers: customers.count, cancelled: model.cancelled,
            months: model.months.sold.sorted { $0.id < $1.id },
            top: Array(ranked.prefix(topCustomers)))
    }
}

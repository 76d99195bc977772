import ExampleSupport
import Wellspring

extension OrderProgram {
    static func report(_ arguments: Arguments) async throws {
        let figures = try await Shop.open(at: arguments.store) { try await $0.ask(SalesReport()) }
        if arguments.has("json") {
            try JSONDocument.write(ReportDocument(figures))
        } else {
            try StandardOutput.write(text(figures))
        }
    }

    static func text(_ figures: SalesReport.Figures) -> String {
        let total = figures.total
        let head = """
            orders:    \(total.orders.grouped)
            customers: \(figures.customers.grouped)
            units:     \(total.units.grouped)
            revenue:   \(total.revenueCents.money)
            cancelled: \(figures.cancelled.grouped)

            """
        guard !figures.months.isEmpty else { return head }
        var months = TextTable(("month", .left), ("orders", .right), ("revenue", .right))
        var chart = BarChart()
        for part in figures.months {
            let (month, revenue) = ("\(part.id)", part.sales.revenueCents)
            months.add(month, part.sales.orders.grouped, revenue.money)
            chart.add(month, Double(revenue), caption: revenue.money)
        }
        var customers = TextTable(("customer", .left), ("orders", .right), ("revenue", .right))
        for part in figures.top {
            customers.add(
                part.id.text, part.sales.orders.grouped, part.sales.revenueCents.money)
        }
        return [head, months.text, chart.text, customers.text].joined(separator: "\n")
    }
}

/// What `report --json` writes.
struct ReportDocument: Encodable {
    let customers: Int
    let orders: Int
    let units: Int128
    let revenueCents: Int128
    let cancelled: Int
    let months: [MonthOfSales]
    let topCustomers: [TopCustomer]

    struct MonthOfSales: Encodable {
        let month: String
        let orders: Int
        let revenueCents: Int128

        enum CodingKeys: String, CodingKey {
            case month, orders
            case revenueCents = "revenue_cents"
        }
    }

    struct TopCustomer: Encodable {
        let customerID: CustomerID
        let orders: Int
        let revenueCents: Int128

        enum CodingKeys: String, CodingKey {
            case orders
            case customerID = "customer_id"
            case revenueCents = "revenue_cents"
        }
    }

    init(_ figures: SalesReport.Figures) {
        customers = figures.customers
        orders = figures.total.orders
        units = figures.total.units
        revenueCents = figures.total.revenueCents
        cancelled = figures.cancelled
        months = figures.months.map { part in
            MonthOfSales(
                month: "\(part.id)", orders: part.sales.orders,
                revenueCents: part.sales.revenueCents)
        }
        topCustomers = figures.top.map { part in
            TopCustomer(
                customerID: part.id, orders: part.sales.orders,
                revenueCents: part.sales.revenueCents)
        }
    }

    enum CodingKeys: String, CodingKey {
        case customers, orders, units, cancelled, months
        case revenueCents = "revenue_cents"
        case topCustomers = "top_customers"
    }
}

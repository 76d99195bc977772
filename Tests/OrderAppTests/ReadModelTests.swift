import Wellspring
import WellspringTestKit
import XCTest

@testable import OrderApp

final class ReadModelTests: XCTestCase {
    private let shop = Shop.inMemory()

    func test_an_empty_shop_has_sold_nothing() async throws {
        let figures = try await shop.ask(SalesReport())
        XCTAssertEqual(figures.total, Sales())
        XCTAssertEqual(figures.customers, 0)
        XCTAssertTrue(figures.months.isEmpty)
        XCTAssertTrue(figures.top.isEmpty)
    }

    func test_sales_are_summed_by_the_month_of_the_order_and_by_customer() async throws {
        try await shop.place("o-1", .of("ada", "2026-03-31", quantity: 2, cents: 100))
        try await shop.place("o-2", .of("grace", "2026-02-01", quantity: 3, cents: 50))
        try await shop.place("o-3", .of("ada", "2026-03-01", quantity: 1, cents: 7))
        let figures = try await shop.ask(SalesReport())
        XCTAssertEqual(figures.total, Sales(orders: 3, units: 6, revenueCents: 157))
        XCTAssertEqual(figures.months.map { "\($0.id)" }, ["2026-02", "2026-03"])
        XCTAssertEqual(figures.months.last?.sales, Sales(orders: 2, units: 3, revenueCents: 107))
        XCTAssertEqual(figures.top.map(\.id.text), ["ada", "grace"])
    }

    func test_cancelled_orders_are_counted_apart_and_in_no_total() async throws {
        try await shop.place("o-1", .of("ada", "2026-03-31", quantity: 2, cents: 100))
        try await shop.place("o-2", .of("grace", "2026-02-01", quantity: 3, cents: 50))
        try await shop.cancel("o-2")
        let figures = try await shop.ask(SalesReport())
        XCTAssertEqual(figures.total, Sales(orders: 1, units: 2, revenueCents: 100))
        XCTAssertEqual(figures.cancelled, 1)
        XCTAssertEqual(figures.customers, 1)
        XCTAssertEqual(figures.months.map { "\($0.id)" }, ["2026-03"])
        XCTAssertEqual(figures.top.map(\.id.text), ["ada"])
    }

    func test_the_best_customers_are_ten_by_revenue_and_by_id_where_that_is_equal() async throws {
        for number in (1...14).shuffled() {
            let customer = "c-\(String(repeating: "x", count: number % 3))\(number)"
            try await shop.place(
                Order.ID("o-\(number)"), .of(customer, cents: number <= 7 ? 500 : Int64(number)))
        }
        let figures = try await shop.ask(SalesReport())
        XCTAssertEqual(
            figures.top.map(\.id.text),
            ["c-3", "c-6", "c-x1", "c-x4", "c-x7", "c-xx2", "c-xx5", "c-xx14", "c-x13", "c-12"])
    }

    func test_totals_beyond_64_bits_are_exact() async throws {
        for number in 1...3 {
            try await shop.place(
                Order.ID("o-\(number)"), .of("ada", quantity: .max, cents: .max))
        }
        let figures = try await shop.ask(SalesReport())
        XCTAssertEqual(figures.total.revenueCents, Int128(Int64.max) * 3)
        XCTAssertEqual(figures.total.units, Int128(Int64.max) * 3)
        let again = try await shop.ask(SalesReport())
        XCTAssertEqual(again.total, figures.total, "also after they were saved and loaded")
        let history = try await shop.ask(HistoryOf(customer: CustomerID("ada")))
        XCTAssertEqual(history?.revenueCents, Int128(Int64.max) * 3)
    }

    func test_an_order_shows_its_terms_and_its_history() async throws {
        try await shop.place("o-1", .of("ada", quantity: 2, cents: 100))
        try await shop.pay("o-1")
        try await shop.cancel("o-1")
        let order = try await shop.ask(OrderByID(id: "o-1"))
        XCTAssertEqual(order?.terms, .of("ada", quantity: 2, cents: 100))
        XCTAssertEqual(order?.history.map(\.status), [.placed, .paid, .cancelled])
        XCTAssertEqual(order?.history.map(\.date), [.march2, .march3, .march3])
        XCTAssertEqual(order?.cancellation, "test")
        let unknown = try await shop.ask(OrderByID(id: "o-2"))
        XCTAssertNil(unknown)
    }

    func test_a_customer_shows_orders_in_the_order_they_came_with_what_became_of_them()
        async throws
    {
        try await shop.place("o-1", .of("ada", "2026-03-02", cents: 100))
        try await shop.place("o-2", .of("grace", cents: 1))
        try await shop.place("o-3", .of("ada", "2026-01-01", cents: 10))
        try await shop.pay("o-3")
        try await shop.cancel("o-1")
        let ada = try await shop.ask(HistoryOf(customer: CustomerID("ada")))
        XCTAssertEqual(ada?.orders.map(\.order), ["o-1", "o-3"])
        XCTAssertEqual(ada?.orders.map(\.status), [.cancelled, .paid])
        XCTAssertEqual(ada?.revenueCents, 10)
        let nobody = try await shop.ask(HistoryOf(customer: CustomerID("nobody")))
        XCTAssertNil(nobody)
    }

    func test_orders_are_listed_by_status() async throws {
        for id in ["o-1", "o-2", "o-3"] as [Order.ID] {
            try await shop.place(id, .of("ada", cents: 1))
        }
        try await shop.pay("o-2")
        let all = try await shop.ask(Orders())
        XCTAssertEqual(all.map(\.status), [.placed, .paid, .placed])
        let placed = try await shop.ask(Orders(status: .placed))
        XCTAssertEqual(placed.map(\.id), ["o-1", "o-3"])
    }

    func test_a_model_continues_from_what_was_saved() async throws {
        try await shop.place("o-1", .of("ada", cents: 1))
        _ = try await shop.ask(SalesReport())
        let saved = try await shop.checkpoints.load(SalesByMonth.name)
        XCTAssertEqual(saved?.position, LogPosition(1))
        try await shop.cancel("o-1")
        let figures = try await shop.ask(SalesReport())
        XCTAssertEqual(figures.cancelled, 1)
    }

    func test_saved_models_are_identical_with_their_replay_at_every_step() async throws {
        let steps: [@Sendable (Shop) async throws -> Void] = [
            { try await $0.place("o-1", .of("ada", cents: 1)) },
            { try await $0.place("o-2", .of("caf\u{E9}", "1999-01-01", cents: 2)) },
            { try await $0.place("o-3", .of("cafe\u{301}", cents: 3)) },
            { try await $0.cancel("o-1") },
            { try await $0.pay("o-2") },
            { try await $0.ship("o-2") },
            { try await $0.place("o-4", .of("ada", cents: 4)) },
        ]
        for step in steps {
            try await step(shop)
            let models = try await shop.compareModels()
            XCTAssertEqual(models.map(\.identical), [true, true, true, true])
        }
    }

    func test_a_stored_model_that_is_of_no_use_is_not_called_identical() async throws {
        try await shop.place("o-1", .of("ada", cents: 5))
        try await shop.keepingModelsCurrent {}
        guard var saved = try await shop.checkpoints.load(SalesByMonth.name) else {
            return XCTFail("nothing saved")
        }
        saved.state = EventPayload(utf8: "{")
        try await shop.checkpoints.save(saved)

        let models = try await shop.compareModels()
        XCTAssertEqual(models.filter { !$0.identical }.map(\.name), ["sales-by-month"])
        XCTAssertEqual(models.last?.difference?.stored.contains("of no use"), true)
        XCTAssertEqual(models.last?.difference?.replayed.contains("ada"), true)
        let again = try await shop.compareModels()
        XCTAssertTrue(again.allSatisfy(\.identical))
    }

    func test_a_stored_model_that_differs_is_named_shown_and_replaced() async throws {
        try await shop.place("o-1", .of("ada", cents: 5))
        try await shop.keepingModelsCurrent {}
        guard var saved = try await shop.checkpoints.load(OrderList.name) else {
            return XCTFail("nothing saved")
        }
        let text = String(decoding: Array(saved.state), as: UTF8.self)
        saved.state = EventPayload(Array(text.replacing("placed", with: "shipped").utf8))
        try await shop.checkpoints.save(saved)

        let models = try await shop.compareModels()
        XCTAssertEqual(models.filter { !$0.identical }.map(\.name), ["order-list"])
        XCTAssertEqual(models.first?.difference?.stored.contains("shipped"), true)
        XCTAssertEqual(models.first?.difference?.replayed.contains("placed"), true)
        let again = try await shop.compareModels()
        XCTAssertTrue(again.allSatisfy(\.identical))
    }
}

import ExampleSupport
import Wellspring
import XCTest

@testable import OrderApp

final class ImportTests: XCTestCase {
    private let shop = Shop.inMemory()

    func test_each_line_becomes_an_order_placed_on_its_day() async throws {
        let outcome = try await importing("o-1,ada,2026-03-02,2,7900", "o-2,grace,1999-12-31,1,0")
        XCTAssertEqual(outcome.summary, summary(imported: 2))
        let event = try await shop.store.lastEvent(of: Order.ID("o-2").stream)
        XCTAssertEqual(event?.occurredAt, CalendarDate.known("1999-12-31").startOfDay)
        let order = try await shop.store.load(Order.self, "o-2")
        XCTAssertEqual(order.state.terms, .of("grace", "1999-12-31", cents: 0))
    }

    func test_quoted_fields_are_read() async throws {
        _ = try await importing("\"o,\"\"1\"\"\n\",\"a da\",\"2026-03-02\",\"1\",\"5\"")
        let order = try await shop.store.load(Order.self, "o,\"1\"\n")
        XCTAssertEqual(order.state.terms, .of("a da", cents: 5))
    }

    func test_importing_again_adds_only_what_is_missing() async throws {
        _ = try await importing("o-1,ada,2026-03-02,2,7900")
        let again = try await importing("o-1,ada,2026-03-02,2,7900", "o-2,ada,2026-03-02,1,5")
        XCTAssertEqual(again.summary, summary(imported: 1, alreadyThere: 1))
        XCTAssertEqual(again.invalid, [])
        let end = try await shop.end
        XCTAssertEqual(end, LogPosition(2))
    }

    func test_an_order_that_went_on_since_is_already_there() async throws {
        _ = try await importing("o-1,ada,2026-03-02,2,7900", "o-2,ada,2026-03-02,1,5")
        try await shop.pay("o-1")
        try await shop.ship("o-1")
        try await shop.cancel("o-2")
        let again = try await importing("o-1,ada,2026-03-02,2,7900", "o-2,ada,2026-03-02,1,5")
        XCTAssertEqual(again.summary, summary(alreadyThere: 2))
    }

    func test_the_same_line_twice_in_a_file_is_one_order() async throws {
        let outcome = try await importing("o-1,ada,2026-03-02,2,79", "o-1,ada,2026-03-02,2,79")
        XCTAssertEqual(outcome.summary, summary(imported: 1, alreadyThere: 1))
    }

    func test_the_same_id_with_other_content_in_a_file_is_reported_with_both() async throws {
        let outcome = try await importing(
            "o-1,ada,2026-03-02,2,79", "o-1,ada,2026-03-02,3,79", skippingInvalid: true)
        let fault = LineFault.differs(
            id: "o-1", known: .of("ada", quantity: 2, cents: 79),
            here: .of("ada", quantity: 3, cents: 79))
        XCTAssertEqual(outcome.invalid, [InvalidLine(number: 3, fault: fault)])
        XCTAssertEqual(outcome.summary, summary(imported: 1, invalid: 1))
        XCTAssertEqual(
            "\(fault)",
            """
            order 'o-1' exists with other content
              known: customer ada, 2026-03-02, quantity 2, amount 0.79
              here:  customer ada, 2026-03-02, quantity 3, amount 0.79
            """)
    }

    func test_the_same_id_with_other_content_in_the_store_is_reported_with_both() async throws {
        try await shop.place("o-1", .of("grace", cents: 1))
        let outcome = try await importing("o-1,ada,2026-03-02,1,1", skippingInvalid: true)
        let fault = LineFault.differs(
            id: "o-1", known: .of("grace", cents: 1), here: .of("ada", cents: 1))
        XCTAssertEqual(outcome.invalid, [InvalidLine(number: 2, fault: fault)])
    }

    func test_ids_that_only_look_alike_are_two_orders() async throws {
        let outcome = try await importing(
            "caf\u{E9},ada,2026-03-02,1,1", "cafe\u{301},ada,2026-03-02,1,2")
        XCTAssertEqual(outcome.summary, summary(imported: 2))
    }

    func test_the_import_stops_at_the_first_invalid_line_with_all_before_it_and_nothing_after()
        async throws
    {
        // Far more lines than commands in flight, in one batch: nothing may slip past the bad one.
        let good = (1...900).map { "o-\($0),ada,2026-03-02,1,1" }
        for bad in ["x", "o-5,ada,2026-03-02,1,2", "n,ada,2026-03-02,0,1", "\"n\",\"ad\"a,,,"] {
            let shop = Shop.inMemory()
            let outcome = try await importing(
                good[..<700] + [bad] + good[700...], into: shop)
            XCTAssertEqual(outcome.summary, summary(imported: 700, invalid: 1), bad)
            XCTAssertEqual(outcome.invalid.map(\.number), [702], bad)
            let end = try await shop.end
            XCTAssertEqual(end, LogPosition(700), bad)
        }
    }

    func test_skipping_counts_every_invalid_line_and_imports_the_others() async throws {
        let outcome = try await importing(
            "o-1,ada,2026-03-02,1,1", "o-2,ada,2026-02-30,1,1", "o-3,ada,2026-03-02,-1,1",
            "o-4,ada", "\"o-5", "o-6,ada,2026-03-02,1,-1", "o-7,ada,2026-03-02,1,1",
            skippingInvalid: true)
        XCTAssertEqual(outcome.summary, summary(imported: 2, invalid: 5))
        XCTAssertEqual(
            outcome.invalid,
            [
                InvalidLine(number: 3, fault: .row(.notADate("2026-02-30"))),
                InvalidLine(number: 4, fault: .rejected(.quantityNotPositive(-1))),
                InvalidLine(number: 5, fault: .row(.fieldCount(2))),
                InvalidLine(number: 6, fault: .csv(.unclosedQuote)),
                InvalidLine(number: 7, fault: .rejected(.amountNegative(cents: -1))),
            ])
    }

    func test_a_file_of_many_batches_is_imported_whole() async throws {
        let lines = (1...2_500).map { "o-\($0),c-\($0 % 7),2026-03-02,1,\($0)" }
        let outcome = try await importing(lines)
        XCTAssertEqual(outcome.summary, summary(imported: 2_500))
        let figures = try await shop.ask(SalesReport())
        XCTAssertEqual(figures.total, Sales(orders: 2_500, units: 2_500, revenueCents: 3_126_250))
    }

    func test_a_file_with_another_header_is_refused() {
        for header in ["", "order_id,customer_id,date,quantity", "o-1,ada,2026-03-02,1,1"] {
            XCTAssertThrowsError(try OrderFile(CSVReader(bytes: Array(header.utf8))))
        }
    }

    // MARK: -

    private struct Outcome {
        let summary: OrderImport.Summary
        let invalid: [InvalidLine]
    }

    private func importing(
        _ lines: String..., skippingInvalid: Bool = false
    ) async throws -> Outcome {
        try await importing(lines, into: shop, skippingInvalid: skippingInvalid)
    }

    private func importing(
        _ lines: [String], into shop: Shop? = nil, skippingInvalid: Bool = false
    ) async throws -> Outcome {
        let text = ([OrderRow.header.joined(separator: ",")] + lines).joined(separator: "\n")
        let (invalid, hearing) = AsyncStream<InvalidLine>.makeStream()
        var orderImport = OrderImport(shop: shop ?? self.shop)
        orderImport.skipsInvalid = skippingInvalid
        orderImport.onInvalid = { hearing.yield($0) }
        let summary = try await orderImport.run(OrderFile(CSVReader(bytes: Array(text.utf8))))
        hearing.finish()
        return Outcome(
            summary: summary, invalid: await invalid.reduce(into: []) { $0.append($1) })
    }

    private func summary(
        imported: Int = 0, alreadyThere: Int = 0, invalid: Int = 0
    ) -> OrderImport.Summary {
        OrderImport.Summary(imported: imported, alreadyThere: alreadyThere, invalid: invalid)
    }
}

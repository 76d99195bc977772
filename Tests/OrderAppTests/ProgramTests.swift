import ExampleTestSupport
import Foundation
import Wellspring
import XCTest

/// The program as a user meets it: what it writes where, and how it ends.
final class ProgramTests: XCTestCase {
    private let program = BuiltProgram("OrderApp")
    private var directory: TemporaryDirectory?

    override func setUpWithError() throws { directory = try TemporaryDirectory() }
    override func tearDown() { directory?.remove() }

    // MARK: - Import and report

    func test_a_file_is_imported_and_reported() throws {
        let orders = OrderGenerator(count: 200, seed: 1)
        let imported = try run("import", try csv(orders.csv), "--store", try store())
        XCTAssertEqual(imported.status, 0, imported.errors)
        XCTAssertEqual(imported.output, "200 imported, 0 already there, 0 invalid\n")
        XCTAssertEqual(imported.errors, "", "progress is for terminals")
        let report = try run("report", "--store", try store(), "--json")
        XCTAssertEqual(try report.json() as NSDictionary, orders.report as NSDictionary)
        XCTAssertEqual(report.errors, "")
    }

    func test_a_report_for_people_has_a_table_and_a_chart() throws {
        try imports("o-1,ada,2026-01-05,2,10050", "o-2,grace,2026-02-05,1,5025")
        let report = try run("report", "--store", try store())
        XCTAssertEqual(
            report.output,
            """
            orders:    2
            customers: 2
            units:     3
            revenue:   150.75
            cancelled: 0

            month    orders  revenue
            -------  ------  -------
            2026-01       1   100.50
            2026-02       1    50.25

            2026-01  ████████████████████████████████████████  100.50
            2026-02  ████████████████████                      50.25

            customer  orders  revenue
            --------  ------  -------
            ada            1   100.50
            grace          1    50.25

            """)
    }

    func test_an_invalid_line_stops_the_import_and_is_named_with_its_number() throws {
        let outcome = try run(
            "import", try csv(lines("o-1,ada,2026-01-05,2,5", "o-2,ada,2026-01-32,1,5")),
            "--store", try store())
        XCTAssertEqual(outcome.status, 1)
        XCTAssertEqual(outcome.output, "")
        XCTAssertTrue(outcome.errors.contains("line 3: '2026-01-32' is not a date"), outcome.errors)
        XCTAssertTrue(outcome.errors.contains("1 imported"), outcome.errors)
        XCTAssertEqual(try report()["orders"] as? Int, 1)
    }

    func test_skipped_lines_are_reported_and_counted_and_the_import_succeeds() throws {
        let outcome = try run(
            "import",
            try csv(lines("o-1,ada,2026-01-05,2,5", "what?", "o-1,ada,2026-01-05,3,5")),
            "--store", try store(), "--skip-invalid", "--json")
        XCTAssertEqual(outcome.status, 0)
        XCTAssertEqual(
            try outcome.json() as NSDictionary,
            ["lines": 3, "imported": 1, "already_there": 0, "invalid": 2])
        XCTAssertTrue(outcome.errors.contains("line 3: there should be 5 fields"), outcome.errors)
        XCTAssertTrue(outcome.errors.contains("line 4: order 'o-1' exists"), outcome.errors)
        XCTAssertTrue(outcome.errors.contains("quantity 2"), outcome.errors)
        XCTAssertTrue(outcome.errors.contains("quantity 3"), outcome.errors)
    }

    func test_an_empty_store_is_reported() throws {
        try imports()
        XCTAssertEqual(
            try report() as NSDictionary,
            [
                "customers": 0, "orders": 0, "units": 0, "revenue_cents": 0, "cancelled": 0,
                "months": [] as [Any], "top_customers": [] as [Any],
            ])
        let rebuild = try run("rebuild", "--store", try store())
        XCTAssertTrue(rebuild.output.hasSuffix("identical: true\n"), rebuild.output)
    }

    func test_a_damaged_read_model_is_replayed_and_the_report_is_right_all_the_same() throws {
        try imports("o-1,ada,2026-01-05,2,500", "o-2,ada,2026-01-06,1,70")
        let views = URL(fileURLWithPath: try store()).appendingPathComponent("views")
        for name in try FileManager.default.contentsOfDirectory(atPath: views.path) {
            try Data("not what was saved".utf8).write(to: views.appendingPathComponent(name))
        }
        let report = try run("report", "--store", try store(), "--json")
        XCTAssertEqual(try report.json()["revenue_cents"] as? Int, 570)
        XCTAssertTrue(report.errors.contains("saved state of sales-by-month"), report.errors)
        XCTAssertEqual(try run("report", "--store", try store()).errors, "", "it was saved anew")
    }

    func test_totals_beyond_64_bits_are_written_in_full() throws {
        try imports(
            "o-1,ada,2026-01-05,1,9223372036854775807", "o-2,ada,2026-01-05,1,9223372036854775807")
        let report = try run("report", "--store", try store(), "--json")
        XCTAssertTrue(
            report.output.contains("\"revenue_cents\" : 18446744073709551614"), report.output)
    }

    // MARK: - One order

    func test_an_order_goes_its_way_and_the_rules_hold() throws {
        let placed = try run(
            "place", "o-1", "--customer", "ada", "--quantity", "2", "--amount-cents=7900",
            "--date", "2026-03-02", "--store", try store())
        XCTAssertEqual(
            placed.output,
            "o-1 is placed (customer ada, 2026-03-02, quantity 2, amount 79.00)\n")
        let early = try run("ship", "o-1", "--store", try store())
        XCTAssertEqual(early.status, 1)
        XCTAssertEqual(
            early.errors,
            "OrderApp: order 'o-1': the order is not paid yet, and is shipped only then\n")
        for step in ["pay", "ship"] {
            XCTAssertEqual(
                try run(step, "o-1", "--date=2026-03-03", "--store", try store()).status, 0)
        }
        let late = try run("cancel", "o-1", "--reason", "why not", "--store", try store())
        XCTAssertEqual(late.status, 1)

        let order = try run("order", "o-1", "--store", try store(), "--json")
        XCTAssertEqual(
            try order.json() as NSDictionary,
            [
                "order_id": "o-1", "customer_id": "ada", "date": "2026-03-02", "quantity": 2,
                "amount_cents": 7900, "status": "shipped",
                "history": [
                    ["status": "placed", "date": "2026-03-02"],
                    ["status": "paid", "date": "2026-03-03"],
                    ["status": "shipped", "date": "2026-03-03"],
                ],
            ])
    }

    func test_a_customer_is_shown_with_the_cancelled_orders_in_no_total() throws {
        try imports("o-1,ada,2026-01-05,2,500", "o-2,ada,2026-01-06,1,70")
        XCTAssertEqual(
            try run("cancel", "o-1", "--reason=too big", "--store", try store()).status, 0)
        let customer = try run("customer", "ada", "--store", try store(), "--json").json()
        XCTAssertEqual(customer["orders"] as? Int, 1)
        XCTAssertEqual(customer["cancelled"] as? Int, 1)
        XCTAssertEqual(customer["revenue_cents"] as? Int, 70)
        let order = try run("order", "o-1", "--store", try store())
        XCTAssertTrue(order.output.contains("cancelled: too big"), order.output)
        XCTAssertEqual(try report()["cancelled"] as? Int, 1)
        XCTAssertEqual(try report()["revenue_cents"] as? Int, 70)
    }

    func test_strange_ids_are_kept_and_do_no_harm() throws {
        let id = "--store/../x \u{1B}[31m\u{301}"
        let placed = try run(
            "place", "--customer=\u{202E}c", "--quantity=1", "--amount-cents=1",
            "--date=2026-03-02", "--store=\(try store())", "--", id)
        XCTAssertEqual(placed.status, 0, placed.errors)
        XCTAssertFalse(placed.output.contains("\u{1B}"), placed.output)
        let order = try run("order", "--store", try store(), "--json", "--", id)
        XCTAssertEqual(try order.json()["order_id"] as? String, id)
    }

    func test_orders_are_listed() throws {
        try imports("o-1,ada,2026-01-05,2,500", "o-2,ada,2026-01-06,1,70")
        XCTAssertEqual(try run("pay", "o-2", "--store", try store()).status, 0)
        let list = try run("list", "--status=paid", "--store", try store(), "--json").json()
        let orders = list["orders"] as? [[String: Any]]
        XCTAssertEqual(orders?.map { $0["order_id"] as? String }, ["o-2"])
        XCTAssertEqual(try run("list", "--status=lost", "--store", try store()).status, 2)
    }

    // MARK: - What goes wrong

    func test_a_directory_that_is_no_store_is_an_error_and_stays_as_it_is() throws {
        for subcommand in [
            ["report"], ["rebuild"], ["list"], ["order", "o"], ["customer", "c"], ["pay", "o"],
            ["ship", "o"], ["cancel", "o"],
        ] {
            let outcome = try program.run(subcommand + ["--store", try store()])
            XCTAssertEqual(outcome.status, 1, "\(subcommand)")
            XCTAssertEqual(outcome.output, "", "\(subcommand)")
            XCTAssertTrue(
                outcome.errors.hasPrefix("OrderApp: There is no event store"), outcome.errors)
            XCTAssertFalse(FileManager.default.fileExists(atPath: try store()), "\(subcommand)")
        }
    }

    func test_an_order_that_no_shop_would_take_founds_no_store() throws {
        let placed = try run(
            "place", "o-1", "--customer", "ada", "--quantity", "0", "--amount-cents=5",
            "--store", try store())
        XCTAssertEqual(placed.status, 1)
        XCTAssertEqual(
            placed.errors, "OrderApp: order 'o-1': the quantity must be at least 1, not 0\n")
        XCTAssertFalse(FileManager.default.fileExists(atPath: try store()))
    }

    func test_a_file_that_cannot_be_imported_founds_no_store() throws {
        let missing = try run("import", "/no/such.csv", "--store", try store())
        XCTAssertEqual(missing.status, 1)
        XCTAssertEqual(
            missing.errors, "OrderApp: cannot read /no/such.csv: No such file or directory\n")
        let other = try run("import", try csv("name,age\nada,36\n"), "--store", try store())
        XCTAssertEqual(other.status, 1)
        XCTAssertTrue(other.errors.contains("the first line must be order_id,"), other.errors)
        XCTAssertFalse(FileManager.default.fileExists(atPath: try store()))
    }

    func test_orders_and_customers_that_are_not_there_are_errors() throws {
        try imports("o-1,ada,2026-01-05,2,5")
        for words in [["order", "o-2"], ["customer", "grace"], ["pay", "o-2"]] {
            let outcome = try program.run(words + ["--store", try store()])
            XCTAssertEqual(outcome.status, 1)
            XCTAssertTrue(outcome.errors.contains("there is no"), outcome.errors)
        }
    }

    func test_a_store_in_use_is_an_error_that_says_so() async throws {
        let path = try store()
        let held = try await FileEventStore(at: path)
        let outcome = try run("report", "--store", path, "--json")
        XCTAssertEqual(outcome.status, 1)
        XCTAssertEqual(outcome.output, "")
        XCTAssertTrue(outcome.errors.contains("open for writing elsewhere"), outcome.errors)
        await held.close()
        XCTAssertEqual(try run("report", "--store", path).status, 0)
    }

    func test_a_command_line_that_makes_no_sense_ends_with_status_2() throws {
        for words in [
            ["sell"], ["--json"], ["report"], ["report", "--store"], ["report", "x", "--store=y"],
            ["import", "--store=y"], ["order", "--store=y"], ["order", "", "--store=y"],
            ["place", "o", "--store=y", "--customer=c", "--quantity=x", "--amount-cents=1"],
            ["place", "o", "--store=y", "--customer=", "--quantity=1", "--amount-cents=1"],
            ["pay", "o", "--store=y", "--date=2026-02-30"], ["rebuild", "--store=y", "--force"],
        ] {
            let outcome = try program.run(words)
            XCTAssertEqual(outcome.status, 2, "\(words)")
            XCTAssertEqual(outcome.output, "", "\(words)")
            XCTAssertTrue(outcome.errors.contains("See 'OrderApp --help'."), outcome.errors)
        }
        XCTAssertFalse(FileManager.default.fileExists(atPath: "y"))
    }

    func test_help_is_an_answer_and_not_an_error() throws {
        for words in [["--help"], ["-h"], ["import", "--help"], ["place", "o", "--help"]] {
            let outcome = try program.run(words)
            XCTAssertEqual(outcome.status, 0)
            XCTAssertTrue(outcome.output.contains("USAGE"), outcome.output)
            XCTAssertEqual(outcome.errors, "")
        }
    }

    // MARK: - Demonstration

    func test_without_a_subcommand_the_demonstration_tells_its_story() throws {
        let outcome = try program.run()
        XCTAssertEqual(outcome.status, 0, outcome.errors)
        for sentence in [
            "Shipping the hats is refused: the order is not paid yet",
            "hats: placed, paid, shipped", "hats: shipped, after 3 events",
            "sales-by-month: identical",
        ] {
            XCTAssertTrue(outcome.output.contains(sentence), outcome.output)
        }
        XCTAssertFalse(outcome.output.contains("differs"), outcome.output)
    }

    // MARK: -

    private func run(_ arguments: String...) throws -> Outcome { try program.run(arguments) }

    private func store() throws -> String { try XCTUnwrap(directory).path("store") }

    private func csv(_ text: String) throws -> String {
        try XCTUnwrap(directory).write(text, to: "orders.csv")
    }

    private func lines(_ lines: String...) -> String { text(lines) }

    private func text(_ lines: [String]) -> String {
        "order_id,customer_id,date,quantity,amount_cents\n" + lines.joined(separator: "\n")
    }

    private func imports(_ lines: String..., line: UInt = #line) throws {
        let outcome = try run("import", try csv(text(lines)), "--store", try store())
        XCTAssertEqual(outcome.status, 0, outcome.errors, line: line)
    }

    private func report() throws -> [String: Any] {
        try run("report", "--store", try store(), "--json").json()
    }
}

import ExampleSupport
import Wellspring
import XCTest

@testable import ProductApp

final class ImportPlanTests: XCTestCase {
    private let header = "sku,name,category,brand,price_cents,stock\n"

    private func plan(_ lines: String...) throws -> ImportPlan {
        let text = header + lines.map { $0 + "\n" }.joined()
        return try ImportPlan(reading: CSVReader(bytes: Array(text.utf8)))
    }

    /// What is wrong with the only line of a file.
    private func reason(_ line: String) throws -> String? {
        let plan = try plan(line)
        XCTAssertEqual(plan.lines.count + plan.invalid.count, 1)
        XCTAssertEqual(plan.invalid.first?.number ?? 2, 2)
        return plan.invalid.first?.reason
    }

    func test_a_line_becomes_a_listing() throws {
        let plan = try plan("L-1,\"Lamp, green\",lighting,acme,1234,5")
        XCTAssertEqual(plan.lines.map(\.sku), ["L-1"])
        XCTAssertEqual(plan.lines.map(\.number), [2])
        XCTAssertEqual(plan.lines.map(\.listing), [.sample("Lamp, green")])
        XCTAssertEqual(plan.invalid, [])
    }

    func test_a_file_without_the_columns_is_refused() {
        for text in ["", "L-1,Lamp,lighting,acme,1234,5\n", "sku,name\n"] {
            XCTAssertThrowsError(try ImportPlan(reading: CSVReader(bytes: Array(text.utf8)))) {
                XCTAssertEqual(
                    "\($0)",
                    "The first line of the file must be "
                        + "sku,name,category,brand,price_cents,stock.")
            }
        }
    }

    func test_a_missing_file_is_named() {
        XCTAssertThrowsError(
            try ImportPlan(reading: CSVReader(path: "/nowhere/products.csv"))
        ) { XCTAssertTrue("\($0)".contains("/nowhere/products.csv"), "\($0)") }
    }

    func test_a_line_with_too_few_or_too_many_fields_is_invalid() throws {
        XCTAssertEqual(try reason("L-1,Lamp,lighting,acme,1234"), "5 fields instead of 6")
        XCTAssertEqual(try reason("L-1,Lamp,lighting,acme,12,34,5"), "7 fields instead of 6")
    }

    func test_a_number_that_is_none_is_invalid() throws {
        XCTAssertEqual(
            try reason("L-1,Lamp,lighting,acme,12.34,5"),
            "the price_cents must be a whole number, not '12.34'")
        XCTAssertEqual(
            try reason("L-1,Lamp,lighting,acme,1234,9223372036854775808"),
            "the stock must be a whole number, not '9223372036854775808'")
        XCTAssertEqual(
            try reason("L-1,Lamp,lighting,acme,1234,+5"),
            "the stock must be a whole number, not '+5'")
    }

    func test_what_the_rules_refuse_is_invalid_before_anything_is_written() throws {
        XCTAssertEqual(
            try reason("L-1,Lamp,lighting,acme,-1,5"), "a price cannot be negative: -0.01 EUR")
        XCTAssertEqual(
            try reason("L-1,Lamp,lighting,acme,1234,-1"),
            "a stock is between 0 and 1000000000 units, not -1")
        XCTAssertEqual(try reason("L-1,,lighting,acme,1234,5"), "the name is missing")
        XCTAssertNil(try reason("L-1,Lamp,lighting,acme,0,0"))
    }

    func test_a_key_is_there_and_short_and_printable() throws {
        let longest = String(repeating: "é", count: 100)
        XCTAssertNil(try reason("\(longest),Lamp,lighting,acme,1234,5"))
        XCTAssertEqual(
            try reason("\(longest)x,Lamp,lighting,acme,1234,5"),
            "the sku is longer than 200 bytes")
        XCTAssertEqual(try reason(",Lamp,lighting,acme,1234,5"), "the sku is missing")
        XCTAssertEqual(try reason("L-1,Lamp,,acme,1234,5"), "the category is missing")
        XCTAssertEqual(
            try reason("L-1,Lamp,lighting,ac\u{0}me,1234,5"),
            "the brand holds a character that cannot be printed")
    }

    func test_a_malformed_line_costs_only_itself() throws {
        let plan = try plan("L-1,\"Lamp,lighting,acme,1234,5", "L-2,Torch,lighting,acme,1,1")
        XCTAssertEqual(plan.invalid.map(\.number), [2])
        XCTAssertEqual(plan.lines.map(\.sku), ["L-2"])
    }

    func test_a_line_said_twice_counts_once() throws {
        let line = "L-1,Lamp,lighting,acme,1234,5"
        let plan = try plan(line, line, line)
        XCTAssertEqual(plan.lines.count, 1)
        XCTAssertEqual(plan.alreadyThere, 2)
        XCTAssertEqual(plan.invalid, [])
    }

    func test_a_sku_with_other_content_is_invalid_and_both_are_named() throws {
        let plan = try plan("L-1,Lamp,lighting,acme,1234,5", "L-1,Lamp,lighting,acme,1300,6")
        XCTAssertEqual(plan.lines.map(\.number), [2])
        XCTAssertEqual(
            plan.invalid.map(\.description),
            [
                "line 3: L-1 is on line 2 too, with price 12.34 EUR, not 13.00 EUR; "
                    + "stock 5, not 6"
            ])
    }
}

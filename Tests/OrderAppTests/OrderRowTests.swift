import Wellspring
import XCTest

@testable import OrderApp

final class OrderRowTests: XCTestCase {
    func test_a_row_is_an_order() throws {
        let row = try OrderRow(fields: ["o-1", "ada", "2026-03-02", "2", "7900"])
        XCTAssertEqual(row.id, "o-1")
        XCTAssertEqual(row.terms, .of("ada", quantity: 2, cents: 7_900))
    }

    func test_ids_may_hold_anything_but_nothing_at_all_and_zero_bytes() throws {
        for id in [" ", "a/b", "../..", "a,\"b\"\n", "東京 👩🏽", String(repeating: "x", count: 512)] {
            XCTAssertEqual(
                try OrderRow(fields: [id, id, "2026-03-02", "1", "0"]).id.rawValue, id)
        }
        let faults: [(String, RowFault)] = [
            ("", .emptyIdentifier(field: "order_id")),
            ("a\0", .zeroByte(field: "order_id")),
            (String(repeating: "x", count: 513), .longIdentifier(field: "order_id")),
        ]
        for (id, fault) in faults {
            check([id, "ada", "2026-03-02", "1", "0"], fault)
        }
        check(["o", "", "2026-03-02", "1", "0"], .emptyIdentifier(field: "customer_id"))
    }

    func test_numbers_are_digits_and_at_most_a_minus_sign() throws {
        for (text, number) in [
            ("0", 0), ("-5", -5), ("007", 7), ("9223372036854775807", Int64.max),
        ] {
            let row = try OrderRow(fields: ["o", "c", "2026-03-02", text, text])
            XCTAssertEqual(row.terms.quantity, number)
            XCTAssertEqual(row.terms.amountCents, number)
        }
        for text in ["", "-", "+5", " 5", "5 ", "1e3", "1.5", "0x10", "1_000", "٥", "five"] {
            check(["o", "c", "2026-03-02", text, "0"], .notANumber(field: "quantity", text))
            check(["o", "c", "2026-03-02", "1", text], .notANumber(field: "amount_cents", text))
        }
    }

    func test_an_amount_that_overflows_is_a_fault_of_the_row() {
        for text in ["9223372036854775808", "-9223372036854775809", "99999999999999999999999"] {
            check(
                ["o", "c", "2026-03-02", "1", text], .numberTooLarge(field: "amount_cents", text))
        }
    }

    func test_a_date_that_the_calendar_does_not_have_is_a_fault() {
        check(["o", "c", "2026-02-29", "1", "1"], .notADate("2026-02-29"))
    }

    func test_a_row_has_five_fields() {
        check(["o", "c", "2026-03-02", "1"], .fieldCount(4))
        check(["o", "c", "2026-03-02", "1", "1", ""], .fieldCount(6))
    }

    private func check(_ fields: [String], _ fault: RowFault, line: UInt = #line) {
        XCTAssertThrowsError(try OrderRow(fields: fields), line: line) { error in
            XCTAssertEqual(error as? RowFault, fault, line: line)
        }
    }
}

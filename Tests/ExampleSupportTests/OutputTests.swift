import ExampleSupport
import XCTest

final class OutputTests: XCTestCase {
    func test_money_has_two_digits_of_cents_and_grouped_thousands() {
        XCTAssertEqual(0.money, "0.00")
        XCTAssertEqual(5.money, "0.05")
        XCTAssertEqual((-199).money, "-1.99")
        XCTAssertEqual(123_456_789.money, "1,234,567.89")
        XCTAssertEqual(Int64.min.money, "-92,233,720,368,547,758.08")
        XCTAssertEqual((Int128(Int64.max) * 100).money, "9,223,372,036,854,775,807.00")
    }

    func test_control_characters_are_written_out() {
        XCTAssertEqual("a\u{1B}[2J\nb\u{202E}".printable, "a\\u{1b}[2J\\u{a}b\\u{202e}")
        XCTAssertEqual("Zoë 👩🏽 東京".printable, "Zoë 👩🏽 東京")
    }

    func test_a_table_is_as_wide_as_its_widest_cells() {
        var table = TextTable(("id", .left), ("cents", .right), ("note", .left))
        table.add("a", "5", "first")
        table.add("order-1", "12345678")
        XCTAssertEqual(
            table.text,
            """
            id          cents  note
            -------  --------  -----
            a               5  first
            order-1  12345678

            """)
    }

    func test_the_longest_bar_fills_the_width_and_the_others_their_share() {
        var chart = BarChart(width: 4)
        chart.add("2026-01", 200, caption: "2.00")
        chart.add("2026-02", 100, caption: "1.00")
        chart.add("2026-03", 0, caption: "0.00")
        XCTAssertEqual(
            chart.text,
            "2026-01  ████  2.00\n2026-02  ██    1.00\n2026-03        0.00\n")
    }

    func test_a_chart_of_nothing_but_zeros_is_drawn() {
        var chart = BarChart(width: 4)
        XCTAssertEqual(chart.text, "")
        chart.add("a", 0, caption: "0")
        XCTAssertEqual(chart.text, "a        0\n")
    }

    func test_JSON_has_its_keys_in_order_and_keeps_wide_numbers_exact() throws {
        struct Sale: Encodable {
            let revenue: Int128
            let customer: String
        }
        XCTAssertEqual(
            try JSONDocument.compact(Sale(revenue: Int128(Int64.max) * 4, customer: "a/b")),
            #"{"customer":"a/b","revenue":36893488147419103228}"#)
    }
}

import XCTest

@testable import ProductApp

final class MoneyTests: XCTestCase {
    func test_an_amount_is_written_with_two_digits_behind_a_point() {
        XCTAssertEqual("\(Money(cents: 0))", "0.00 EUR")
        XCTAssertEqual("\(Money(cents: 5))", "0.05 EUR")
        XCTAssertEqual("\(Money(cents: 1234))", "12.34 EUR")
        XCTAssertEqual("\(Money(cents: 123_456_700))", "1234567.00 EUR")
    }

    func test_a_negative_amount_keeps_its_sign_before_the_digits() {
        XCTAssertEqual("\(Money(cents: -5))", "-0.05 EUR")
        XCTAssertEqual("\(Money(cents: .min))", "-92233720368547758.08 EUR")
    }
}

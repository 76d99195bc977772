import Wellspring
import XCTest

@testable import WellspringBenchmarks

final class SampleEventTests: XCTestCase {
    func test_the_event_has_200_to_203_bytes_as_json() throws {
        let sizes = try Set((0..<5_000).map { try CartEvent.number($0).encoded().payload.count })
        XCTAssertEqual(sizes, [200, 201, 202, 203])
    }

    func test_there_are_a_thousand_customers() {
        let customers = Set((0..<5_000).map { CartEvent.number($0).customerId })
        XCTAssertEqual(customers.count, 1_000)
    }

    func test_every_form_holds_the_same_event() throws {
        for number in 0..<2_000 {
            let event = CartEvent.number(number)
            let binary = BinaryCartEvent.number(number)
            let listed = ListedCartEvent.number(number)
            let selfCoded = SelfCodedCartEvent.number(number)
            let customers = [binary.customerId, listed.customerId, selfCoded.customerId]
            let cents = [binary.amountCents, listed.amountCents, selfCoded.amountCents]
            XCTAssertEqual(customers, Array(repeating: event.customerId, count: 3))
            XCTAssertEqual(cents, Array(repeating: event.amountCents, count: 3))
        }
    }
}

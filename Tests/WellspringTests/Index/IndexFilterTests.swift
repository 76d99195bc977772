import XCTest

@testable import Wellspring

final class IndexFilterTests: XCTestCase {
    private let secret = (3 as UInt64, 5 as UInt64)

    private func key(_ number: Int) -> UInt64 {
        SipHash.hash(secret, prefix: 1, "order/\(number)".utf8)
    }

    func test_it_lets_few_keys_through_that_are_not_there() {
        var filter = IndexFilter(keyEstimate: 20_000)
        for number in 0..<20_000 { filter.insert(key(number)) }
        let wrong = (20_000..<60_000).count { filter.mayContain(key($0)) }
        XCTAssertLessThan(wrong, 40_000 * 3 / 100)
        XCTAssertGreaterThan(wrong, 0, "a filter of this size cannot be always right")
        XCTAssertLessThan(filter.bytes.count * 8, 20_000 * 11)
    }

    func test_it_lets_every_key_through_that_is_there() {
        for estimate in [-1, 0, 1, 10, 1_000] {
            var filter = IndexFilter(keyEstimate: estimate)
            for number in 0..<500 { filter.insert(key(number)) }
            XCTAssertTrue((0..<500).allSatisfy { filter.mayContain(key($0)) })
        }
    }

    func test_it_is_made_of_whole_lines() {
        XCTAssertNil(IndexFilter([]))
        XCTAssertNil(IndexFilter([UInt8](repeating: 0, count: 65)))
        XCTAssertNotNil(IndexFilter([UInt8](repeating: 0, count: 128)))
    }
}

import Foundation
import Wellspring
import XCTest

final class TimestampTests: XCTestCase {
    func test_it_is_written_in_iso_8601_with_all_digits() {
        XCTAssertEqual(
            "\(Timestamp(nanoseconds: 1_700_000_000_123_456_789))",
            "2023-11-14T22:13:20.123456789Z")
        XCTAssertEqual("\(Timestamp(nanoseconds: 0))", "1970-01-01T00:00:00.000000000Z")
        XCTAssertEqual("\(Timestamp(nanoseconds: -1))", "1969-12-31T23:59:59.999999999Z")
        XCTAssertEqual("\(Timestamp(nanoseconds: .min))", "1677-09-21T00:12:43.145224192Z")
        XCTAssertEqual("\(Timestamp(nanoseconds: .max))", "2262-04-11T23:47:16.854775807Z")
    }

    func test_leap_days_are_written_as_such() {
        XCTAssertEqual(
            Timestamp(seconds: 951_782_400)?.description, "2000-02-29T00:00:00.000000000Z")
        XCTAssertEqual(
            Timestamp(seconds: 4_107_542_400)?.description, "2100-03-01T00:00:00.000000000Z")
    }

    func test_seconds_beyond_its_range_are_refused() {
        XCTAssertNil(Timestamp(seconds: 9_223_372_037))
        XCTAssertNotNil(Timestamp(seconds: 9_223_372_036))
        XCTAssertNil(Timestamp(seconds: .min))
    }

    func test_dates_beyond_its_range_become_the_first_or_the_last() {
        XCTAssertEqual(Timestamp(.distantFuture).nanoseconds, .max)
        XCTAssertEqual(Timestamp(.distantPast).nanoseconds, .min)
        XCTAssertEqual(
            Timestamp(Date(timeIntervalSince1970: -0.5)).nanoseconds, -500_000_000)
    }

    func test_it_is_coded_as_a_number_and_survives_exactly() throws {
        let stamp = Timestamp(nanoseconds: 1_700_000_000_123_456_789)
        let json = try JSONEncoder().encode([stamp])
        XCTAssertEqual(String(decoding: json, as: UTF8.self), "[1700000000123456789]")
        XCTAssertEqual(try JSONDecoder().decode([Timestamp].self, from: json), [stamp])
    }
}

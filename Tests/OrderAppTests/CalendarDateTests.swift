import Wellspring
import XCTest

@testable import OrderApp

final class CalendarDateTests: XCTestCase {
    func test_days_that_exist_are_dates() {
        for text in ["2026-01-01", "2026-12-31", "2024-02-29", "2000-02-29", "2026-04-30"] {
            XCTAssertEqual(CalendarDate(text)?.description, text)
        }
    }

    func test_days_that_do_not_exist_are_none() {
        for text in [
            "2026-02-29", "1900-02-29", "2026-04-31", "2026-00-10", "2026-13-01", "2026-01-00",
            "2026-01-32", "0000-01-01", "1677-12-31", "2262-01-01", "9999-12-31",
        ] {
            XCTAssertNil(CalendarDate(text), text)
        }
    }

    func test_other_ways_to_write_a_date_are_refused() {
        for text in [
            "", "2026-1-1", "2026/01/01", "20260101", "2026-01-01 ", " 2026-01-01", "2026-01-1x",
            "+026-01-01", "2026-01-01T00:00:00Z", "٢٠٢٦-٠١-٠١", "2026-0١-1",
        ] {
            XCTAssertNil(CalendarDate(text), text)
        }
    }

    func test_a_day_begins_at_midnight_in_UTC_over_the_whole_range() {
        var (year, month, day, days) = (1678, 1, 1, 0)
        var last: Timestamp?
        while let date = CalendarDate(year: year, month: month, day: day) {
            let moment = date.startOfDay
            if let last {
                XCTAssertEqual(moment.nanoseconds - last.nanoseconds, 86_400_000_000_000)
            }
            if days % 97 == 0 { XCTAssertEqual(CalendarDate(moment), date) }
            (last, days) = (moment, days + 1)
            (year, month, day) = following(year, month, day)
        }
        XCTAssertEqual(days, 213_301, "1678 to 2261")
        XCTAssertEqual(CalendarDate("1970-01-01")?.startOfDay, Timestamp(nanoseconds: 0))
    }

    func test_dates_are_in_the_order_of_the_calendar() {
        let texts = ["1999-12-31", "2026-01-31", "2026-02-01", "2026-10-01"]
        XCTAssertEqual(
            texts.shuffled().compactMap(CalendarDate.init).sorted().map(\.description), texts)
    }

    private func following(_ year: Int, _ month: Int, _ day: Int) -> (Int, Int, Int) {
        if CalendarDate(year: year, month: month, day: day + 1) != nil {
            return (year, month, day + 1)
        }
        return month < 12 ? (year, month + 1, 1) : (year + 1, 1, 1)
    }
}

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A moment as whole nanoseconds since 1970-01-01 00:00:00 UTC.
///
/// A type of its own because `Date` counts seconds in floating point: most nanosecond stamps do
/// not survive the way there and back. Covers the years 1677 to 2262.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
    /// Nanoseconds since 1970; negative before.
    public let nanoseconds: Int64

    /// Creates a moment from nanoseconds since 1970.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The present, by the system's clock.
    public static var now: Timestamp { Timestamp(Date()) }

    /// Creates a moment from whole seconds since 1970, or `nil` beyond the years 1677 to 2262.
    public init?(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return nil }
        nanoseconds = product
    }

    /// Creates the moment nearest to `date`; moments out of range become the first or the last.
    public init(_ date: Date) {
        let seconds = date.timeIntervalSince1970
        let whole = seconds.rounded(.down)
        guard whole > -9_223_372_036, whole < 9_223_372_036 else {
            nanoseconds = seconds < 0 ? .min : .max
            return
        }
        let fraction = ((seconds - whole) * 1_000_000_000).rounded()
        nanoseconds = Int64(whole) * 1_000_000_000 + Int64(fraction)
    }

    /// The moment as a `Date`, exact to less than a microsecond in this century.
    public var date: Date {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Date(timeIntervalSince1970: Double(seconds) + Double(rest) / 1_000_000_000)
    }

    /// Whether `a` is before `b`.
    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Reads a moment from its nanoseconds.
    public init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    /// Writes the moment as its nanoseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }
}

extension Timestamp: CustomStringConvertible {
    /// ISO 8601 in UTC with all nine digits: `2026-11-21T09:30:00.000000000Z`.
    public var description: String {
        let nanosecondsADay: Int64 = 86_400_000_000_000
        var days = nanoseconds / nanosecondsADay
        var rest = nanoseconds % nanosecondsADay
        if rest < 0 {
            days -= 1
            rest += nanosecondsADay
        }
        let (year, month, day) = Self.civil(daysSince1970: days)
        let second = rest / 1_000_000_000
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
            + "T\(Self.padded(second / 3600, 2)):\(Self.padded(second / 60 % 60, 2))"
            + ":\(Self.padded(second % 60, 2)).\(Self.padded(rest % 1_000_000_000, 9))Z"
    }

    /// The date of a day number in the proleptic Gregorian calendar.
    ///
    /// Counts in eras of 400 years that begin on 1 March, so that the leap day ends a year.
    private static func civil(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64)
    {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

import Wellspring

/// A day of the calendar, in the years whose moments a `Timestamp` can tell apart.
struct CalendarDate: Hashable, Sendable {
    /// Early and late enough for any shop.
    static let years = 1678...2261

    let year: Int
    let month: Int
    let day: Int

    /// Creates a date, or `nil` for a day that the calendar does not have.
    init?(year: Int, month: Int, day: Int) {
        guard Self.years.contains(year), (1...12).contains(month),
            (1...Self.days(inMonth: month, of: year)).contains(day)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Reads `YYYY-MM-DD`, with all ten characters.
    init?(_ text: String) {
        let characters = Array(text.utf8)
        let dash = UInt8(ascii: "-")
        guard characters.count == 10, characters[4] == dash, characters[7] == dash,
            let year = Self.number(characters[0..<4]),
            let month = Self.number(characters[5..<7]),
            let day = Self.number(characters[8..<10])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// The day on which a moment falls in UTC, or `nil` in the years at the rim of `Timestamp`.
    init?(_ moment: Timestamp) {
        self.init(String(moment.description.prefix(10)))
    }

    /// The month the day is in.
    var monthOfYear: Month { Month(year: year, month: month) }

    /// Midnight in UTC.
    var startOfDay: Timestamp {
        Timestamp(nanoseconds: Int64(daysSince1970) * 86_400 * 1_000_000_000)
    }

    /// Counts in eras of 400 years that begin on 1 March, so that the leap day ends a year.
    private var daysSince1970: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let yearOfEra = shiftedYear % 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return shiftedYear / 400 * 146_097 + dayOfEra - 719_468
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.reduce(into: Int?(0)) { number, digit in
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit)
            number = isDigit ? number.map { $0 * 10 + Int(digit - UInt8(ascii: "0")) } : nil
        }
    }
}

extension CalendarDate: Comparable, Codable, CustomStringConvertible {
    var description: String { "\(monthOfYear)-\(day < 10 ? "0" : "")\(day)" }

    static func < (a: Self, b: Self) -> Bool {
        (a.year, a.month, a.day) < (b.year, b.month, b.day)
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let date = CalendarDate(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a date")
        }
        self = date
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// A month of a year, written `YYYY-MM`.
struct Month: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    let year: Int
    let month: Int

    var description: String { "\(year)-\(month < 10 ? "0" : "")\(month)" }

    static func < (a: Self, b: Self) -> Bool { (a.year, a.month) < (b.year, b.month) }
}

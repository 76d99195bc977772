/// An amount in the one currency of the shop, counted in cents because cents add up exactly.
struct Money: Codable, Hashable, Comparable, Sendable {
    let cents: Int

    static func < (a: Money, b: Money) -> Bool { a.cents < b.cents }
}

extension Money: CustomStringConvertible {
    /// Always `12.34 EUR`: written the same in every country, so that programs can read it too.
    var description: String {
        let (whole, rest) = cents.magnitude.quotientAndRemainder(dividingBy: 100)
        return "\(cents < 0 ? "-" : "")\(whole).\(rest < 10 ? "0" : "")\(rest) EUR"
    }
}

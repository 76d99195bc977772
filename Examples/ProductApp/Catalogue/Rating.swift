/// An average that stays exact: the sum of all stars and the number of reviews.
struct Rating: Codable, Hashable, Sendable {
    private(set) var stars = 0
    private(set) var reviews = 0

    /// `nil` as long as there is no review.
    var average: Double? { reviews == 0 ? nil : Double(stars) / Double(reviews) }

    mutating func add(stars: Int) {
        self.stars += stars
        reviews += 1
    }

    /// Compares without dividing: 10/3 is better than 13/4 because 10 * 4 is more than 13 * 3.
    ///
    /// Any rating is better than none. The products take two words, for the numbers may come from
    /// a cursor that somebody made up.
    func isBetter(than other: Rating) -> Bool {
        guard reviews > 0, other.reviews > 0 else { return reviews > other.reviews }
        let mine = stars.multipliedFullWidth(by: other.reviews)
        let theirs = other.stars.multipliedFullWidth(by: reviews)
        return (mine.high, mine.low) > (theirs.high, theirs.low)
    }
}

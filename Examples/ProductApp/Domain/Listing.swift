import Wellspring

/// What a product is when it enters the shop.
struct Listing: Codable, Hashable, Sendable {
    let name: String
    let category: Category.ID
    let brand: Brand.ID
    let price: Money
    let stock: Int
}

extension Listing {
    /// Where `other` says something else, both sides named: `price 12.34 EUR, not 13.00 EUR`.
    func differences(from other: Listing) -> String {
        let fields: [(String, mine: String, theirs: String)] = [
            ("name", name, other.name),
            ("category", category.rawValue, other.category.rawValue),
            ("brand", brand.rawValue, other.brand.rawValue),
            ("price", "\(price)", "\(other.price)"),
            ("stock", "\(stock)", "\(other.stock)"),
        ]
        // As bytes, like the ids: two spellings of é look alike and are two categories.
        return fields.filter { !$0.mine.utf8.elementsEqual($0.theirs.utf8) }
            .map { "\($0) \($1), not \($2)" }
            .joined(separator: "; ")
    }
}

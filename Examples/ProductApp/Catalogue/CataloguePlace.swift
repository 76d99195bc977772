import Wellspring

/// The orders in which the catalogue can be read.
enum CatalogueSort: String, CaseIterable, Sendable {
    /// Best first; products without a review last.
    case rating
    /// Cheapest first.
    case price
    /// Alphabetical, whatever the case of the letters.
    case name
}

/// Where an entry stands in one order.
///
/// Equal keys are ordered by SKU, so no two entries ever stand at the same place. That is what
/// lets a page begin exactly after the last one, whatever was added in between.
struct CataloguePlace: Codable, Hashable, Sendable {
    let key: Key
    let sku: Product.ID

    /// What the entry is ordered by.
    enum Key: Codable, Hashable, Sendable {
        case rating(Rating)
        case price(Money)
        case name(String)
    }

    init(of entry: CatalogueEntry, in sort: CatalogueSort) {
        sku = entry.sku
        key =
            switch sort {
            case .rating: .rating(entry.rating)
            case .price: .price(entry.price)
            case .name: .name(entry.name.lowercased())
            }
    }

    /// The order that the place belongs to.
    var sort: CatalogueSort {
        switch key {
        case .rating: .rating
        case .price: .price
        case .name: .name
        }
    }

    /// Whether this place comes first; both must be of the same order.
    func precedes(_ other: CataloguePlace) -> Bool {
        if key.precedes(other.key) { return true }
        if other.key.precedes(key) { return false }
        return sku < other.sku
    }
}

extension CataloguePlace.Key {
    fileprivate func precedes(_ other: Self) -> Bool {
        switch (self, other) {
        case (.rating(let mine), .rating(let theirs)): mine.isBetter(than: theirs)
        case (.price(let mine), .price(let theirs)): mine < theirs
        case (.name(let mine), .name(let theirs)): mine < theirs
        default: false
        }
    }
}

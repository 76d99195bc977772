import Wellspring

/// An entry as `--json` shows it.
///
/// A type of its own, so that what is saved and what other programs read can change on their own.
struct EntryDocument: Encodable {
    let entry: CatalogueEntry

    init(_ entry: CatalogueEntry) { self.entry = entry }

    enum CodingKeys: String, CodingKey {
        case sku, name, category, brand, price, stock, rating, reviews, version
        case categoryID = "category_id"
        case brandID = "brand_id"
        case cents = "price_cents"
        case inStock = "in_stock"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(entry.sku, forKey: .sku)
        try container.encode(entry.name, forKey: .name)
        try container.encode(entry.categoryName, forKey: .category)
        try container.encode(entry.category, forKey: .categoryID)
        try container.encode(entry.brandName, forKey: .brand)
        try container.encode(entry.brand, forKey: .brandID)
        try container.encode("\(entry.price)", forKey: .price)
        try container.encode(entry.price.cents, forKey: .cents)
        try container.encode(entry.stock, forKey: .stock)
        try container.encode(entry.isInStock, forKey: .inStock)
        try container.encode(entry.rating.average, forKey: .rating)
        try container.encode(entry.rating.reviews, forKey: .reviews)
        try container.encode(entry.version, forKey: .version)
    }
}

/// A page as `--json` shows it; `next` is `null` on the last one.
struct PageDocument: Encodable {
    let items: [EntryDocument]
    let next: String?

    init(_ page: SearchCatalogue.Page) {
        items = page.items.map(EntryDocument.init)
        next = page.next?.description
    }

    enum CodingKeys: CodingKey { case items, next }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(items, forKey: .items)
        try container.encode(next, forKey: .next)
    }
}

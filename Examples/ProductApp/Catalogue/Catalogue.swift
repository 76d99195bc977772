import Wellspring

/// The read model: every product as the shop shows it, with the names of category and brand.
///
/// Reading is what happens all day, so an entry is complete in itself. A rename pays for that: it
/// visits every entry.
struct Catalogue: Projection, Codable, Hashable {
    static let name: ProjectionName = "catalogue"
    static let revision = 1

    private(set) var entries: [Product.ID: CatalogueEntry] = [:]
    private(set) var categories: [Category.ID: String] = [:]
    private(set) var brands: [Brand.ID: String] = [:]

    mutating func apply(_ recorded: Recorded<CatalogueEvent>) {
        switch recorded.event {
        case .product(let event):
            apply(event, to: recorded.id(of: Product.self), at: recorded.version)
        case .category(let event): apply(event, to: recorded.id(of: Category.self))
        case .brand(let event): apply(event, to: recorded.id(of: Brand.self))
        }
    }

    private mutating func apply(
        _ event: Product.Event, to sku: Product.ID, at version: StreamVersion
    ) {
        switch event {
        case .created(let listing): add(listing, as: sku, at: version)
        case .priced(let price): entries[sku]?.price = price
        case .restocked(let quantity): entries[sku]?.stock += quantity
        case .reserved(let quantity): entries[sku]?.stock -= quantity
        case .reviewed(let stars): entries[sku]?.rating.add(stars: stars)
        }
        entries[sku]?.version = version
    }

    private mutating func add(_ listing: Listing, as sku: Product.ID, at version: StreamVersion) {
        entries[sku] = CatalogueEntry(
            sku: sku, name: listing.name,
            category: listing.category,
            categoryName: categories[listing.category] ?? listing.category.rawValue,
            brand: listing.brand,
            brandName: brands[listing.brand] ?? listing.brand.rawValue,
            price: listing.price, stock: listing.stock, version: version)
    }

    private mutating func apply(_ event: Category.Event, to id: Category.ID) {
        switch event {
        case .created(let name), .renamed(let name):
            let shown = categories.updateValue(name, forKey: id) ?? id.rawValue
            guard name != shown else { return }
            for entry in entries.values where entry.category == id {
                entries[entry.sku]?.categoryName = name
            }
        }
    }

    private mutating func apply(_ event: Brand.Event, to id: Brand.ID) {
        switch event {
        case .created(let name), .renamed(let name):
            let shown = brands.updateValue(name, forKey: id) ?? id.rawValue
            guard name != shown else { return }
            for entry in entries.values where entry.brand == id {
                entries[entry.sku]?.brandName = name
            }
        }
    }
}

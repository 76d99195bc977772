import Wellspring

/// What the catalogue listens to: three aggregates, read as one type.
enum CatalogueEvent: EventUnion {
    case product(Product.Event)
    case category(Category.Event)
    case brand(Brand.Event)

    static let members = EventMembers(
        CatalogueEvent.product, CatalogueEvent.category, CatalogueEvent.brand)
}

import Wellspring

/// One entry by its SKU.
struct EntryOf: Query {
    let sku: Product.ID

    func answer(from catalogue: Catalogue) -> CatalogueEntry? {
        catalogue.entries[sku]
    }
}

/// A page of the catalogue, or of one category, in one of its orders.
struct SearchCatalogue: Query {
    var category: String?
    var sort = CatalogueSort.name
    var limit = 20
    var after: CatalogueCursor?

    struct Page: Sendable {
        let items: [CatalogueEntry]
        /// Asks for what follows; `nil` when nothing does.
        let next: CatalogueCursor?
    }

    func answer(from catalogue: Catalogue) -> Page {
        let rest = entries(of: catalogue)
            .map { (entry: $0, place: CataloguePlace(of: $0, in: sort)) }
            .filter { found in after.map { $0.place.precedes(found.place) } ?? true }
            .sorted { $0.place.precedes($1.place) }
        let page = rest.prefix(limit)
        let more = page.count < rest.count
        return Page(
            items: page.map(\.entry),
            next: more
                ? page.last.map { CatalogueCursor(category: category, place: $0.place) } : nil)
    }

    /// A category is asked for by the name that it shows or, when none has that name, by its id.
    private func entries(of catalogue: Catalogue) -> [CatalogueEntry] {
        let all = Array(catalogue.entries.values)
        guard let category else { return all }
        let named = all.filter { $0.categoryName == category }
        return named.isEmpty ? all.filter { $0.category == Category.ID(category) } : named
    }
}

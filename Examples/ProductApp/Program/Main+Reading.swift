import ExampleSupport
import Wellspring

extension Main {
    /// `show`: one entry of the catalogue.
    static func show(_ arguments: Arguments) async throws {
        let sku = Product.ID(arguments.positional[0])
        let entry = try await Shop.open(arguments.store) { try await $0.entry(of: sku) }
        try write(entry, as: arguments)
    }

    /// `search`: one page of the catalogue.
    static func search(_ arguments: Arguments) async throws {
        let search = try SearchCatalogue(arguments)
        let page = try await Shop.open(arguments.store) { try await $0.ask(search) }
        if arguments.has("json") {
            try JSONDocument.write(PageDocument(page))
        } else {
            try StandardOutput.write(page.table)
        }
    }

    static func write(_ entry: CatalogueEntry, as arguments: Arguments) throws {
        if arguments.has("json") {
            try JSONDocument.write(EntryDocument(entry))
        } else {
            try StandardOutput.write(entry.text)
        }
    }
}

extension SearchCatalogue {
    /// Reads a search from the command line.
    init(_ arguments: Arguments) throws(UsageError) {
        category = arguments[option: "category"]
        limit = try arguments.number("limit", in: 1...Int.max) ?? limit
        if let text = arguments[option: "sort"] {
            guard let order = CatalogueSort(rawValue: text) else {
                throw UsageError("--sort must be rating, price or name, not '\(text.printable)'.")
            }
            sort = order
        }
        if let text = arguments[option: "after"] {
            guard let cursor = CatalogueCursor(text) else {
                throw UsageError("--after must be what a page gave as next.")
            }
            guard cursor.place.sort == sort, cursor.category == category else {
                throw UsageError("--after is from a search of another order or category.")
            }
            after = cursor
        }
    }
}

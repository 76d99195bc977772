import Wellspring

/// All that a page of the shop shows about one product, gathered from three aggregates.
struct CatalogueEntry: Codable, Hashable, Sendable {
    let sku: Product.ID
    let name: String
    let category: Category.ID
    /// A copy: renaming the category writes it anew, so that reading needs no second look-up.
    var categoryName: String
    let brand: Brand.ID
    var brandName: String
    var price: Money
    var stock: Int
    var rating = Rating()
    /// The version of the product's stream: what a change can be made to expect.
    var version: StreamVersion

    var isInStock: Bool { stock > 0 }
}

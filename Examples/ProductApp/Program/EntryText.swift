import ExampleSupport
import Wellspring

// How people see entries and pages. What came from a file is made printable first.

extension CatalogueEntry {
    /// The entry in a few lines.
    var text: String {
        """
        \(name.printable) (\(sku.rawValue.printable))
          category  \(categoryName.printable)
          brand     \(brandName.printable)
          price     \(price)
          stock     \(isInStock ? "\(stock)" : "sold out")
          rating    \(rating)
          version   \(version)

        """
    }
}

extension Rating: CustomStringConvertible {
    /// The average to one digit: `4.3 of 5 (12 reviews)`.
    var description: String {
        guard let average else { return "none yet" }
        let tenths = Int((average * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) of 5 (\(reviews) review\(reviews == 1 ? "" : "s"))"
    }
}

extension SearchCatalogue.Page {
    /// The page as a table, with the way to the next one.
    var table: String {
        guard !items.isEmpty else { return "No products.\n" }
        var table = TextTable(
            ("SKU", .left), ("Name", .left), ("Category", .left), ("Brand", .left),
            ("Price", .right), ("Stock", .right), ("Rating", .left))
        for entry in items {
            table.add(
                entry.sku.rawValue, entry.name, entry.categoryName, entry.brandName,
                "\(entry.price)", "\(entry.stock)", "\(entry.rating)")
        }
        return table.text + (next.map { "More with --after \($0)\n" } ?? "")
    }
}

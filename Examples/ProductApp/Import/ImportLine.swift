import ExampleSupport
import Wellspring

/// One line of an import: a product that may be created.
struct ImportLine: Hashable, Sendable {
    static let columns = ["sku", "name", "category", "brand", "price_cents", "stock"]

    /// The most bytes of a SKU, a category or a brand: they become names of streams.
    static let longestKeyBytes = 200

    /// Where it is in the file.
    let number: Int
    let sku: Product.ID
    let listing: Listing

    init(_ record: CSVRecord) throws(InvalidLine) {
        number = record.line
        let fields = record.fields
        guard fields.count == Self.columns.count else {
            throw InvalidLine(
                number: number,
                reason: "\(fields.count) fields instead of \(Self.columns.count)")
        }
        func key(_ column: Int) throws(InvalidLine) -> String {
            try Self.key(fields[column], in: Self.columns[column], line: record.line)
        }
        func count(_ column: Int) throws(InvalidLine) -> Int {
            try Self.count(fields[column], in: Self.columns[column], line: record.line)
        }
        sku = Product.ID(try key(0))
        listing = Listing(
            name: fields[1], category: Category.ID(try key(2)), brand: Brand.ID(try key(3)),
            price: Money(cents: try count(4)), stock: try count(5))
        try checkRules()
    }

    func invalid(_ reason: String) -> InvalidLine {
        InvalidLine(number: number, reason: reason.printable)
    }

    /// Asks the rule that will decide in the end, about a product that does not exist yet.
    private func checkRules() throws(InvalidLine) {
        do {
            _ = try CreateProduct(listing: listing).decide(given: Product())
        } catch {
            throw invalid("\(error)")
        }
    }

    private static func key(
        _ text: String, in column: String, line: Int
    ) throws(InvalidLine) -> String {
        let problem: String? =
            if text.isEmpty {
                "is missing"
            } else if text.utf8.count > longestKeyBytes {
                "is longer than \(longestKeyBytes) bytes"
            } else if text != text.printable {
                "holds a character that cannot be printed"
            } else {
                nil
            }
        guard let problem else { return text }
        throw InvalidLine(number: line, reason: "the \(column) \(problem)")
    }

    private static func count(
        _ text: String, in column: String, line: Int
    ) throws(InvalidLine) -> Int {
        guard let number = Int(text), !text.hasPrefix("+") else {
            throw InvalidLine(
                number: line,
                reason: "the \(column) must be a whole number, not '\(text.printable)'")
        }
        return number
    }
}

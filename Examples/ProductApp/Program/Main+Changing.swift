import ExampleSupport
import Wellspring

extension Main {
    /// `price`, `restock`, `reserve` and `review`: one command to one product.
    static func change(_ arguments: Arguments) async throws {
        let sku = Product.ID(arguments.positional[0])
        let number = try arguments.wholeNumber(at: 1)
        let expected = try arguments.expectedVersion()
        let entry = try await Shop.open(arguments.store) { shop in
            switch arguments.subcommand {
            case "price":
                try await shop.change(
                    sku, ChangePrice(price: Money(cents: number)), expecting: expected)
            case "restock":
                try await shop.change(sku, Restock(quantity: number), expecting: expected)
            case "reserve":
                try await shop.change(sku, Reserve(quantity: number), expecting: expected)
            default:
                try await shop.change(sku, Review(stars: number), expecting: expected)
            }
        }
        try write(entry, as: arguments)
    }

    /// `rename`: a command to a category or a brand, which every product of it shows.
    static func rename(_ arguments: Arguments) async throws {
        let (kind, id) = (arguments.positional[0], arguments.positional[1])
        let name = arguments.positional[2]
        guard kind == "category" || kind == "brand" else {
            throw UsageError("'rename' needs 'category' or 'brand', not '\(kind.printable)'.")
        }
        try await Shop.open(arguments.store) { shop in
            if kind == "category" {
                try await shop.send(RenameCategory(name: name), to: Category.ID(id))
            } else {
                try await shop.send(RenameBrand(name: name), to: Brand.ID(id))
            }
        }
        try StandardOutput.line("The \(kind) \(id.printable) is called \(name.printable) now.")
    }
}

extension Arguments {
    /// The directory of the store; the command line is refused without one.
    var store: String { self[option: "store"] ?? "" }

    /// What the caller saw when they made up their mind.
    fileprivate func expectedVersion() throws(UsageError) -> ExpectedVersion {
        guard let number = try number("expected-version", in: 0...UInt64.max) else { return .any }
        return .exactly(StreamVersion(number))
    }

    fileprivate func wholeNumber(at index: Int) throws(UsageError) -> Int {
        guard let number = Int(positional[index]) else {
            throw UsageError(
                "'\(subcommand)' needs a whole number, not '\(positional[index].printable)'.")
        }
        return number
    }
}

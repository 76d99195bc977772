import Wellspring

/// One thing that the shop sells: the facts that its rules need, and no more.
///
/// Reviews are no part of it, because no rule asks for them; the catalogue counts them.
struct Product: Aggregate {
    static let category: StreamCategory = "product"

    /// The most units that may lie in stock; keeps every sum far from overflowing.
    static let mostStock = 1_000_000_000

    /// How the product entered the shop; `nil` until it did.
    private(set) var listing: Listing?
    private(set) var price = Money(cents: 0)
    /// Units that nobody has reserved.
    private(set) var stock = 0

    enum Event: DomainEvent, Equatable {
        case created(listing: Listing)
        case priced(price: Money)
        case restocked(quantity: Int)
        case reserved(quantity: Int)
        case reviewed(stars: Int)

        enum CodingKeys: String, EventNames {
            case created = "product.created"
            case priced = "product.priced"
            case restocked = "product.restocked"
            case reserved = "product.reserved"
            case reviewed = "product.reviewed"
        }
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .created(let listing):
            self.listing = listing
            price = listing.price
            stock = listing.stock
        case .priced(let price): self.price = price
        case .restocked(let quantity): stock += quantity
        case .reserved(let quantity): stock -= quantity
        case .reviewed: break
        }
    }
}

extension Product {
    /// Why a command is refused.
    enum Rejection: Error, Hashable {
        case unknown
        case createdOtherwise(differences: String)
        case missing(field: String)
        case negativePrice(Money)
        case notPositive(quantity: Int)
        case notAStock(quantity: Int)
        case stockTooLarge(stock: Int, adding: Int)
        case notEnoughStock(stock: Int, wanted: Int)
        case notARating(stars: Int)
    }
}

extension Product.Rejection: CustomStringConvertible {
    var description: String {
        switch self {
        case .unknown: "there is no such product"
        case .createdOtherwise(let differences): "it is there already, with \(differences)"
        case .missing(let field): "the \(field) is missing"
        case .negativePrice(let price): "a price cannot be negative: \(price)"
        case .notPositive(let quantity): "a quantity is at least 1, not \(quantity)"
        case .notAStock(let quantity):
            "a stock is between 0 and \(Product.mostStock) units, not \(quantity)"
        case .stockTooLarge(let stock, let adding):
            "\(adding) more on top of \(stock) are beyond the limit of \(Product.mostStock) units"
        case .notEnoughStock(let stock, let wanted):
            "\(wanted) cannot be reserved, the stock is \(stock)"
        case .notARating(let stars): "a review gives 1 to 5 stars, not \(stars)"
        }
    }
}

import Wellspring

/// Lists a product.
///
/// The same product again changes nothing, so an import can be repeated.
struct CreateProduct: AggregateCommand {
    let listing: Listing

    func decide(given product: Product) throws(Product.Rejection) -> [Product.Event] {
        if let known = product.listing {
            guard known == listing else {
                throw .createdOtherwise(differences: known.differences(from: listing))
            }
            return []
        }
        guard !listing.name.isEmpty else { throw .missing(field: "name") }
        guard !listing.category.rawValue.isEmpty else { throw .missing(field: "category") }
        guard !listing.brand.rawValue.isEmpty else { throw .missing(field: "brand") }
        guard listing.price.cents >= 0 else { throw .negativePrice(listing.price) }
        guard (0...Product.mostStock).contains(listing.stock) else {
            throw .notAStock(quantity: listing.stock)
        }
        return [.created(listing: listing)]
    }
}

/// Sets the price.
struct ChangePrice: AggregateCommand {
    let price: Money

    func decide(given product: Product) throws(Product.Rejection) -> [Product.Event] {
        guard product.listing != nil else { throw .unknown }
        guard price.cents >= 0 else { throw .negativePrice(price) }
        return price == product.price ? [] : [.priced(price: price)]
    }
}

/// Adds units to the stock.
struct Restock: AggregateCommand {
    let quantity: Int

    func decide(given product: Product) throws(Product.Rejection) -> [Product.Event] {
        guard product.listing != nil else { throw .unknown }
        guard quantity > 0 else { throw .notPositive(quantity: quantity) }
        guard quantity <= Product.mostStock - product.stock else {
            throw .stockTooLarge(stock: product.stock, adding: quantity)
        }
        return [.restocked(quantity: quantity)]
    }
}

/// Sets units aside for a customer.
struct Reserve: AggregateCommand {
    let quantity: Int

    func decide(given product: Product) throws(Product.Rejection) -> [Product.Event] {
        guard product.listing != nil else { throw .unknown }
        guard quantity > 0 else { throw .notPositive(quantity: quantity) }
        guard quantity <= product.stock else {
            throw .notEnoughStock(stock: product.stock, wanted: quantity)
        }
        return [.reserved(quantity: quantity)]
    }
}

/// Gives a product one to five stars.
struct Review: AggregateCommand {
    let stars: Int

    func decide(given product: Product) throws(Product.Rejection) -> [Product.Event] {
        guard product.listing != nil else { throw .unknown }
        guard (1...5).contains(stars) else { throw .notARating(stars: stars) }
        return [.reviewed(stars: stars)]
    }
}

import Wellspring

/// Agrees on an order that does not exist yet.
struct PlaceOrder: AggregateCommand, Hashable {
    let terms: Order.Terms

    func decide(given order: Order) throws(Order.Rejection) -> [Order.Event] {
        if let terms = order.terms { throw .alreadyPlaced(terms) }
        guard terms.quantity > 0 else { throw .quantityNotPositive(terms.quantity) }
        guard terms.amountCents >= 0 else { throw .amountNegative(cents: terms.amountCents) }
        return [.placed(terms: terms)]
    }
}

import ExampleSupport

extension Order {
    /// Why the shop says no.
    enum Rejection: Error, Hashable, Sendable {
        /// The number is taken. The caller can see whether it is the same order.
        case alreadyPlaced(Terms)
        case quantityNotPositive(Int64)
        case amountNegative(cents: Int64)
        /// There is no order of that number.
        case neverPlaced
        case alreadyPaid
        case notPaidYet
        case alreadyShipped
        case alreadyCancelled
    }
}

extension Order.Rejection: CustomStringConvertible {
    var description: String {
        switch self {
        case .alreadyPlaced(let terms): "the order is already placed: \(terms)"
        case .quantityNotPositive(let quantity): "the quantity must be at least 1, not \(quantity)"
        case .amountNegative(let cents): "the amount must not be negative, but is \(cents.money)"
        case .neverPlaced: "there is no such order"
        case .alreadyPaid: "the order is already paid"
        case .notPaidYet: "the order is not paid yet, and is shipped only then"
        case .alreadyShipped: "the order is already shipped"
        case .alreadyCancelled: "the order is cancelled"
        }
    }
}

extension Order.Terms: CustomStringConvertible {
    var description: String {
        "customer \(customer.text.printable), \(date), quantity \(quantity), "
            + "amount \(amountCents.money)"
    }
}

import Wellspring

/// An order, from the moment it is placed until it is shipped or cancelled.
struct Order: Aggregate {
    static let category: StreamCategory = "order"

    /// What was agreed on; `nil` while nobody has placed the order.
    private(set) var terms: Terms?
    private(set) var status = Status.placed

    /// What customer and shop agree on when the order is placed.
    struct Terms: Hashable, Sendable, Codable {
        let customer: CustomerID
        /// The day of the order, which may be long before the day it reached this store.
        let date: CalendarDate
        let quantity: Int64
        /// The price of everything together.
        let amountCents: Int64
    }

    /// How far the order has come.
    enum Status: String, Hashable, Sendable, Codable {
        case placed
        case paid
        case shipped
        case cancelled
    }

    /// What can happen to an order.
    ///
    /// The names on the right are part of stored data and stay.
    enum Event: DomainEvent, Hashable {
        case placed(terms: Terms)
        case paid(date: CalendarDate)
        case shipped(date: CalendarDate)
        /// Repeats the terms, so that totals can take the order out without remembering it.
        case cancelled(date: CalendarDate, reason: String, terms: Terms)

        enum CodingKeys: String, EventNames {
            case placed = "order.placed"
            case paid = "order.paid"
            case shipped = "order.shipped"
            case cancelled = "order.cancelled"
        }
    }

    mutating func apply(_ event: Event) {
        switch event {
        case .placed(let terms):
            self.terms = terms
            status = .placed
        case .paid: status = .paid
        case .shipped: status = .shipped
        case .cancelled: status = .cancelled
        }
    }
}

import Wellspring

/// Calls the order off, which is possible until it is on its way.
struct CancelOrder: AggregateCommand, Hashable {
    let date: CalendarDate
    let reason: String

    func decide(given order: Order) throws(Order.Rejection) -> [Order.Event] {
        guard let terms = order.terms else { throw .neverPlaced }
        switch order.status {
        case .placed, .paid: return [.cancelled(date: date, reason: reason, terms: terms)]
        case .shipped: throw .alreadyShipped
        case .cancelled: throw .alreadyCancelled
        }
    }
}

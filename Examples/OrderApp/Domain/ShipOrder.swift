import Wellspring

/// Hands a paid order to the carrier.
struct ShipOrder: AggregateCommand, Hashable {
    let date: CalendarDate

    func decide(given order: Order) throws(Order.Rejection) -> [Order.Event] {
        guard order.terms != nil else { throw .neverPlaced }
        switch order.status {
        case .placed: throw .notPaidYet
        case .paid: return [.shipped(date: date)]
        case .shipped: throw .alreadyShipped
        case .cancelled: throw .alreadyCancelled
        }
    }
}

import Wellspring

/// Takes the money, once.
struct PayOrder: AggregateCommand, Hashable {
    let date: CalendarDate

    func decide(given order: Order) throws(Order.Rejection) -> [Order.Event] {
        guard order.terms != nil else { throw .neverPlaced }
        switch order.status {
        case .placed: return [.paid(date: date)]
        case .paid, .shipped: throw .alreadyPaid
        case .cancelled: throw .alreadyCancelled
        }
    }
}

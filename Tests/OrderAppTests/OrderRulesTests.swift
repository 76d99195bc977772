import WellspringTestKit
import XCTest

@testable import OrderApp

final class OrderRulesTests: XCTestCase {
    private let terms = Order.Terms(
        customer: CustomerID("ada"), date: .march2, quantity: 2, amountCents: 7_900)
    private var placed: Order.Event { .placed(terms: terms) }
    private let paid = Order.Event.paid(date: .march3)
    private let shipped = Order.Event.shipped(date: .march3)
    private var cancelled: Order.Event {
        .cancelled(date: .march3, reason: "too big", terms: terms)
    }
    private let order = Scenario<Order>()

    // MARK: - Placing

    func test_an_order_is_placed_on_its_terms() throws {
        try order.when(PlaceOrder(terms: terms)).then(placed)
    }

    func test_an_order_is_placed_once_and_the_refusal_shows_what_is_there() throws {
        let other = Order.Terms(
            customer: CustomerID("ada"), date: .march2, quantity: 3, amountCents: 7_900)
        for history in [[placed], [placed, paid], [placed, paid, shipped], [placed, cancelled]] {
            try order.given(history).when(PlaceOrder(terms: other))
                .thenRejected(.alreadyPlaced(terms))
        }
    }

    func test_an_order_is_for_at_least_one_thing() throws {
        for quantity in [0, -1, Int64.min] {
            try order.when(place(quantity: quantity, cents: 1))
                .thenRejected(.quantityNotPositive(quantity))
        }
        let one = place(quantity: 1, cents: 1)
        try order.when(one).then(.placed(terms: one.terms))
    }

    func test_an_order_may_be_free_but_costs_no_less_than_nothing() throws {
        try order.when(place(quantity: 1, cents: -1)).thenRejected(.amountNegative(cents: -1))
        let free = place(quantity: 1, cents: 0)
        try order.when(free).then(.placed(terms: free.terms))
    }

    // MARK: - Paying

    func test_a_placed_order_is_paid() throws {
        try order.given(placed).when(PayOrder(date: .march3)).then(paid)
    }

    func test_an_order_cannot_be_paid_twice() throws {
        try order.given(placed, paid).when(PayOrder(date: .march3)).thenRejected(.alreadyPaid)
        try order.given(placed, paid, shipped).when(PayOrder(date: .march3))
            .thenRejected(.alreadyPaid)
    }

    func test_a_cancelled_order_is_not_paid() throws {
        try order.given(placed, cancelled).when(PayOrder(date: .march3))
            .thenRejected(.alreadyCancelled)
    }

    // MARK: - Shipping

    func test_a_paid_order_is_shipped() throws {
        try order.given(placed, paid).when(ShipOrder(date: .march3)).then(shipped)
    }

    func test_an_order_is_not_shipped_before_it_is_paid() throws {
        try order.given(placed).when(ShipOrder(date: .march3)).thenRejected(.notPaidYet)
    }

    func test_an_order_is_shipped_once() throws {
        try order.given(placed, paid, shipped).when(ShipOrder(date: .march3))
            .thenRejected(.alreadyShipped)
    }

    func test_a_cancelled_order_is_not_shipped() throws {
        try order.given(placed, paid, cancelled).when(ShipOrder(date: .march3))
            .thenRejected(.alreadyCancelled)
    }

    // MARK: - Cancelling

    func test_an_order_is_cancelled_before_and_after_it_is_paid() throws {
        let cancel = CancelOrder(date: .march3, reason: "too big")
        try order.given(placed).when(cancel).then(cancelled)
        try order.given(placed, paid).when(cancel).then(cancelled)
    }

    func test_an_order_on_its_way_is_not_cancelled() throws {
        try order.given(placed, paid, shipped).when(CancelOrder(date: .march3, reason: ""))
            .thenRejected(.alreadyShipped)
    }

    func test_an_order_is_cancelled_once() throws {
        try order.given(placed, cancelled).when(CancelOrder(date: .march3, reason: ""))
            .thenRejected(.alreadyCancelled)
    }

    // MARK: -

    func test_nothing_happens_to_an_order_that_was_never_placed() throws {
        try order.when(PayOrder(date: .march3)).thenRejected(.neverPlaced)
        try order.when(ShipOrder(date: .march3)).thenRejected(.neverPlaced)
        try order.when(CancelOrder(date: .march3, reason: "")).thenRejected(.neverPlaced)
    }

    private func place(quantity: Int64, cents: Int64) -> PlaceOrder {
        PlaceOrder(
            terms: Order.Terms(
                customer: CustomerID("ada"), date: .march2, quantity: quantity,
                amountCents: cents))
    }
}

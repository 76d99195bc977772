import Wellspring
import WellspringTestKit
import XCTest

@testable import OrderApp

extension CalendarDate {
    static let march2 = known("2026-03-02")
    static let march3 = known("2026-03-03")

    /// A date that the test knows to be one.
    static func known(_ text: String) -> CalendarDate {
        guard let date = CalendarDate(text) else { preconditionFailure("\(text) is not a date") }
        return date
    }
}

extension Order.Terms {
    static func of(
        _ customer: String, _ date: String = "2026-03-02", quantity: Int64 = 1, cents: Int64
    ) -> Order.Terms {
        Order.Terms(
            customer: CustomerID(customer), date: .known(date), quantity: quantity,
            amountCents: cents)
    }
}

extension Shop {
    /// A shop that lives as long as the test.
    static func inMemory() -> Shop {
        Shop(InMemoryEventStore(), checkpoints: InMemoryCheckpointStore())
    }

    func pay(_ id: Order.ID) async throws {
        try await commands.send(PayOrder(date: .march3), to: id)
    }

    func ship(_ id: Order.ID) async throws {
        try await commands.send(ShipOrder(date: .march3), to: id)
    }

    func cancel(_ id: Order.ID) async throws {
        try await commands.send(CancelOrder(date: .march3, reason: "test"), to: id)
    }
}

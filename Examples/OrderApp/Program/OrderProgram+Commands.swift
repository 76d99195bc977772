import ExampleSupport
import Foundation
import Wellspring

// place, pay, ship, cancel: one command each, and what became of it.
extension OrderProgram {
    static func place(_ arguments: Arguments) async throws {
        let id = try orderID(arguments)
        let terms = Order.Terms(
            customer: CustomerID(try identifier(arguments[option: "customer"] ?? "", "--customer")),
            date: try date(arguments),
            quantity: try number("quantity", arguments),
            amountCents: try number("amount-cents", arguments))
        // The rules come first: an order that no shop would take founds none.
        do {
            _ = try PlaceOrder(terms: terms).decide(given: Order())
        } catch {
            throw rejected(id, error)
        }
        try await Shop.open(at: arguments.store, creating: true) { shop in
            let receipt = try await explaining(id) { () async throws(PlaceOrder.Failure) in
                try await shop.place(id, terms)
            }
            try report(id, receipt)
        }
    }

    static func pay(_ arguments: Arguments) async throws {
        try await send(PayOrder(date: try date(arguments)), arguments)
    }

    static func ship(_ arguments: Arguments) async throws {
        try await send(ShipOrder(date: try date(arguments)), arguments)
    }

    static func cancel(_ arguments: Arguments) async throws {
        let reason = arguments[option: "reason"] ?? ""
        try await send(CancelOrder(date: try date(arguments), reason: reason), arguments)
    }

    private static func send<C: AggregateCommand<Order>>(
        _ command: C, _ arguments: Arguments
    ) async throws {
        let id = try orderID(arguments)
        // Without a day the moment of recording says when it happened.
        let day = try arguments[option: "date"].map { _ in try date(arguments).startOfDay }
        try await Shop.open(at: arguments.store) { shop in
            let receipt = try await explaining(id) { () async throws(C.Failure) in
                try await shop.commands.send(
                    command, to: id, context: CommandContext(occurredAt: day))
            }
            try report(id, receipt)
        }
    }

    private static func report(_ id: Order.ID, _ receipt: CommandReceipt<Order>) throws {
        let terms = receipt.state.terms.map { " (\($0))" } ?? ""
        try StandardOutput.line("\(id.rawValue.printable) is \(receipt.state.status)\(terms)")
    }

    /// Tells the user about a rejection in the words of the shop, and about a failure in the store's.
    private static func explaining(
        _ id: Order.ID,
        _ send: () async throws(CommandFailure<Order.Rejection>) -> CommandReceipt<Order>
    ) async throws -> CommandReceipt<Order> {
        do {
            return try await send()
        } catch .rejected(let rejection) {
            throw rejected(id, rejection)
        } catch {
            throw error
        }
    }

    private static func rejected(_ id: Order.ID, _ rejection: Order.Rejection) -> Failure {
        Failure("order '\(id.rawValue.printable)': \(rejection)")
    }

    // MARK: - Arguments

    static func orderID(_ arguments: Arguments) throws -> Order.ID {
        Order.ID(try identifier(arguments.positional[0], "ID"))
    }

    static func identifier(_ text: String, _ name: String) throws -> String {
        do {
            return try Identifier.checked(text, name)
        } catch {
            throw UsageError("\(error).")
        }
    }

    private static func number(_ option: String, _ arguments: Arguments) throws -> Int64 {
        try arguments.number(option, in: .min ... .max) ?? 0
    }

    private static func date(_ arguments: Arguments) throws -> CalendarDate {
        guard let text = arguments[option: "date"] else {
            guard let today = CalendarDate(Timestamp(Date())) else {
                throw Failure("the clock of this machine is beyond all shops; say --date")
            }
            return today
        }
        guard let date = CalendarDate(text) else { throw UsageError("\(RowFault.notADate(text)).") }
        return date
    }
}

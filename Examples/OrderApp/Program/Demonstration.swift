import ExampleSupport
import Foundation
import Wellspring

/// A day in the shop, told line by line, in a store that is deleted at the end.
enum Demonstration {
    static func run() async throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("OrderApp-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try say("A shop that remembers everything, in \(directory.path)\n")
        try await Shop.open(at: directory.path, creating: true, morning)
        try say("\nThe shop closes for lunch and opens again. Nothing was kept but the events.\n")
        try await Shop.open(at: directory.path, afternoon)
        try say("\n'OrderApp --help' shows what else there is.")
    }

    private static let (hats, ada) = (Order.ID("hats"), CustomerID("ada"))

    private static func morning(_ shop: Shop) async throws {
        try say("1. Two customers place orders.")
        let date = try day("2026-03-02")
        let terms = Order.Terms(customer: ada, date: date, quantity: 2, amountCents: 7_900)
        try await told(hats) { try await shop.place(hats, terms) }
        try await told("gloves") {
            try await shop.place(
                "gloves",
                Order.Terms(
                    customer: CustomerID("grace"), date: try day("2026-02-27"), quantity: 1,
                    amountCents: 2_450))
        }

        try say("\n2. The rules of the shop hold.")
        try await refused(ShipOrder(date: date), "Shipping the hats", shop)
        try await told(hats) { try await shop.commands.send(PayOrder(date: date), to: hats) }
        try await refused(PayOrder(date: date), "Paying the hats again", shop)

        try say("\n3. A query reads what was just written, however fast it is asked.")
        let receipt = try await shop.commands.send(ShipOrder(date: date), to: hats)
        let details = shop.runner(OrderDetails.self)
        try await withRunning(details) {
            let queries = QueryBus(details)
            let order = try await queries.ask(OrderByID(id: hats), after: receipt.position)
            let steps = order?.history.map(\.status.rawValue).joined(separator: ", ") ?? "missing"
            try say("   hats: \(steps)")
        }
    }

    private static func afternoon(_ shop: Shop) async throws {
        try say("4. The orders are as they were, and go on from there.")
        let hatsNow = try await shop.store.load(Order.self, hats)
        try say("   hats: \(hatsNow.state.status), after \(hatsNow.version) events")
        try await refused(
            CancelOrder(date: try day("2026-03-03"), reason: "too late"), "Cancelling the hats",
            shop)
        try await told("gloves") {
            try await shop.commands.send(
                CancelOrder(date: try day("2026-03-03"), reason: "wrong size"), to: "gloves")
        }

        try say("\n5. Read models are made of the events. The cancelled order is in no total.")
        let figures = try await shop.ask(SalesReport())
        try say(indented(OrderProgram.text(figures)))

        try say("6. Replayed from the first event, each of them comes out the same.")
        try say(indented(OrderProgram.text(try await shop.compareModels())))
    }

    // MARK: - Telling

    private static func told(
        _ id: Order.ID, _ send: () async throws -> CommandReceipt<Order>
    ) async throws {
        let receipt = try await send()
        let terms = receipt.state.terms.map { "   (\($0))" } ?? ""
        try say("   \(id) -> \(receipt.state.status)\(terms)")
    }

    private static func refused<C: AggregateCommand<Order>>(
        _ command: C, _ attempt: String, _ shop: Shop
    ) async throws {
        do throws(C.Failure) {
            try await shop.commands.send(command, to: hats)
            throw .interrupted(Failure("a rule of the shop was not kept"))
        } catch .rejected(let rejection) {
            try say("   \(attempt) is refused: \(rejection).")
        } catch {
            throw error
        }
    }

    private static func day(_ text: String) throws -> CalendarDate {
        guard let date = CalendarDate(text) else { throw RowFault.notADate(text) }
        return date
    }

    private static func say(_ text: String) throws { try StandardOutput.line(text) }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "   \($0)" }.joined(separator: "\n")
    }
}

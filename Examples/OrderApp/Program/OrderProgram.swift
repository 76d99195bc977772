import ExampleSupport
import Wellspring

/// The subcommands and what each of them does.
enum OrderProgram {
    static let program = Program(
        name: "OrderApp", summary: "Keeps the orders of a shop as events.",
        subcommands: [
            Subcommand(
                "import", arguments: ["FILE.csv"], summary: "Adds the orders of a CSV file.",
                options: [
                    .store,
                    Option("skip-invalid", "Counts lines that are no orders, and goes on."),
                    Option("progress", "Reports progress line by line, without a terminal too."),
                    .json,
                ]),
            Subcommand(
                "report", summary: "Shows sales by month and the best customers.",
                options: [.store, .json]),
            Subcommand(
                "list", summary: "Lists orders as they came.",
                options: [
                    .store,
                    Option("status", value: "STATUS", "Only placed, paid, shipped or cancelled."),
                    .json,
                ]),
            Subcommand(
                "order", arguments: ["ID"], summary: "Shows one order.", options: [.store, .json]),
            Subcommand(
                "customer", arguments: ["ID"], summary: "Shows one customer's orders.",
                options: [.store, .json]),
            Subcommand(
                "place", arguments: ["ID"], summary: "Places an order.",
                options: [
                    .store,
                    Option("customer", value: "ID", "Who orders.", isRequired: true),
                    Option("quantity", value: "COUNT", "How many.", isRequired: true),
                    Option(
                        "amount-cents", value: "CENTS", "What all of it costs.", isRequired: true),
                    .date,
                ]),
            Subcommand(
                "pay", arguments: ["ID"], summary: "Pays an order.", options: [.store, .date]),
            Subcommand(
                "ship", arguments: ["ID"], summary: "Ships a paid order.",
                options: [.store, .date]),
            Subcommand(
                "cancel", arguments: ["ID"], summary: "Cancels an order that is not shipped.",
                options: [.store, Option("reason", value: "TEXT", "Why."), .date]),
            Subcommand(
                "rebuild",
                summary: "Replays every read model and compares it with the stored one.",
                options: [.store, .json]),
        ])

    /// Does what the command line asks for.
    static func run(_ arguments: Arguments) async throws {
        switch arguments.subcommand {
        case "import": try await importOrders(arguments)
        case "report": try await report(arguments)
        case "list": try await list(arguments)
        case "order": try await order(arguments)
        case "customer": try await customer(arguments)
        case "place": try await place(arguments)
        case "pay": try await pay(arguments)
        case "ship": try await ship(arguments)
        case "cancel": try await cancel(arguments)
        case "rebuild": try await rebuild(arguments)
        default: throw UsageError("There is no subcommand '\(arguments.subcommand)'.")
        }
    }
}

extension Option {
    static let store = Option("store", value: "DIR", "Where the events are.", isRequired: true)
    static let json = Option("json", "Writes one JSON document to standard output.")
    static let date = Option("date", value: "YYYY-MM-DD", "The day it happened; today if left out.")
}

extension Arguments {
    /// The directory of the store; required everywhere.
    var store: String { self[option: "store"] ?? "" }
}

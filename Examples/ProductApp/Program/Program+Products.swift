import ExampleSupport

extension Program {
    /// What this program understands.
    static let products = Program(
        name: "ProductApp",
        summary: "Keeps a product catalogue as a history of events and reads it as a shop would.",
        subcommands: [
            Subcommand(
                "import", arguments: ["FILE.csv"],
                summary: "Adds the products of a file (sku,name,category,brand,price_cents,stock).",
                options: [
                    .store, .json,
                    Option(
                        "skip-invalid",
                        "Leaves out invalid lines; else one is enough to import none."),
                    Option("progress", "Reports progress line by line, without a terminal too."),
                ]),
            Subcommand(
                "show", arguments: ["SKU"], summary: "Shows one product.",
                options: [.store, .json]),
            Subcommand(
                "search", summary: "Lists products, a page at a time.",
                options: [
                    .store, .json,
                    Option("category", value: "C", "Only this category."),
                    Option("sort", value: "ORDER", "By rating, price or name (default)."),
                    Option("limit", value: "N", "The most products on a page (20)."),
                    Option("after", value: "CURSOR", "What the page before gave as next."),
                ]),
            .change("price", "CENTS", "Sets the price of a product, in cents."),
            .change("restock", "QUANTITY", "Adds units to the stock of a product."),
            .change("reserve", "QUANTITY", "Sets units of a product aside for a customer."),
            .change("review", "STARS", "Gives a product one to five stars."),
            Subcommand(
                "rename", arguments: ["category|brand", "ID", "NAME"],
                summary: "Renames a category or a brand, in every product of it.",
                options: [.store]),
            Subcommand(
                "rebuild",
                summary:
                    "Replays the catalogue from its events and compares it with the saved one.",
                options: [.store, .json]),
        ])
}

extension Subcommand {
    /// A change to one product, with protection from stale edits.
    fileprivate static func change(
        _ name: String, _ argument: String, _ summary: String
    ) -> Subcommand {
        Subcommand(
            name, arguments: ["SKU", argument], summary: summary,
            options: [
                .store, .json,
                Option(
                    "expected-version", value: "N",
                    "Changes nothing unless the product is at this version."),
            ])
    }
}

extension Option {
    fileprivate static let store = Option(
        "store", value: "DIR", "The directory of the store.", isRequired: true)
    fileprivate static let json = Option("json", "Writes one JSON document.")
}

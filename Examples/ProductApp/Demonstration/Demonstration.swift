import ExampleSupport
import Wellspring

/// A day in the shop, told as it happens, in a store that is deleted at the end.
enum Demonstration {
    static func run() async throws {
        try await withTemporaryDirectory { directory in
            try say("A shop whose catalogue is a history of events, in \(directory)\n")
            try await Shop.open(directory, .createsStore) { shop in
                try await stock(shop)
                try await sell(shop)
                try await changePrices(shop)
                try await browse(shop)
                try await renameShelf(shop)
            }
            try say("\nThe shop closes for the night and opens again, from what is on disk.\n")
            try await Shop.open(directory) { shop in
                try await lookBack(shop)
            }
            try say("\n'ProductApp --help' shows what else there is.")
        }
    }

    /// Products come from a file.
    private static func stock(_ shop: Shop) async throws {
        let plan = try ImportPlan(reading: CSVReader(bytes: Array(delivery.utf8)))
        let summary = try await Importer(shop: shop).run(plan)
        try say("1. A delivery arrives: \(summary).")
        var again = plan
        try await again.leaveOutKnown(to: shop)
        try say("   The same list once more: \(try await Importer(shop: shop).run(again)).")
        try show(try await shop.ask(SearchCatalogue(sort: .price), after: shop.end))
    }

    /// Nobody gets what is not there.
    private static func sell(_ shop: Shop) async throws {
        let lamp = try await shop.change("L-1", Reserve(quantity: 2))
        try say("\n2. A customer reserves two desk lamps; \(lamp.stock) is left.")
        try await refused("Another one wants two:") {
            try await shop.change("L-1", Reserve(quantity: 2))
        }
        try await shop.change("L-1", Restock(quantity: 10))
    }

    /// Two clerks edit the same product; the second one has not seen what the first one did.
    private static func changePrices(_ shop: Shop) async throws {
        let seen = try await shop.entry(of: "L-1").version
        try say("\n3. Two clerks look at the desk lamp, which is at version \(seen).")
        let lamp = try await shop.change(
            "L-1", ChangePrice(price: Money(cents: 2499)), expecting: .exactly(seen))
        try say("   One makes it \(lamp.price), which is version \(lamp.version).")
        try await refused("The other one, who has not seen that, wants 19.99:") {
            try await shop.change(
                "L-1", ChangePrice(price: Money(cents: 1999)), expecting: .exactly(seen))
        }
    }

    /// Pages stay in step while something comes in between.
    private static func browse(_ shop: Shop) async throws {
        for (sku, stars) in [("B-1", 5), ("B-1", 4), ("L-1", 4), ("L-2", 5), ("B-2", 3)] {
            try await shop.change(Product.ID(sku), Review(stars: stars))
        }
        try say(
            "\n4. Reviews come in. Somebody turns the pages, best first, three to a page, while a")
        try say("   new favourite takes the first place. None is skipped, none shown twice.")
        var search = SearchCatalogue(sort: .rating, limit: 3)
        repeat {
            let page = try await shop.ask(search)
            for entry in page.items { try say("     \(entry.name), \(entry.rating)") }
            if page.next != nil { try say("     - next page -") }
            search.after = page.next
            try await shop.change("L-3", CreateProduct(listing: favourite))
            try await shop.change("L-3", Review(stars: 5))
        } while search.after != nil
    }

    /// One event, and every entry shows it.
    private static func renameShelf(_ shop: Shop) async throws {
        let receipt = try await shop.send(RenameCategory(name: "Lamps & torches"), to: "lighting")
        let page = try await shop.ask(
            SearchCatalogue(category: "Lamps & torches"), after: receipt.position)
        try say("\n5. Lighting is called \"Lamps & torches\" now, in one event:")
        try show(page)
    }

    /// The history is the truth; the catalogue is one way to read it.
    private static func lookBack(_ shop: Shop) async throws {
        try say("6. What happened to the desk lamp:")
        for try await recorded in shop.store.events(in: Product.ID("L-1").stream) {
            let content = String(decoding: recorded.event.payload, as: UTF8.self)
            try say("     \(recorded.version)  \(recorded.event.name) \(content)")
        }
        let report = try await RebuildReport(of: shop)
        try say("\n7. \(report.text)")
    }
}

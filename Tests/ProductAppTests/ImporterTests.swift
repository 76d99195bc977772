import ExampleSupport
import Wellspring
import XCTest

@testable import ProductApp

final class ImporterTests: XCTestCase {
    private func plan(_ lines: String...) throws -> ImportPlan {
        let text = (["sku,name,category,brand,price_cents,stock"] + lines).joined(separator: "\n")
        return try ImportPlan(reading: CSVReader(bytes: Array(text.utf8)))
    }

    private let lamp = "L-1,Lamp,lighting,acme,1234,5"
    private let torch = "L-2,Torch,lighting,acme,1950,12"

    func test_an_import_creates_products_categories_and_brands_once_each() async throws {
        let plan = try plan(lamp, torch)
        try await withShop { shop in
            let summary = try await Importer(shop: shop).run(plan)
            XCTAssertEqual(summary, .init(imported: 2, alreadyThere: 0, invalid: 0))
            let count = try await shop.eventCount
            XCTAssertEqual(count, 4)
            let entry = try await shop.entry(of: "L-2", after: shop.end)
            XCTAssertEqual(entry.name, "Torch")
            XCTAssertEqual(entry.categoryName, "lighting")
        }
    }

    func test_the_same_file_again_adds_nothing() async throws {
        let plan = try plan(lamp, torch)
        try await withShop { shop in
            _ = try await Importer(shop: shop).run(plan)
            var again = plan
            try await again.leaveOutKnown(to: shop)
            let summary = try await Importer(shop: shop).run(again)
            XCTAssertEqual(summary, .init(imported: 0, alreadyThere: 2, invalid: 0))
            let count = try await shop.eventCount
            XCTAssertEqual(count, 4)
        }
    }

    func test_a_longer_file_adds_what_is_missing() async throws {
        let (first, second) = (try plan(lamp), try plan(lamp, torch))
        try await withShop { shop in
            _ = try await Importer(shop: shop).run(first)
            var second = second
            try await second.leaveOutKnown(to: shop)
            let summary = try await Importer(shop: shop).run(second)
            XCTAssertEqual(summary, .init(imported: 1, alreadyThere: 1, invalid: 0))
        }
    }

    func test_a_product_that_was_sold_and_priced_since_is_still_the_same_line() async throws {
        let plan = try plan(lamp)
        try await withShop { shop in
            _ = try await Importer(shop: shop).run(plan)
            try await shop.change("L-1", ChangePrice(price: Money(cents: 1)))
            try await shop.change("L-1", Reserve(quantity: 5))
            try await shop.send(RenameCategory(name: "Lamps"), to: "lighting")
            var again = plan
            try await again.leaveOutKnown(to: shop)
            XCTAssertEqual(again.alreadyThere, 1)
            XCTAssertEqual(again.invalid, [])
            let entry = try await shop.entry(of: "L-1", after: shop.end)
            XCTAssertEqual(entry.price, Money(cents: 1))
            XCTAssertEqual(entry.categoryName, "Lamps")
        }
    }

    func test_a_sku_that_the_shop_has_with_other_content_is_invalid_and_both_are_named()
        async throws
    {
        let (first, second) = (try plan(lamp), try plan(torch, "L-1,Lamp,lighting,acme,1300,5"))
        try await withShop { shop in
            _ = try await Importer(shop: shop).run(first)
            let count = try await shop.eventCount
            var second = second
            try await second.leaveOutKnown(to: shop)
            XCTAssertEqual(
                second.invalid.map(\.description),
                ["line 3: L-1: it is there already, with price 12.34 EUR, not 13.00 EUR"])
            XCTAssertThrowsError(try second.mustBeValid()) { error in
                XCTAssertTrue("\(error)".contains("line 3"), "\(error)")
                XCTAssertTrue("\(error)".contains("Nothing was imported"), "\(error)")
            }
            let after = try await shop.eventCount
            XCTAssertEqual(after, count)
            XCTAssertEqual(second.lines.map(\.sku), ["L-2"])
        }
    }

    func test_a_repeated_line_is_as_invalid_as_the_first() async throws {
        let other = "L-1,Lamp,lighting,acme,1300,5"
        let (first, second) = (try plan(lamp), try plan(other, torch, other))
        try await withShop { shop in
            _ = try await Importer(shop: shop).run(first)
            var second = second
            try await second.leaveOutKnown(to: shop)
            let summary = try await Importer(shop: shop).run(second)
            XCTAssertEqual(second.invalid.map(\.number), [2, 4])
            XCTAssertEqual(summary, .init(imported: 1, alreadyThere: 0, invalid: 2))
        }
    }

    func test_more_products_than_fly_at_once_all_arrive_and_are_counted() async throws {
        let lines = (1...(3 * commandsInFlight + 1)).map { number in
            "P-\(number),Thing \(number),c\(number % 7),b\(number % 5),\(number),1"
        }
        let text = (["sku,name,category,brand,price_cents,stock"] + lines).joined(separator: "\n")
        let plan = try ImportPlan(reading: CSVReader(bytes: Array(text.utf8)))
        try await withShop { shop in
            var reports: [Int] = []
            _ = try await Importer(shop: shop).run(plan) { reports.append($0) }
            XCTAssertEqual(reports, Array(1...lines.count))
            let page = try await shop.ask(SearchCatalogue(limit: .max), after: shop.end)
            XCTAssertEqual(Set(page.items.map(\.sku)), Set(plan.lines.map(\.sku)))
            let count = try await shop.eventCount
            XCTAssertEqual(count, UInt64(lines.count + 7 + 5))
        }
    }
}

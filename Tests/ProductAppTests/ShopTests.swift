import Wellspring
import XCTest

@testable import ProductApp

final class ShopTests: XCTestCase {
    func test_a_change_is_seen_by_who_made_it() async throws {
        try await withShop { shop in
            try await shop.create("L-1")
            let entry = try await shop.change("L-1", ChangePrice(price: Money(cents: 999)))
            XCTAssertEqual(entry.price, Money(cents: 999))
            XCTAssertEqual(entry.version, StreamVersion(2))
        }
    }

    func test_a_stale_edit_is_a_conflict_that_names_both_versions_and_loses_nothing() async throws {
        try await withShop { shop in
            try await shop.create("L-1")
            try await shop.change(
                "L-1", ChangePrice(price: Money(cents: 999)), expecting: .exactly(StreamVersion(1)))
            let conflict = await message {
                try await shop.change(
                    "L-1", ChangePrice(price: Money(cents: 1)),
                    expecting: .exactly(StreamVersion(1)))
            }
            XCTAssertEqual(
                conflict,
                "L-1 is at version 2, not at the expected version 1. Nothing was changed; look at "
                    + "it again and decide anew.")
            let entry = try await shop.entry(of: "L-1", after: shop.end)
            XCTAssertEqual(entry.price, Money(cents: 999))
            XCTAssertEqual(entry.version, StreamVersion(2))
        }
    }

    func test_a_stale_edit_is_a_conflict_even_if_a_rule_would_refuse_it_too() async throws {
        try await withShop { shop in
            try await shop.create("L-1")
            let conflict = await message {
                try await shop.change(
                    "L-1", Reserve(quantity: 1_000), expecting: .exactly(StreamVersion(7)))
            }
            XCTAssertTrue(conflict?.contains("expected version 7") == true, "\(conflict ?? "none")")
        }
    }

    func test_many_reservations_at_once_never_take_more_than_there_is() async throws {
        try await withShop { shop in
            try await shop.create("L-1", .sample(stock: 10))
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<30 {
                    group.addTask { _ = try? await shop.change("L-1", Reserve(quantity: 1)) }
                }
            }
            let entry = try await shop.entry(of: "L-1", after: shop.end)
            XCTAssertEqual(entry.stock, 0)
            XCTAssertEqual(entry.version, StreamVersion(11))
        }
    }

    func test_a_refusal_names_the_product_and_the_reason() async throws {
        try await withShop { shop in
            try await shop.create("L-1", .sample(stock: 1))
            let refusal = await message { try await shop.change("L-1", Reserve(quantity: 2)) }
            XCTAssertEqual(refusal, "L-1: 2 cannot be reserved, the stock is 1.")
        }
    }

    func test_an_unknown_product_is_named() async throws {
        try await withShop { shop in
            let unknown = await message { try await shop.entry(of: "\u{1B}X") }
            XCTAssertEqual(unknown, "There is no product '\\u{1b}X'.")
        }
    }

    func test_the_price_that_a_product_has_already_is_no_event() async throws {
        try await withShop { shop in
            try await shop.create("L-1")
            let entry = try await shop.change("L-1", ChangePrice(price: Money(cents: 1234)))
            XCTAssertEqual(entry.version, StreamVersion(1))
        }
    }

    func test_what_is_stored_under_which_name_does_not_change() async throws {
        try await withShop { shop in
            try await shop.create("L-1")
            try await shop.change("L-1", ChangePrice(price: Money(cents: 999)))
            try await shop.change("L-1", Restock(quantity: 2))
            try await shop.change("L-1", Reserve(quantity: 3))
            try await shop.change("L-1", Review(stars: 4))
            try await shop.send(CreateCategory(name: "Lighting"), to: "lighting")
            try await shop.send(RenameCategory(name: "Lamps"), to: "lighting")
            try await shop.send(CreateBrand(name: "Acme"), to: "acme")
            try await shop.send(RenameBrand(name: "Acme & Sons"), to: "acme")
            let stored = try await shop.store.read(LogRead()).events.map { recorded in
                let content = String(decoding: recorded.event.payload, as: UTF8.self)
                return "\(recorded.stream) \(recorded.event.name) \(content)"
            }
            XCTAssertEqual(
                stored,
                [
                    #"product/L-1 product.created {"listing":{"brand":"acme","category":"lighting","#
                        + #""name":"Lamp","price":{"cents":1234},"stock":5}}"#,
                    #"product/L-1 product.priced {"price":{"cents":999}}"#,
                    #"product/L-1 product.restocked {"quantity":2}"#,
                    #"product/L-1 product.reserved {"quantity":3}"#,
                    #"product/L-1 product.reviewed {"stars":4}"#,
                    #"category/lighting category.created {"name":"Lighting"}"#,
                    #"category/lighting category.renamed {"name":"Lamps"}"#,
                    #"brand/acme brand.created {"name":"Acme"}"#,
                    #"brand/acme brand.renamed {"name":"Acme & Sons"}"#,
                ])
        }
    }
}

import Wellspring
import WellspringTestKit
import XCTest

@testable import ProductApp

final class ProductRulesTests: XCTestCase {
    private let product = Scenario<Product>().given(.created(listing: .sample(stock: 5)))
    private let nothing = Scenario<Product>()

    // MARK: - Creating

    func test_a_product_is_created_once() throws {
        try nothing.when(CreateProduct(listing: .sample())).then(.created(listing: .sample()))
        try product.when(CreateProduct(listing: .sample())).thenNothing()
    }

    func test_a_product_stays_the_one_it_was_created_as_whatever_happened_since() throws {
        try product.given(.priced(price: Money(cents: 1)), .reserved(quantity: 5))
            .when(CreateProduct(listing: .sample())).thenNothing()
    }

    func test_another_product_of_the_same_sku_is_rejected_and_every_difference_named() throws {
        let other = Listing.sample("Torch", category: "c", brand: "b", cents: 99, stock: 6)
        try product.when(CreateProduct(listing: other)).thenRejected(
            .createdOtherwise(
                differences: "name Lamp, not Torch; category lighting, not c; brand acme, not b; "
                    + "price 12.34 EUR, not 0.99 EUR; stock 5, not 6"))
    }

    func test_ids_that_only_look_alike_are_named_as_a_difference() {
        func listing(_ category: Category.ID) -> Listing {
            Listing(
                name: "Cup", category: category, brand: "b", price: Money(cents: 1), stock: 1)
        }
        let (composed, decomposed) = (listing("caf\u{E9}"), listing("cafe\u{301}"))
        XCTAssertNotEqual(composed, decomposed)
        XCTAssertTrue(composed.differences(from: decomposed).hasPrefix("category "))
    }

    func test_a_product_needs_a_name_a_category_and_a_brand() throws {
        try nothing.when(CreateProduct(listing: .sample("")))
            .thenRejected(.missing(field: "name"))
        try nothing.when(CreateProduct(listing: .sample(category: "")))
            .thenRejected(.missing(field: "category"))
        try nothing.when(CreateProduct(listing: .sample(brand: "")))
            .thenRejected(.missing(field: "brand"))
    }

    func test_a_product_may_be_free_and_out_of_stock_but_neither_below() throws {
        let free = Listing.sample(cents: 0, stock: 0)
        try nothing.when(CreateProduct(listing: free)).then(.created(listing: free))
        try nothing.when(CreateProduct(listing: .sample(cents: -1)))
            .thenRejected(.negativePrice(Money(cents: -1)))
        try nothing.when(CreateProduct(listing: .sample(stock: -1)))
            .thenRejected(.notAStock(quantity: -1))
    }

    func test_a_product_may_begin_with_the_most_stock_and_not_with_more() throws {
        let full = Listing.sample(stock: Product.mostStock)
        try nothing.when(CreateProduct(listing: full)).then(.created(listing: full))
        try nothing.when(CreateProduct(listing: .sample(stock: Product.mostStock + 1)))
            .thenRejected(.notAStock(quantity: Product.mostStock + 1))
    }

    // MARK: - Changing

    func test_nothing_can_be_done_with_an_unknown_product() throws {
        try nothing.when(ChangePrice(price: Money(cents: 1))).thenRejected(.unknown)
        try nothing.when(Restock(quantity: 1)).thenRejected(.unknown)
        try nothing.when(Reserve(quantity: 1)).thenRejected(.unknown)
        try nothing.when(Review(stars: 1)).thenRejected(.unknown)
    }

    func test_a_price_changes_to_another_one_that_is_not_negative() throws {
        try product.when(ChangePrice(price: Money(cents: 0)))
            .then(.priced(price: Money(cents: 0)))
        try product.when(ChangePrice(price: Money(cents: .max)))
            .then(.priced(price: Money(cents: .max)))
        try product.when(ChangePrice(price: Money(cents: -1)))
            .thenRejected(.negativePrice(Money(cents: -1)))
        try product.when(ChangePrice(price: Money(cents: 1234))).thenNothing()
    }

    func test_a_price_can_go_back_to_what_it_was() throws {
        try product.given(.priced(price: Money(cents: 1)))
            .when(ChangePrice(price: Money(cents: 1234)))
            .then(.priced(price: Money(cents: 1234)))
    }

    func test_stock_grows_by_at_least_one_and_at_most_to_the_limit() throws {
        let room = Product.mostStock - 5
        try product.when(Restock(quantity: 1)).then(.restocked(quantity: 1))
        try product.when(Restock(quantity: room)).then(.restocked(quantity: room))
        try product.when(Restock(quantity: room + 1))
            .thenRejected(.stockTooLarge(stock: 5, adding: room + 1))
        try product.when(Restock(quantity: .max))
            .thenRejected(.stockTooLarge(stock: 5, adding: .max))
        try product.when(Restock(quantity: 0)).thenRejected(.notPositive(quantity: 0))
        try product.when(Restock(quantity: .min)).thenRejected(.notPositive(quantity: .min))
    }

    func test_what_is_in_stock_can_be_reserved_to_the_last_unit_and_no_further() throws {
        try product.when(Reserve(quantity: 5)).then(.reserved(quantity: 5))
        try product.when(Reserve(quantity: 6))
            .thenRejected(.notEnoughStock(stock: 5, wanted: 6))
        try product.given(.reserved(quantity: 5), .restocked(quantity: 2))
            .when(Reserve(quantity: 3)).thenRejected(.notEnoughStock(stock: 2, wanted: 3))
        try product.when(Reserve(quantity: 0)).thenRejected(.notPositive(quantity: 0))
    }

    func test_a_review_gives_one_to_five_stars() throws {
        try product.when(Review(stars: 1)).then(.reviewed(stars: 1))
        try product.when(Review(stars: 5)).then(.reviewed(stars: 5))
        try product.when(Review(stars: 0)).thenRejected(.notARating(stars: 0))
        try product.when(Review(stars: 6)).thenRejected(.notARating(stars: 6))
    }
}

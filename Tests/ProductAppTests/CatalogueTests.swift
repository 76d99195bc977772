import Foundation
import Wellspring
import XCTest

@testable import ProductApp

final class CatalogueTests: XCTestCase {
    private var fixture = CatalogueFixture()

    override func setUp() {
        fixture.record(Category.Event.created(name: "Lighting"), of: "lighting")
        fixture.record(Brand.Event.created(name: "Acme"), of: "acme")
        fixture.record(.created(listing: .sample()), of: "L-1")
    }

    private func entry(_ sku: Product.ID = "L-1") throws -> CatalogueEntry {
        try XCTUnwrap(EntryOf(sku: sku).answer(from: fixture.catalogue))
    }

    func test_a_new_product_shows_the_names_of_its_category_and_brand() throws {
        XCTAssertEqual(try entry().categoryName, "Lighting")
        XCTAssertEqual(try entry().brandName, "Acme")
        XCTAssertEqual(try entry().version, StreamVersion(1))
    }

    func test_a_rename_shows_in_every_product_of_the_category_and_in_no_other() throws {
        fixture.record(.created(listing: .sample("Torch")), of: "L-2")
        fixture.record(.created(listing: .sample("Spade", category: "garden")), of: "G-1")
        fixture.record(Category.Event.renamed(name: "Lamps and torches"), of: "lighting")
        XCTAssertEqual(try entry("L-1").categoryName, "Lamps and torches")
        XCTAssertEqual(try entry("L-2").categoryName, "Lamps and torches")
        XCTAssertEqual(try entry("G-1").categoryName, "garden")
    }

    func test_a_rename_shows_in_every_product_of_the_brand_and_in_no_other() throws {
        fixture.record(.created(listing: .sample("Torch", brand: "umbrella")), of: "L-2")
        fixture.record(Brand.Event.renamed(name: "Acme & Sons"), of: "acme")
        XCTAssertEqual(try entry("L-1").brandName, "Acme & Sons")
        XCTAssertEqual(try entry("L-2").brandName, "umbrella")
    }

    func test_a_product_that_comes_after_a_rename_shows_the_new_name() throws {
        fixture.record(Category.Event.renamed(name: "Lamps"), of: "lighting")
        fixture.record(.created(listing: .sample("Torch")), of: "L-2")
        XCTAssertEqual(try entry("L-2").categoryName, "Lamps")
    }

    func test_a_category_that_is_created_after_its_product_names_it_too() throws {
        fixture.record(.created(listing: .sample("Spade", category: "garden")), of: "G-1")
        fixture.record(Category.Event.created(name: "Garden"), of: "garden")
        XCTAssertEqual(try entry("G-1").categoryName, "Garden")
    }

    func test_a_rename_leaves_the_version_of_a_product_alone() throws {
        fixture.record(Category.Event.renamed(name: "Lamps"), of: "lighting")
        XCTAssertEqual(try entry().version, StreamVersion(1))
    }

    func test_price_stock_and_version_follow_the_events() throws {
        fixture.record(.priced(price: Money(cents: 999)), of: "L-1")
        fixture.record(.restocked(quantity: 4), of: "L-1")
        fixture.record(.reserved(quantity: 8), of: "L-1")
        XCTAssertEqual(try entry().price, Money(cents: 999))
        XCTAssertEqual(try entry().stock, 1)
        XCTAssertTrue(try entry().isInStock)
        XCTAssertEqual(try entry().version, StreamVersion(4))
    }

    func test_a_product_whose_last_unit_is_reserved_is_not_in_stock() throws {
        fixture.record(.reserved(quantity: 5), of: "L-1")
        XCTAssertFalse(try entry().isInStock)
    }

    func test_the_rating_is_the_exact_average_of_all_reviews() throws {
        XCTAssertNil(try entry().rating.average)
        for stars in [5, 4, 4] { fixture.record(.reviewed(stars: stars), of: "L-1") }
        XCTAssertEqual(try entry().rating.average, 13.0 / 3.0)
        XCTAssertEqual(try entry().rating.reviews, 3)
    }

    func test_a_saved_catalogue_reads_back_as_the_same() throws {
        fixture.record(.reviewed(stars: 3), of: "L-1")
        fixture.record(.created(listing: .sample("Caf\u{65}\u{301}")), of: "caf\u{E9}")
        fixture.record(.created(listing: .sample("Café")), of: "cafe\u{301}")
        let saved = try JSONEncoder().encode(fixture.catalogue)
        let read = try JSONDecoder().decode(Catalogue.self, from: saved)
        XCTAssertEqual(read, fixture.catalogue)
        XCTAssertEqual(read.entries.count, 3)
    }
}

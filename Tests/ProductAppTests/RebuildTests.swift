import Foundation
import Wellspring
import XCTest

@testable import ProductApp

final class RebuildTests: XCTestCase {
    func test_a_replay_is_identical_to_what_was_built_as_it_came() async throws {
        try await withShop { shop in
            try await shop.create("L-1")
            try await shop.change("L-1", Review(stars: 4))
            try await shop.send(CreateCategory(name: "Lighting"), to: "lighting")
            let report = try await RebuildReport(of: shop)
            XCTAssertTrue(report.identical)
            XCTAssertEqual(report.differences, [])
            XCTAssertEqual(report.products, 1)
            XCTAssertEqual(report.position, LogPosition(3))
        }
    }

    func test_an_empty_shop_is_identical_to_its_replay() async throws {
        try await withShop { shop in
            let report = try await RebuildReport(of: shop)
            XCTAssertTrue(report.identical)
            XCTAssertEqual(report.products, 0)
        }
    }

    func test_every_difference_is_named() {
        var (replayed, saved) = (CatalogueFixture(), CatalogueFixture())
        replayed.record(.created(listing: .sample()), of: "L-1")
        replayed.record(.created(listing: .sample()), of: "L-2")
        saved.record(.created(listing: .sample(cents: 1)), of: "L-2")
        saved.record(.created(listing: .sample()), of: "L-3")
        saved.record(Brand.Event.created(name: "Quill"), of: "quill")
        XCTAssertEqual(
            replayed.catalogue.differences(from: saved.catalogue),
            [
                "product L-1 was not saved",
                "product L-2 was saved with other content",
                "product L-3 was saved without an event",
                "category lighting was saved with other content",
                "brand acme was saved with other content",
                "brand quill was saved without an event",
            ])
        XCTAssertEqual(saved.catalogue.differences(from: saved.catalogue), [])
    }
}

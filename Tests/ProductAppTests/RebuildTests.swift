import ExampleTestSupport
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

    /// Opens the shop in `directory` after somebody wrote `state` over the saved catalogue.
    private func report(
        replacing state: (Catalogue) throws -> Data, in directory: String
    ) async throws -> RebuildReport {
        try await Shop.open(directory, .createsStore) { shop in
            if try await shop.eventCount == 0 { try await shop.create("L-1") }
        }
        let store = try await FileEventStore(at: directory)
        let found = try await store.checkpoints.load(Catalogue.name)
        var checkpoint = try XCTUnwrap(found)
        let saved = try JSONDecoder().decode(Catalogue.self, from: Data(checkpoint.state))
        checkpoint.state = EventPayload(try state(saved))
        try await store.checkpoints.save(checkpoint)
        await store.close()
        return try await Shop.open(directory) { try await RebuildReport(of: $0) }
    }

    func test_a_saved_catalogue_that_was_tampered_with_is_found_and_replaced() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let report = try await report(
            replacing: { saved in
                var other = saved
                other.apply(.sample(.product(.reserved(quantity: 1)), in: Product.ID("L-1").stream))
                return try JSONEncoder().encode(other)
            }, in: directory.path("store"))
        XCTAssertFalse(report.identical)
        XCTAssertEqual(report.differences, ["product L-1 was saved with other content"])

        let again = try await self.report(
            replacing: { try JSONEncoder().encode($0) }, in: directory.path("store"))
        XCTAssertTrue(again.identical, "\(again.differences)")
    }

    func test_a_saved_catalogue_that_cannot_be_read_is_not_called_identical() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let report = try await report(
            replacing: { _ in Data("{}".utf8) }, in: directory.path("store"))
        XCTAssertFalse(report.identical)
        XCTAssertEqual(report.differences.count, 1)
        XCTAssertEqual(report.products, 1)
    }

    func test_every_difference_is_named() {
        var (replayed, saved) = (CatalogueFixture(), CatalogueFixture())
        replayed.record(Category.Event.created(name: "Lighting"), of: "lighting")
        saved.record(Category.Event.created(name: "Lamps"), of: "lighting")
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
                "brand quill was saved without an event",
            ])
        XCTAssertEqual(saved.catalogue.differences(from: saved.catalogue), [])
    }
}

import Wellspring
import XCTest

@testable import ProductApp

final class CatalogueCursorTests: XCTestCase {
    private func cursor(
        _ sort: CatalogueSort, sku: Product.ID = "L-1", category: String? = nil
    ) throws -> CatalogueCursor {
        var fixture = CatalogueFixture()
        fixture.record(.created(listing: .sample("Lämpchen ???>>>")), of: sku)
        let entry = try XCTUnwrap(fixture.catalogue.entries[sku])
        return CatalogueCursor(category: category, place: CataloguePlace(of: entry, in: sort))
    }

    func test_a_cursor_survives_being_text() throws {
        for sort in CatalogueSort.allCases {
            for category in [nil, "", "Lighting", "a/b+c=d"] {
                let cursor = try self.cursor(sort, sku: "??>>~~/ÿ", category: category)
                XCTAssertEqual(CatalogueCursor(cursor.description), cursor)
                XCTAssertEqual(cursor.place.sort, sort)
            }
        }
    }

    func test_the_text_needs_no_quoting() throws {
        for length in 0..<12 {
            let sku = Product.ID(String(repeating: "?>", count: length))
            let text = try cursor(.name, sku: sku).description
            XCTAssertNil(text.firstMatch(of: /[^A-Za-z0-9_-]/), text)
        }
    }

    func test_garbage_is_no_cursor() {
        for text in ["", "x", "====", "e30", "bnVsbA", "ä", "!!", "W10", "\n", "eyJhIjoxfQ"] {
            XCTAssertNil(CatalogueCursor(text), text)
        }
    }

    func test_a_cursor_that_was_cut_short_is_none() throws {
        let text = try cursor(.rating).description
        for length in 0..<text.count - 1 {
            XCTAssertNil(CatalogueCursor(String(text.prefix(length))))
        }
    }
}

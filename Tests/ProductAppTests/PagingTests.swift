import Wellspring
import XCTest

@testable import ProductApp

/// Random catalogues with many ties, read page by page.
final class PagingTests: XCTestCase {
    private let seeds: Range<UInt64> = 1..<25
    private let limits = [1, 2, 3, 7, 1000]

    func test_walking_the_pages_gives_every_entry_once_and_in_order() throws {
        for seed in seeds {
            var generator = SeededGenerator(seed: seed)
            let catalogue = RandomCatalogue(using: &generator).catalogue
            for sort in CatalogueSort.allCases {
                for category in [nil, "Category 1", "c1", "c2"] {
                    let entries = catalogue.entries.values.filter { entry in
                        [nil, entry.categoryName, entry.category.rawValue].contains(category)
                    }
                    let expected = inOrder(sort, entries).map(\.sku)
                    for limit in limits {
                        var search = SearchCatalogue(category: category, sort: sort, limit: limit)
                        let walked = try walk(&search) { catalogue }
                        XCTAssertEqual(walked, expected, "seed \(seed), \(sort), limit \(limit)")
                    }
                }
            }
        }
    }

    func test_no_untouched_entry_is_skipped_or_doubled_while_others_change() throws {
        for seed in seeds {
            for sort in CatalogueSort.allCases {
                var generator = SeededGenerator(seed: seed)
                var random = RandomCatalogue(using: &generator)
                let before = Set(random.catalogue.entries.keys)
                var touched: Set<Product.ID> = []
                var search = SearchCatalogue(sort: sort, limit: limits[Int(seed) % 4])
                let walked = try walk(&search) {
                    defer { touched.formUnion(random.change(using: &generator)) }
                    return random.catalogue
                }
                let untouched = before.subtracting(touched)
                let seen = walked.filter(untouched.contains)
                XCTAssertEqual(Set(seen), untouched, "seed \(seed), \(sort): skipped")
                XCTAssertEqual(seen.count, untouched.count, "seed \(seed), \(sort): doubled")
            }
        }
    }

    func test_a_page_has_a_next_one_only_when_something_follows() {
        var fixture = CatalogueFixture()
        for number in 1...4 {
            fixture.record(.created(listing: .sample()), of: Product.ID("P-\(number)"))
        }
        func next(_ limit: Int) -> CatalogueCursor? {
            SearchCatalogue(limit: limit).answer(from: fixture.catalogue).next
        }
        XCTAssertNotNil(next(3))
        XCTAssertNil(next(4))
        XCTAssertNil(next(5))
    }

    func test_an_empty_catalogue_is_one_empty_page() {
        let page = SearchCatalogue().answer(from: Catalogue())
        XCTAssertEqual(page.items, [])
        XCTAssertNil(page.next)
    }

    func test_a_name_is_ordered_whatever_the_case_of_its_letters() {
        var fixture = CatalogueFixture()
        for (sku, name) in [("1", "banana"), ("2", "Cherry"), ("3", "apple"), ("4", "Banana")] {
            fixture.record(.created(listing: .sample(name)), of: Product.ID(sku))
        }
        let page = SearchCatalogue(sort: .name).answer(from: fixture.catalogue)
        XCTAssertEqual(page.items.map(\.name), ["apple", "banana", "Banana", "Cherry"])
    }

    // MARK: - Helpers

    /// Follows `next` to the end, through the text form of the cursor.
    private func walk(
        _ search: inout SearchCatalogue, _ catalogue: () -> Catalogue
    ) throws -> [Product.ID] {
        var walked: [Product.ID] = []
        for _ in 0..<1000 {
            let page = search.answer(from: catalogue())
            XCTAssertLessThanOrEqual(page.items.count, search.limit)
            walked += page.items.map(\.sku)
            guard let next = page.next else { return walked }
            search.after = try XCTUnwrap(CatalogueCursor(next.description))
        }
        XCTFail("the pages do not end")
        return walked
    }

    /// The order said in other words than the program's.
    private func inOrder(
        _ sort: CatalogueSort, _ entries: [CatalogueEntry]
    ) -> [CatalogueEntry] {
        let bySKU = entries.sorted { $0.sku.rawValue < $1.sku.rawValue }
        func stable<Key: Comparable>(_ key: (CatalogueEntry) -> Key) -> [CatalogueEntry] {
            bySKU.enumerated()
                .sorted { (key($0.element), $0.offset) < (key($1.element), $1.offset) }
                .map(\.element)
        }
        return switch sort {
        case .rating: stable { -($0.rating.average ?? 0) }
        case .price: stable { $0.price.cents }
        case .name: stable { $0.name.lowercased() }
        }
    }
}

/// Few names, prices and stars for many products, so that most keys are shared.
private struct RandomCatalogue {
    private var fixture = CatalogueFixture()
    private var count = 0

    var catalogue: Catalogue { fixture.catalogue }

    init(using generator: inout SeededGenerator) {
        fixture.record(Category.Event.created(name: "Category 1"), of: "c1")
        for _ in 0..<Int.random(in: 0...40, using: &generator) { add(using: &generator) }
    }

    /// Changes, reviews or adds a product; returns the products that are no longer as they were.
    mutating func change(using generator: inout SeededGenerator) -> Set<Product.ID> {
        let skus = catalogue.entries.keys.sorted()
        guard let sku = skus.randomElement(using: &generator) else { return [] }
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: fixture.record(.priced(price: price(using: &generator)), of: sku)
        case 1: fixture.record(.reviewed(stars: Int.random(in: 1...5, using: &generator)), of: sku)
        default:
            add(using: &generator)
            return []
        }
        return [sku]
    }

    private mutating func add(using generator: inout SeededGenerator) {
        count += 1
        let sku = Product.ID("\(UInt8.random(in: 0...255, using: &generator))-\(count)")
        let category = Int.random(in: 1...3, using: &generator)
        let name = ["Lamp", "lamp", "Spade", "Ink"].randomElement(using: &generator) ?? ""
        let listing = Listing(
            name: name, category: Category.ID("c\(category)"), brand: "b",
            price: price(using: &generator), stock: 1)
        fixture.record(.created(listing: listing), of: sku)
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            fixture.record(.reviewed(stars: Int.random(in: 3...5, using: &generator)), of: sku)
        }
    }

    private func price(using generator: inout SeededGenerator) -> Money {
        Money(cents: 100 * Int.random(in: 0...4, using: &generator))
    }
}

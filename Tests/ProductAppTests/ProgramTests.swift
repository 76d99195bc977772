import ExampleTestSupport
import Foundation
import XCTest

/// The program as its users meet it: a process with arguments, output and an exit status.
final class ProgramTests: XCTestCase {
    private let program = BuiltProgram("ProductApp")
    private var directory: TemporaryDirectory?

    override func setUpWithError() throws { directory = try TemporaryDirectory() }
    override func tearDown() { directory?.remove() }

    private func path(_ name: String) throws -> String { try XCTUnwrap(directory).path(name) }
    private var store: String { get throws { try path("store") } }

    /// Runs a subcommand on the store of this test.
    private func run(_ arguments: String...) throws -> Outcome {
        try program.run(arguments + ["--store", store])
    }

    private let products = """
        sku,name,category,brand,price_cents,stock
        L-1,Desk lamp,lighting,Lumen,2999,3
        L-2,Head torch,lighting,Northway,1950,12
        B-1,Atlas of rivers,books,Quill,3400,4
        B-2,"Salt, a history",books,Quill,1290,7
        G-1,Garden spade,garden,Northway,2250,0

        """

    private func importProducts() throws {
        let file = try XCTUnwrap(directory).write(products, to: "products.csv")
        XCTAssertEqual(try run("import", file).status, 0)
    }

    // MARK: - Reading

    func test_show_writes_one_json_document_and_nothing_else() throws {
        try importProducts()
        XCTAssertEqual(try run("review", "L-1", "4").status, 0)
        XCTAssertEqual(try run("review", "L-1", "5").status, 0)
        let shown = try run("show", "L-1", "--json")
        XCTAssertEqual(shown.status, 0, shown.errors)
        XCTAssertEqual(shown.errors, "")
        let entry = try shown.json() as NSDictionary
        XCTAssertEqual(
            entry,
            [
                "sku": "L-1", "name": "Desk lamp", "category": "lighting",
                "category_id": "lighting", "brand": "Lumen", "brand_id": "Lumen",
                "price": "29.99 EUR", "price_cents": 2999, "stock": 3, "in_stock": true,
                "rating": 4.5, "reviews": 2, "version": 3,
            ])
    }

    func test_a_product_without_reviews_has_a_rating_of_null() throws {
        try importProducts()
        let entry = try run("show", "G-1", "--json").json()
        XCTAssertTrue(entry["rating"] is NSNull)
        XCTAssertEqual(entry["in_stock"] as? Bool, false)
    }

    func test_show_of_an_unknown_product_fails_and_says_so_on_standard_error() throws {
        try importProducts()
        let shown = try run("show", "X-1", "--json")
        XCTAssertEqual(shown.status, 1)
        XCTAssertEqual(shown.output, "")
        XCTAssertTrue(shown.errors.contains("There is no product 'X-1'."), shown.errors)
    }

    func test_search_walks_all_pages_by_the_cursors_it_gives() throws {
        try importProducts()
        for (sort, expected) in [
            ("price", ["B-2", "L-2", "G-1", "L-1", "B-1"]),
            ("name", ["B-1", "L-1", "G-1", "L-2", "B-2"]),
        ] {
            var walked: [String] = []
            var after: [String] = []
            for _ in 0..<9 {
                let page = try program.run(
                    ["search", "--sort", sort, "--limit", "2", "--json", "--store", store] + after
                ).json()
                let items = try XCTUnwrap(page["items"] as? [[String: Any]])
                walked += items.compactMap { $0["sku"] as? String }
                guard let next = page["next"] as? String else {
                    XCTAssertTrue(page["next"] is NSNull)
                    break
                }
                after = ["--after", next]
            }
            XCTAssertEqual(walked, expected)
        }
    }

    func test_search_keeps_to_a_category() throws {
        try importProducts()
        let page = try run("search", "--category", "books", "--json").json()
        let items = try XCTUnwrap(page["items"] as? [[String: Any]])
        XCTAssertEqual(items.map { $0["sku"] as? String }, ["B-1", "B-2"])
    }

    func test_a_cursor_of_another_search_is_refused_as_bad_usage() throws {
        try importProducts()
        let page = try run("search", "--sort", "price", "--limit", "1", "--json").json()
        let next = try XCTUnwrap(page["next"] as? String)
        for other in [["--sort", "name"], ["--sort", "price", "--category", "books"]] {
            let outcome = try program.run(
                ["search", "--after", next, "--json", "--store", store] + other)
            XCTAssertEqual(outcome.status, 2)
            XCTAssertEqual(outcome.output, "")
        }
        XCTAssertEqual(try run("search", "--after", "garbage").status, 2)
        XCTAssertEqual(try run("search", "--sort", "price", "--after", next).status, 0)
    }

    func test_a_rename_shows_in_every_entry_after_a_restart() throws {
        try importProducts()
        XCTAssertEqual(try run("rename", "category", "lighting", "Lamps").status, 0)
        for sku in ["L-1", "L-2"] {
            XCTAssertEqual(try run("show", sku, "--json").json()["category"] as? String, "Lamps")
        }
        let unknown = try run("rename", "brand", "nobody", "Somebody")
        XCTAssertEqual(unknown.status, 1)
    }

    // MARK: - Changing

    func test_a_change_shows_what_became_of_the_product() throws {
        try importProducts()
        XCTAssertEqual(
            try run("price", "L-1", "2499", "--json").json()["price_cents"] as? Int, 2499)
        XCTAssertEqual(try run("restock", "L-1", "2", "--json").json()["stock"] as? Int, 5)
        XCTAssertEqual(try run("reserve", "L-1", "4", "--json").json()["stock"] as? Int, 1)
        XCTAssertEqual(try run("review", "L-1", "3", "--json").json()["rating"] as? Double, 3)
    }

    func test_a_stale_edit_fails_names_both_versions_and_loses_nothing() throws {
        try importProducts()
        XCTAssertEqual(try run("price", "L-1", "2499", "--expected-version", "1").status, 0)
        let stale = try run("price", "L-1", "1999", "--expected-version", "1", "--json")
        XCTAssertEqual(stale.status, 1)
        XCTAssertEqual(stale.output, "")
        XCTAssertTrue(stale.errors.contains("version 2"), stale.errors)
        XCTAssertTrue(stale.errors.contains("expected version 1"), stale.errors)
        let entry = try run("show", "L-1", "--json").json()
        XCTAssertEqual(entry["price_cents"] as? Int, 2499)
        XCTAssertEqual(entry["version"] as? Int, 2)
    }

    func test_what_a_rule_refuses_fails() throws {
        try importProducts()
        for arguments in [
            ["reserve", "L-1", "4"], ["restock", "L-1", "0"], ["review", "L-1", "6"],
            ["restock", "L-1", "9223372036854775807"], ["price", "X-1", "5"],
        ] {
            let outcome = try program.run(arguments + ["--store", store])
            XCTAssertEqual(outcome.status, 1, "\(arguments)")
            XCTAssertEqual(outcome.output, "")
        }
        let negative = try program.run(["price", "--store", store, "--", "L-1", "-5"])
        XCTAssertEqual(negative.status, 1)
        XCTAssertTrue(negative.errors.contains("cannot be negative"), negative.errors)
        XCTAssertEqual(try run("show", "L-1", "--json").json()["version"] as? Int, 1)
    }

    // MARK: - Usage

    func test_bad_usage_ends_with_status_2() throws {
        try importProducts()
        for arguments in [
            ["fly"], ["show"], ["price", "L-1", "cheap"], ["review", "L-1", "1.5"],
            ["search", "--sort", "colour"], ["search", "--limit", "0"],
            ["restock", "L-1", "1", "--expected-version", "-1"], ["rename", "shop", "a", "b"],
        ] {
            let outcome = try program.run(arguments + ["--store", store])
            XCTAssertEqual(outcome.status, 2, "\(arguments)")
            XCTAssertEqual(outcome.output, "")
        }
        XCTAssertEqual(try program.run("show", "L-1").status, 2)
    }

    func test_help_goes_to_standard_output() throws {
        let help = try program.run("--help")
        XCTAssertEqual(help.status, 0)
        for subcommand in ["import", "show", "search", "price", "restock", "rename", "rebuild"] {
            XCTAssertTrue(help.output.contains(subcommand))
        }
    }

    func test_a_missing_store_is_an_error_and_is_not_made() throws {
        for arguments in [
            ["show", "L-1"], ["search"], ["rebuild"], ["price", "L-1", "5"],
            ["rename", "brand", "a", "b"],
        ] {
            let outcome = try program.run(arguments + ["--store", store])
            XCTAssertEqual(outcome.status, 1, "\(arguments)")
            XCTAssertFalse(FileManager.default.fileExists(atPath: try store))
        }
    }

    func test_a_directory_that_is_no_store_is_left_as_it_is() throws {
        let file = try XCTUnwrap(directory).write("mine", to: "notes")
        let path = (file as NSString).deletingLastPathComponent
        XCTAssertEqual(try program.run("show", "L-1", "--store", path).status, 1)
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: path), ["notes"])
    }

    func test_the_demonstration_comes_to_its_end() throws {
        let demonstration = try program.run()
        XCTAssertEqual(demonstration.status, 0, demonstration.errors)
        XCTAssertTrue(demonstration.output.contains("identical to its replay"))
    }
}

import ExampleTestSupport
import Foundation
import XCTest

/// `import` and `rebuild`, as a process.
final class ProgramImportTests: XCTestCase {
    private let program = BuiltProgram("ProductApp")
    private var directory: TemporaryDirectory?

    override func setUpWithError() throws { directory = try TemporaryDirectory() }
    override func tearDown() { directory?.remove() }

    private var store: String { get throws { try XCTUnwrap(directory).path("store") } }

    private func file(_ lines: [String]) throws -> String {
        let text = (["sku,name,category,brand,price_cents,stock"] + lines).joined(separator: "\n")
        return try XCTUnwrap(directory).write(text, to: "products.csv")
    }

    private func importFile(_ lines: String..., options: [String] = []) throws -> Outcome {
        try program.run(["import", file(lines), "--store", store] + options)
    }

    func test_the_same_file_again_adds_nothing() throws {
        let lines = ["L-1,Lamp,lighting,acme,1234,5", "L-2,Torch,lighting,acme,1950,12"]
        let path = try file(lines)
        let first = try program.run("import", path, "--store", store, "--json").json()
        XCTAssertEqual(
            first as NSDictionary, ["lines": 2, "imported": 2, "already_there": 0, "invalid": 0])
        let second = try program.run("import", path, "--store", store, "--json").json()
        XCTAssertEqual(
            second as NSDictionary, ["lines": 2, "imported": 0, "already_there": 2, "invalid": 0])
    }

    func test_an_invalid_line_is_named_and_nothing_is_imported() throws {
        let outcome = try importFile(
            "L-1,Lamp,lighting,acme,1234,5", "L-2,Torch,lighting,acme,dear,12")
        XCTAssertEqual(outcome.status, 1)
        XCTAssertEqual(outcome.output, "")
        XCTAssertTrue(outcome.errors.contains("products.csv: line 3: "), outcome.errors)
        XCTAssertFalse(FileManager.default.fileExists(atPath: try store))
    }

    func test_invalid_lines_can_be_left_out_and_are_named() throws {
        let outcome = try importFile(
            "L-1,Lamp,lighting,acme,1234,5", "L-2,Torch,lighting,acme,dear,12", "L-3,Torch",
            options: ["--skip-invalid", "--json"])
        XCTAssertEqual(outcome.status, 0)
        XCTAssertTrue(outcome.errors.contains("line 3"), outcome.errors)
        XCTAssertTrue(outcome.errors.contains("line 4"), outcome.errors)
        XCTAssertEqual(
            try outcome.json() as NSDictionary,
            ["lines": 3, "imported": 1, "already_there": 0, "invalid": 2])
    }

    func test_a_sku_with_other_content_than_in_the_store_changes_nothing() throws {
        XCTAssertEqual(try importFile("L-1,Lamp,lighting,acme,1234,5").status, 0)
        let outcome = try importFile("L-2,Torch,x,acme,1,1", "L-1,Lamp,lighting,acme,1300,5")
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("line 3"), outcome.errors)
        XCTAssertTrue(outcome.errors.contains("12.34 EUR, not 13.00 EUR"), outcome.errors)
        XCTAssertEqual(try program.run("show", "L-2", "--store", store).status, 1)
    }

    func test_a_file_without_the_columns_is_named() throws {
        let path = try XCTUnwrap(directory).write("sku\nL-1\n", to: "orders.csv")
        let outcome = try program.run("import", path, "--store", store)
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("orders.csv: The first line"), outcome.errors)
    }

    func test_a_missing_file_is_an_error_and_leaves_no_store_behind() throws {
        let outcome = try program.run("import", "/nowhere/products.csv", "--store", store)
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("/nowhere/products.csv"), outcome.errors)
        XCTAssertFalse(FileManager.default.fileExists(atPath: try store))
    }

    func test_an_import_that_was_killed_is_completed_by_the_next_one() throws {
        let count = 3000
        let path = try file((1...count).map { "P-\($0),Thing \($0),c\($0 % 7),b,\($0),1" })
        let wasKilled = try program.runAndKill(
            ["import", path, "--store", store, "--progress"], when: { $0 == "imported 300" })
        XCTAssertTrue(wasKilled)
        let rest = try program.run("import", path, "--store", store, "--json").json()
        XCTAssertEqual(
            (rest["imported"] as? Int ?? 0) + (rest["already_there"] as? Int ?? 0), count)
        XCTAssertGreaterThanOrEqual(rest["already_there"] as? Int ?? 0, 300)
        let page = try program.run(
            "search", "--store", store, "--limit", "10000", "--json"
        ).json()
        let items = try XCTUnwrap(page["items"] as? [[String: Any]])
        XCTAssertEqual(items.count, count)
        XCTAssertTrue(items.allSatisfy { $0["version"] as? Int == 1 })
    }

    func test_a_rebuild_finds_the_saved_catalogue_identical() throws {
        XCTAssertEqual(try importFile("L-1,Lamp,lighting,acme,1234,5").status, 0)
        XCTAssertEqual(try program.run("review", "L-1", "5", "--store", store).status, 0)
        let rebuilt = try program.run("rebuild", "--store", store, "--json")
        XCTAssertEqual(rebuilt.status, 0, rebuilt.errors)
        let report = try rebuilt.json()
        XCTAssertEqual(report["identical"] as? Bool, true)
        XCTAssertEqual(report["differences"] as? [String], [])
        XCTAssertEqual(report["products"] as? Int, 1)
    }
}

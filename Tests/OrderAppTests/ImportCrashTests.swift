import ExampleTestSupport
import Foundation
import XCTest

/// The whole program on real files, killed without warning.
///
/// `WELLSPRING_ORDERS` sets the number of orders; 70,000 where there is time for it.
final class ImportCrashTests: XCTestCase {
    private let program = BuiltProgram("OrderApp")

    func test_an_import_killed_ten_times_and_repeated_has_the_exact_totals() throws {
        let orders = OrderGenerator(count: orderCount, seed: 2026)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let file = try directory.write(orders.csv, to: "orders.csv")
        let store = directory.path("store")

        for moment in killingMoments(in: orders.lines.count) {
            let stored = try killImport(of: file, into: store, at: moment)
            // What the program called imported is there, whatever happened a moment later.
            let report = try program.run("report", "--store", store, "--json").json()
            XCTAssertGreaterThanOrEqual(report["orders"] as? Int ?? 0, stored)
        }
        let last = try program.run("import", file, "--store", store, "--json")
        XCTAssertEqual(last.status, 0, last.errors)
        XCTAssertEqual(try last.json()["lines"] as? Int, orders.lines.count)
        XCTAssertEqual(try last.json()["invalid"] as? Int, 0)

        try check(store, against: orders)
        let again = try program.run("import", file, "--store", store, "--json").json()
        XCTAssertEqual(again["already_there"] as? Int, orders.lines.count)
        XCTAssertEqual(again["imported"] as? Int, 0)
        try check(store, against: orders)
    }

    /// Kills an import once it says that `moment` orders are stored; returns what it said last.
    private func killImport(of file: String, into store: String, at moment: Int) throws -> Int {
        var stored = 0
        let wasKilled = try program.runAndKill(
            ["import", file, "--store", store, "--progress"]
        ) { line in
            guard let count = Int(line.replacing("imported ", with: "")) else {
                XCTFail("no progress: \(line)")
                return false
            }
            stored = count
            return count >= moment
        }
        XCTAssertTrue(wasKilled, "the import ended before it was killed at \(moment)")
        return stored
    }

    /// Ten moments of the import, in order, so that each comes while there is something to write.
    private func killingMoments(in count: Int) -> [Int] {
        var dice = SplitMix64(state: 77)
        return (0..<10).map { _ in dice.roll(count * 95 / 100) + 1 }.sorted()
    }

    private func check(_ store: String, against orders: OrderGenerator) throws {
        let report = try program.run("report", "--store", store, "--json")
        XCTAssertEqual(try report.json() as NSDictionary, orders.report as NSDictionary)
        let rebuild = try program.run("rebuild", "--store", store, "--json")
        XCTAssertEqual(rebuild.status, 0, rebuild.errors)
        XCTAssertEqual(try rebuild.json()["identical"] as? Bool, true)
    }

    private var orderCount: Int {
        ProcessInfo.processInfo.environment["WELLSPRING_ORDERS"].flatMap { Int($0) } ?? 3_000
    }
}

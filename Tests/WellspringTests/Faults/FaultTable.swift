import WellspringLog
import XCTest

/// What became of the planted faults, for the table that the tests print.
final class FaultTable: Sendable {
    struct Row: Sendable {
        let fault: String
        let test: String
        /// How many runs it took to notice.
        let runs: Int
        let noticed: String
    }

    static let shared = FaultTable()
    private let rows = Guarded<[Row]>([])

    func add(_ row: Row) { rows.withLock { $0.append(row) } }

    /// Prints what the tests of a class have found.
    func printRows(of tests: XCTestCase.Type) {
        let rows = rows.withLock { $0 }.filter { $0.test.hasPrefix("\(tests).") }
            .sorted { $0.fault < $1.fault }
        for row in rows {
            print("| \(row.fault) | \(row.test) | \(row.runs) | \(row.noticed.prefix(100)) |")
        }
        print("totals: planted faults, \(tests): \(rows.count) caught")
    }
}

extension XCTestCase {
    /// Runs `check` with the fault, seed by seed until it complains, and that seed without it.
    ///
    /// `check` returns, or throws, what is wrong.
    func assertNoticed(
        _ fault: String, seeds: ClosedRange<UInt64> = 1...1, test: String = #function,
        line: UInt = #line, _ check: (_ isPlanted: Bool, _ seed: UInt64) async throws -> [String]
    ) async {
        for seed in seeds {
            var problem: String?
            do {
                problem = try await check(true, seed).first
            } catch {
                problem = "\(error)"
            }
            guard let problem else { continue }
            do {
                let problems = try await check(false, seed)
                XCTAssertEqual(problems, [], "a sound store is accused, seed \(seed)", line: line)
            } catch {
                XCTFail("a sound store is accused, seed \(seed): \(error)", line: line)
            }
            let runs = Int(seed - seeds.lowerBound) + 1
            let place = String("\(type(of: self)).\(test)".prefix { $0 != "(" })
            return FaultTable.shared.add(
                .init(fault: fault, test: place, runs: runs, noticed: problem))
        }
        XCTFail("nobody noticed \(fault) in \(seeds.count) runs", line: line)
    }
}

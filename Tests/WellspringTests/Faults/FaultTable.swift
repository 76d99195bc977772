import WellspringLog
import XCTest

/// What became of the planted faults, for the table that the tests print.
final class FaultTable: Sendable {
    struct Row: Sendable {
        let fault: String
        let test: String
        /// Which run noticed, and what it noticed; nil when none did.
        let result: String?
    }

    static let shared = FaultTable()
    private let rows = Guarded<[Row]>([])

    func add(_ row: Row) { rows.withLock { $0.append(row) } }

    /// Prints what the tests of a class have found.
    func printRows(of tests: XCTestCase.Type) {
        let rows = rows.withLock { $0 }.filter { $0.test.hasPrefix("\(tests).") }
            .sorted { $0.fault < $1.fault }
        for row in rows {
            print("| `\(row.fault)` | `\(row.test)` | \(row.result ?? "not noticed") |")
        }
        let caught = rows.count { $0.result != nil }
        print("totals: planted faults, \(tests): \(caught) of \(rows.count) caught")
    }
}

extension XCTestCase {
    /// Runs `check` with the fault, seed by seed until it complains, and that seed without it.
    ///
    /// `check` returns, or throws, what is wrong.
    func assertNoticed<Fault: CaseIterable>(
        _ fault: Fault, seeds: ClosedRange<UInt64> = 1...1, test: String = #function,
        line: UInt = #line, _ check: (_ isPlanted: Bool, _ seed: UInt64) async throws -> [String]
    ) async {
        let name = "\(Fault.self).\(fault)"
        let place = String("\(type(of: self)).\(test)".prefix { $0 != "(" })
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
            let words = problem.prefix { $0 != "\n" }.prefix(100)
            let result = "Run \(seed - seeds.lowerBound + 1): \(words)"
            return FaultTable.shared.add(.init(fault: name, test: place, result: result))
        }
        FaultTable.shared.add(.init(fault: name, test: place, result: nil))
        XCTFail("nobody noticed \(name) in \(seeds.count) runs", line: line)
    }
}

import WellspringLog
import XCTest

/// What became of the faults that were planted in the log, for the table that the tests print.
final class FaultTable: Sendable {
    struct Row: Sendable {
        let fault: String
        let test: String
        /// How often the oracles complained, and what about; nil when they did not.
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
    /// Runs `check` with the fault and without.
    ///
    /// It returns what the oracles have to say.
    func assertNoticed(
        _ fault: PlantedFault, test: String = #function, line: UInt = #line,
        _ check: (PlantedFault?) throws -> [String]
    ) rethrows {
        XCTAssertEqual(try check(nil), [], "a sound log is accused", line: line)
        let noticed = try check(fault)
        let words = noticed.first?.prefix { $0 != "\n" }.prefix(100)
        FaultTable.shared.add(
            .init(
                fault: "PlantedFault.\(fault)",
                test: String("\(type(of: self)).\(test)".prefix { $0 != "(" }),
                result: words.map { "\(noticed.count) times: \($0)" }))
        XCTAssertFalse(noticed.isEmpty, "nobody noticed \(fault)", line: line)
    }
}

import ExampleTestSupport
import XCTest

/// Writes of which the system takes only a part, in a process whose files may not grow.
final class LimitedFileTests: XCTestCase {
    func test_a_write_that_the_system_takes_in_part_is_told_and_loses_nothing() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let outcome = try BuiltProgram("CrashTrials").run([
            "limit", "--store", directory.path("store"), "--cycles", "8",
        ])
        XCTAssertEqual(outcome.status, 0, outcome.errors)
        XCTAssertTrue(outcome.output.hasPrefix("totals: limited files: "), outcome.output)
        XCTAssertTrue(outcome.output.contains("none lost"), outcome.output)
    }
}

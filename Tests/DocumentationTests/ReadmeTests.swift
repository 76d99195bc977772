import ExampleTestSupport
import XCTest

/// Runs the program that the README shows.
final class ReadmeTests: XCTestCase {
    func test_the_program_of_the_readme_runs_and_remembers() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path("bank")

        let first = try BuiltProgram("Bank").run(path)
        XCTAssertEqual(
            first.output,
            """
            Ada has 70 cents of 100 ever deposited.
            The command was rejected: insufficientFunds(missing: 999930).

            """, first.errors)

        let second = try BuiltProgram("Bank").run(path)
        XCTAssertEqual(
            second.output,
            """
            Ada has 140 cents of 200 ever deposited.
            The command was rejected: insufficientFunds(missing: 999860).

            """, second.errors)
    }
}

import XCTest

@testable import WellspringBenchmarks

final class OptionsTests: XCTestCase {
    private func options(_ words: String...) throws -> Options? {
        try Options(words, rows: ["wellspring", "floor"])
    }

    func test_a_run_is_set_up_by_words() throws {
        let options = try XCTUnwrap(
            options(
                "--json", "W1", "W2-64", "--store", "/there", "--seconds", "0.5", "--events",
                "5000",
                "--rounds", "3", "--row", "floor"))
        XCTAssertEqual(options.form, .json)
        XCTAssertEqual(options.workloads, ["W1", "W2-64"])
        XCTAssertEqual(options.directory, "/there")
        XCTAssertEqual(options.effort.seconds, 0.5)
        XCTAssertEqual(options.effort.events, 5_000)
        XCTAssertEqual(options.effort.rounds, 3)
        XCTAssertEqual(options.rows, ["floor"])
    }

    func test_a_run_without_words_prints_a_table_of_everything() throws {
        let options = try XCTUnwrap(options())
        XCTAssertEqual(options.form, .table)
        XCTAssertEqual(options.workloads, [])
        XCTAssertEqual(options.effort.events, 1_000_000)
        XCTAssertEqual(options.effort.rounds, 1)
    }

    func test_the_table_is_for_a_page_on_demand() throws {
        XCTAssertEqual(try options("--markdown")?.form, .markdown)
        XCTAssertEqual(try options("--markdown", "--compare")?.form, .table)
    }

    func test_help_is_no_run() throws {
        XCTAssertNil(try options("W1", "--help"))
    }

    func test_a_word_that_means_nothing_is_refused() {
        for words in [["W99"], ["--row", "oracle"], ["--seconds"], ["--seconds", "-1"]] {
            XCTAssertThrowsError(try Options(words, rows: ["wellspring"])) {
                XCTAssertTrue($0 is BadUsage)
            }
        }
    }
}

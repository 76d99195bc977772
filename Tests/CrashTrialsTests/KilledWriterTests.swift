import ExampleTestSupport
import XCTest

/// Writers in processes of their own, killed without warning.
///
/// `.ci/run killed` has the figures that count.
final class KilledWriterTests: XCTestCase {
    private let program = BuiltProgram("CrashTrials")

    private func kill(_ cycles: Int, _ options: String...) throws -> Outcome {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let store = directory.path("store")
        return try program.run(["kill", "--store", store, "--cycles", "\(cycles)"] + options)
    }

    func test_what_a_killed_writer_acknowledged_is_there() throws {
        let outcome = try kill(12)
        XCTAssertEqual(outcome.status, 0, outcome.errors)
        XCTAssertTrue(outcome.output.hasPrefix("totals: killed writers: 12 kills"), outcome.output)
    }

    /// Whoever looks misses the append, or the next writer makes it, whichever comes first.
    func test_appends_that_are_acknowledged_before_they_are_made_are_noticed() throws {
        try assertNoticed("early", as: "and is lost", "was not made, or is lost")
    }

    func test_an_append_that_nobody_made_is_noticed() throws {
        try assertNoticed("invent", as: "follows append")
    }

    func test_an_append_that_is_missing_in_the_middle_is_noticed() throws {
        try assertNoticed("skip", as: "append")
    }

    func test_other_bytes_are_noticed() throws {
        try assertNoticed("change", as: "is not what belongs to")
    }

    /// Which of these is noticed first depends on where the writer was killed.
    func test_an_append_in_two_parts_is_noticed() throws {
        try assertNoticed(
            "split", as: "is not what belongs to", "was acknowledged at", "the log ends inside")
    }

    func test_another_position_is_noticed() throws {
        try assertNoticed("misplace", as: "was acknowledged at")
    }

    func test_a_store_that_breaks_its_own_rules_is_noticed() throws {
        let outcome = try kill(100, "--fault", "rollWithoutManifest")
        assertNoticed(outcome, as: ["the MANIFEST does not know the segment"])
    }

    private func assertNoticed(_ lie: String, as words: String...) throws {
        assertNoticed(try kill(100, "--lie", lie), as: words)
    }

    private func assertNoticed(_ outcome: Outcome, as words: [String]) {
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.hasPrefix("wrong: cycle"), outcome.errors)
        XCTAssertTrue(words.contains(where: outcome.errors.contains), outcome.errors)
    }
}

/// Processes that end themselves at one operation on their files.
///
/// `.ci/run killed` tries every one.
final class KillPointTests: XCTestCase {
    private func run(every step: Int, _ options: String...) throws -> Outcome {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let arguments = ["points", "--store", directory.path("store"), "--every", "\(step)"]
        return try BuiltProgram("CrashTrials").run(arguments + options)
    }

    func test_what_a_process_acknowledged_before_its_last_operation_is_there() throws {
        let outcome = try run(every: 23)
        XCTAssertEqual(outcome.status, 0, outcome.errors)
        XCTAssertTrue(outcome.output.hasPrefix("totals: kill points: "), outcome.output)
        XCTAssertTrue(outcome.output.contains("none lost"), outcome.output)
    }

    func test_an_acknowledgement_before_the_append_is_noticed() throws {
        let outcome = try run(every: 1, "--lie", "early")
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.hasPrefix("wrong: before operation"), outcome.errors)
        XCTAssertTrue(outcome.errors.contains("is lost"), outcome.errors)
    }

    func test_a_store_that_lists_a_segment_too_late_is_noticed() throws {
        let outcome = try run(every: 3, "--fault", "rollWithoutManifest")
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("not sound"), outcome.errors)
    }
}

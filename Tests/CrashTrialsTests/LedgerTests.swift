import ExampleTestSupport
import Wellspring
import XCTest

@testable import CrashTrials

/// What the trials take for a loss.
final class LedgerTests: XCTestCase {
    /// A store with the first append of a client.
    private func found() async throws -> FoundLog {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let store = try await FileEventStore(
            at: directory.path("store"), configuration: Trial.configuration("system"))
        _ = try await store.append(Deed(client: 0, number: 0).request(at: .start))
        let found = try await FoundLog(readingFrom: store)
        await store.close()
        return found
    }

    private func noted(_ lines: String...) throws -> Ledger {
        var ledger = Ledger()
        ledger.noteWriter()
        for line in lines { try ledger.note(Child.Line(line)) }
        return ledger
    }

    func test_what_is_lost_is_lost_unless_the_mode_may_lose_it() async throws {
        let found = try await found()
        var ledger = try noted("ack 0 0 1", "ack 0 1 \(found.position + 1)")
        XCTAssertThrowsError(try ledger.check(found, mayLose: false))
        XCTAssertNoThrow(try ledger.check(found, mayLose: true))
        XCTAssertEqual(ledger.totals.allowedLosses, 1)
    }

    func test_what_was_acknowledged_before_a_store_was_closed_no_mode_may_lose() async throws {
        let found = try await found()
        let end = found.position
        var kept = try noted("ack 0 0 1", "closed", "ack 0 1 \(end + 1)")
        XCTAssertNoThrow(try kept.check(found, mayLose: true))
        var lost = try noted("ack 0 0 1", "ack 0 1 \(end + 1)", "closed")
        XCTAssertThrowsError(try lost.check(found, mayLose: true))
    }

    func test_the_same_of_an_event_that_belongs_to_no_client() async throws {
        let found = try await found()
        let end = found.position
        var kept = try noted("pass \(end)", "closed", "pass \(end + 1)")
        XCTAssertNoThrow(try kept.check(found, mayLose: true))
        var lost = try noted("pass \(end + 1)", "closed")
        XCTAssertThrowsError(try lost.check(found, mayLose: true))
        lost = try noted("pass \(end + 1)")
        XCTAssertThrowsError(try lost.check(found, mayLose: false))
        XCTAssertNoThrow(try lost.check(found, mayLose: true))
    }

    /// The next writer may come before anybody has looked.
    func test_an_append_that_has_to_be_made_again_was_lost() throws {
        XCTAssertThrowsError(try noted("ack 0 0 1", "ack 0 1 2", "ack 0 1 2")) { error in
            let told = "append 1 of client 0 is acknowledged twice"
            XCTAssertTrue("\(error)".hasPrefix(told), "\(error)")
        }
    }
}

import Wellspring
import WellspringTestKit
import XCTest

/// Each of these stores truncates streams wrongly in one way, and is found out.
final class WrongTruncatingStoreTests: XCTestCase {
    func test_a_store_that_does_not_truncate_is_found_out() async throws {
        await assert(.forgetsToTruncate, breaks: "a truncated stream is read from where it begins")
        await assert(
            .forgetsToTruncate, breaks: "of truncations at the same time the furthest counts")
    }

    func test_a_store_that_reads_backward_what_was_cut_off_is_found_out() async throws {
        await assert(
            .readsBackwardBeyondTheBeginning,
            breaks: "a truncated stream is read from where it begins")
    }

    func test_a_store_that_truncates_other_streams_too_is_found_out() async throws {
        await assert(
            .truncatesAllStreams, breaks: "a truncated stream is read from where it begins")
    }

    func test_a_store_that_counts_versions_anew_is_found_out() async throws {
        await assert(.countsAnew, breaks: "a truncated stream keeps its version")
    }

    func test_a_store_that_takes_a_deleted_stream_for_a_new_one_is_found_out() async throws {
        await assert(.takesDeletedForNew, breaks: "a deleted stream reads as empty and is not new")
    }

    func test_a_store_that_does_not_say_where_a_stream_begins_is_found_out() async throws {
        await assert(.hidesWhereStreamsBegin, breaks: "a page says where its stream begins")
        await assert(
            .hidesWhereStreamsBegin, breaks: "a command decides on what is left of its aggregate")
    }

    func test_a_store_that_gives_back_what_was_cut_off_is_found_out() async throws {
        await assert(.goesBack, breaks: "a stream is only truncated further")
    }

    func test_a_store_whose_streams_begin_beyond_their_end_is_found_out() async throws {
        await assert(.beginsAnywhere, breaks: "a stream does not begin where it has not come to")
    }

    func test_a_store_that_truncates_on_any_belief_is_found_out() async throws {
        await assert(.believesAnything, breaks: "a truncation on a wrong belief is a conflict")
    }

    func test_a_store_that_hides_from_the_log_what_was_cut_off_is_found_out() async throws {
        await assert(.hidesFromTheLog, breaks: "the log shows what was cut off")
    }

    func test_a_store_that_redacts_what_is_not_there_is_found_out() async throws {
        await assert(.redactsAnything, breaks: "a redaction of what is not in the log is refused")
    }

    func test_a_store_that_lets_others_write_to_its_streams_is_found_out() async throws {
        await assert(.letsOthersWrite, breaks: "nobody else writes to the streams of the store")
    }

    func test_a_store_that_offers_truncation_is_checked_for_it_without_being_asked() async throws {
        do {
            try await EventStoreChecks.run { WrongTruncatingStore(fault: .believesAnything) }
            XCTFail("nothing was noticed")
        } catch {
            XCTAssertEqual(
                (error as? Mismatch)?.check, "a truncation on a wrong belief is a conflict")
        }
    }

    /// Runs the one check that is meant to notice the fault.
    private func assert(
        _ fault: WrongTruncatingStore.Fault, breaks name: String, line: UInt = #line
    ) async {
        guard let check = EventStoreChecks.truncating.first(where: { $0.name.hasPrefix(name) })
        else { return XCTFail("there is no check that \(name)", line: line) }
        do {
            try await check.run(on: WrongTruncatingStore(fault: fault))
            XCTFail("\(name) did not notice", line: line)
        } catch {
            XCTAssertEqual(error.check, check.name, line: line)
        }
    }
}

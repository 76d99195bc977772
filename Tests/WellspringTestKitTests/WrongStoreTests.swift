import Wellspring
import WellspringTestKit
import XCTest

/// A check that never fails is none: each of these stores is wrong in one way, and is found out.
final class WrongStoreTests: XCTestCase {
    func test_a_store_that_skips_the_version_check_is_found_out() async throws {
        await assert(.skipsVersionCheck, breaks: "noStream is right only before the first event")
    }

    func test_a_store_that_checks_the_version_outside_its_lock_is_found_out() async throws {
        await assert(.checksVersionTooEarly, breaks: "of sixteen racing writers exactly one wins")
    }

    func test_a_store_that_names_the_wrong_version_in_a_conflict_is_found_out() async throws {
        await assert(.namesWrongVersionInConflict, breaks: "exactly is right only at that version")
    }

    func test_a_store_that_appends_stream_by_stream_is_found_out() async throws {
        await assert(
            .appendsStreamByStream, breaks: "an append to several streams is all or nothing")
    }

    func test_a_store_that_leaves_something_of_a_refused_append_is_found_out() async throws {
        await assert(
            .writesSomethingWhenRefusing,
            breaks: "a refused append leaves no trace and costs no position")
    }

    func test_a_store_that_adds_something_to_an_empty_append_is_found_out() async throws {
        await assert(
            .addsEventToEmptyAppend,
            breaks: "an append without events checks its belief and adds nothing")
    }

    func test_a_store_that_replaces_ids_is_found_out() async throws {
        await assert(
            .makesItsOwnIDs, breaks: "everything about an event comes back as it was given")
    }

    func test_a_store_that_forgets_headers_is_found_out() async throws {
        await assert(
            .forgetsHeaders, breaks: "everything about an event comes back as it was given")
    }

    func test_a_store_that_does_not_say_what_is_wrong_with_a_request_is_found_out() async throws {
        await assert(
            .acceptsInvalidRequests, breaks: "a request that breaks a rule is refused")
    }

    func test_a_store_that_ignores_conditions_is_found_out() async throws {
        await assert(
            .ignoresConditions, breaks: "a feature that is not offered is refused, not ignored")
    }

    func test_a_store_that_ignores_idempotency_keys_is_found_out() async throws {
        await assert(
            .forgetsKeys, breaks: "a feature that is not offered is refused, not ignored")
    }

    func test_a_store_that_acknowledges_before_it_shows_is_found_out() async throws {
        await assert(.acknowledgesTooEarly, breaks: "what a receipt names can be read at once")
    }

    func test_a_store_that_normalises_names_is_found_out() async throws {
        await assert(.normalisesNames, breaks: "names are told apart byte by byte")
    }

    func test_a_store_that_loses_an_event_is_found_out() async throws {
        await assert(.losesAnEvent, breaks: "pages of the log chain without skip and double")
    }

    func test_a_store_that_doubles_an_event_is_found_out() async throws {
        await assert(
            .doublesAnEvent, breaks: "a follower sees every event once, in order, under fire")
    }

    func test_a_store_that_splits_an_append_on_a_page_is_found_out() async throws {
        await assert(.splitsAppends, breaks: "a page of the log never splits an append")
        await assert(.splitsAppends, breaks: "an append that is larger than a page comes whole")
    }

    func test_a_store_that_ignores_limits_is_found_out() async throws {
        await assert(.ignoresLimits, breaks: "a page of the log ends with the append that fills it")
    }

    func test_a_store_that_ignores_filters_is_found_out() async throws {
        await assert(
            .ignoresFilters, breaks: "a filter leaves through what it names, and nothing else")
    }

    func test_a_store_that_takes_categories_for_prefixes_is_found_out() async throws {
        await assert(
            .confusesCategoriesWithPrefixes,
            breaks: "a filter leaves through what it names, and nothing else")
    }

    func test_a_store_that_reports_the_wrong_end_of_a_filtered_page_is_found_out() async throws {
        await assert(
            .endsFilteredPageAtLastEvent, breaks: "a filtered page says how far it looked")
    }

    func test_a_store_that_reports_a_wrong_head_is_found_out() async throws {
        await assert(.reportsOldHead, breaks: "the log is read forward from any position")
    }

    func test_a_store_that_reads_backward_in_the_wrong_order_is_found_out() async throws {
        await assert(.readsBackwardForward, breaks: "the log is read backward, newest first")
    }

    func test_a_store_whose_positions_begin_at_zero_is_found_out() async throws {
        await assert(
            .countsFromZero,
            breaks: "positions run from 1 without gaps, in the order of the request")
    }

    func test_a_store_that_lets_time_go_back_is_found_out() async throws {
        await assert(.invertsTime, breaks: "recorded times never go back")
    }

    func test_a_store_that_loses_an_event_of_a_stream_is_found_out() async throws {
        await assert(.losesStreamEvent, breaks: "a stream is read forward from any version")
        await assert(.losesStreamEvent, breaks: "an aggregate is loaded to its end")
    }

    func test_a_store_that_ignores_the_limits_of_streams_is_found_out() async throws {
        await assert(
            .ignoresStreamLimits, breaks: "a page of a stream keeps its limits, and pages chain")
    }

    func test_a_store_that_knows_unknown_streams_is_found_out() async throws {
        await assert(
            .knowsUnknownStreams, breaks: "a stream that was never written to reads as empty")
    }

    func test_a_store_that_ends_waiting_for_nothing_is_found_out() async throws {
        await assert(.endsWaitingForNothing, breaks: "waiting ends when its task is cancelled")
    }

    func test_a_store_that_never_ends_waiting_is_found_out() async throws {
        await assert(
            .neverEndsWaiting, breaks: "waiting for what is there ends at once",
            limit: .milliseconds(50))
    }

    func test_a_store_that_is_deaf_to_cancellation_is_found_out() async throws {
        await assert(
            .isDeafToCancellation, breaks: "waiting ends when its task is cancelled",
            limit: .milliseconds(50))
    }

    func test_a_store_that_waits_on_after_it_was_closed_is_found_out() async throws {
        do {
            try await EventStoreChecks.run(limit: .milliseconds(500)) {
                WrongStore(fault: .waitsAfterClosing)
            } closing: { store in
                await store.base.close()
            }
            XCTFail("nothing was noticed")
        } catch {
            XCTAssertEqual((error as? Mismatch)?.check, "closing ends those who wait")
        }
    }

    func test_a_failed_check_says_which_it_was_and_what_was_seen() async throws {
        do {
            try await EventStoreChecks.run { WrongStore(fault: .skipsVersionCheck) }
            XCTFail("nothing was noticed")
        } catch {
            XCTAssertEqual(
                "\(error)",
                "noStream is right only before the first event: a second creation succeeded with "
                    + "AppendReceipt(versions: [2], positions: Range(2..<3))")
        }
    }

    /// Runs the one check that is meant to notice the fault.
    private func assert(
        _ fault: WrongStore.Fault, breaks name: String, limit: Duration = .seconds(60),
        line: UInt = #line
    ) async {
        guard let check = EventStoreChecks.all.first(where: { $0.name.hasPrefix(name) }) else {
            return XCTFail("there is no check that \(name)", line: line)
        }
        do {
            try await check.run(on: WrongStore(fault: fault), limit: limit)
            XCTFail("\(name) did not notice", line: line)
        } catch {
            XCTAssertEqual(error.check, check.name, line: line)
        }
    }
}

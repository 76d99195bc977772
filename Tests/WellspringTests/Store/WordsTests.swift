import Wellspring
import WellspringLog
import XCTest

@testable import Wellspring

/// What errors, notices and problems say: where, what, and what to do next.
final class WordsTests: XCTestCase {
    private let failure = StoreFailure(reason: "the disk went away", lastDurable: LogPosition(7))
    private let full = SystemError(call: "pwrite", file: "f", code: 28, kind: .noSpace)
    private let broken = SystemError(call: "pread", file: "f", code: 5, kind: .io)

    func test_an_error_says_what_happened_and_what_to_do_next() {
        var error: EventStoreError? = .conflict(conflict(.any))
        var count = 0
        while let told = error {
            let (text, next) = words(of: told)
            XCTAssertEqual("\(told)", text)
            error = next
            count += 1
        }
        XCTAssertEqual(count, 20)
    }

    private func conflict(_ expected: ExpectedVersion) -> StreamConflict {
        StreamConflict(
            stream: StreamID(category: "a", key: "1"), expected: expected, actual: StreamVersion(4))
    }

    /// What an error says, and one of the next kind.
    ///
    /// Does not compile before a new kind has its place here.
    private func words(of error: EventStoreError) -> (text: String, next: EventStoreError?) {
        switch error {
        case .conflict:
            (
                "Stream a/1 was expected anywhere and is at version 4. Load it again and decide anew.",
                .invalidRequest(reason: "it names no stream")
            )
        case .invalidRequest:
            (
                "The request was refused: it names no stream. Nothing was written; correct the "
                    + "request.",
                .limitExceeded(what: "the payload in bytes", size: 9, limit: 8)
            )
        case .limitExceeded:
            (
                "The append was refused: the payload in bytes is 9, the most is 8. Nothing was "
                    + "written; make it smaller.",
                .unsupported(feature: "keys")
            )
        case .unsupported:
            (
                "This store does not offer keys yet; nothing was written. Make the request without.",
                .storageFull(reason: "no room")
            )
        case .storageFull:
            (
                "The disk is full (no room); nothing was written. Make room and try again.",
                .notStored(reason: "the disk went away")
            )
        case .notStored:
            (
                "Nothing was written: the disk went away. It may be tried again.",
                .outcomeUnknown(failure)
            )
        case .outcomeUnknown:
            (
                "Whether the events were stored is unknown: the disk went away. Close the store and "
                    + "open it again to find out; until position 7 all is safe.",
                .poisoned(failure)
            )
        case .poisoned:
            (
                "The store stopped writing: the disk went away. Nothing of this append was written. "
                    + "Close the store and open it again.",
                .damaged(StoreDamage(file: "f", offset: 3, reason: "torn"))
            )
        case .damaged:
            (
                "The store is damaged: f at byte 3: torn. Nothing was changed. Verify it to see all "
                    + "that is wrong and what helps; as a rule, restore a backup.",
                .locked(path: "p", owner: "process 3")
            )
        case .locked:
            (
                "p is open for writing elsewhere (process 3). Close it there first.",
                .notAStore(path: "p")
            )
        case .notAStore:
            ("There is no event store at p. Check the path.", .notEmpty(path: "p"))
        case .notEmpty:
            (
                "There is no event store at p, but there are other files; nothing was touched. Check "
                    + "the path, or choose an empty directory.",
                .networkFileSystem(path: "p", kind: "nfs4")
            )
        case .networkFileSystem:
            (
                "p is on a network file system (nfs4), where neither locks nor syncs can be relied "
                    + "on; no store was made or opened. Keep it on a disk of this machine, or allow "
                    + "it if only one machine ever writes.",
                .unsupportedFormat(file: "STORE", reason: "major version 2")
            )
        case .unsupportedFormat:
            (
                "STORE was written by a newer version: major version 2. Use that version.",
                .replaced(path: "p", reason: "it was removed")
            )
        case .replaced:
            (
                "The store at p is no longer the one that was opened: it was removed. Close the "
                    + "reader and open the path again.",
                .closed
            )
        case .closed:
            (
                "The store is closed; nothing was written. Open it again, and close it only when "
                    + "nothing uses it any more.",
                .forked
            )
        case .forked:
            (
                "The store was opened before a fork and cannot be used in the child. Open it in one "
                    + "process only, and after the fork.",
                .cancelled
            )
        case .cancelled:
            (
                "The task was cancelled; nothing was written. It may be tried again.",
                .io(call: "pread", file: "f", code: 5)
            )
        case .io:
            (
                "\(broken). Nothing was lost by it. The disk fails: look at it, copy the store to "
                    + "another one and verify the copy.",
                .storage(reason: "the server is down")
            )
        case .storage:
            ("The storage failed: the server is down. Put that right and try again.", nil)
        }
    }

    func test_a_conflict_says_what_was_expected() {
        let words: [(ExpectedVersion, String)] = [
            (.noStream, "to have no events"), (.exactly(StreamVersion(3)), "at version 3"),
            (.exists, "to have events"), (.any, "anywhere"),
        ]
        for (expected, belief) in words {
            XCTAssertEqual(
                "\(EventStoreError.conflict(conflict(expected)))",
                "Stream a/1 was expected \(belief) and is at version 4. Load it again and decide "
                    + "anew.")
        }
    }

    func test_a_failure_of_the_machine_says_what_to_put_right() {
        let words: [(Int32, String)] = [
            (2, "Check the path"), (17, "in the way"), (28, "Make room"), (13, "allowed to read"),
            (30, "mounted for writing"), (24, "limit of open files"), (5, "The disk fails"),
            (22, "what the system complains of"),
        ]
        for (code, advice) in words {
            let text = "\(EventStoreError.io(call: "open", file: "f", code: code))"
            XCTAssertTrue(text.hasPrefix("open failed on f: "), text)
            XCTAssertTrue(text.contains("Nothing was lost by it. "), text)
            XCTAssertTrue(text.contains(advice), text)
        }
    }

    func test_a_failed_commit_becomes_a_notice_of_its_kind() {
        func notice(_ failure: CommitFailure) -> StoreNotice {
            StoreNotice(failure, lastDurable: LogPosition(7))
        }
        XCTAssertEqual(
            notice(.tooLarge(bytes: 9, limit: 8)),
            .tookBack(reason: "9 bytes in one group, the most is 8"))
        XCTAssertEqual(notice(.rolledBack(full)), .tookBack(reason: "\(full)"))
        XCTAssertEqual(
            notice(.alreadyPoisoned),
            .poisoned(StoreFailure(reason: "an earlier write failed", lastDurable: LogPosition(7))))
        XCTAssertEqual(notice(.closed), .closed(reason: nil))
        XCTAssertEqual(notice(.forked), .closed(reason: "the process was forked"))
        XCTAssertEqual(CommitFailure.closed.reason, "it was closed before")
    }

    func test_what_an_opening_found_is_told_in_a_line() {
        func text(
            index: RecoveryReport.Index = .init(), syncsReachMedium: Bool = true,
            _ change: (inout LogRecovery) -> Void
        ) -> String {
            var recovery = LogRecovery()
            change(&recovery)
            let report = RecoveryReport(
                recovery, index: index, duration: .microseconds(13_700),
                syncsReachMedium: syncsReachMedium)
            return "\(report)"
        }
        XCTAssertEqual(text { $0.created = true }, "the store was made, in 13 ms")
        for created in [true, false] {
            let warned = text(syncsReachMedium: false) { $0.created = created }
            XCTAssertTrue(warned.hasSuffix("cache: keep the store on another one"), warned)
        }
        XCTAssertEqual(
            text { ($0.eventCount, $0.segmentCount, $0.wasClean) = (1, 2, true) },
            "1 event in 2 segments, closed properly, in 13 ms")
        let index = RecoveryReport.Index(
            reindexed: 3, removed: ["idx/d", "idx/e"], unread: ["idx/f"])
        XCTAssertEqual(
            text(index: index) {
                ($0.eventCount, $0.segmentCount, $0.tornBytes) = (70, 1, 12)
                $0.tornPositions = 71..<74
                ($0.restampedFrames, $0.quarantined) = (1, ["quarantine/a", "quarantine/b"])
                $0.removed = ["segments/c"]
            },
            "70 events in 1 segment, not closed properly, 12 bytes of an unfinished append cut off at "
                + "positions 71 to 73, 1 frame at the end written again, kept aside: quarantine/a "
                + "quarantine/b, removed: segments/c, index made again of 3 segments, removed from "
                + "the index: idx/d idx/e, could not be read: idx/f, in 13 ms")
        for torn in [71..<71, 71..<72] as [Range<UInt64>] {
            let told = text { ($0.tornBytes, $0.tornPositions) = (1, torn) }
            XCTAssertTrue(told.contains("1 byte of an unfinished append cut off at position 71, "))
        }
    }

    func test_more_positions_than_can_be_counted_are_told_as_cut_off() {
        // What a frame says of itself that was cut off need not make sense.
        var recovery = LogRecovery()
        (recovery.tornBytes, recovery.tornPositions) = (1, 71..<UInt64.max)
        let told = "\(RecoveryReport(recovery))"
        XCTAssertTrue(told.contains("positions 71 to \(UInt64.max - 1), "), told)
    }

    func test_a_notice_is_a_line_that_says_what_it_means_for_the_operator() {
        var recovery = LogRecovery()
        recovery.created = true
        let words: [(StoreNotice, String)] = [
            (
                .opened(RecoveryReport(recovery)),
                "opened: the store was made, in 0 ms"
            ),
            (
                .tookBack(reason: "no room"),
                "a write was taken back; its appends failed and may be tried again: no room"
            ),
            (
                .poisoned(failure),
                "stopped writing, close it and open it again; until position 7 all is safe: the disk "
                    + "went away"
            ),
            (.closed(reason: nil), "closed"),
            (
                .closed(reason: "odd"),
                "closed, but not properly, so that the next opening takes longer: odd"
            ),
            (
                .discardedCheckpoint("totals", reason: "torn"),
                "the saved state of projection totals is replaced by a replay: torn"
            ),
            (
                .keptIndexInMemory(reason: "no room"),
                "a part of the index was not written, and is tried again: no room"
            ),
            (.abandoned, "given up without close(), so that the next opening takes longer"),
        ]
        for (notice, text) in words { XCTAssertEqual("\(notice)", text) }
    }

    func test_an_error_of_the_index_names_its_file() {
        let newer = IndexError.unsupported(file: "idx/a", reason: "major version 2")
        XCTAssertEqual("\(newer)", "idx/a was written by a newer version: major version 2")
        XCTAssertEqual(
            EventStoreError(newer), .unsupportedFormat(file: "idx/a", reason: "major version 2"))
    }

    func test_the_errors_of_a_log_are_those_of_its_store() {
        XCTAssertEqual(EventStoreError(LogError.closed, path: "p"), .closed)
        XCTAssertEqual(EventStoreError(LogError.forked, path: "p"), .forked)
        XCTAssertEqual(
            EventStoreError(LogError.locked(owner: "me"), path: "p"),
            .locked(path: "p", owner: "me"))
    }

    func test_a_system_error_without_a_file_names_none() {
        XCTAssertTrue("\(broken)".hasPrefix("pread failed on f: "), "\(broken)")
        var nameless = broken
        nameless.file = ""
        XCTAssertTrue("\(nameless)".hasPrefix("pread failed: "), "\(nameless)")
        XCTAssertTrue("\(nameless)".hasSuffix("(error 5)"), "\(nameless)")
    }

    func test_what_ended_long_work_is_told_by_its_cause() {
        func told(_ error: any Error) -> EventStoreError {
            EventStoreError(maintenance: error, path: "p")
        }
        XCTAssertEqual(told(EventStoreError.forked), .forked)
        XCTAssertEqual(told(LogError.system(full)), .storageFull(reason: "\(full)"))
        XCTAssertEqual(told(LogError.system(broken)), .io(call: "pread", file: "f", code: 5))
        XCTAssertEqual(told(full), .storageFull(reason: "\(full)"))
        XCTAssertEqual(told(broken), .io(call: "pread", file: "f", code: 5))
        XCTAssertEqual(told(CommitFailure.poisoned(full)), .storageFull(reason: "\(full)"))
        XCTAssertEqual(
            told(CommitFailure.rolledBack(broken)), .io(call: "pread", file: "f", code: 5))
        XCTAssertEqual(
            told(CommitFailure.alreadyPoisoned), .storage(reason: "an earlier write failed"))
        XCTAssertEqual(told(CancellationError()), .cancelled)
        let other = MalformedBody(offset: 1, reason: "odd")
        XCTAssertEqual(told(other), .storage(reason: "\(other)"))
    }

    func test_what_ended_the_rewriting_of_a_segment_is_told_by_its_cause() {
        func told(_ failure: RewriteFailure) -> EventStoreError {
            EventStoreError(maintenance: failure, path: "p")
        }
        XCTAssertEqual(
            told(.damaged(LogDamage(file: "f", offset: 3, reason: "torn"))),
            .damaged(StoreDamage(file: "f", offset: 3, reason: "torn")))
        XCTAssertEqual(
            told(.unsupportedFormat(file: "f", reason: "newer")),
            .unsupportedFormat(file: "f", reason: "newer"))
        XCTAssertEqual(told(.failed(.poisoned(full))), .storageFull(reason: "\(full)"))
        XCTAssertEqual(
            told(.oldFileRemains(file: "f", broken)), .io(call: "pread", file: "f", code: 5))
        XCTAssertEqual(told(.beyondLimits(reason: "too long")), .storage(reason: "too long"))
        guard case .storage = told(.notSealed(segment: 3)) else { return XCTFail("another error") }
    }

    func test_every_kind_of_problem_has_advice_that_says_whether_events_are_lost() {
        let harmless: [StoreProblem.Kind] = [.savedState, .index, .unusable, .strayFile]
        let costly: [StoreProblem.Kind] = [.missingSegment, .segmentHeader, .commits]
        let strange: [StoreProblem.Kind] = [.records, .versions]
        let closed: [StoreProblem.Kind] = [.identity, .footer, .end, .indexEntries]
        func advice(_ kind: StoreProblem.Kind) -> String { StoreProblem(kind, "f", "r").advice }
        for kind in harmless {
            XCTAssertTrue(advice(kind).hasPrefix("No event is lost"), "\(kind)")
        }
        for kind in costly { XCTAssertTrue(advice(kind).contains("Restore a backup"), "\(kind)") }
        for kind in strange { XCTAssertTrue(advice(kind).contains("report it"), "\(kind)") }
        for kind in closed { XCTAssertTrue(advice(kind).contains("No event is lost"), "\(kind)") }
        XCTAssertTrue(advice(.manifest).contains("cannot be noticed"))
        XCTAssertEqual(
            Set((harmless + costly + strange + closed + [.manifest]).map(advice)).count, 11)
        let whole: [StoreProblem.Kind] = [.unusable, .strayFile]
        for kind in whole { XCTAssertFalse(kind.isDamage) }
        let changed = costly + strange + closed + [.manifest, .savedState, .index]
        for kind in changed { XCTAssertTrue(kind.isDamage) }
    }

    func test_a_problem_says_what_is_lost_and_whether_that_is_all() {
        func text(_ positions: Range<UInt64>?, mayBeMore: Bool = false) -> String {
            "\(StoreProblem(.commits, "f", at: 3, "torn", positions: positions, mayBeMore: mayBeMore))"
        }
        XCTAssertEqual(text(nil), "f at byte 3: torn")
        XCTAssertEqual(text(5..<5), "f at byte 3: torn")
        XCTAssertEqual(text(5..<6), "f at byte 3: torn; the event at position 5 is lost")
        XCTAssertEqual(
            text(5..<8, mayBeMore: true),
            "f at byte 3: torn; the events at positions 5 to 7 are lost; more may be lost behind it"
        )
    }

    func test_problems_beyond_the_limit_are_counted_and_not_kept() {
        var report = VerificationReport()
        let problem = StoreProblem(.unusable, "f", "r")
        for _ in 0..<VerificationReport.problemLimit + 2 { report.add(problem) }
        XCTAssertEqual(report.problems.count, VerificationReport.problemLimit)
        XCTAssertEqual(report.furtherProblems, 2)
        XCTAssertTrue(report.isSound)
    }
}

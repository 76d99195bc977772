import WellspringLog
import WellspringTestKit
import XCTest

/// Failures while the log is in use.
final class CommitLogWritingTests: XCTestCase {
    private func failure(_ body: () throws -> some Any, line: UInt = #line) -> CommitFailure? {
        do {
            _ = try body()
            XCTFail("nothing failed", line: line)
            return nil
        } catch {
            return error as? CommitFailure
        }
    }

    private func isRolledBack(_ failure: CommitFailure?) -> Bool {
        if case .rolledBack? = failure { true } else { false }
    }

    private func isPoisoned(_ failure: CommitFailure?) -> Bool {
        if case .poisoned? = failure { true } else { false }
    }

    // MARK: - Failed writes

    func test_a_write_that_failed_is_taken_back_and_may_be_tried_again() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        fixture.disk.inject(.init(.noSpace, operations: [.write]))
        XCTAssertTrue(isRolledBack(failure { try fixture.commit(bytes(5000)) }))
        XCTAssertNil(try fixture.log.poison)
        XCTAssertEqual(try fixture.log.durablePosition, 1)

        XCTAssertEqual(try fixture.commit([2]).firstPosition, 2)
        try fixture.crash()
        try fixture.open()
        XCTAssertEqual(fixture.client.bodies, [[1], [2]])
    }

    func test_no_crash_brings_back_what_was_taken_back() throws {
        for seed in 0..<40 {
            let fixture = LogFixture(SimulatedDisk(seed: UInt64(seed)))
            try fixture.open()
            try fixture.commit([1])
            fixture.disk.inject(.init(.inputOutput, operations: [.write]))
            XCTAssertTrue(isRolledBack(failure { try fixture.commit(bytes(3000)) }))
            try fixture.crash(keeping: .chance)
            let recovery = try fixture.open()
            XCTAssertEqual(fixture.client.bodies, [[1]])
            XCTAssertEqual(recovery.tornBytes, 0)
        }
    }

    func test_a_write_that_cannot_be_taken_back_poisons() throws {
        let fixture = LogFixture()
        try fixture.open()
        fixture.disk.inject(
            .init(.inputOutput, operations: [.write, .truncate, .sync], .untilHealed))
        XCTAssertTrue(isPoisoned(failure { try fixture.commit([1]) }))
        XCTAssertNotNil(try fixture.log.poison)
    }

    func test_a_cut_that_cannot_be_synced_poisons() throws {
        let fixture = LogFixture()
        try fixture.open()
        fixture.disk.inject(.init(.inputOutput, operations: [.write, .sync], .untilHealed))
        XCTAssertTrue(isPoisoned(failure { try fixture.commit([1]) }))
    }

    func test_a_body_beyond_the_limit_is_refused_and_harms_nothing() throws {
        let fixture = LogFixture()
        fixture.configuration.frameBytesLimit = 1000
        try fixture.open()
        XCTAssertEqual(
            failure { try fixture.commit(bytes(1001)) }, .tooLarge(bytes: 1001, limit: 1000))
        XCTAssertEqual(try fixture.commit(bytes(1000)).firstPosition, 1)
    }

    // MARK: - Failed syncs

    func test_after_a_failed_sync_nothing_more_is_written() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        fixture.disk.inject(.init(.inputOutput, operations: [.sync]))
        XCTAssertTrue(isPoisoned(failure { try fixture.commit([2]) }))
        let before = fixture.disk.operationCount
        XCTAssertEqual(failure { try fixture.commit([3]) }, .alreadyPoisoned)
        XCTAssertEqual(failure { try fixture.log.sync() }, .alreadyPoisoned)
        XCTAssertEqual(failure { try fixture.log.writeMark() }, .alreadyPoisoned)
        XCTAssertEqual(fixture.disk.operationCount, before)
    }

    func test_a_poisoned_log_can_still_be_read_and_shows_only_what_is_durable() throws {
        let fixture = LogFixture()
        try fixture.open()
        let place = try fixture.commit([1, 2, 3])
        fixture.disk.inject(.init(.inputOutput, operations: [.sync]))
        XCTAssertTrue(isPoisoned(failure { try fixture.commit([4]) }))
        XCTAssertEqual(try fixture.log.writtenPosition, 1)
        XCTAssertEqual(try fixture.log.durablePosition, 1)
        let read = try fixture.log.read(segment: 1, at: place.bodyOffset, count: 3)
        XCTAssertEqual(read, [1, 2, 3])
    }

    func test_closing_a_poisoned_log_writes_nothing_says_so_and_frees_the_lock() throws {
        let fixture = LogFixture()
        try fixture.open()
        fixture.disk.inject(.init(.inputOutput, operations: [.sync]))
        XCTAssertTrue(isPoisoned(failure { try fixture.commit([1]) }))
        let before = fixture.disk.operations.count { $0.changesDisk }
        XCTAssertEqual(failure { try fixture.log.close() }, .alreadyPoisoned)
        XCTAssertEqual(fixture.disk.operations.count { $0.changesDisk }, before)
        XCTAssertNoThrow(try fixture.log.close())
        try fixture.open()
    }

    func test_an_active_segment_that_was_removed_poisons() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        fixture.disk.replaceContents(of: try fixture.newestSegment, with: nil)
        XCTAssertTrue(isPoisoned(failure { try fixture.commit([2]) }))
    }

    // MARK: - Who may write

    func test_a_second_opener_is_told_who_has_the_lock() throws {
        let first = LogFixture()
        try first.open()
        let second = LogFixture(first.disk)
        XCTAssertThrowsError(try second.open()) {
            guard case .locked(let owner)? = $0 as? LogError else { return XCTFail("\($0)") }
            XCTAssertTrue(owner.hasPrefix("pid "), owner)
        }
        try first.close()
        try second.open()
    }

    func test_a_log_that_was_not_opened_frees_the_lock() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.close()
        fixture.disk.flipBit(0, ofByte: 20, in: "STORE")
        XCTAssertNotNil(try fixture.damage())
        fixture.disk.flipBit(0, ofByte: 20, in: "STORE")
        try fixture.open()
    }

    func test_a_fork_of_the_process_must_not_write() throws {
        let fixture = LogFixture()
        try fixture.open()
        fixture.disk.setForked(true)
        let before = fixture.disk.operationCount
        XCTAssertEqual(failure { try fixture.commit([1]) }, .forked)
        XCTAssertEqual(failure { try fixture.log.sync() }, .forked)
        XCTAssertEqual(fixture.disk.operationCount, before)
    }

    func test_a_closed_log_refuses_everything() throws {
        let fixture = LogFixture()
        try fixture.open()
        let place = try fixture.commit([1])
        let log = try fixture.log
        try log.close()
        XCTAssertEqual(failure { try fixture.commit([2]) }, .closed)
        XCTAssertEqual(failure { try log.sync() }, .closed)
        XCTAssertEqual(failure { try log.writeMark() }, .closed)
        XCTAssertThrowsError(try log.read(segment: 1, at: place.offset, count: 1)) {
            XCTAssertEqual($0 as? LogError, .closed)
        }
        XCTAssertNoThrow(try log.close())
    }

    func test_an_abandoned_log_wrote_nothing_more() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        let before = fixture.disk.operations.count { $0.changesDisk }
        try fixture.log.abandon()
        try fixture.log.abandon()
        XCTAssertEqual(fixture.disk.operations.count { $0.changesDisk }, before)
        XCTAssertFalse(try fixture.open().wasClean)
    }

    // MARK: - Time

    func test_time_never_goes_back() throws {
        let fixture = LogFixture()
        try fixture.open()
        fixture.disk.advanceClock(nanoseconds: 1_000_000)
        let first = try fixture.commit([1]).recordedAt
        fixture.disk.advanceClock(nanoseconds: -900_000)
        XCTAssertEqual(try fixture.commit([2]).recordedAt, first)
        try fixture.close()
        try fixture.open()
        XCTAssertEqual(try fixture.commit([3]).recordedAt, first)
        fixture.disk.advanceClock(nanoseconds: 2_000_000)
        XCTAssertGreaterThan(try fixture.commit([4]).recordedAt, first)
    }

    // MARK: - What a commit is told

    func test_a_body_is_told_where_it_goes() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit(bytes(77), events: 3)
        var told: FrameContext?
        let place = try fixture.log.commit(client: fixture.client, eventCount: 2, sizeHint: 4) {
            context, writer in
            told = context
            XCTAssertEqual(writer.count, 0)
            writer.append(UInt16(0))
            writer.append(UInt16(5))
            writer.patch(UInt16(4), at: 0)
        }
        let context = try XCTUnwrap(told)
        XCTAssertEqual(context.bodyOffset, place.bodyOffset)
        XCTAssertEqual(context.bodyOffset % 8, 0)
        XCTAssertEqual(context.firstPosition, 4)
        XCTAssertEqual(context.segment, place.segment)
        XCTAssertEqual(context.recordedAt, place.recordedAt)
        let read = try fixture.log.read(segment: place.segment, at: place.bodyOffset, count: 4)
        XCTAssertEqual(read, [4, 0, 5, 0])
    }

    func test_a_commit_without_events_takes_no_position() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1], events: 0)
        XCTAssertEqual(try fixture.log.writtenPosition, 0)
        XCTAssertEqual(try fixture.commit([2]).firstPosition, 1)
        try fixture.crash()
        try fixture.open()
        XCTAssertEqual(fixture.client.places.map(\.eventCount), [0, 1])
    }

    func test_a_commit_is_one_write_and_one_sync() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        let before = fixture.disk.operations.count
        try fixture.commit(bytes(200))
        let kinds = fixture.disk.operations[before...].map(\.kind)
        XCTAssertEqual(kinds.filter { $0 != .status }, [.write, .sync])
    }
}

import WellspringLog
import WellspringTestKit
import XCTest

/// What each mode promises, and the marks that bear witness.
final class CommitLogDurabilityTests: XCTestCase {
    private func fixture(_ durability: LogDurability) throws -> LogFixture {
        let fixture = LogFixture()
        fixture.configuration.durability = durability
        try fixture.open()
        return fixture
    }

    private func syncs(_ fixture: LogFixture, _ body: () throws -> Void) rethrows -> Int {
        let before = fixture.disk.operations.count
        try body()
        return fixture.disk.operations[before...].count { $0.kind == .sync }
    }

    func test_every_commit_is_durable_when_it_returns() throws {
        let fixture = try fixture(.everyCommit)
        try fixture.commit([1])
        XCTAssertEqual(try fixture.log.durablePosition, 1)
        XCTAssertEqual(try fixture.log.unsyncedBytes, 0)
        try fixture.crash()
        try fixture.open()
        XCTAssertEqual(fixture.client.bodies, [[1]])
    }

    func test_the_interval_mode_writes_at_once_and_syncs_when_enough_has_come_together() throws {
        let fixture = try fixture(.interval(nanoseconds: 1_000, bytes: 1000))
        XCTAssertEqual(try syncs(fixture) { try fixture.commit(bytes(400)) }, 0)
        XCTAssertEqual(try fixture.log.writtenPosition, 1)
        XCTAssertEqual(try fixture.log.durablePosition, 0)
        XCTAssertEqual(try fixture.log.unsyncedBytes, 464)
        XCTAssertEqual(try syncs(fixture) { try fixture.commit(bytes(600)) }, 1)
        XCTAssertEqual(try fixture.log.durablePosition, 2)
        XCTAssertEqual(try fixture.log.unsyncedBytes, 0)
    }

    func test_left_to_the_system_nothing_is_synced_until_it_is_asked_for() throws {
        let fixture = try fixture(.osManaged)
        XCTAssertEqual(
            try syncs(fixture) { for number in 0..<10 { try fixture.commit(bytes(10 * number)) } },
            0)
        XCTAssertEqual(try fixture.log.durablePosition, 0)
        XCTAssertEqual(try syncs(fixture) { try fixture.log.sync() }, 1)
        XCTAssertEqual(try fixture.log.durablePosition, 10)
        XCTAssertEqual(try syncs(fixture) { try fixture.log.sync() }, 0)
    }

    func test_what_the_process_wrote_is_there_after_it_is_killed_in_every_mode() throws {
        let modes: [LogDurability] = [
            .everyCommit, .strict, .interval(nanoseconds: 1, bytes: 1 << 20), .osManaged,
        ]
        for mode in modes {
            let fixture = try fixture(mode)
            for number in 0..<5 { try fixture.commit(bytes(300, seed: number)) }
            try fixture.crash(keeping: .everything)
            try fixture.open()
            XCTAssertEqual(fixture.client.bodies.count, 5, "\(mode)")
        }
    }

    func test_a_commit_is_still_durable_after_a_rolled_back_one() throws {
        let fixture = try fixture(.osManaged)
        try fixture.commit([1])
        fixture.disk.inject(.init(.inputOutput, operations: [.write]))
        XCTAssertThrowsError(try fixture.commit([2]))
        // Making the cut durable makes durable what was written before it.
        XCTAssertEqual(try fixture.log.durablePosition, 1)
        try fixture.crash()
        try fixture.open()
        XCTAssertEqual(fixture.client.bodies, [[1]])
    }

    // MARK: - Strict

    func test_the_strict_mode_syncs_twice_and_gives_every_group_pages_of_its_own() throws {
        let fixture = try fixture(.strict)
        let first = try fixture.commit([1])
        XCTAssertEqual(try syncs(fixture) { try fixture.commit(bytes(5000)) }, 2)
        let third = try fixture.commit([3])
        XCTAssertEqual(first.offset % 4096, 0)
        XCTAssertEqual(third.offset, first.offset + 2 * 4096 + 3 * 4096)
        XCTAssertFalse(try fixture.log.wantsMark)
        try fixture.close()
        try fixture.open()
        XCTAssertEqual(fixture.client.bodies.map(\.count), [1, 5000, 1])
    }

    func test_a_log_of_another_mode_is_continued_on_a_page_of_its_own() throws {
        let fixture = try fixture(.everyCommit)
        try fixture.commit(bytes(100))
        try fixture.close()
        fixture.configuration.durability = .strict
        try fixture.open()
        XCTAssertEqual(try fixture.commit([2]).offset % 4096, 0)
        try fixture.crash()
        fixture.configuration.durability = .everyCommit
        try fixture.open()
        try fixture.commit([3])
        try fixture.close()
        try fixture.open()
        XCTAssertEqual(fixture.client.bodies, [bytes(100), [2], [3]])
    }

    func test_a_strict_commit_without_room_for_its_mark_is_refused_before_it_is_written() throws {
        let fixture = try fixture(.strict)
        let body = bytes(100_000)
        let end = 4096 + 25 * 4096
        let used = fixture.disk.fileNames.reduce(0) {
            $0 + (fixture.disk.contents(of: $1)?.count ?? 0)
        }
        let segment = try XCTUnwrap(fixture.disk.contents(of: fixture.newestSegment)?.count)
        fixture.disk.capacity = used + end - segment + 1_000
        let start = fixture.disk.operations.count
        XCTAssertThrowsError(try fixture.commit(body)) {
            guard case .rolledBack? = $0 as? CommitFailure else { return XCTFail("\($0)") }
        }
        let operations = fixture.disk.operations[start...]
        XCTAssertFalse(
            operations.contains { $0.kind == .write && $0.offset < end }, "the group was written")
        XCTAssertEqual(try fixture.log.durablePosition, 0)
        fixture.disk.capacity = nil
        XCTAssertEqual(try fixture.commit(body).offset, 4096)
        try fixture.crash()
        try fixture.open()
        XCTAssertEqual(fixture.client.bodies, [body])
    }

    func test_a_strict_commit_whose_mark_cannot_be_written_is_there_and_is_the_last() throws {
        let fixture = try fixture(.strict)
        try fixture.commit([1])
        let writes = fixture.disk.operationCount
        try fixture.commit([2])
        let marks = fixture.disk.operations.filter { $0.kind == .write && $0.number >= writes }
        let offset = try XCTUnwrap(marks.last).number - writes
        fixture.disk.inject(
            .init(
                .noSpace, operations: [.write],
                from: fixture.disk.operationCount + offset))
        XCTAssertThrowsError(try fixture.commit([3])) {
            guard case .poisoned? = $0 as? CommitFailure else { return XCTFail("\($0)") }
        }
        XCTAssertEqual(try fixture.log.durablePosition, 2)
        XCTAssertThrowsError(try fixture.commit([4])) {
            XCTAssertEqual($0 as? CommitFailure, .alreadyPoisoned)
        }
        try fixture.crash()
        try fixture.open()
        XCTAssertEqual(fixture.client.bodies, [[1], [2], [3]])
    }

    // MARK: - Marks

    func test_a_mark_is_wanted_until_it_is_written() throws {
        let fixture = try fixture(.everyCommit)
        XCTAssertFalse(try fixture.log.wantsMark)
        try fixture.commit([1])
        XCTAssertTrue(try fixture.log.wantsMark)
        XCTAssertEqual(try syncs(fixture) { try fixture.log.writeMark() }, 1)
        XCTAssertFalse(try fixture.log.wantsMark)
        XCTAssertEqual(try syncs(fixture) { try fixture.log.writeMark() }, 0)
        try fixture.commit([2])
        XCTAssertTrue(try fixture.log.wantsMark)
    }

    func test_a_mark_makes_durable_what_it_bears_witness_of() throws {
        let fixture = try fixture(.osManaged)
        try fixture.commit([1])
        try fixture.log.writeMark()
        XCTAssertEqual(try fixture.log.durablePosition, 1)
        XCTAssertFalse(try fixture.log.wantsMark)
    }

    func test_a_mark_takes_no_position() throws {
        let fixture = try fixture(.everyCommit)
        try fixture.commit([1])
        try fixture.log.writeMark()
        XCTAssertEqual(try fixture.commit([2]).firstPosition, 2)
        try fixture.close()
        XCTAssertEqual(try fixture.open().frameCount, 2)
    }

    func test_damage_to_the_last_commit_is_reported_once_a_mark_bears_witness() throws {
        for marked in [true, false] {
            let fixture = try fixture(.everyCommit)
            try fixture.commit([1])
            let place = try fixture.commit(bytes(50))
            if marked { try fixture.log.writeMark() }
            try fixture.crash()
            fixture.disk.flipBit(
                3, ofByte: Int(place.bodyOffset) + 9, in: try fixture.newestSegment)
            if marked {
                let damage = try XCTUnwrap(try fixture.damage())
                XCTAssertEqual(damage.offset, place.offset)
                XCTAssertEqual(damage.sequences?.lowerBound, place.sequence)
            } else {
                // Without a witness it looks like an unfinished write; it is kept and reported.
                let recovery = try fixture.open()
                XCTAssertEqual(fixture.client.bodies, [[1]])
                XCTAssertEqual(recovery.quarantined.count, 1)
                XCTAssertEqual(recovery.tornBytes, 64 + 50)
            }
        }
    }
}

import WellspringLog
import WellspringTestKit
import XCTest

/// How segments grow, end and begin.
final class CommitLogSegmentsTests: XCTestCase {
    private func size(_ fixture: LogFixture, _ name: String? = nil) throws -> Int {
        let name = try name ?? fixture.newestSegment
        return try XCTUnwrap(fixture.disk.contents(of: name)).count
    }

    private func fill(_ fixture: LogFixture, until segment: UInt32) throws {
        for _ in 0..<1000 where try fixture.commit(bytes(900)).segment >= segment { return }
        XCTFail("segment \(segment) was never reached")
    }

    func test_content_for_a_footer_that_no_frame_can_hold_is_left_out() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        try fixture.commit(bytes(40 << 10))
        let most = FrameHeader.bodyLengthLimit - 8 - 24
        fixture.client.footer = [UInt8](repeating: 7, count: most + 1)
        XCTAssertEqual(try fixture.commit(bytes(30 << 10)).segment, 2)
        try fixture.commit([2])
        try fixture.close()
        try fixture.open()
        XCTAssertEqual(fixture.client.bodies.last, [2])
        var read: [[UInt8]] = []
        try fixture.log.forEachFrame(from: (1, UInt64(SegmentHeader.length)), throughSequence: .max)
        {
            place, body in
            read.append(Array(body))
            return true
        }
        XCTAssertEqual(read, [[1], bytes(40 << 10), bytes(30 << 10), [2]])
    }

    func test_a_small_store_takes_less_than_a_mebibyte_and_a_closed_one_what_it_needs() throws {
        let fixture = LogFixture(segmentBytes: 64 << 20)
        try fixture.open()
        for number in 0..<10 { try fixture.commit(bytes(100, seed: number)) }
        let names = fixture.disk.fileNames
        XCTAssertLessThan(try names.reduce(0) { $0 + (try size(fixture, $1)) }, 1 << 20)
        try fixture.close()
        XCTAssertEqual(try size(fixture), 4096 + 10 * (64 + 104) + 64)
    }

    func test_zeros_are_written_ahead_in_steps_that_double() throws {
        let fixture = LogFixture(segmentBytes: 64 << 20)
        try fixture.open()
        var sizes: [Int] = []
        for _ in 0..<40 {
            try fixture.commit(bytes(100_000))
            if try sizes.last != size(fixture) { sizes.append(try size(fixture)) }
        }
        XCTAssertEqual(sizes, [256, 512, 1024, 2048, 4096].map { $0 << 10 })
    }

    func test_what_is_written_ahead_is_zero() throws {
        let fixture = LogFixture()
        try fixture.open()
        let place = try fixture.commit(bytes(100))
        let contents = try XCTUnwrap(fixture.disk.contents(of: try fixture.newestSegment))
        let end = Int(place.bodyOffset) + 104
        XCTAssertGreaterThan(contents.count, end)
        XCTAssertTrue(contents[end...].allSatisfy { $0 == 0 })
    }

    func test_a_full_disk_does_not_stop_a_commit_for_which_there_is_room() throws {
        let fixture = LogFixture(segmentBytes: 64 << 20)
        try fixture.open()
        try fixture.commit(bytes(200_000))
        let used = fixture.disk.fileNames.reduce(0) {
            $0 + (fixture.disk.contents(of: $1)?.count ?? 0)
        }
        // Room for the frame, not for the zeros that would be written ahead.
        fixture.disk.capacity = used + 60_000
        XCTAssertNoThrow(try fixture.commit(bytes(100_000)))
        XCTAssertThrowsError(try fixture.commit(bytes(100_000)))
        fixture.disk.heal()
        XCTAssertEqual(try fixture.commit([1]).firstPosition, 3)
    }

    func test_a_next_segment_for_which_there_is_no_room_takes_none_from_the_frames() throws {
        let fixture = LogFixture(segmentBytes: 1 << 20)
        try fixture.open()
        try fixture.commit(bytes(600_000))
        let used = fixture.disk.fileNames.reduce(0) {
            $0 + (fixture.disk.contents(of: $1)?.count ?? 0)
        }
        fixture.disk.capacity = used + 200_000
        XCTAssertNoThrow(try fixture.commit(bytes(150_000)))
    }

    func test_zeros_are_written_ahead_again_after_a_write_was_taken_back() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit(bytes(100))
        fixture.disk.inject(.init(.inputOutput, operations: [.write]))
        XCTAssertThrowsError(try fixture.commit(bytes(100)))
        XCTAssertEqual(try size(fixture), 4096 + 64 + 104)
        let place = try fixture.commit(bytes(100))
        XCTAssertGreaterThan(try size(fixture), Int(place.bodyOffset) + 10_000)
    }

    func test_the_next_segment_is_prepared_when_the_current_one_is_half_full() throws {
        let fixture = LogFixture(segmentBytes: 20_000)
        try fixture.open()
        try fixture.commit(bytes(4000))
        try fixture.commit(bytes(1000))
        XCTAssertFalse(fixture.disk.fileNames.contains(LogLayout.nextSegment))
        try fixture.commit(bytes(2000))
        try fixture.commit(bytes(100))
        XCTAssertTrue(fixture.disk.fileNames.contains(LogLayout.nextSegment))
        try fixture.close()
        XCTAssertFalse(fixture.disk.fileNames.contains(LogLayout.nextSegment))
    }

    func test_a_segment_that_was_only_prepared_when_the_process_died_is_removed() throws {
        let fixture = LogFixture(segmentBytes: 20_000)
        try fixture.open()
        for _ in 0..<10 { try fixture.commit(bytes(900)) }
        try fixture.crash(keeping: .everything)
        XCTAssertTrue(fixture.disk.fileNames.contains(LogLayout.nextSegment))
        let recovery = try fixture.open()
        XCTAssertFalse(fixture.disk.fileNames.contains(LogLayout.nextSegment))
        XCTAssertEqual(recovery.removed, [LogLayout.nextSegment])
    }

    func test_a_sealed_segment_ends_with_its_trailer() throws {
        let fixture = LogFixture(segmentBytes: 20_000)
        try fixture.open()
        try fill(fixture, until: 2)
        let file = try XCTUnwrap(fixture.disk.contents(of: LogLayout.segment(1)))
        let (header, trailer, footer) = try file.withUnsafeBytes { bytes in
            let header = try SegmentHeader(decoding: bytes)
            let end = UnsafeRawBufferPointer(rebasing: bytes.suffix(SegmentTrailer.length))
            let trailer = try XCTUnwrap(SegmentTrailer(decoding: end, salt: header.salt))
            let place = Int(trailer.sealOffset)
            let frame = UnsafeRawBufferPointer(rebasing: bytes[place...])
            let seal = try XCTUnwrap(
                FrameHeader(decoding: frame, at: trailer.sealOffset, salt: header.salt))
            let body = UnsafeRawBufferPointer(rebasing: frame[64..<64 + Int(seal.bodyLength)])
            return (header, trailer, try SegmentFooter(decoding: body))
        }
        XCTAssertEqual(header.number, 1)
        XCTAssertEqual(trailer.groupCount, 16)
        XCTAssertEqual(trailer.nextPosition, 17)
        XCTAssertEqual(footer.clientContent, [1, 2, 3])
        XCTAssertEqual(footer.positions.entries.first?.position, 1)
    }

    func test_a_frame_that_is_larger_than_a_segment_gets_one_of_its_own() throws {
        let fixture = LogFixture(segmentBytes: 16_384)
        try fixture.open()
        XCTAssertEqual(try fixture.commit(bytes(100)).segment, 1)
        XCTAssertEqual(try fixture.commit(bytes(50_000)).segment, 2)
        XCTAssertEqual(try fixture.commit(bytes(100)).segment, 3)
        try fixture.close()
        try fixture.open()
        XCTAssertEqual(fixture.client.bodies.map(\.count), [100, 50_000, 100])
    }

    func test_the_salt_is_another_in_every_segment() throws {
        let fixture = LogFixture(segmentBytes: 16_384)
        try fixture.open()
        try fill(fixture, until: 4)
        let salts = try (1...UInt32(4)).map { number in
            let file = try XCTUnwrap(fixture.disk.contents(of: LogLayout.segment(number)))
            return try file.withUnsafeBytes { try SegmentHeader(decoding: $0).salt }
        }
        XCTAssertEqual(Set(salts).count, 4)
    }

    // MARK: - Failures while segments change

    func test_without_room_for_the_next_segment_the_current_one_is_used_up_to_twice_its_size()
        throws
    {
        let fixture = LogFixture(segmentBytes: 20_000)
        try fixture.open()
        fixture.disk.inject(.init(.noSpace, operations: [.create], .untilHealed))
        var count: UInt64 = 0
        var refused: CommitFailure?
        for _ in 0..<60 {
            do {
                let place = try fixture.commit(bytes(900))
                XCTAssertEqual(place.segment, 1)
                count = place.firstPosition
            } catch {
                refused = error as? CommitFailure
                break
            }
        }
        guard case .rolledBack? = refused else { return XCTFail("\(String(describing: refused))") }
        XCTAssertEqual(count, (40_000 - 4096) / (64 + 904))
        fixture.disk.heal()
        XCTAssertEqual(try fixture.commit(bytes(900)).segment, 2)
        try fixture.crash()
        try fixture.open()
        XCTAssertEqual(UInt64(fixture.client.bodies.count), count + 1)
    }

    func test_a_change_of_segments_is_continued_after_a_failure_at_any_step() throws {
        let rehearsal = LogFixture(segmentBytes: 20_000)
        try rehearsal.open()
        for _ in 0..<16 { try rehearsal.commit(bytes(900)) }
        let first = rehearsal.disk.operationCount
        try rehearsal.commit(bytes(900))
        let steps = rehearsal.disk.operationCount - first
        XCTAssertGreaterThan(steps, 10)

        for step in 0..<steps {
            let fixture = LogFixture(segmentBytes: 20_000)
            try fixture.open()
            for _ in 0..<16 { try fixture.commit(bytes(900)) }
            fixture.disk.inject(.init(.noSpace, from: fixture.disk.operationCount + step))
            var stored = 16
            do {
                for _ in 0..<2 {
                    do {
                        try fixture.commit(bytes(900))
                        stored += 1
                    } catch CommitFailure.rolledBack {
                        continue
                    }
                }
                XCTAssertEqual(try fixture.commit(bytes(900)).firstPosition, UInt64(stored + 1))
            } catch CommitFailure.poisoned {
                stored -= 1
            }
            try fixture.crash()
            try fixture.open()
            XCTAssertGreaterThan(fixture.client.bodies.count, stored, "step \(step)")
            XCTAssertLessThanOrEqual(fixture.client.bodies.count, stored + 2, "step \(step)")
        }
    }

    func test_a_crash_at_any_step_of_a_change_of_segments_loses_nothing() throws {
        let rehearsal = LogFixture(segmentBytes: 20_000)
        try rehearsal.open()
        for _ in 0..<16 { try rehearsal.commit(bytes(900)) }
        let first = rehearsal.disk.operationCount
        try rehearsal.commit(bytes(900))
        let steps = rehearsal.disk.operationCount - first

        for step in 0..<steps {
            for seed in 0..<4 {
                let fixture = LogFixture(
                    SimulatedDisk(seed: UInt64(seed)), segmentBytes: 20_000)
                try fixture.open()
                for _ in 0..<16 { try fixture.commit(bytes(900)) }
                fixture.disk.inject(.powerCut(at: fixture.disk.operationCount + step))
                let acknowledged = (try? fixture.commit(bytes(900))) != nil ? 17 : 16
                try fixture.crash(keeping: .chance)
                try fixture.open()
                XCTAssertGreaterThanOrEqual(fixture.client.bodies.count, acknowledged)
                XCTAssertEqual(
                    try fixture.commit([7]).firstPosition,
                    UInt64(fixture.client.bodies.count) + 1)
                try fixture.close()
                XCTAssertTrue(try fixture.open().wasClean)
            }
        }
    }

    func test_the_client_hears_of_every_segment_before_its_first_body() throws {
        let fixture = LogFixture(segmentBytes: 16_384)
        try fixture.open()
        for _ in 0..<60 {
            let place = try fixture.commit(bytes(900))
            XCTAssertEqual(fixture.client.segments.last, place.segment)
        }
        try fixture.close()
        try fixture.open()
        XCTAssertEqual(fixture.client.segments, Array(1...(fixture.client.segments.last ?? 0)))
    }
}

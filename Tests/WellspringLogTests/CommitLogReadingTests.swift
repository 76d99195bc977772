import Dispatch
import WellspringLog
import WellspringTestKit
import XCTest

final class CommitLogReadingTests: XCTestCase {
    /// A log of several segments, with a mark somewhere.
    private func filled(_ count: Int = 60) throws -> (LogFixture, [FramePlace]) {
        let fixture = LogFixture(segmentBytes: 16_384)
        try fixture.open()
        var places: [FramePlace] = []
        for number in 0..<count {
            places.append(try fixture.commit(bytes(900, seed: number)))
            if number == 7 { try fixture.log.writeMark() }
        }
        return (fixture, places)
    }

    func test_every_body_can_be_read_at_its_place() throws {
        let (fixture, places) = try filled()
        for (number, place) in places.enumerated() {
            XCTAssertEqual(
                try fixture.log.read(
                    segment: place.segment, at: place.bodyOffset, count: place.bodyLength),
                bytes(900, seed: number))
        }
    }

    func test_reading_beyond_a_file_or_a_segment_that_is_not_there_is_damage() throws {
        let (fixture, _) = try filled()
        for (segment, offset) in [(UInt32(1), UInt64(1) << 40), (99, 0), (0, 0)] {
            XCTAssertThrowsError(try fixture.log.read(segment: segment, at: offset, count: 1)) {
                guard case .damaged? = $0 as? LogError else { return XCTFail("\($0)") }
            }
        }
    }

    func test_frames_are_handed_over_in_order_across_segments() throws {
        let (fixture, places) = try filled()
        var seen: [FramePlace] = []
        try fixture.log.forEachFrame(from: nil, throughSequence: .max) { place, body in
            XCTAssertEqual(Array(body), bytes(900, seed: seen.count))
            seen.append(place)
            return true
        }
        XCTAssertEqual(seen, places)
    }

    func test_frames_are_handed_over_from_any_frame_up_to_any_sequence() throws {
        let (fixture, places) = try filled(30)
        for start in [0, 1, 9, 15, 29] {
            for end in [start, start + 3, 29] where end < 30 {
                var seen: [FramePlace] = []
                try fixture.log.forEachFrame(
                    from: (places[start].segment, places[start].offset),
                    throughSequence: places[end].sequence
                ) { place, _ in
                    seen.append(place)
                    return true
                }
                XCTAssertEqual(seen, Array(places[start...end]))
            }
        }
    }

    func test_handing_over_ends_when_enough_was_seen() throws {
        let (fixture, _) = try filled(10)
        var seen = 0
        try fixture.log.forEachFrame(from: nil, throughSequence: .max) { _, _ in
            seen += 1
            return seen < 4
        }
        XCTAssertEqual(seen, 4)
    }

    func test_an_empty_log_has_nothing_to_hand_over() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.log.forEachFrame(from: nil, throughSequence: .max) { _, _ in
            XCTFail("a frame out of nowhere")
            return true
        }
    }

    func test_damage_is_found_when_it_is_read() throws {
        let (fixture, places) = try filled(30)
        fixture.disk.flipBit(
            1, ofByte: Int(places[4].bodyOffset) + 5, in: LogLayout.segment(places[4].segment))
        var seen = 0
        XCTAssertThrowsError(
            try fixture.log.forEachFrame(from: nil, throughSequence: .max) { _, _ in
                seen += 1
                return true
            }
        ) {
            guard case .damaged(let damage)? = $0 as? LogError else { return XCTFail("\($0)") }
            XCTAssertEqual(damage.offset, places[4].offset)
            XCTAssertEqual(damage.sequences, places[4].sequence...places[4].sequence)
        }
        XCTAssertEqual(seen, 4)
    }

    func test_a_body_without_sense_is_damage_at_its_place() throws {
        let (fixture, places) = try filled(3)
        XCTAssertThrowsError(
            try fixture.log.forEachFrame(from: nil, throughSequence: .max) {
                _, _ throws(MalformedBody) in
                throw MalformedBody(offset: 10, reason: "no sense")
            }
        ) {
            guard case .damaged(let damage)? = $0 as? LogError else { return XCTFail("\($0)") }
            XCTAssertEqual(damage.offset, places[0].bodyOffset + 10)
            XCTAssertEqual(damage.reason, "no sense")
        }
    }

    func test_a_failed_read_is_not_damage() throws {
        let (fixture, places) = try filled(3)
        fixture.disk.inject(.init(.inputOutput, operations: [.read]))
        XCTAssertThrowsError(
            try fixture.log.read(segment: 1, at: places[0].offset, count: 10)
        ) {
            guard case .system? = $0 as? LogError else { return XCTFail("\($0)") }
        }
    }

    // MARK: - Open files

    func test_no_more_than_64_sealed_segments_are_kept_open() throws {
        let (fixture, places) = try filled(1200)
        let segments = places.last?.segment ?? 0
        XCTAssertGreaterThan(segments, 80)
        func opens() -> Int { fixture.disk.operations.count { $0.kind == .open } }
        let before = opens()
        for segment in 1..<segments {
            _ = try fixture.log.read(segment: segment, at: 0, count: 8)
        }
        XCTAssertEqual(opens() - before, Int(segments) - 1)
        // Those that were used last are still open, the oldest are not.
        _ = try fixture.log.read(segment: segments - 1, at: 0, count: 8)
        _ = try fixture.log.read(segment: segments - 60, at: 0, count: 8)
        XCTAssertEqual(opens() - before, Int(segments) - 1)
        _ = try fixture.log.read(segment: 1, at: 0, count: 8)
        XCTAssertEqual(opens() - before, Int(segments))
    }

    func test_a_segment_that_is_used_all_the_time_stays_open() throws {
        let (fixture, places) = try filled(1200)
        let segments = places.last?.segment ?? 0
        let before = fixture.disk.operations.count { $0.kind == .open }
        for segment in 2..<segments {
            _ = try fixture.log.read(segment: 1, at: 0, count: 8)
            _ = try fixture.log.read(segment: segment, at: 0, count: 8)
        }
        let opens = fixture.disk.operations.count { $0.kind == .open } - before
        XCTAssertEqual(opens, Int(segments) - 1)
    }

    func test_with_too_many_open_files_others_are_closed_and_it_is_tried_once_more() throws {
        let (fixture, _) = try filled()
        fixture.disk.inject(.init(.tooManyFiles, operations: [.open]))
        XCTAssertNoThrow(try fixture.log.read(segment: 1, at: 0, count: 8))
        fixture.disk.inject(.init(.tooManyFiles, operations: [.open], .untilHealed))
        XCTAssertThrowsError(try fixture.log.read(segment: 2, at: 0, count: 8))
    }

    func test_too_many_open_files_are_no_reason_to_refuse_a_commit() throws {
        let (fixture, places) = try filled(20)
        let last = places.last?.segment ?? 0
        for _ in 0..<40 {
            fixture.disk.heal()
            fixture.disk.inject(.init(.tooManyFiles, operations: [.create]))
            try fixture.commit(bytes(900))
        }
        XCTAssertGreaterThan(try fixture.commit(bytes(900)).segment, last + 1)
    }

    func test_readers_on_other_threads_see_whole_frames_while_commits_go_on() throws {
        let fixture = LogFixture(segmentBytes: 16_384)
        try fixture.open()
        let log = try fixture.log
        let client = fixture.client
        for _ in 0..<5 {
            _ = try log.commit(client: client, eventCount: 1, sizeHint: 900) {
                $1.append(bytes(900, seed: Int($0.firstPosition)))
            }
        }
        let failures = Guarded<[String]>([])
        let done = DispatchGroup()
        for _ in 0..<3 {
            DispatchQueue.global().async(group: done) {
                var last: UInt64 = 0
                while last < 200 {
                    let upTo = log.durablePosition
                    var seen: UInt64 = 0
                    do {
                        try log.forEachFrame(from: nil, throughSequence: .max) { place, body in
                            seen = place.firstPosition
                            if Array(body) != bytes(900, seed: Int(seen)) {
                                failures.withLock { $0.append("position \(seen)") }
                            }
                            return true
                        }
                    } catch {
                        failures.withLock { $0.append("\(error)") }
                        return
                    }
                    if seen < upTo { failures.withLock { $0.append("\(seen) of \(upTo)") } }
                    last = seen
                }
            }
        }
        for _ in 0..<195 {
            _ = try log.commit(client: client, eventCount: 1, sizeHint: 900) {
                $1.append(bytes(900, seed: Int($0.firstPosition)))
            }
        }
        done.wait()
        XCTAssertEqual(failures.withLock { $0 }, [])
    }
}

import WellspringLog
import WellspringTestKit
import XCTest

/// An inspection tells all that a log holds and all that is lost, and touches nothing.
final class LogInspectionTests: XCTestCase {
    func test_a_sound_log_is_handed_over_whole_and_untouched() throws {
        let log = try InspectedLog.closed()
        let before = log.disk.allContents
        let count = log.disk.operationCount
        let result = try log.inspect()
        XCTAssertEqual(result.groups.map(\.place), log.places)
        XCTAssertEqual(result.segments, [1, 2, 3, 4])
        XCTAssertEqual(result.damage, [])
        XCTAssertEqual(result.unfinished, [])
        log.assertEachEventIsFoundOrLost(result)
        XCTAssertTrue(log.disk.allContents == before)
        let kinds = Set(log.disk.operations.dropFirst(count).map(\.kind))
        XCTAssertTrue(kinds.isSubset(of: [.list, .open, .read, .status]), "\(kinds)")
    }

    func test_beside_a_writer_frames_without_a_witness_are_not_proven() throws {
        let log = try InspectedLog()
        let open = try log.inspect()
        XCTAssertEqual(open.groups.filter { !$0.isProven }.map(\.place), [log.places.last])
        XCTAssertEqual(open.end?.sequence, log.places.dropLast().last?.sequence)
        try log.fixture.log.writeMark()
        let marked = try log.inspect()
        XCTAssertEqual(marked.groups.filter { !$0.isProven }, [])
        XCTAssertEqual(marked.damage, [])
    }

    func test_an_inspection_goes_on_where_an_earlier_one_ended() throws {
        let log = try InspectedLog()
        let first = try log.inspect()
        var more: [FramePlace] = []
        for number in 0..<40 { more.append(try log.fixture.commit(bytes(900, seed: number))) }
        try log.fixture.log.writeMark()
        let second = try InspectionResult(log.disk, after: first.end)
        XCTAssertEqual(second.groups.map(\.place), [log.places[log.places.count - 1]] + more)
        XCTAssertEqual(second.damage, [])
        XCTAssertEqual(try InspectionResult(log.disk, after: second.end).groups, [])
    }

    func test_an_unfinished_write_is_no_damage() throws {
        let fixture = LogFixture()
        try fixture.open()
        let first = try fixture.commit(bytes(700))
        let second = try fixture.commit(bytes(700))
        try fixture.crash()
        fixture.disk.flipBit(0, ofByte: Int(second.bodyOffset), in: try fixture.newestSegment)
        let result = try InspectionResult(fixture.disk)
        XCTAssertEqual(result.groups.map(\.place), [first])
        XCTAssertEqual(result.damage, [])
        XCTAssertEqual(result.unfinished, [second.offset..<second.bodyOffset + 700])
    }

    func test_a_damaged_body_costs_its_own_frame_and_no_other() throws {
        let log = try InspectedLog.closed()
        for place in log.places {
            log.disk.flipBit(
                3, ofByte: Int(place.bodyOffset) + 17, in: LogLayout.segment(place.segment))
            let result = try log.inspect()
            XCTAssertEqual(result.damage.count, 1)
            let damage = try XCTUnwrap(result.damage.first)
            XCTAssertEqual(damage.kind, .frames)
            XCTAssertEqual(damage.offset, place.offset)
            XCTAssertEqual(damage.sequences, place.sequence...place.sequence)
            XCTAssertEqual(damage.positions, log.positions(of: place))
            log.assertEachEventIsFoundOrLost(result)
            log.disk.flipBit(
                3, ofByte: Int(place.bodyOffset) + 17, in: LogLayout.segment(place.segment))
        }
    }

    func test_a_damaged_frame_header_costs_its_own_frame_and_no_other() throws {
        let log = try InspectedLog.closed()
        for place in log.places {
            try log.overwrite(place.offset + 9..<place.offset + 10, of: place.segment, with: 0xA5)
            let result = try log.inspect()
            XCTAssertEqual(result.damage.map(\.positions), [log.positions(of: place)])
            XCTAssertEqual(result.damage.map(\.sequences), [place.sequence...place.sequence])
            log.assertEachEventIsFoundOrLost(result)
            try log.overwrite(place.offset + 9..<place.offset + 10, of: place.segment)
        }
    }

    func test_a_lost_first_page_of_a_segment_costs_no_event() throws {
        for segment in UInt32(1)...4 {
            let log = try InspectedLog.closed()
            try log.overwrite(0..<4096, of: segment, with: 0xA5)
            let result = try log.inspect()
            XCTAssertEqual(result.damage.map(\.kind), [.segmentHeader])
            XCTAssertEqual(result.groups.map(\.place), log.places)
        }
    }

    func test_a_lost_first_page_costs_no_event_even_without_a_manifest() throws {
        let log = try InspectedLog.closed()
        log.disk.replaceContents(of: Manifest.fileName, with: nil)
        try log.overwrite(0..<4096, of: 2)
        let result = try log.inspect()
        XCTAssertEqual(result.damage.map(\.kind), [.manifest, .segmentHeader])
        XCTAssertEqual(result.groups.map(\.place), log.places)
    }

    func test_a_missing_segment_costs_exactly_its_positions() throws {
        for segment in UInt32(1)...4 {
            let log = try InspectedLog.closed()
            log.disk.replaceContents(of: LogLayout.segment(segment), with: nil)
            let result = try log.inspect()
            XCTAssertEqual(result.damage.map(\.kind), [.missingSegment])
            XCTAssertEqual(result.damage.first?.file, LogLayout.segment(segment))
            XCTAssertEqual(result.damage.first?.isOpenEnded, false)
            XCTAssertEqual(
                result.lost, log.places(in: segment).flatMap { Array(log.positions(of: $0)) })
            log.assertEachEventIsFoundOrLost(result)
        }
    }

    func test_two_missing_segments_are_one_hole() throws {
        let log = try InspectedLog.closed()
        for segment in [UInt32(2), 3] {
            log.disk.replaceContents(of: LogLayout.segment(segment), with: nil)
        }
        let result = try log.inspect()
        XCTAssertEqual(result.damage.map(\.file), [LogLayout.segment(2), LogLayout.segment(3)])
        XCTAssertEqual(result.damage.map { $0.positions == nil }, [false, true])
        log.assertEachEventIsFoundOrLost(result)
    }

    func test_a_newest_segment_that_is_missing_after_a_crash_may_have_held_more() throws {
        let log = try InspectedLog()
        try log.fixture.crash()
        log.disk.replaceContents(of: LogLayout.segment(4), with: nil)
        let result = try log.inspect()
        XCTAssertEqual(result.damage.map(\.kind), [.missingSegment])
        XCTAssertEqual(result.damage.first?.isOpenEnded, true)
    }

    func test_a_closed_log_that_was_cut_is_damaged() throws {
        let log = try InspectedLog.closed()
        let name = LogLayout.segment(4)
        let contents = try XCTUnwrap(log.disk.contents(of: name))
        let last = log.places[log.places.count - 1]
        log.disk.replaceContents(of: name, with: Array(contents[..<Int(last.offset)]))
        let result = try log.inspect()
        XCTAssertEqual(result.lost, Array(log.positions(of: last)))
        log.assertEachEventIsFoundOrLost(result)
        log.disk.replaceContents(of: name, with: contents + [0])
        XCTAssertEqual(try log.inspect().damage.map(\.kind), [.end])
    }

    func test_damage_to_footer_and_trailer_is_told_and_costs_nothing() throws {
        let log = try InspectedLog.closed()
        let name = LogLayout.segment(2)
        let size = try XCTUnwrap(log.disk.contents(of: name)).count
        let last = log.places(in: 2)[log.places(in: 2).count - 1]
        let seal = Int(last.bodyOffset) + (last.bodyLength + 7) & ~7
        for offset in [seal + 3, seal + 64 + 5, size - 60] {
            log.disk.flipBit(1, ofByte: offset, in: name)
            let result = try log.inspect()
            XCTAssertEqual(result.damage.count, 1, "\(offset)")
            XCTAssertEqual(result.groups.map(\.place), log.places)
            XCTAssertEqual(result.lost, [])
            log.disk.flipBit(1, ofByte: offset, in: name)
        }
    }

    func test_missing_small_files_are_told_and_cost_nothing() throws {
        for name in [StoreIdentity.fileName, Manifest.fileName] {
            let log = try InspectedLog.closed()
            log.disk.replaceContents(of: name, with: nil)
            let result = try log.inspect()
            XCTAssertEqual(result.damage.map(\.file), [name])
            XCTAssertEqual(result.groups.map(\.place), log.places)
        }
    }

    func test_a_segment_that_the_manifest_does_not_know_is_told() throws {
        let log = try InspectedLog.closed()
        let manifest = log.disk.contents(of: Manifest.fileName)
        try log.fixture.open()
        while try log.fixture.commit(bytes(900)).segment < 6 {}
        try log.fixture.close()
        log.disk.replaceContents(of: Manifest.fileName, with: manifest)
        let unknown = try log.inspect().damage.filter { $0.reason.contains("does not know") }
        XCTAssertEqual(unknown.map(\.file), [LogLayout.segment(5), LogLayout.segment(6)])
        XCTAssertEqual(Set(unknown.map(\.kind)), [.end])
    }

    func test_a_directory_without_a_store_is_refused() throws {
        let directory = try SimulatedDisk().openStore(at: "/store", create: true)
        XCTAssertThrowsError(try LogInspection(directory)) {
            XCTAssertEqual($0 as? LogError, .notAStore(path: "/store"))
        }
    }

    /// A crash while a store is made costs nobody anything, so nothing of it is damage.
    func test_what_a_crash_leaves_of_the_making_of_a_store_is_no_store_or_a_sound_one() throws {
        let rehearsal = LogFixture()
        try rehearsal.open()
        for step in 0..<rehearsal.disk.operationCount {
            for seed in 0..<6 {
                let fixture = LogFixture(SimulatedDisk(seed: UInt64(seed)))
                fixture.disk.inject(.powerCut(at: step))
                XCTAssertThrowsError(try fixture.open())
                fixture.disk.crash(keeping: .chance)
                do {
                    let result = try InspectionResult(fixture.disk)
                    XCTAssertEqual(result.damage, [], "step \(step), seed \(seed)")
                } catch LogError.notAStore(let path) {
                    XCTAssertEqual(path, "/store")
                } catch let error as SystemError where error.kind == .notFound {
                    // The directory itself did not survive.
                }
            }
        }
    }

    func test_a_visitor_that_has_seen_enough_ends_the_inspection() throws {
        let log = try InspectedLog.closed()
        var count = 0
        let inspection = try LogInspection(log.disk.openStore(at: "/store", create: false))
        try inspection.run { _ in
            count += 1
            return count < 3
        }
        XCTAssertEqual(count, 3)
    }
}

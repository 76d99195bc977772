import WellspringLog
import WellspringTestKit
import XCTest

/// Damage to what was acknowledged is reported, with its place, and nothing is touched.
final class CommitLogDamageTests: XCTestCase {
    private func closed(segments: UInt32 = 3) throws -> (LogFixture, [FramePlace]) {
        let fixture = LogFixture(segmentBytes: 16_384)
        try fixture.open()
        var places: [FramePlace] = []
        while (places.last?.segment ?? 0) < segments {
            places.append(try fixture.commit(bytes(900, seed: places.count)))
        }
        places.append(try fixture.commit(bytes(900, seed: places.count)))
        try fixture.close()
        return (fixture, places)
    }

    private func assertUntouched(
        _ fixture: LogFixture, line: UInt = #line, _ body: () throws -> Void
    ) rethrows {
        let names = fixture.disk.fileNames.filter { $0 != "LOCK" }
        let before = names.map { fixture.disk.contents(of: $0) }
        try body()
        XCTAssertEqual(fixture.disk.fileNames.filter { $0 != "LOCK" }, names, line: line)
        XCTAssertTrue(names.map { fixture.disk.contents(of: $0) } == before, line: line)
    }

    func test_a_damaged_frame_is_reported_with_its_place_in_any_segment() throws {
        let (fixture, places) = try closed()
        for place in places {
            let file = LogLayout.segment(place.segment)
            for offset in [place.offset, place.offset + 45, place.bodyOffset + 333] {
                fixture.disk.flipBit(5, ofByte: Int(offset), in: file)
                try assertUntouched(fixture) {
                    let damage = try XCTUnwrap(try fixture.damage())
                    XCTAssertEqual(damage.file, file)
                    XCTAssertEqual(damage.offset, place.offset)
                    XCTAssertEqual(damage.sequences?.lowerBound, place.sequence)
                }
                fixture.disk.flipBit(5, ofByte: Int(offset), in: file)
            }
        }
        try fixture.open()
    }

    func test_damage_after_a_crash_is_told_from_an_unfinished_write_by_the_frames_behind() throws {
        let fixture = LogFixture()
        try fixture.open()
        var places: [FramePlace] = []
        for number in 0..<6 { places.append(try fixture.commit(bytes(700, seed: number))) }
        try fixture.crash()
        let name = try fixture.newestSegment
        for place in places.dropLast() {
            fixture.disk.flipBit(0, ofByte: Int(place.offset) + 8, in: name)
            try assertUntouched(fixture) {
                let damage = try XCTUnwrap(try fixture.damage())
                XCTAssertEqual(damage.sequences, place.sequence...(places[4].sequence))
            }
            fixture.disk.flipBit(0, ofByte: Int(place.offset) + 8, in: name)
        }
    }

    func test_a_witness_counts_even_when_its_own_body_is_damaged() throws {
        let fixture = LogFixture()
        try fixture.open()
        let first = try fixture.commit(bytes(700))
        let second = try fixture.commit(bytes(700))
        try fixture.crash()
        let name = try fixture.newestSegment
        fixture.disk.flipBit(0, ofByte: Int(first.bodyOffset), in: name)
        fixture.disk.flipBit(0, ofByte: Int(second.bodyOffset), in: name)
        XCTAssertEqual(try fixture.damage()?.sequences, first.sequence...first.sequence)
    }

    func test_a_segment_that_is_missing_is_reported() throws {
        for number in 1...UInt32(3) {
            let (fixture, _) = try closed()
            fixture.disk.replaceContents(of: LogLayout.segment(number), with: nil)
            try assertUntouched(fixture) {
                XCTAssertEqual(try fixture.damage()?.file, LogLayout.segment(number))
            }
        }
    }

    func test_a_segment_that_went_missing_after_it_was_begun_is_reported_after_a_crash() throws {
        let fixture = LogFixture(segmentBytes: 16_384)
        try fixture.open()
        while try fixture.commit(bytes(900)).segment < 2 {}
        try fixture.crash()
        fixture.disk.replaceContents(of: LogLayout.segment(2), with: nil)
        XCTAssertEqual(try fixture.damage()?.file, LogLayout.segment(2))
    }

    func test_a_log_that_was_closed_may_not_be_one_byte_shorter_or_longer() throws {
        let (fixture, _) = try closed()
        let name = try fixture.newestSegment
        let contents = try XCTUnwrap(fixture.disk.contents(of: name))
        for changed in [
            Array(contents.dropLast()), Array(contents.dropLast(64)), contents + [0],
            Array(contents[..<5000]), Array(contents[..<4096]), Array(contents[..<100]), [],
        ] {
            fixture.disk.replaceContents(of: name, with: changed)
            try assertUntouched(fixture) {
                XCTAssertEqual(try fixture.damage()?.file, name)
            }
        }
    }

    func test_a_log_cut_below_its_known_end_is_reported_after_a_crash_too() throws {
        let fixture = LogFixture()
        try fixture.open()
        for _ in 0..<5 { try fixture.commit(bytes(100)) }
        try fixture.close()
        try fixture.open()
        try fixture.commit([1])
        try fixture.crash()
        let name = try fixture.newestSegment
        let contents = try XCTUnwrap(fixture.disk.contents(of: name))
        let knownEnd = 4096 + 5 * (64 + 104) + 64
        fixture.disk.replaceContents(of: name, with: Array(contents[..<(knownEnd - 1)]))
        XCTAssertNotNil(try fixture.damage())
        fixture.disk.replaceContents(of: name, with: Array(contents[..<knownEnd]))
        XCTAssertNoThrow(try fixture.open())
    }

    func test_a_sealed_segment_with_bytes_behind_its_end_is_reported() throws {
        let (fixture, _) = try closed()
        let name = LogLayout.segment(1)
        let contents = try XCTUnwrap(fixture.disk.contents(of: name))
        fixture.disk.replaceContents(of: name, with: contents + [0])
        XCTAssertEqual(try fixture.damage()?.offset, UInt64(contents.count))
    }

    func test_segments_that_were_exchanged_are_reported() throws {
        let (fixture, _) = try closed()
        let first = fixture.disk.contents(of: LogLayout.segment(1))
        let second = fixture.disk.contents(of: LogLayout.segment(2))
        fixture.disk.replaceContents(of: LogLayout.segment(1), with: second)
        fixture.disk.replaceContents(of: LogLayout.segment(2), with: first)
        XCTAssertEqual(try fixture.damage()?.file, LogLayout.segment(1))
    }

    func test_a_segment_that_the_manifest_does_not_know_is_reported() throws {
        let (fixture, _) = try closed()
        let third = fixture.disk.contents(of: LogLayout.segment(3))
        fixture.disk.replaceContents(of: LogLayout.segment(5), with: third)
        XCTAssertEqual(try fixture.damage()?.file, LogLayout.segment(5))
    }

    func test_an_older_manifest_does_not_hide_that_the_log_went_on() throws {
        let (fixture, places) = try closed()
        let old = fixture.disk.contents(of: Manifest.fileName)
        try fixture.open()
        try fixture.commit([1])
        try fixture.close()
        fixture.disk.replaceContents(of: Manifest.fileName, with: old)
        let damage = try XCTUnwrap(try fixture.damage())
        XCTAssertEqual(damage.file, LogLayout.segment(places.last?.segment ?? 0))
    }

    func test_a_segment_of_a_twin_that_is_as_long_is_reported_after_a_crash_too() throws {
        // Two stores from one seed have one identity and one salt; only their bodies differ.
        let twins = try [1, 2].map { seed in
            let fixture = LogFixture()
            try fixture.open()
            try fixture.commit(bytes(100, seed: seed))
            try fixture.close()
            try fixture.open()
            try fixture.commit([1])
            try fixture.crash()
            return fixture
        }
        let name = try twins[0].newestSegment
        twins[0].disk.replaceContents(of: name, with: twins[1].disk.contents(of: name))
        XCTAssertEqual(try twins[0].damage()?.file, name)
    }

    func test_bytes_after_the_first_damage_are_never_handed_over() throws {
        let (fixture, places) = try closed()
        fixture.disk.flipBit(
            0, ofByte: Int(places[9].bodyOffset), in: LogLayout.segment(places[9].segment))
        XCTAssertNotNil(try fixture.damage())
        XCTAssertEqual(fixture.client.bodies, (0..<9).map { bytes(900, seed: $0) })
    }

    func test_a_body_that_its_owner_refuses_is_damage() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([7])
        let place = try fixture.commit([8])
        try fixture.close()
        let client = RecordingClient()
        client.refused = 8
        let directory = try fixture.disk.openStore(at: "/store", create: true)
        XCTAssertThrowsError(
            try CommitLog.open(directory, configuration: LogConfiguration(), client: client)
        ) {
            guard case .damaged(let damage)? = $0 as? LogError else { return XCTFail("\($0)") }
            XCTAssertEqual(damage.offset, place.bodyOffset)
            XCTAssertEqual(damage.reason, "refused")
        }
    }

    // MARK: - Other versions

    /// Rewrites the first bytes of a file with a checksum that holds.
    private func rewrite(
        _ fixture: LogFixture, _ name: String, _ change: (inout [UInt8]) -> Void
    ) throws {
        var contents = try XCTUnwrap(fixture.disk.contents(of: name))
        change(&contents)
        let checksum = crc32c(0, Array(contents[..<124]))
        for index in 0..<4 {
            contents[124 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index))
        }
        fixture.disk.replaceContents(of: name, with: contents)
    }

    func test_a_newer_major_version_or_an_unknown_feature_is_refused_as_such() throws {
        for name in ["STORE", LogLayout.segment(2)] {
            for place in [8, 112, 116] {
                let (fixture, _) = try closed()
                try rewrite(fixture, name) { $0[place] = 0x40 }
                XCTAssertThrowsError(try fixture.open()) {
                    guard case .unsupportedFormat(let file, _)? = $0 as? LogError else {
                        return XCTFail("\($0)")
                    }
                    XCTAssertEqual(file, name)
                }
            }
        }
    }

    /// A log after a crash, whose last frame says something else, with a checksum that holds.
    private func withLastFrame(_ change: (inout FrameHeader) -> Void) throws -> LogFixture {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        let place = try fixture.commit([2], events: 0)
        try fixture.crash()
        let name = try fixture.newestSegment
        var contents = try XCTUnwrap(fixture.disk.contents(of: name))
        try contents.withUnsafeMutableBytes { all in
            let salt = try SegmentHeader(decoding: UnsafeRawBufferPointer(all)).salt
            let frame = UnsafeMutableRawBufferPointer(rebasing: all[Int(place.offset)...])
            var header = try XCTUnwrap(
                FrameHeader(decoding: UnsafeRawBufferPointer(frame), at: place.offset, salt: salt))
            change(&header)
            header.encode(into: frame, salt: salt)
        }
        fixture.disk.replaceContents(of: name, with: contents)
        return fixture
    }

    func test_a_frame_that_does_not_continue_the_one_before_is_not_accepted() throws {
        let changes: [(inout FrameHeader) -> Void] = [
            { $0.sequence += 1 }, { $0.firstPosition += 1 }, { $0.chain ^= 1 },
        ]
        for change in changes {
            let fixture = try withLastFrame(change)
            try fixture.open()
            XCTAssertEqual(fixture.client.bodies, [[1]])
        }
        let unchanged = try withLastFrame { $0.flags = 0 }
        try unchanged.open()
        XCTAssertEqual(unchanged.client.bodies, [[1], [2]])
    }

    func test_a_frame_of_an_unknown_kind_is_refused_unless_it_may_be_skipped() throws {
        for kind in [5, 6, 0x7F] as [UInt8] {
            let fixture = try withLastFrame { $0.kind = FrameKind(rawValue: kind) }
            XCTAssertThrowsError(try fixture.open()) {
                guard case .unsupportedFormat? = $0 as? LogError else { return XCTFail("\($0)") }
            }
        }
        let fixture = try withLastFrame { $0.kind = FrameKind(rawValue: 0x85) }
        try fixture.open()
        XCTAssertEqual(fixture.client.bodies, [[1]])
        XCTAssertEqual(try fixture.commit([3]).sequence, 3)
    }
}

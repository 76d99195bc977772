import WellspringLog
import WellspringTestKit
import XCTest

/// What opening does after a crash.
final class CommitLogRecoveryTests: XCTestCase {
    /// A log with three commits, of which the last is not synced, and the file it is in.
    private func unsynced(_ size: Int = 3000) throws -> (LogFixture, FramePlace) {
        let fixture = LogFixture()
        fixture.configuration.durability = .osManaged
        try fixture.open()
        try fixture.commit([1])
        try fixture.commit([2])
        try fixture.log.sync()
        return (fixture, try fixture.commit(bytes(size)))
    }

    /// Replaces a part of a file, as if the disk had always had it.
    private func overwrite(
        _ fixture: LogFixture, _ name: String, at offset: Int, with bytes: [UInt8]
    ) throws {
        var contents = try XCTUnwrap(fixture.disk.contents(of: name))
        contents.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        fixture.disk.replaceContents(of: name, with: contents)
    }

    func test_an_unfinished_write_is_cut_off_kept_aside_and_reported() throws {
        let (fixture, place) = try unsynced()
        try fixture.crash(keeping: .everything)
        let name = try fixture.newestSegment
        let contents = try XCTUnwrap(fixture.disk.contents(of: name))
        // The last sectors never reached the disk.
        let offset = Int(place.offset)
        try overwrite(
            fixture, name, at: offset + 1000, with: Array(repeating: 0, count: 2064))
        let recovery = try fixture.open()
        XCTAssertEqual(fixture.client.bodies, [[1], [2]])
        let kept = try XCTUnwrap(recovery.quarantined.first)
        let tail = try XCTUnwrap(fixture.disk.contents(of: kept))
        XCTAssertEqual(UInt64(tail.count), recovery.tornBytes)
        XCTAssertEqual(recovery.tornPositions, 3..<4)
        XCTAssertEqual(tail, Array(contents[offset..<offset + tail.count]))
        XCTAssertTrue(kept.hasPrefix("quarantine/0000000001-"), kept)
        XCTAssertEqual(try XCTUnwrap(fixture.disk.contents(of: name)).count, offset)
        XCTAssertEqual(try fixture.commit([3]).firstPosition, 3)
    }

    func test_an_unfinished_write_may_be_cut_after_any_byte() throws {
        let (source, place) = try unsynced(104)
        try source.crash(keeping: .everything)
        let name = try source.newestSegment
        let contents = try XCTUnwrap(source.disk.contents(of: name))
        let end = Int(place.bodyOffset) + place.bodyLength
        for cut in Int(place.offset)...end {
            let written = Array(contents[..<cut])
            // The file may end there, or go on with the zeros that were written ahead.
            for file in [written, written + Array(repeating: 0, count: 500)] {
                let fixture = LogFixture(source.disk.afterCrash(keeping: .everything, seed: 1))
                fixture.disk.replaceContents(of: name, with: file)
                let recovery = try fixture.open()
                let found = fixture.client.bodies.count
                XCTAssertEqual(found, cut == end ? 3 : 2, "\(cut)")
                // The last byte of the frame's header makes it one that can be read.
                let isTorn = cut > Int(place.offset) && cut < end
                let last: UInt64 = cut < Int(place.bodyOffset) ? 3 : 4
                XCTAssertEqual(recovery.tornPositions, isTorn ? 3..<last : nil, "\(cut)")
                XCTAssertEqual(try fixture.commit([9]).firstPosition, UInt64(found) + 1)
            }
        }
    }

    func test_recovering_twice_is_recovering_once() throws {
        let (fixture, place) = try unsynced()
        try fixture.crash(keeping: .everything)
        try overwrite(
            fixture, try fixture.newestSegment, at: Int(place.offset) + 512, with: bytes(9))
        try fixture.open()
        let bodies = fixture.client.bodies
        let files = fixture.disk.fileNames.filter { $0 != Manifest.fileName && $0 != "LOCK" }
        let contents = files.map { fixture.disk.contents(of: $0) }
        try fixture.crash(keeping: .everything)
        let recovery = try fixture.open()
        XCTAssertEqual(fixture.client.bodies, bodies)
        XCTAssertEqual(recovery.tornBytes, 0)
        XCTAssertNil(recovery.tornPositions)
        XCTAssertEqual(recovery.restampedFrames, 0)
        XCTAssertEqual(files.map { fixture.disk.contents(of: $0) }, contents)
    }

    func test_a_crash_at_any_step_of_recovery_changes_nothing_about_its_result() throws {
        let (source, place) = try unsynced()
        try source.crash(keeping: .everything)
        let name = try source.newestSegment
        try overwrite(source, name, at: Int(place.offset) + 512, with: bytes(9))
        let rehearsal = LogFixture(source.disk.afterCrash(keeping: .everything, seed: 1))
        try rehearsal.open()
        let steps = rehearsal.disk.operationCount
        let kept = try XCTUnwrap(try rehearsal.log.recovery.quarantined.first)
        for step in 0..<steps {
            for seed in 0..<4 {
                let disk = source.disk.afterCrash(keeping: .everything, seed: UInt64(seed))
                let fixture = LogFixture(disk)
                disk.inject(.powerCut(at: disk.operationCount + step))
                XCTAssertThrowsError(try fixture.open())
                disk.crash(keeping: .chance)
                try fixture.open()
                XCTAssertEqual(fixture.client.bodies, [[1], [2]], "step \(step)")
                XCTAssertEqual(disk.contents(of: kept), rehearsal.disk.contents(of: kept))
            }
        }
    }

    func test_frames_that_nothing_shows_to_be_durable_are_written_again() throws {
        let (fixture, place) = try unsynced()
        try fixture.crash(keeping: .everything)
        let before = fixture.disk.operations.count
        let recovery = try fixture.open()
        // The second frame is not proven either: only a frame after it could say so.
        XCTAssertEqual(recovery.restampedFrames, 1)
        let writes = fixture.disk.operations[before...].filter {
            $0.kind == .write && $0.file.hasSuffix(".seg")
        }
        XCTAssertEqual(writes.first?.offset, place.offset)
        XCTAssertEqual(writes.reduce(0) { $0 + $1.count }, 64 + 3000)
    }

    func test_after_a_failed_sync_what_is_found_at_the_next_opening_stays() throws {
        for seed in 0..<30 {
            let fixture = LogFixture(SimulatedDisk(seed: UInt64(seed)))
            try fixture.open()
            try fixture.commit([1])
            fixture.disk.inject(.init(.inputOutput, operations: [.sync]))
            XCTAssertThrowsError(try fixture.commit(bytes(2000)))
            try fixture.log.abandon()
            try fixture.open()
            let found = fixture.client.bodies
            try fixture.crash()
            try fixture.open()
            XCTAssertEqual(fixture.client.bodies, found)
        }
    }

    func test_nothing_is_believed_before_it_was_synced() throws {
        let fixture = LogFixture(segmentBytes: 16_384)
        try fixture.open()
        for _ in 0..<40 { try fixture.commit(bytes(900)) }
        try fixture.crash(keeping: .everything)
        let before = fixture.disk.operations.count
        try fixture.open()
        var synced: Set<String> = []
        var read: Set<String> = []
        for operation in fixture.disk.operations[before...] {
            switch operation.kind {
            case .sync, .syncDirectory: synced.insert(operation.file)
            case .read:
                read.insert(operation.file)
                XCTAssertTrue(synced.contains(operation.file), "\(operation)")
            default: break
            }
        }
        XCTAssertGreaterThan(read.count, 4)
    }

    func test_after_a_proper_close_nothing_is_recovered() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        try fixture.close()
        let recovery = try fixture.open()
        XCTAssertTrue(recovery.wasClean)
        XCTAssertEqual(recovery.restampedFrames, 0)
        XCTAssertEqual(recovery.tornBytes, 0)
        XCTAssertEqual(recovery.quarantined, [])
    }

    func test_a_crash_at_any_step_of_closing_loses_nothing() throws {
        let rehearsal = LogFixture()
        try rehearsal.open()
        try rehearsal.commit([1])
        let first = rehearsal.disk.operationCount
        try rehearsal.close()
        let steps = rehearsal.disk.operationCount - first
        for step in 0..<steps {
            for seed in 0..<6 {
                let fixture = LogFixture(SimulatedDisk(seed: UInt64(seed)))
                try fixture.open()
                try fixture.commit([1])
                fixture.disk.inject(.powerCut(at: fixture.disk.operationCount + step))
                XCTAssertThrowsError(try fixture.log.close())
                fixture.disk.crash(keeping: .chance)
                try fixture.open()
                XCTAssertEqual(fixture.client.bodies, [[1]])
                XCTAssertEqual(try fixture.commit([2]).firstPosition, 2)
            }
        }
    }

    func test_a_seal_that_was_not_finished_is_taken_back() throws {
        let source = LogFixture(segmentBytes: 20_000)
        try source.open()
        for _ in 0..<16 { try source.commit(bytes(900)) }
        let end = source.disk.operationCount
        try source.commit(bytes(900))
        let seal = try XCTUnwrap(
            source.disk.operations.first { $0.number >= end && $0.kind == .write })
        try source.crash(keeping: .everything)
        let whole = try XCTUnwrap(source.disk.contents(of: LogLayout.segment(1)))
        XCTAssertEqual(whole.count, Int(seal.offset) + seal.count)
        for length in stride(from: Int(seal.offset), through: whole.count, by: 4) {
            let fixture = LogFixture(segmentBytes: 20_000)
            try fixture.open()
            for _ in 0..<16 { try fixture.commit(bytes(900)) }
            fixture.disk.inject(.powerCut(at: end))
            XCTAssertThrowsError(try fixture.commit(bytes(900)))
            fixture.disk.crash(keeping: .nothing)
            fixture.disk.replaceContents(of: LogLayout.segment(1), with: Array(whole[..<length]))
            try fixture.open()
            XCTAssertEqual(fixture.client.bodies.count, 16, "\(length)")
            XCTAssertEqual(try fixture.commit(bytes(900)).firstPosition, 17)
            try fixture.close()
            XCTAssertEqual(try fixture.open().segmentCount, 2)
        }
    }
}

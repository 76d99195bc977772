import WellspringLog
import WellspringTestKit
import XCTest

final class CommitLogRewriteTests: XCTestCase {
    /// Says of each frame what was asked for it, and writes what it is told to.
    private final class Rewriter: RewritingClient {
        var places: [FramePlace] = []
        var contexts: [FrameContext] = []
        var become: ([UInt8]) -> [UInt8] = { $0 }
        var refuses = false
        var atFooter: () -> Void = {}

        func rewrite(
            _ place: FramePlace, body: UnsafeRawBufferPointer, for context: FrameContext,
            into writer: inout ByteWriter
        ) throws(MalformedBody) {
            if refuses { throw MalformedBody(offset: 5, reason: "refused") }
            places.append(place)
            contexts.append(context)
            writer.append(become([UInt8](body)))
        }

        func footerContent(ofRewritten segment: UInt32) -> [UInt8] {
            atFooter()
            return [9, 9]
        }
    }

    /// Three segments, the last of which is active.
    private func makeLog(_ fixture: LogFixture) throws -> [FramePlace] {
        try fixture.open()
        var places = try (1...3).map { try fixture.commit(bytes(900, seed: $0), events: 2) }
        try fixture.log.writeMark()
        try fixture.log.commitHole(client: fixture.client, count: 4)
        places.append(try fixture.commit([], events: 0))
        try fixture.log.sealActive(client: fixture.client)
        places.append(try fixture.commit(bytes(70_000, seed: 9)))
        try fixture.log.sealActive(client: fixture.client)
        places.append(try fixture.commit(bytes(10, seed: 4)))
        return places
    }

    private func frames(_ fixture: LogFixture) throws -> [FramePlace: [UInt8]] {
        var found: [FramePlace: [UInt8]] = [:]
        try fixture.log.forEachFrame(from: nil, throughSequence: .max) { place, body in
            found[place] = [UInt8](body)
            return true
        }
        return found
    }

    private func assertSame(_ place: FramePlace, _ old: FramePlace, line: UInt = #line) {
        var moved = place
        moved.offset = old.offset
        moved.bodyLength = old.bodyLength
        XCTAssertEqual(moved, old, line: line)
    }

    func test_sealing_begins_a_new_segment_unless_nothing_was_written() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.log.sealActive(client: fixture.client)
        XCTAssertEqual(try fixture.log.segmentNumbers, 1...1)
        try fixture.commit([1])
        try fixture.log.sealActive(client: fixture.client)
        try fixture.log.sealActive(client: fixture.client)
        XCTAssertEqual(try fixture.log.segmentNumbers, 1...2)
        XCTAssertEqual(try fixture.commit([2]).segment, 2)
    }

    func test_bodies_change_and_everything_else_of_a_frame_stays() throws {
        let fixture = LogFixture()
        let places = try makeLog(fixture)
        let rewriter = Rewriter()
        rewriter.become = { $0.isEmpty ? [] : Array($0.prefix(5)) }
        try fixture.log.rewrite(1, with: rewriter, client: fixture.client)
        XCTAssertEqual(rewriter.places, Array(places.prefix(4)))
        XCTAssertEqual(
            rewriter.contexts.map(\.recordedAt), places.prefix(4).map(\.recordedAt))
        let found = try frames(fixture).sorted { $0.key.sequence < $1.key.sequence }
        XCTAssertEqual(found.count, places.count)
        for (frame, old) in zip(found, places) { assertSame(frame.key, old) }
        for (frame, context) in zip(found, rewriter.contexts) {
            XCTAssertEqual(frame.key.bodyOffset, context.bodyOffset)
            XCTAssertEqual(frame.key.firstPosition, context.firstPosition)
        }
        XCTAssertEqual(found[1].value, Array(bytes(900, seed: 2).prefix(5)))
        XCTAssertEqual(found[4].value, bytes(70_000, seed: 9))
    }

    func test_the_rewritten_segment_is_found_at_the_next_opening() throws {
        let fixture = LogFixture()
        let places = try makeLog(fixture)
        let rewriter = Rewriter()
        rewriter.become = { $0 + [1] }
        try fixture.log.rewrite(1, with: rewriter, client: fixture.client)
        try fixture.log.rewrite(2, with: rewriter, client: fixture.client)
        try fixture.log.rewrite(1, with: rewriter, client: fixture.client)
        let before = try frames(fixture)
        try fixture.close()
        try fixture.open()
        XCTAssertEqual(try frames(fixture), before)
        XCTAssertEqual(fixture.client.places.count, places.count)
        XCTAssertEqual(fixture.client.bodies[0], bytes(900, seed: 1) + [1, 1])
        XCTAssertEqual(
            fixture.disk.fileNames.filter { $0.hasSuffix(".seg") },
            ["log/0000000001-0002.seg", "log/0000000002-0001.seg", "log/0000000003-0000.seg"])
    }

    func test_a_position_in_a_rewritten_segment_is_found() throws {
        let fixture = LogFixture()
        let places = try makeLog(fixture)
        let rewriter = Rewriter()
        rewriter.become = { Array($0.prefix(1)) }
        _ = try fixture.log.place(before: 3)
        try fixture.log.rewrite(1, with: rewriter, client: fixture.client)
        for place in places where place.eventCount > 0 {
            let start = try fixture.log.place(before: place.firstPosition)
            var found: FramePlace?
            try fixture.log.forEachFrame(
                from: start, throughSequence: place.sequence
            ) { frame, _ in
                found = frame
                return true
            }
            XCTAssertEqual(found?.firstPosition, place.firstPosition)
        }
    }

    func test_other_segments_keep_their_bytes() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        let names = ["log/0000000002-0000.seg", "log/0000000003-0000.seg", "STORE"]
        let before = names.map { fixture.disk.contents(of: $0) }
        try fixture.log.rewrite(1, with: Rewriter(), client: fixture.client)
        XCTAssertEqual(names.map { fixture.disk.contents(of: $0) }, before)
    }

    func test_footer_and_trailer_are_those_of_the_new_file() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        let old = try XCTUnwrap(fixture.disk.contents(of: "log/0000000001-0000.seg"))
        try fixture.log.rewrite(1, with: Rewriter(), client: fixture.client)
        let new = try XCTUnwrap(fixture.disk.contents(of: "log/0000000001-0001.seg"))
        let (header, before) = try end(of: old)
        let (rewritten, after) = try end(of: new)
        XCTAssertNotEqual(rewritten.salt, header.salt)
        XCTAssertEqual(rewritten.generation, 1)
        XCTAssertEqual(rewritten.created, header.created)
        XCTAssertEqual(after.groupCount, before.groupCount)
        XCTAssertEqual(after.eventCount, before.eventCount)
        XCTAssertEqual(after.lastSequence, before.lastSequence)
        XCTAssertEqual(after.nextPosition, before.nextPosition)
        XCTAssertEqual(after.recordedAt, before.recordedAt)
        XCTAssertNotEqual(after.sealChecksum, before.sealChecksum)
        XCTAssertFalse(new.dropFirst(4_096).elementsEqual(old.dropFirst(4_096)))
    }

    private func end(of bytes: [UInt8]) throws -> (SegmentHeader, SegmentTrailer) {
        try bytes.withUnsafeBytes { all in
            let header = try SegmentHeader(decoding: all)
            let last = UnsafeRawBufferPointer(rebasing: all.suffix(SegmentTrailer.length))
            return (header, try XCTUnwrap(SegmentTrailer(decoding: last, salt: header.salt)))
        }
    }

    // MARK: - Refusals

    private func failure(
        _ fixture: LogFixture, _ number: UInt32, _ rewriter: Rewriter = Rewriter()
    ) throws -> RewriteFailure? {
        let log = try fixture.log
        do {
            try log.rewrite(number, with: rewriter, client: fixture.client)
            return nil
        } catch {
            return error
        }
    }

    func test_a_segment_that_is_not_sealed_is_not_rewritten() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        for number: UInt32 in [0, 3, 4] {
            XCTAssertEqual(try failure(fixture, number), .notSealed(segment: number))
        }
    }

    func test_a_body_that_its_owner_cannot_read_leaves_the_segment_as_it_was() throws {
        let fixture = LogFixture()
        let places = try makeLog(fixture)
        let before = fixture.disk.allContents
        let rewriter = Rewriter()
        rewriter.refuses = true
        guard case .damaged(let damage)? = try failure(fixture, 1, rewriter) else {
            return XCTFail("a body that makes no sense was rewritten")
        }
        XCTAssertEqual(damage.file, "log/0000000001-0000.seg")
        XCTAssertEqual(damage.offset, places[0].bodyOffset + 5)
        XCTAssertEqual(fixture.disk.allContents, before)
    }

    func test_a_damaged_segment_is_not_rewritten() throws {
        let fixture = LogFixture()
        let places = try makeLog(fixture)
        fixture.disk.flipBit(
            3, ofByte: Int(places[1].bodyOffset) + 8, in: "log/0000000001-0000.seg")
        let before = fixture.disk.allContents
        guard case .damaged(let damage)? = try failure(fixture, 1) else {
            return XCTFail("the damage was not noticed")
        }
        XCTAssertEqual(damage.sequences, places[1].sequence...places[1].sequence)
        XCTAssertEqual(fixture.disk.allContents, before)
    }

    func test_what_the_format_cannot_tell_is_beyond_the_limits() {
        var header = FrameHeader(
            bodyLength: 0, sequence: 1, firstPosition: 1, eventCount: 0, kind: .group,
            recordedAt: 0, durableSequence: 0, bodyChecksum: 0, chain: 0,
            offset: FrameHeader.offsetLimit)
        XCTAssertNil(header.excess(ofBody: 256 << 20))
        XCTAssertNotNil(header.excess(ofBody: 256 << 20 | 1))
        header.offset += 8
        XCTAssertNotNil(header.excess(ofBody: 1))
    }

    func test_a_segment_is_not_rewritten_more_often_than_its_name_can_tell() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        // What an attempt left whose end nobody knows.
        fixture.disk.replaceContents(of: "log/0000000001-9998.seg", with: [1])
        XCTAssertNil(try failure(fixture, 1))
        XCTAssertNotNil(fixture.disk.contents(of: "log/0000000001-9999.seg"))
        XCTAssertNil(fixture.disk.contents(of: "log/0000000001-9998.seg"))
        let before = fixture.disk.allContents
        guard case .beyondLimits? = try failure(fixture, 1) else {
            return XCTFail("a file got a name that nobody finds")
        }
        XCTAssertEqual(fixture.disk.allContents, before)
    }

    func test_a_new_file_that_reads_back_otherwise_leaves_the_old_one() throws {
        let fixture = LogFixture(segmentBytes: 8 << 20)
        try fixture.open()
        for seed in 1...4 { try fixture.commit(bytes(600_000, seed: seed)) }
        try fixture.log.sealActive(client: fixture.client)
        let before = fixture.disk.allContents
        let rewriter = Rewriter()
        let disk = fixture.disk
        // The first frames are on the disk by then.
        rewriter.atFooter = { disk.flipBit(2, ofByte: 9_000, in: LogLayout.rewrittenSegment) }
        guard case .damaged? = try failure(fixture, 1, rewriter) else {
            return XCTFail("a file that is not what was written took the place of one that is")
        }
        XCTAssertEqual(fixture.disk.allContents, before)
        XCTAssertNil(try failure(fixture, 1))
    }

    func test_an_old_file_that_cannot_be_removed_goes_at_the_next_opening() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        fixture.disk.inject(.init(.inputOutput, operations: [.remove]))
        guard case .oldFileRemains("log/0000000001-0000.seg", _)? = try failure(fixture, 1) else {
            return XCTFail("a file that stayed was not told of")
        }
        XCTAssertNotNil(fixture.disk.contents(of: "log/0000000001-0000.seg"))
        try fixture.crash(keeping: .everything)
        let recovery = try fixture.open()
        XCTAssertEqual(recovery.removed, ["log/0000000001-0000.seg"])
        XCTAssertNil(fixture.disk.contents(of: "log/0000000001-0000.seg"))
    }

    /// After a failed sync of the directory the system may show a MANIFEST that the disk never gets.
    func test_an_old_file_goes_at_opening_only_behind_a_manifest_that_was_written_anew() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        fixture.disk.inject(.init(.inputOutput, operations: [.remove]))
        _ = try failure(fixture, 1)
        try fixture.crash(keeping: .everything)
        let start = fixture.disk.operations.count
        try fixture.open()
        let operations = fixture.disk.operations[start...]
        let renamed = try XCTUnwrap(operations.firstIndex { $0.kind == .rename })
        let synced = try XCTUnwrap(
            operations[renamed...].firstIndex { $0.kind == .syncDirectory && $0.file == "." })
        let removed = operations.firstIndex {
            $0.kind == .remove && $0.file == "log/0000000001-0000.seg"
        }
        XCTAssertGreaterThan(try XCTUnwrap(removed), synced)
    }

    func test_a_log_is_not_closed_properly_while_an_old_file_is_there() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        fixture.disk.inject(.init(.inputOutput, operations: [.remove], .untilHealed))
        _ = try failure(fixture, 1)
        XCTAssertThrowsError(try fixture.close())
        fixture.disk.heal()
        XCTAssertNotNil(fixture.disk.contents(of: "log/0000000001-0000.seg"))
        let recovery = try fixture.open()
        XCTAssertFalse(recovery.wasClean)
        XCTAssertEqual(recovery.removed, ["log/0000000001-0000.seg"])
    }

    func test_closing_removes_an_old_file_that_could_not_be_removed_before() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        fixture.disk.inject(.init(.inputOutput, operations: [.remove]))
        _ = try failure(fixture, 1)
        try fixture.close()
        XCTAssertNil(fixture.disk.contents(of: "log/0000000001-0000.seg"))
        XCTAssertTrue(try fixture.open().wasClean)
    }

    func test_a_directory_that_cannot_be_synced_poisons_the_log() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        fixture.disk.inject(.init(.inputOutput, operations: [.syncDirectory]))
        guard case .failed(.poisoned)? = try failure(fixture, 1) else {
            return XCTFail("a failed sync was taken lightly")
        }
        XCTAssertEqual(try failure(fixture, 1), .failed(.alreadyPoisoned))
        XCTAssertNotNil(try fixture.log.poison)
    }

    // MARK: - Opening

    func test_a_segment_whose_listed_generation_is_missing_is_damage() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        let old = fixture.disk.contents(of: "log/0000000001-0000.seg")
        try fixture.log.rewrite(1, with: Rewriter(), client: fixture.client)
        try fixture.close()
        fixture.disk.replaceContents(of: "log/0000000001-0001.seg", with: nil)
        fixture.disk.replaceContents(of: "log/0000000001-0000.seg", with: old)
        let damage = try fixture.damage()
        XCTAssertEqual(damage?.file, "log/0000000001-0001.seg")
        XCTAssertEqual(fixture.disk.contents(of: "log/0000000001-0000.seg"), old)
    }

    func test_a_segment_under_the_name_of_another_generation_is_damage() throws {
        let fixture = LogFixture()
        _ = try makeLog(fixture)
        let old = fixture.disk.contents(of: "log/0000000001-0000.seg")
        try fixture.log.rewrite(1, with: Rewriter(), client: fixture.client)
        try fixture.close()
        fixture.disk.replaceContents(of: "log/0000000001-0001.seg", with: old)
        XCTAssertEqual(try fixture.damage()?.file, "log/0000000001-0001.seg")
    }
}

import WellspringTestKit
import XCTest

@testable import WellspringLog

/// An anchor comes from a file, and the log goes on from what it says.
final class LogAnchorTests: XCTestCase {
    private func decoded(_ change: (inout LogAnchor) -> Void) throws -> LogAnchor {
        var anchor = LogAnchor(
            end: LogEnd(
                segment: 1, offset: 8_192, sequence: 3, nextPosition: 4, recordedAt: 5, chain: 6),
            lastFrame: 8_000, groupCount: 2, eventCount: 3, positions: PositionTable(),
            rewrites: .none)
        anchor.positions.entries = [.init(position: 1, sequence: 1, offset: 4_096)]
        change(&anchor)
        var writer = ByteWriter()
        anchor.encode(into: &writer)
        return try writer.withUnsafeBytes { try LogAnchor(decoding: $0) }
    }

    func test_an_anchor_with_a_byte_too_many_or_too_few_is_none() throws {
        var writer = ByteWriter()
        try decoded { _ in }.encode(into: &writer)
        for bytes in [writer.bytes + [1], writer.bytes.dropLast()] {
            XCTAssertThrowsError(
                try Array(bytes).withUnsafeBytes { try LogAnchor(decoding: $0) })
        }
    }

    func test_an_anchor_is_read_as_it_was_written() throws {
        XCTAssertEqual(try decoded { _ in }.positions.entries.count, 1)
    }

    func test_an_anchor_knows_which_segments_before_it_were_rewritten() throws {
        let rewrites = SegmentRewrites([(number: 1, generation: 2)], through: 1)
        XCTAssertNotEqual(rewrites, .none)
        XCTAssertEqual(try decoded { $0.rewrites = rewrites }.rewrites, rewrites)
        XCTAssertEqual(try decoded { _ in }.rewrites, .none)
    }

    /// Three sealed segments, with one frame and one event each.
    private let sealed = (1...3).map { (number: UInt32) in
        Manifest.Segment(
            number: number, generation: 0, basePosition: UInt64(number),
            baseSequence: UInt64(number),
            seal: .init(
                nextPosition: UInt64(number) + 1, lastSequence: UInt64(number),
                fileLength: 9_000, checksum: number))
    }
    /// The end of the second.
    private let end = LogEnd(
        segment: 2, offset: 8_000, sequence: 2, nextPosition: 3, recordedAt: 0, chain: 2)

    private func holds(_ segments: [Manifest.Segment], _ anchor: LogAnchor) throws -> Bool {
        let identity = StoreIdentity(
            storeID: StoreUUID(high: 1, low: 2), creationTime: 3,
            hashKey: .init(first: 4, second: 5))
        return try LogOutline(
            directory: SimulatedDisk().openStore(at: "store", create: true), identity: identity,
            segments: segments
        ).holds(anchor)
    }

    func test_an_anchor_that_counts_more_than_its_segment_has_is_not_believed() throws {
        var anchor = LogAnchor(endOfSegment: end, .none)
        (anchor.groupCount, anchor.eventCount) = (1, 1)
        XCTAssertTrue(try holds(sealed, anchor))
        anchor.groupCount = 2
        XCTAssertFalse(try holds(sealed, anchor))
        (anchor.groupCount, anchor.eventCount) = (1, 2)
        XCTAssertFalse(try holds(sealed, anchor))
        var later = sealed
        later[1].baseSequence = 4
        XCTAssertFalse(try holds(later, LogAnchor(endOfSegment: end, .none)))
        later = sealed
        later[1].basePosition = 4
        XCTAssertFalse(try holds(later, LogAnchor(endOfSegment: end, .none)))
    }

    func test_an_anchor_is_not_of_a_log_of_which_a_segment_before_it_was_rewritten() throws {
        var segments = sealed
        let before = LogAnchor(endOfSegment: end, SegmentRewrites(of: segments, through: 2))
        XCTAssertTrue(try holds(segments, before))
        segments[2].generation = 1
        XCTAssertTrue(try holds(segments, before), "what comes later does not matter")
        segments[0].generation = 1
        XCTAssertFalse(try holds(segments, before))
        let after = LogAnchor(endOfSegment: end, SegmentRewrites(of: segments, through: 2))
        XCTAssertTrue(try holds(segments, after))
        segments[0].generation = 2
        XCTAssertFalse(try holds(segments, after))
    }

    func test_an_anchor_behind_which_nothing_could_be_counted_is_refused() {
        // A frame behind it would lie before one that the table lists.
        XCTAssertThrowsError(try decoded { $0.positions.entries[0].offset = 8_192 })
        XCTAssertThrowsError(try decoded { $0.groupCount = .max })
        XCTAssertThrowsError(try decoded { $0.eventCount = .max })
        // More than the log has up to there.
        XCTAssertThrowsError(try decoded { $0.groupCount = 4 })
        XCTAssertThrowsError(try decoded { $0.eventCount = 4 })
    }

    func test_an_anchor_at_a_place_that_no_log_reaches_is_refused() {
        let beyond = UInt64(Int64.max) + 1
        XCTAssertThrowsError(try decoded { $0.end.sequence = beyond })
        XCTAssertThrowsError(try decoded { $0.end.nextPosition = beyond })
        XCTAssertThrowsError(try decoded { ($0.end.nextPosition, $0.eventCount) = (0, 0) })
        XCTAssertThrowsError(try decoded { $0.end.offset = 1 << 36 + 1 })
        XCTAssertThrowsError(try decoded { $0.lastFrame = 8_193 })
    }
}

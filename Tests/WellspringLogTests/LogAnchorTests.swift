import XCTest

@testable import WellspringLog

/// An anchor comes from a file, and the log goes on from what it says.
final class LogAnchorTests: XCTestCase {
    private func decoded(_ change: (inout LogAnchor) -> Void) throws -> LogAnchor {
        var anchor = LogAnchor(
            end: LogEnd(
                segment: 1, offset: 8_192, sequence: 3, nextPosition: 4, recordedAt: 5, chain: 6),
            lastFrame: 8_000, groupCount: 2, eventCount: 3, positions: PositionTable())
        anchor.positions.entries = [.init(position: 1, sequence: 1, offset: 4_096)]
        change(&anchor)
        var writer = ByteWriter()
        anchor.encode(into: &writer)
        return try writer.withUnsafeBytes { try LogAnchor(decoding: $0) }
    }

    func test_an_anchor_is_read_as_it_was_written() throws {
        XCTAssertEqual(try decoded { _ in }.positions.entries.count, 1)
    }

    func test_an_anchor_behind_which_nothing_could_be_counted_is_refused() {
        // A frame behind it would lie before one that the table lists.
        XCTAssertThrowsError(try decoded { $0.positions.entries[0].offset = 8_192 })
        XCTAssertThrowsError(try decoded { $0.groupCount = .max })
        XCTAssertThrowsError(try decoded { $0.eventCount = .max })
    }
}

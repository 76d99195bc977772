import WellspringLog
import XCTest

@testable import Wellspring

final class IndexEntryCoderTests: XCTestCase {
    private func decode(_ bytes: [UInt8]) throws -> IndexEntry {
        var coder = IndexEntryCoder(baseSegment: 1)
        return try bytes.withUnsafeBytes {
            var reader = VariableReader($0, 0..<bytes.count)
            return try coder.decode(&reader)
        }
    }

    func test_an_entry_is_read_from_its_bytes() throws {
        XCTAssertEqual(
            try decode([17 << 2, 4]),
            IndexEntry(
                number: 1, place: EventPlace(segment: 1, offset: 17, frame: 8, index: 0)))
    }

    func test_a_frame_that_cannot_be_is_refused() {
        XCTAssertThrowsError(try decode([17 << 2, 8]), "before the beginning of the file")
        XCTAssertThrowsError(try decode([0, 2]), "before a record at the very beginning")
        XCTAssertThrowsError(try decode([17 << 2, 0]), "that of an entry that is not there")
    }

    func test_a_number_that_does_not_end_is_refused() {
        XCTAssertThrowsError(try decode([0x80]))
        XCTAssertThrowsError(try decode([UInt8](repeating: 0xFF, count: 20)))
    }
}

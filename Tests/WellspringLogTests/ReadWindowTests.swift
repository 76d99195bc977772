import WellspringTestKit
import XCTest

@testable import WellspringLog

/// Pieces of files in memory, and files that change meanwhile.
final class ReadWindowTests: XCTestCase {
    private let disk = SimulatedDisk()

    private func file(_ contents: [UInt8]) throws -> any StoreFile {
        disk.replaceContents(of: "f", with: contents)
        return try disk.openStore(at: "store", create: true).open("f", .readWrite)
    }

    func test_a_request_that_is_larger_than_a_piece_is_lent_whole() throws {
        let contents = (0..<ReadWindow.pieceLength * 2 + 5).map {
            UInt8(truncatingIfNeeded: $0 / 7)
        }
        let window = try ReadWindow(file(contents))
        let bytes = try XCTUnwrap(window.bytes(at: 3, count: contents.count - 3))
        XCTAssertTrue(bytes.elementsEqual(contents[3...]))
        XCTAssertNil(try window.bytes(at: 4, count: contents.count - 3))
    }

    func test_a_file_that_became_shorter_lends_no_bytes_that_it_does_not_have() throws {
        let file = try file([UInt8](repeating: 7, count: 4_096))
        let window = try ReadWindow(file)
        try file.truncate(to: 1_000)
        XCTAssertNil(try window.bytes(at: 0, count: 4_096))
        XCTAssertEqual(try window.bytes(at: 0, count: 1_000)?.count, 1_000)
    }

    func test_a_file_that_is_shorter_than_a_trailer_has_none() throws {
        let file = try file([UInt8](repeating: 0, count: 500))
        let salt = Salt(value: 1)
        XCTAssertNil(try SegmentTrailer.read(from: file, length: 127, salt: salt))
        XCTAssertNil(try SegmentTrailer.read(from: file, length: 600, salt: salt))
        XCTAssertNil(try SegmentTrailer.read(from: file, length: 500, salt: salt))
    }

    func test_no_bytes_are_all_zeros_and_end_at_once() {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        XCTAssertTrue(none.isZero)
        XCTAssertEqual(none.lengthWithoutZeros, 0)
        XCTAssertEqual(portableCRC32C(0x1234, none), 0x1234)
        XCTAssertEqual(crc32c(0x1234, none), 0x1234)
    }

    func test_what_is_no_error_of_a_format_is_told_without_details() {
        XCTAssertEqual(
            FormatError(CancellationError()),
            .malformed(offset: 0, reason: "it cannot be read"))
    }
}

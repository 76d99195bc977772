import WellspringLog
import XCTest

final class ByteReaderTests: XCTestCase {
    private func reading<Result>(
        _ bytes: [UInt8], _ body: (inout ByteReader) throws -> Result
    ) throws -> Result {
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            return try body(&reader)
        }
    }

    func test_what_a_writer_wrote_is_read_back() throws {
        var writer = ByteWriter()
        writer.append(UInt8(200))
        writer.append(UInt16(60_000))
        writer.append(UInt32(4_000_000_000))
        writer.append(UInt64.max)
        writer.append(Int64.min)
        writer.append(utf8: "Ölpreis")
        writer.append([1, 2])
        try reading(writer.bytes) { reader in
            XCTAssertEqual(try reader.readUInt8(), 200)
            XCTAssertEqual(try reader.readUInt16(), 60_000)
            XCTAssertEqual(try reader.readUInt32(), 4_000_000_000)
            XCTAssertEqual(try reader.readUInt64(), .max)
            XCTAssertEqual(try reader.readInt64(), .min)
            XCTAssertEqual(try reader.readString(8), "Ölpreis")
            XCTAssertEqual(Array(try reader.readBytes(2)), [1, 2])
            XCTAssertTrue(reader.isAtEnd)
        }
    }

    func test_reading_beyond_the_end_throws_and_does_not_move() throws {
        try reading([1, 2, 3]) { reader in
            XCTAssertThrowsError(try reader.readUInt32()) {
                XCTAssertEqual(($0 as? MalformedBody)?.offset, 0)
            }
            XCTAssertEqual(try reader.readUInt16(), 0x0201)
            XCTAssertThrowsError(try reader.readUInt16())
            XCTAssertEqual(reader.remaining, 1)
        }
    }

    func test_lengths_that_no_memory_has_throw() throws {
        try reading([1, 2, 3]) { reader in
            XCTAssertThrowsError(try reader.readBytes(UInt64.max))
            XCTAssertThrowsError(try reader.readBytes(-1))
            XCTAssertThrowsError(try reader.skip(4))
            XCTAssertThrowsError(try reader.readString(UInt32.max))
            XCTAssertEqual(reader.offset, 0)
        }
    }

    func test_text_that_is_not_utf8_throws_with_its_place() throws {
        try reading([65, 0xFF, 0xFE]) { reader in
            XCTAssertEqual(try reader.readString(1), "A")
            XCTAssertThrowsError(try reader.readString(2)) {
                XCTAssertEqual(($0 as? MalformedBody)?.offset, 1)
            }
        }
    }

    func test_empty_memory_is_at_its_end() throws {
        try reading([]) { reader in
            XCTAssertTrue(reader.isAtEnd)
            XCTAssertEqual(try reader.readBytes(0).count, 0)
            XCTAssertThrowsError(try reader.readUInt8())
        }
    }
}

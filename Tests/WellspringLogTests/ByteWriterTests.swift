import WellspringLog
import XCTest

final class ByteWriterTests: XCTestCase {
    func test_integers_are_written_in_little_endian_order() {
        var writer = ByteWriter()
        writer.append(UInt8(1))
        writer.append(UInt16(0x0203))
        writer.append(UInt32(0x0405_0607))
        writer.append(Int64(-2))
        XCTAssertEqual(
            writer.bytes, [1, 3, 2, 7, 6, 5, 4, 0xFE] + [UInt8](repeating: 0xFF, count: 7))
    }

    func test_bytes_and_text_are_written_as_they_are() {
        var writer = ByteWriter()
        writer.append([1, 2])
        writer.append([])
        writer.append(utf8: "é")
        XCTAssertEqual(writer.bytes, [1, 2, 0xC3, 0xA9])
    }

    func test_padding_fills_up_with_zeros_even_where_the_memory_was_used_before() {
        var writer = ByteWriter()
        writer.append([UInt8](repeating: 0xAA, count: 64))
        writer.removeAll()
        writer.append(UInt8(1))
        writer.pad(to: 8)
        writer.pad(to: 8)
        writer.appendZeros(3)
        XCTAssertEqual(writer.bytes, [1] + [UInt8](repeating: 0, count: 10))
    }

    func test_a_value_can_be_replaced_once_it_is_known() {
        var writer = ByteWriter()
        writer.append(UInt32(0))
        writer.append([9])
        writer.patch(UInt32(writer.count), at: 0)
        XCTAssertEqual(writer.bytes, [5, 0, 0, 0, 9])
    }

    func test_truncating_forgets_the_end() {
        var writer = ByteWriter()
        writer.append([1, 2, 3])
        writer.truncate(to: 1)
        writer.append([4])
        XCTAssertEqual(writer.bytes, [1, 4])
    }

    func test_a_writer_grows_beyond_any_capacity() {
        var writer = ByteWriter(capacity: 3)
        for number in 0..<10_000 { writer.append(UInt32(number)) }
        XCTAssertEqual(writer.count, 40_000)
        let sum = writer.withUnsafeBytes { all in
            all.bindMemory(to: UInt32.self).reduce(0) { $0 + Int($1) }
        }
        XCTAssertEqual(sum, 49_995_000)
    }

    func test_a_copy_does_not_change_with_the_original() {
        var writer = ByteWriter()
        writer.append([1])
        let copy = writer
        writer.append([2])
        writer.patch(UInt8(7), at: 0)
        XCTAssertEqual(copy.bytes, [1])
        XCTAssertEqual(writer.bytes, [7, 2])
    }
}

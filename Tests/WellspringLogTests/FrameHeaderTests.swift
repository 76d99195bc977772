import WellspringLog
import XCTest

final class FrameHeaderTests: XCTestCase {
    private let salt = Salt(value: 0x1122_3344_5566_7788)

    private func example() -> FrameHeader {
        var header = FrameHeader(
            bodyLength: 13, sequence: 7, firstPosition: 40, eventCount: 3, kind: .group,
            recordedAt: 1_700_000_000_000_000_000, durableSequence: 6, bodyChecksum: 0xAABB_CCDD,
            chain: 0x0102_0304, offset: 4160)
        header.extraPadding = 2
        return header
    }

    private func encoded(_ header: inout FrameHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FrameHeader.length)
        bytes.withUnsafeMutableBytes { header.encode(into: $0, salt: salt) }
        return bytes
    }

    private func decoded(
        _ bytes: [UInt8], at offset: UInt64 = 4160, salt: Salt? = nil
    ) -> FrameHeader? {
        bytes.withUnsafeBytes {
            FrameHeader(decoding: $0, at: offset, salt: salt ?? self.salt)
        }
    }

    func test_a_header_is_read_as_it_was_written() {
        var header = example()
        let bytes = encoded(&header)
        XCTAssertEqual(decoded(bytes), header)
    }

    func test_the_bytes_of_a_header_are_those_of_the_format() {
        var header = example()
        let bytes = encoded(&header)
        let expected: [UInt8] =
            [0x57, 0x53, 0x46, 0x31, 13, 0, 0, 0]  // WSF1, length
            + [7, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0]  // sequence, position
            + [3, 0, 0, 0, 1, 0, 2, 0]  // events, kind, flags, padding
            + [0x00, 0x00, 0x2A, 0x36, 0xFE, 0x9C, 0x97, 0x17]  // time
            + [6, 0, 0, 0, 0, 0, 0, 0]  // durable sequence
            + [0xDD, 0xCC, 0xBB, 0xAA, 4, 3, 2, 1, 0x08, 0x02, 0, 0]  // body, chain, offset / 8
        XCTAssertEqual(Array(bytes[..<60]), expected)
        XCTAssertEqual(header.checksum, crc32c(0x1122_3344, expected))
    }

    func test_no_flipped_bit_goes_unnoticed() {
        var header = example()
        let bytes = encoded(&header)
        for bit in 0..<FrameHeader.length * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            XCTAssertNil(decoded(damaged), "bit \(bit)")
        }
    }

    func test_a_header_is_valid_only_where_it_was_written_and_in_its_own_file() {
        var header = example()
        let bytes = encoded(&header)
        XCTAssertNil(decoded(bytes, at: 4168))
        XCTAssertNil(decoded(bytes, salt: Salt(value: salt.value ^ 1 << 40)))
        XCTAssertNil(decoded(Array(bytes[..<63])))
    }

    func test_a_body_that_is_too_long_to_be_true_is_refused() {
        var header = example()
        header.bodyLength = UInt32(FrameHeader.bodyLengthLimit)
        XCTAssertNotNil(decoded(encoded(&header)))
        header.bodyLength += 1
        XCTAssertNil(decoded(encoded(&header)))
    }

    func test_a_frame_is_as_long_as_header_body_and_padding() {
        XCTAssertEqual(example().frameLength, 64 + 16 + 16)
    }

    func test_a_header_with_positions_that_no_log_reaches_is_none() {
        var header = example()
        XCTAssertEqual(header.nextPosition, 43)
        header.firstPosition = 0
        XCTAssertNil(decoded(encoded(&header)))
        header.firstPosition = 1
        XCTAssertNotNil(decoded(encoded(&header)))
        header.firstPosition = UInt64(Int64.max) - UInt64(UInt32.max)
        XCTAssertNotNil(decoded(encoded(&header)))
        header.firstPosition += 1
        XCTAssertNil(decoded(encoded(&header)))
    }

    func test_a_header_with_a_sequence_that_no_log_reaches_is_none() {
        var header = example()
        for sequence in [0, UInt64(Int64.max) - UInt64(UInt32.max) + 1, .max] {
            header.sequence = sequence
            XCTAssertNil(decoded(encoded(&header)))
        }
        for sequence in [1, UInt64(Int64.max) - UInt64(UInt32.max)] {
            header.sequence = sequence
            XCTAssertNotNil(decoded(encoded(&header)))
        }
    }

    func test_kinds_with_the_high_bit_may_be_skipped() {
        XCTAssertTrue(FrameKind(rawValue: 0x85).isUnderstood)
        XCTAssertFalse(FrameKind(rawValue: 5).isUnderstood)
        XCTAssertTrue(FrameKind.hole.isUnderstood)
    }
}

import WellspringLog
import XCTest

final class CRC32CTests: XCTestCase {
    /// The definition, bit by bit.
    private func slow(_ seed: UInt32, _ bytes: some Sequence<UInt8>) -> UInt32 {
        var checksum = ~seed
        for byte in bytes {
            checksum ^= UInt32(byte)
            for _ in 0..<8 {
                checksum = checksum & 1 == 1 ? (checksum >> 1) ^ 0x82F6_3B78 : checksum >> 1
            }
        }
        return ~checksum
    }

    func test_the_checksums_are_those_of_the_standard() {
        XCTAssertEqual(crc32c(0, Array("123456789".utf8)), 0xE306_9283)
        XCTAssertEqual(crc32c(0, [UInt8](repeating: 0, count: 32)), 0x8A91_36AA)
        XCTAssertEqual(crc32c(0, [UInt8](repeating: 0xFF, count: 32)), 0x62A8_AB43)
        XCTAssertEqual(crc32c(0, Array(0..<32)), 0x46DD_794E)
        XCTAssertEqual(crc32c(0, []), 0)
    }

    func test_every_length_and_alignment_agrees_with_the_definition() {
        let all = bytes(300)
        all.withUnsafeBytes { buffer in
            for start in 0..<9 {
                for end in start...buffer.count where end < 80 || end % 37 == 0 {
                    let slice = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
                    XCTAssertEqual(crc32c(77, slice), slow(77, slice), "\(start)..<\(end)")
                    XCTAssertEqual(portableCRC32C(77, slice), slow(77, slice))
                }
            }
        }
    }

    func test_a_checksum_can_be_continued() {
        let all = bytes(1000)
        for cut in [0, 1, 7, 8, 9, 500, 999, 1000] {
            let first = crc32c(5, Array(all[..<cut]))
            XCTAssertEqual(crc32c(first, Array(all[cut...])), crc32c(5, all), "cut at \(cut)")
        }
    }

    func test_the_seed_changes_the_checksum() {
        XCTAssertNotEqual(crc32c(1, bytes(10)), crc32c(2, bytes(10)))
    }

    /// A store may be written on one machine and read on another.
    ///
    /// Lanes have up to 128 words, so that 3,072 bytes are the first length that goes round twice.
    func test_a_processor_without_the_instruction_computes_the_same() {
        let all = bytes(20_100)
        all.withUnsafeBytes { buffer in
            for length in Array(0...3_200) + Array(stride(from: 6_100, to: 20_000, by: 611)) {
                let start = length % 17
                let seed = UInt32(truncatingIfNeeded: length &* 0x9E37_79B9)
                let slice = UnsafeRawBufferPointer(rebasing: buffer[start..<start + length])
                XCTAssertEqual(crc32c(seed, slice), portableCRC32C(seed, slice), "\(length) bytes")
            }
        }
    }
}

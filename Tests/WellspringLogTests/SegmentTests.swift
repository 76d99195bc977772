import WellspringLog
import XCTest

final class SegmentTests: XCTestCase {
    private var header: SegmentHeader {
        SegmentHeader(
            storeID: StoreUUID(high: 1, low: 2), number: 3, basePosition: 4, baseSequence: 5,
            salt: Salt(value: 6), created: 7, previousRecordedAt: -8)
    }

    private func decoded(_ bytes: [UInt8]) throws -> SegmentHeader {
        try bytes.withUnsafeBytes { try SegmentHeader(decoding: $0) }
    }

    func test_a_segment_header_is_read_as_it_was_written() throws {
        let bytes = header.encoded()
        XCTAssertEqual(bytes.count, SegmentHeader.length)
        XCTAssertEqual(try decoded(bytes), header)
    }

    func test_no_flipped_bit_of_a_segment_header_goes_unnoticed() {
        let bytes = header.encoded()
        for bit in 0..<128 * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            XCTAssertThrowsError(try decoded(damaged), "bit \(bit)")
        }
    }

    func test_a_segment_header_that_was_cut_is_malformed() {
        for length in [0, 8, 127, 128, 4095] {
            XCTAssertThrowsError(try decoded(Array(header.encoded()[..<length]))) {
                guard case .malformed? = $0 as? FormatError else { return XCTFail("\($0)") }
            }
        }
    }

    /// A header as another version would write it, with a checksum that holds.
    private func changed(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
        var bytes = header.encoded()
        change(&bytes)
        let checksum = crc32c(0, Array(bytes[..<124]))
        for index in 0..<4 {
            bytes[124 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index))
        }
        return bytes
    }

    func test_a_newer_format_is_told_from_damage() {
        for place in [8, 112] {
            let bytes = changed { $0[place] = 2 }
            XCTAssertThrowsError(try decoded(bytes), "byte \(place)") {
                guard case .unsupported? = $0 as? FormatError else { return XCTFail("\($0)") }
            }
        }
    }

    func test_a_newer_format_that_must_not_be_written_to_can_be_read() throws {
        XCTAssertNoThrow(try header.writing.check())
        let newer = try decoded(changed { $0[116] = 2 })
        XCTAssertEqual(newer.salt, header.salt)
        XCTAssertThrowsError(try newer.writing.check()) {
            guard case .unsupported? = $0 as? FormatError else { return XCTFail("\($0)") }
        }
    }

    func test_what_a_minor_version_adds_is_ignored() throws {
        XCTAssertEqual(try decoded(changed { $0[10] = 9 }), header)
        XCTAssertEqual(try decoded(changed { $0[120] = 1 }), header)
        XCTAssertEqual(try decoded(changed { $0[100] = 1 }), header)
    }

    func test_a_header_with_numbers_that_no_log_reaches_is_malformed() throws {
        let changes: [(inout SegmentHeader) -> Void] = [
            { $0.number = .max }, { $0.basePosition = 0 }, { $0.baseSequence = 0 },
            { $0.basePosition = UInt64(Int64.max) + 1 }, { $0.baseSequence = .max },
        ]
        for change in changes {
            var header = header
            change(&header)
            XCTAssertThrowsError(try decoded(header.encoded())) {
                XCTAssertEqual(
                    $0 as? FormatError,
                    .malformed(offset: 40, reason: "numbers that no log reaches"))
            }
        }
    }

    func test_the_frames_of_a_segment_begin_behind_its_header() {
        let beginning = LogEnd(beginning: header)
        XCTAssertEqual(
            beginning,
            LogEnd(
                segment: 3, offset: 4096, sequence: 4, nextPosition: 4, recordedAt: -8, chain: 6))
    }

    // MARK: - Footer and trailer

    private var footer: SegmentFooter {
        var positions = PositionTable()
        positions.entries = [
            .init(position: 1, sequence: 2, offset: 4096),
            .init(position: 9, sequence: 4, offset: 70_000),
        ]
        return SegmentFooter(positions: positions, clientContent: [7, 8, 9])
    }

    private func encoded(_ footer: SegmentFooter) -> [UInt8] {
        var writer = ByteWriter()
        footer.encode(into: &writer)
        return writer.bytes
    }

    func test_a_footer_is_read_as_it_was_written() throws {
        let bytes = encoded(footer)
        XCTAssertEqual(try bytes.withUnsafeBytes { try SegmentFooter(decoding: $0) }, footer)
    }

    func test_a_footer_of_any_other_length_is_malformed() {
        let bytes = encoded(footer)
        for length in 0..<bytes.count {
            XCTAssertThrowsError(
                try bytes[..<length].withUnsafeBytes { try SegmentFooter(decoding: $0) })
        }
        XCTAssertThrowsError(
            try (bytes + [0]).withUnsafeBytes { try SegmentFooter(decoding: $0) })
    }

    func test_the_position_table_has_an_entry_for_every_64_kibibytes() {
        var table = PositionTable()
        for number in 0..<100 {
            table.note(
                FrameHeader(
                    bodyLength: 0, sequence: UInt64(number), firstPosition: UInt64(number),
                    eventCount: 1, kind: .group, recordedAt: 0, durableSequence: 0,
                    bodyChecksum: 0, chain: 0, offset: 4096 + UInt64(number) * 16_384))
        }
        XCTAssertEqual(table.entries.map(\.position), Array(stride(from: 0, to: 100, by: 4)))
    }

    private let salt = Salt(value: 99 << 32 | 5)

    private var trailer: SegmentTrailer {
        SegmentTrailer(
            number: 1, sealOffset: 2, firstSequence: 3, lastSequence: 11, firstPosition: 5,
            nextPosition: 14, groupCount: 7, eventCount: 8, recordedAt: 9, sealChecksum: 10)
    }

    private func decoded(_ trailer: SegmentTrailer) -> SegmentTrailer? {
        var writer = ByteWriter()
        trailer.encode(into: &writer, salt: salt)
        XCTAssertEqual(writer.count, SegmentTrailer.length)
        return writer.withUnsafeBytes { SegmentTrailer(decoding: $0, salt: salt) }
    }

    func test_a_trailer_is_read_as_it_was_written() {
        XCTAssertEqual(decoded(trailer), trailer)
    }

    func test_a_trailer_whose_numbers_do_not_fit_each_other_is_none() {
        let beyond = UInt64(Int64.max) + 1
        let changes: [(inout SegmentTrailer) -> Void] = [
            // The seal is a frame and no group.
            { $0.groupCount = 9 }, { $0.groupCount = .max },
            { $0.eventCount = 10 }, { $0.eventCount = .max },
            { $0.lastSequence = 2 }, { $0.lastSequence = beyond },
            { $0.nextPosition = 4 }, { $0.nextPosition = beyond },
            { $0.firstSequence = 0 }, { $0.firstPosition = 0 }, { $0.sealOffset = 1 << 36 + 1 },
        ]
        for (index, change) in changes.enumerated() {
            var forged = trailer
            change(&forged)
            XCTAssertNil(decoded(forged), "change \(index)")
        }
        // Marks are no groups, and the positions of a hole hold no events.
        var fewer = trailer
        (fewer.groupCount, fewer.eventCount) = (0, 0)
        XCTAssertEqual(decoded(fewer), fewer)
        (fewer.groupCount, fewer.eventCount) = (8, 9)
        XCTAssertEqual(decoded(fewer), fewer)
    }

    func test_no_flipped_bit_of_a_trailer_goes_unnoticed() {
        var writer = ByteWriter()
        trailer.encode(into: &writer, salt: salt)
        for bit in 0..<SegmentTrailer.length * 8 {
            var damaged = writer.bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            let read = damaged.withUnsafeBytes { SegmentTrailer(decoding: $0, salt: salt) }
            XCTAssertNil(read, "bit \(bit)")
        }
        let foreign = writer.withUnsafeBytes {
            SegmentTrailer(decoding: $0, salt: Salt(value: 0))
        }
        XCTAssertNil(foreign)
    }
}

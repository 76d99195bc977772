import WellspringLog
import XCTest

final class ManifestTests: XCTestCase {
    private var manifest: Manifest { manifest(honouredPosition: 7) }

    private func manifest(honouredPosition: UInt64) -> Manifest {
        Manifest(
            storeID: StoreUUID(high: 1, low: 2), number: 3, isClean: true,
            knownEnd: LogEnd(
                segment: 2, offset: 5000, sequence: 10, nextPosition: 11, recordedAt: 12,
                chain: 13),
            segments: [
                .init(
                    number: 1, generation: 0, basePosition: 1, baseSequence: 1,
                    seal: .init(nextPosition: 9, lastSequence: 8, fileLength: 7777, checksum: 6)),
                .init(number: 2, generation: 0, basePosition: 9, baseSequence: 9, seal: nil),
            ], honouredPosition: honouredPosition)
    }

    private func decoded(_ bytes: [UInt8]) throws -> Manifest {
        try bytes.withUnsafeBytes { try Manifest(decoding: $0) }
    }

    func test_a_manifest_is_read_as_it_was_written() throws {
        XCTAssertEqual(try decoded(manifest.encoded()), manifest)
        var unclean = manifest
        unclean.isClean = false
        XCTAssertEqual(try decoded(unclean.encoded()), unclean)
    }

    func test_a_position_that_is_not_in_the_log_yet_was_not_honoured() throws {
        XCTAssertEqual(try decoded(manifest.encoded()).honouredPosition, 7)
        XCTAssertEqual(manifest(honouredPosition: 10).honouredPosition, 10)
        XCTAssertEqual(manifest(honouredPosition: 11).honouredPosition, 0)
        var shorter = manifest(honouredPosition: 10)
        shorter.knownEnd.nextPosition = 10
        XCTAssertEqual(try decoded(shorter.encoded()).honouredPosition, 0)
    }

    func test_no_flipped_bit_goes_unnoticed() {
        let bytes = manifest.encoded()
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            XCTAssertThrowsError(try decoded(damaged), "bit \(bit)")
        }
    }

    func test_a_manifest_of_any_other_length_is_malformed() {
        let bytes = manifest.encoded()
        for length in 0..<bytes.count {
            XCTAssertThrowsError(try decoded(Array(bytes[..<length])))
        }
        XCTAssertThrowsError(try decoded(bytes + [0]))
    }

    func test_a_manifest_that_contradicts_itself_is_malformed() {
        var gap = manifest
        gap.segments[0].number = 0
        XCTAssertThrowsError(try decoded(gap.encoded()))
        var open = manifest
        open.segments[0].seal = nil
        XCTAssertThrowsError(try decoded(open.encoded()))
        var elsewhere = manifest
        elsewhere.knownEnd.segment = 1
        XCTAssertThrowsError(try decoded(elsewhere.encoded()))
        var empty = manifest
        empty.segments = []
        XCTAssertThrowsError(try decoded(empty.encoded()))
    }

    func test_a_manifest_with_numbers_that_no_log_reaches_is_malformed() {
        let beyond = UInt64(Int64.max) + 1
        let changes: [(inout Manifest) -> Void] = [
            { $0.number = beyond }, { $0.knownEnd.sequence = beyond },
            { $0.knownEnd.nextPosition = beyond }, { $0.knownEnd.nextPosition = 0 },
            { $0.knownEnd.offset = 1 << 36 + 1 },
            { $0.segments[0].basePosition = 0 }, { $0.segments[1].basePosition = beyond },
            { $0.segments[0].baseSequence = 0 }, { $0.segments[1].baseSequence = beyond },
            { $0.segments[0].seal?.nextPosition = beyond },
            { $0.segments[0].seal?.nextPosition = 0 },
            { $0.segments[0].seal?.lastSequence = beyond },
            { $0.segments[0].seal?.lastSequence = 0 },
            { $0.segments[0].seal?.fileLength = 1 << 36 + 1 },
        ]
        for (index, change) in changes.enumerated() {
            var forged = manifest
            change(&forged)
            XCTAssertThrowsError(try decoded(forged.encoded()), "change \(index)")
        }
    }

    func test_a_manifest_may_tell_of_the_longest_log_there_can_be() throws {
        var longest = manifest
        longest.number = UInt64(Int64.max)
        longest.knownEnd.sequence = UInt64(Int64.max)
        longest.knownEnd.nextPosition = UInt64(Int64.max)
        longest.knownEnd.offset = 1 << 36
        longest.segments[0].seal?.fileLength = 1 << 36
        XCTAssertEqual(try decoded(longest.encoded()), longest)
    }

    func test_a_store_identity_is_read_as_it_was_written() throws {
        let identity = StoreIdentity(
            storeID: StoreUUID(high: 1, low: 2), creationTime: -5,
            hashKey: SipKey(first: 8, second: 9))
        let bytes = identity.encoded()
        XCTAssertEqual(bytes.count, 4096)
        XCTAssertEqual(try bytes.withUnsafeBytes { try StoreIdentity(decoding: $0) }, identity)
        XCTAssertThrowsError(
            try bytes[..<4095].withUnsafeBytes { try StoreIdentity(decoding: $0) })
    }

    func test_one_kind_of_file_is_not_taken_for_another() {
        let identity = StoreIdentity(
            storeID: StoreUUID(high: 1, low: 2), creationTime: 0,
            hashKey: SipKey(first: 0, second: 0))
        XCTAssertThrowsError(
            try identity.encoded().withUnsafeBytes { try SegmentHeader(decoding: $0) })
    }
}

final class LogLayoutTests: XCTestCase {
    func test_the_name_of_a_segment_tells_its_number_and_generation() throws {
        XCTAssertEqual(LogLayout.segment(42), "log/0000000042-0000.seg")
        let parsed = try XCTUnwrap(LogLayout.parse("0000000042-0003.seg"))
        XCTAssertEqual(parsed.number, 42)
        XCTAssertEqual(parsed.generation, 3)
        XCTAssertNotNil(LogLayout.parse("4294967295-0000.seg"))
    }

    func test_other_names_are_no_segments() {
        for name in [
            "next.tmp", "", ".seg", "42-0.seg", "+000000042-0000.seg", "0000000042-0000.seg.bak",
            "00000000042-0000.seg", "4294967296-0000.seg", "0000000042-0000-0000.seg",
        ] {
            XCTAssertNil(LogLayout.parse(name), name)
        }
    }
}

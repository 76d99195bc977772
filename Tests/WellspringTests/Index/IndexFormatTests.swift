import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// The bytes of a run, which FileFormat.md describes and nobody changes by accident.
final class IndexFormatTests: XCTestCase {
    private let lists: IndexLists = {
        func entry(
            _ number: UInt64, _ segment: UInt32, _ offset: UInt32, _ frame: UInt32, _ index: UInt32
        ) -> IndexEntry {
            IndexEntry(
                number: number,
                place: EventPlace(segment: segment, offset: offset, frame: frame, index: index))
        }
        var lists = IndexLists()
        lists[0x1000] = [
            entry(1, 3, 4168, 4096, 0), entry(2, 3, 4301, 4096, 1), entry(3, 3, 4480, 4096, 3),
            entry(9, 4, 4168, 4096, 0), entry(4, 4, 1_000_001, 999_000, 17),
        ]
        lists[0x1234] = [entry(7, 3, 5000, 4096, 4)]
        lists[0xFEDC_BA98_7654_3210] = [entry(.max, 2, .max, .max - 7, .max)]
        return lists
    }()

    private let golden = """
        89575350490d0a1a010000008d000000
        11110000000000002222000000000000
        05000000000000004600000000000000
        efcdab89674523010200000000000000
        00000000000000000000000000000000
        00000000000000000000000000000000
        00000000000000000000000000000000
        000000000000000000000000d92ab211
        626568696e64203730995ccdc1030008
        000300000000000000000000003f0034
        0200000000000046001022547698badc
        fe5300a0820112940400cc050102a382
        010a0212e58ff3010bfd0111a19c010c
        e30104ffffffff3f030103ffffffff0f
        5b8ef1ed001000000000000001000000
        00000000ffffffffffffffff20008000
        00000000050000000000000100000000
        00020000000000000000001046400000
        20000000000000000000000000020400
        00000000040000004110000089575350
        490d0a1ae400000000000000fc000000
        000000003c0100000000000003000000
        000000000700000000000000c698d7dc
        77377e37000000000000000000000000
        00000000000000000000000000000000
        00000000000000000000000000000000
        00000000000000000000000000000000
        0000000000000000c2ff8dee
        """

    func test_the_format_does_not_change() throws {
        let fixture = try IndexFixture()
        let run = try IndexFixture.write(
            lists, IndexRange(first: 5, last: 70), in: fixture.directory, level: 2,
            salt: Salt(value: 0x0123_4567_89AB_CDEF))
        let bytes = try XCTUnwrap(fixture.disk.contents(of: run.name))
        XCTAssertEqual(hex(bytes), golden)
    }

    func test_a_run_of_the_first_version_is_read() throws {
        let name = IndexRunName.run(IndexRange(first: 5, last: 70))
        let run = try IndexFixture.open(bytes(golden), as: name)
        try check(run, lists)
        try run.verify()
        XCTAssertEqual(run.level, 2)
        XCTAssertEqual(run.anchor, IndexFixture.anchor(run.range))
    }

    func test_an_anchor_may_be_of_any_length_up_to_a_kibibyte() throws {
        for length in [0, 1, 7, 1024] {
            let header = IndexRunHeader(
                storeID: IndexFixture.owner, range: IndexRange(first: 1, last: 2),
                salt: Salt(value: 9), level: 1, anchor: [UInt8](repeating: 5, count: length))
            let bytes = header.encoded()
            XCTAssertEqual(bytes.count, header.length)
            XCTAssertEqual(try IndexRunHeader(decoding: bytes), header)
        }
    }

    func test_names_are_read_as_they_are_written() {
        for range in [
            IndexRange(first: 0, last: 0), IndexRange(first: 1, last: .max),
            IndexRange(first: 0xABCDEF, last: 0x1_2345_6789),
        ] {
            let name = IndexRunName.run(range)
            XCTAssertEqual(IndexRunName.parse(name.dropFirst("idx/".count)), range)
        }
        for name in [
            "", ".run", "1-2.run", "0000000000000001-0000000000000002",
            "0000000000000001-000000000000000A.run", "0000000000000001-0000000000000002.run.tmp",
            "+000000000000001-0000000000000002.run", "0000000000000001-0000000000000002-3.run",
            "00000000000000001-0000000000000002.run", "0000000000000002-0000000000000001.run",
        ] {
            XCTAssertNil(IndexRunName.parse(name), name)
        }
    }

    /// Sixteen bytes a line.
    private func hex(_ bytes: [UInt8]) -> String {
        stride(from: 0, to: bytes.count, by: 16).map { start in
            bytes[start..<min(start + 16, bytes.count)].map {
                ($0 < 16 ? "0" : "") + String($0, radix: 16)
            }.joined()
        }.joined(separator: "\n")
    }

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}

extension IndexRunHeader {
    fileprivate init(decoding bytes: [UInt8]) throws {
        self = try bytes.withUnsafeBytes { try IndexRunHeader(decoding: $0) }
    }
}

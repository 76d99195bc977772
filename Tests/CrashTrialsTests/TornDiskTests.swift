import ExampleTestSupport
import Foundation
import XCTest

@testable import CrashTrials

/// The record of a disk, and what a loss of power leaves of the disk.
///
/// `.ci/root/torn-writes` makes real ones.
final class TornDiskTests: XCTestCase {
    private let directory = Result { try TemporaryDirectory() }

    override func tearDown() { try? directory.get().remove() }

    // MARK: - The record

    func test_a_record_is_read_as_it_was_made() throws {
        let record =
            Self.head(5)
            + Self.entry(sector: 7, sectors: 2) + Self.sector(1) + Self.sector(2)
            + Self.entry(flags: 1)
            + Self.entry(flags: 8, text: "ack 1 2 3")
            + Self.entry(sector: 9, sectors: 1, flags: 2) + Self.sector(3)
            + Self.entry(sector: 4, sectors: 1, flags: 1 | 16) + Self.sector(4)
        let two = Self.sector(1) + Self.sector(2)
        XCTAssertEqual(
            try read(record),
            [
                .write(BlockWrite(sector: 7, bytes: two, isForced: false)),
                .flush,
                .mark("ack 1 2 3"),
                .write(BlockWrite(sector: 9, bytes: Self.sector(3), isForced: true)),
                .flush,
                .write(BlockWrite(sector: 4, bytes: Self.sector(4), isForced: false)),
            ])
    }

    func test_a_record_that_cannot_be_played_is_refused() throws {
        let whole = Self.head(1) + Self.entry(sector: 7, sectors: 1) + Self.sector(1)
        XCTAssertEqual(try read(whole).count, 1)
        assertRefused(whole.dropLast(), as: "cut off")
        assertRefused([0] + whole.dropFirst(), as: "no record")
        assertRefused(Self.head(1, sectorSize: 4_096) + whole.dropFirst(512), as: "other sectors")
        assertRefused(Self.head(1) + Self.entry(sectors: 8, flags: 4), as: "a discard")
    }

    private func assertRefused(_ bytes: [UInt8], as words: String, line: UInt = #line) {
        XCTAssertThrowsError(try read(bytes), line: line) { error in
            XCTAssertTrue("\(error)".contains(words), "\(error)", line: line)
        }
    }

    private func read(_ bytes: [UInt8]) throws -> [BlockLog.Entry] {
        let path = try directory.get().path("record")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try BlockLog(contentsOf: path).entries
    }

    private static func head(_ count: Int, sectorSize: Int = 512) -> [UInt8] {
        padded(numbers([0x6A_7366_7773_6872, 1, count, sectorSize]))
    }

    private static func entry(
        sector: Int = 0, sectors: Int = 0, flags: Int = 0, text: String = ""
    ) -> [UInt8] {
        padded(numbers([sector, sectors, flags, text.utf8.count]) + text.utf8)
    }

    private static func numbers(_ numbers: [Int]) -> [UInt8] {
        numbers.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: 512 - bytes.count)
    }

    private static func sector(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 512) }

    // MARK: - The disk

    /// A disk of 300 sectors with 1 everywhere.
    private func disk() throws -> TornDisk {
        let path = try directory.get().path("base")
        try Data(repeating: 1, count: 300 * 512).write(to: URL(fileURLWithPath: path))
        return TornDisk(try DiskImage(contentsOf: path))
    }

    private static func write(
        _ byte: UInt8, to sectors: Range<Int>, isForced: Bool = false
    ) -> BlockWrite {
        BlockWrite(
            sector: sectors.lowerBound, bytes: sectors.flatMap { _ in sector(byte) },
            isForced: isForced)
    }

    /// The first byte of each sector, after one loss for each of a hundred seeds.
    private func outcomes(
        of disk: TornDisk, losing loss: TornDisk.Loss, at last: BlockWrite
    ) throws -> [[UInt8]] {
        try (0..<100).compactMap { (seed: UInt64) in
            var dice = Dice(seed: seed)
            return try disk.image(losing: loss, at: last, &dice).map(content)
        }
    }

    private func content(of image: DiskImage) throws -> [UInt8] {
        let path = try directory.get().path("image")
        try image.save(to: path)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        XCTAssertEqual(bytes.count, 300 * 512)
        let sectors = stride(from: 0, to: bytes.count, by: 512).map { bytes[$0..<($0 + 512)] }
        for sector in sectors { XCTAssertEqual(Set(sector).count, 1, "a sector is one") }
        return sectors.compactMap(\.first)
    }

    func test_a_write_that_is_lost_leaves_all_before_it() throws {
        var disk = try disk()
        disk.add(Self.write(2, to: 3..<5))
        let last = Self.write(3, to: 4..<9)
        for content in try outcomes(of: disk, losing: .write, at: last) {
            XCTAssertEqual(content[2..<10], [1, 2, 2, 1, 1, 1, 1, 1])
        }
        disk.add(last)
        XCTAssertEqual(try content(of: disk.whole())[2..<10], [1, 2, 3, 3, 3, 3, 3, 1])
    }

    func test_a_write_that_is_torn_is_not_there_whole() throws {
        var disk = try disk()
        // Across the border of two pieces of an image.
        disk.add(Self.write(2, to: 120..<140))
        let found = try outcomes(of: disk, losing: .part, at: Self.write(3, to: 126..<132))
        XCTAssertEqual(found.count, 100)
        for content in found {
            XCTAssertEqual(Set(content[120..<126]), [2])
            XCTAssertTrue(Set(content[126..<132]).isSubset(of: [2, 3]))
            XCTAssertTrue(content[126..<132].contains(2))
            XCTAssertEqual(Set(content[132..<140]), [2])
        }
        let kinds = Set(found.map { Array($0[126..<132]) })
        XCTAssertTrue(kinds.contains([3, 3, 3, 2, 2, 2]), "its beginning")
        XCTAssertTrue(kinds.contains([2, 2, 2, 2, 3, 3]), "its end")
        XCTAssertGreaterThan(kinds.count, 12, "any of it")
    }

    func test_a_single_sector_is_not_torn() throws {
        let found = try outcomes(of: disk(), losing: .part, at: Self.write(3, to: 5..<6))
        XCTAssertEqual(found.count, 0)
    }

    func test_of_what_was_not_flushed_something_is_missing() throws {
        var disk = try disk()
        disk.add(Self.write(2, to: 0..<10))
        try disk.flush()
        disk.add(Self.write(3, to: 10..<20))
        disk.add(Self.write(4, to: 20..<30, isForced: true))
        disk.add(Self.write(5, to: 30..<31))
        let found = try outcomes(of: disk, losing: .earlier, at: Self.write(6, to: 40..<50))
        XCTAssertEqual(found.count, 100)
        for content in found {
            XCTAssertEqual(Set(content[0..<10]), [2], "flushed")
            XCTAssertEqual(Set(content[20..<30]), [4], "forced")
            XCTAssertEqual(Set(content[40..<50]), [6], "the last")
            XCTAssertTrue(content[10..<20].contains(1) || content[30] == 1)
        }
        XCTAssertTrue(found.contains { $0[10..<20].contains(1) && $0[10..<20].contains(3) }, "torn")
        XCTAssertTrue(found.contains { !$0[10..<20].contains(3) && $0[30] == 5 }, "out of order")
        XCTAssertTrue(found.contains { !$0[10..<20].contains(1) && $0[30] == 1 })
    }

    func test_after_a_flush_nothing_is_missing() throws {
        var disk = try disk()
        disk.add(Self.write(3, to: 10..<20))
        try disk.flush()
        disk.add(Self.write(4, to: 20..<30, isForced: true))
        let found = try outcomes(of: disk, losing: .earlier, at: Self.write(6, to: 40..<50))
        XCTAssertEqual(found.count, 0)
    }

    func test_a_write_beyond_the_disk_is_refused() throws {
        var disk = try disk()
        disk.add(Self.write(3, to: 299..<301))
        XCTAssertThrowsError(try disk.flush())
    }
}

import XCTest

@testable import Wellspring

final class IndexDirectoryTests: XCTestCase {
    /// A directory as it is after it was written and read.
    private func directory(_ entries: [IndexDirectory.Entry]) throws -> IndexDirectory {
        var directory = IndexDirectory()
        for entry in entries { directory.append(entry) }
        let bytes = directory.encoded()
        return try bytes.withUnsafeBytes { try IndexDirectory(decoding: $0) }
    }

    func test_no_block_that_may_hold_a_number_is_passed_over() throws {
        var generator = IndexGenerator(seed: 61)
        for round in 0..<1_000 {
            var key: UInt64 = 10
            let entries = (0..<generator.below(12)).map { _ in
                key += UInt64(generator.below(3) / 2)
                let lowest = UInt64(generator.below(20))
                return IndexDirectory.Entry(
                    firstKey: key, numbers: lowest...lowest + UInt64(generator.below(8)))
            }
            let directory = try directory(entries)
            XCTAssertEqual(directory.entries, entries)
            let wanted = UInt64(9 + generator.below(6))
            let number = UInt64(generator.below(28))
            let numbers = number...number + UInt64(generator.below(5))
            let blocks = directory.blocks(of: wanted, numbers)
            for block in entries.indices where entries[block].numbers.overlaps(numbers) {
                let follows = block + 1 < entries.count ? entries[block + 1].firstKey : .max
                let mayHold = entries[block].firstKey <= wanted && wanted <= follows
                if mayHold, !blocks.contains(block) {
                    XCTFail("round \(round): \(block) is not in \(blocks)")
                }
            }
        }
    }

    func test_a_number_of_a_long_list_is_in_few_blocks() throws {
        let entries = (0..<1_000 as Range<UInt64>).map {
            IndexDirectory.Entry(firstKey: $0 == 0 ? 3 : 5, numbers: $0 * 10...$0 * 10 + 9)
        }
        let directory = try directory(entries)
        for number in [0, 1, 9, 10, 5_005, 9_999] as [UInt64] {
            let blocks = directory.blocks(of: 5, number...number)
            XCTAssertTrue(blocks.contains(Int(number / 10)))
            XCTAssertLessThanOrEqual(blocks.count, 3)
        }
        XCTAssertEqual(directory.blocks(of: 5, 0...UInt64.max), 0..<1_000)
        XCTAssertEqual(directory.blocks(of: 2, 0...UInt64.max), 0..<0)
        XCTAssertEqual(directory.blocks(of: 6, 0...UInt64.max), 999..<1_000)
    }

    func test_a_directory_that_is_not_in_order_is_refused() {
        XCTAssertThrowsError(
            try directory([
                .init(firstKey: 2, numbers: 1...1), .init(firstKey: 1, numbers: 1...1),
            ]))
        let turned: [UInt64] = [1, 9, 8]
        XCTAssertThrowsError(
            try turned.map(\.littleEndian).withUnsafeBytes { try IndexDirectory(decoding: $0) })
    }
}

import WellspringLog
import XCTest

@testable import Wellspring

final class IndexBlockTests: XCTestCase {
    private let keys: [UInt64] = [500, 501, 900]

    /// A block with one entry for each key, changed by `change`, with the right checksum.
    private func block(
        _ change: (inout [UInt8]) -> Void = { _ in }
    ) throws(MalformedBody) -> IndexBlock {
        var builder = IndexBlockBuilder()
        for key in keys {
            var chunk = IndexChunk()
            chunk.begin(baseSegment: 1)
            let place = EventPlace(segment: 1, offset: 4168, frame: 4096, index: 0)
            XCTAssertTrue(chunk.append(IndexEntry(number: key, place: place), limit: 100))
            builder.add(chunk, of: key)
        }
        var bytes: [UInt8] = []
        bytes += builder.finish(isLast: true, seed: 7)
        change(&bytes)
        bytes.removeLast(4)
        bytes.appendLittleEndian(UInt64(crc32c(7, bytes)), bytes: 4)
        return try IndexBlock(bytes, firstKey: keys[0], seed: 7)
    }

    private func numbers(_ block: IndexBlock, _ chunk: Int) throws -> [UInt64] {
        var numbers: [UInt64] = []
        try block.forEachEntry(of: chunk) {
            numbers.append($0.number)
            return true
        }
        return numbers
    }

    func test_every_key_finds_its_chunk() throws {
        let block = try block()
        for (chunk, key) in keys.enumerated() {
            XCTAssertEqual(block.chunk(of: key), chunk)
            XCTAssertEqual(try numbers(block, chunk), [key])
        }
        for key in [0, 499, 502, 899, 901, .max] as [UInt64] {
            XCTAssertNil(block.chunk(of: key))
        }
    }

    func test_a_table_that_cannot_be_is_refused() {
        XCTAssertThrowsError(try block { $0[0] = 0 }, "no chunks")
        XCTAssertThrowsError(try block { $0[1] = 1 }, "more chunks than there is room for")
        XCTAssertThrowsError(try block { $0[2] = 9 }, "keys of nine bytes")
    }

    func test_a_chunk_that_cannot_be_is_refused() throws {
        // The width of a key is 2, so the first end stands at 10.
        let tooLong = try block { $0[19] = 1 }
        XCTAssertThrowsError(try numbers(tooLong, 2), "it ends behind the block")
        XCTAssertEqual(try numbers(tooLong, 0), [500])
        let backwards = try block { $0[10] = 9 }
        XCTAssertThrowsError(try numbers(backwards, 0), "it ends before it begins")
        XCTAssertThrowsError(try numbers(backwards, 1), "it begins in the table")
        XCTAssertEqual(try numbers(backwards, 2), [900])
    }
}

import WellspringLog
import XCTest

@testable import Wellspring

/// Parts of files whose checksums hold and whose content makes no sense.
final class ForgedPartsTests: XCTestCase {
    private func reason(_ body: () throws -> Void, line: UInt = #line) -> String? {
        do {
            try body()
            XCTFail("nothing was thrown", line: line)
        } catch let error as MalformedBody {
            return error.reason
        } catch {
            XCTFail("\(error)", line: line)
        }
        return nil
    }

    // MARK: - The names in a footer

    private func footer(kind: UInt8, _ name: String, rest: [UInt8] = []) -> [UInt8] {
        [1, 0, 0, 0, 9, 0, 0, 0, kind, 0, 0, 0, UInt8(name.utf8.count), 0] + Array(name.utf8) + rest
    }

    func test_a_footer_whose_names_make_no_sense_is_refused() throws {
        XCTAssertEqual(
            try SegmentNames(footer: footer(kind: 1, "a/1")).streams,
            [9: StreamID(category: "a", key: "1")])
        XCTAssertEqual(
            reason { _ = try SegmentNames(footer: footer(kind: 1, "a")) },
            "a stream name without a category")
        XCTAssertEqual(
            reason { _ = try SegmentNames(footer: footer(kind: 3, "a/1")) }, "a name of kind 3")
        XCTAssertEqual(
            reason { _ = try SegmentNames(footer: footer(kind: 2, "n", rest: [0])) },
            "more bytes than names")
    }

    // MARK: - Items of a body

    private func definition(_ name: String, at offset: UInt64) -> [UInt8] {
        var bytes: [UInt8] = [1, 0, 0, 0, UInt8(name.utf8.count), 0, 0, 0, 0, 0, 0, 0]
        bytes += Array(name.utf8)
        bytes.put(bytes.withUnsafeBytes { definitionChecksum($0, at: offset) }, at: 8)
        return bytes
    }

    private func next(_ bytes: [UInt8]) throws -> BodyReader.Item? {
        try bytes.withUnsafeBytes { body in
            var reader = BodyReader(body, at: 4_160)
            return try reader.next()
        }
    }

    func test_a_definition_of_a_stream_without_a_category_is_refused() throws {
        guard case .definition(_, .stream(let stream))? = try next(definition("a/1", at: 4_160))
        else { return XCTFail("no definition") }
        XCTAssertEqual(stream, StreamID(category: "a", key: "1"))
        XCTAssertEqual(
            reason { _ = try next(definition("a", at: 4_160)) }, "a stream name without a category")
    }

    func test_a_record_that_is_shorter_than_its_length_is_not_passed_over() {
        let bytes: [UInt8] = [3, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0]
        XCTAssertEqual(
            reason {
                try bytes.withUnsafeBytes { body in
                    var reader = BodyReader(body, at: 4_160)
                    _ = try reader.next()
                    try reader.skipRecord()
                }
            }, "a record without content")
    }

    func test_more_headers_than_there_is_room_for_are_refused() {
        var record: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0] + [0, 0, 0, 0, 0, 0, 0, 0]
        record += [1, 0, 0, 0] + [UInt8](repeating: 1, count: 16) + [0xFF, 0xFF, 0xFF, 0xFF]
        record.put(UInt32(record.count), at: 0)
        XCTAssertEqual(
            reason {
                try record.withUnsafeBytes { _ = try RawRecord($0, at: 0, isChecked: true) }
            }, "more headers than there is room for")
    }

    // MARK: - Saved states

    func test_the_head_of_a_saved_state_tells_what_it_is_not() {
        let checkpoint = Checkpoint(
            projection: "p", revision: 1, position: LogPosition(1), state: [1])
        let file = CheckpointFile.encode(
            checkpoint, lastEvent: MessageID(high: 1, low: 1),
            storeID: StoreUUID(high: 1, low: 2))
        func head(_ place: Int) -> String? {
            var bytes = file
            bytes[place] ^= 1
            return reason { try bytes.withUnsafeBytes { _ = try CheckpointFile.decodeHead($0) } }
        }
        XCTAssertEqual(head(0), "not a saved projection")
        XCTAssertEqual(head(8), "saved by a newer version")
    }

    // MARK: - Index runs

    func test_a_block_that_is_shorter_than_its_head_is_refused() {
        for length in [0, 3, 11] {
            let bytes = [UInt8](repeating: 0, count: length)
            XCTAssertEqual(
                reason { _ = try IndexBlock(bytes, firstKey: 0, seed: 0) },
                "a block whose checksum does not match")
        }
    }

    func test_a_filter_for_more_keys_than_there_can_be_has_one_line() {
        XCTAssertEqual(IndexFilter(keyEstimate: .max).bytes.count, IndexFilter.lineLength)
        XCTAssertEqual(IndexFilter(keyEstimate: -1).bytes.count, IndexFilter.lineLength)
        XCTAssertNil(IndexFilter([]))
        XCTAssertNil(IndexFilter([UInt8](repeating: 0, count: 65)))
    }

    func test_damage_of_the_index_is_told_with_its_place() {
        let error = IndexError.damaged(file: "idx/a.run", offset: 7, reason: "torn")
        XCTAssertEqual("\(error)", "idx/a.run at byte 7: torn")
        XCTAssertEqual(
            EventStoreError(error),
            .damaged(StoreDamage(file: "idx/a.run", offset: 7, reason: "torn")))
    }

    // MARK: - Numbers

    func test_a_time_span_is_never_negative_and_never_beyond_all_bounds() {
        XCTAssertEqual(Duration.seconds(-1).nanoseconds, 0)
        XCTAssertEqual(Duration.zero.nanoseconds, 0)
        XCTAssertEqual(Duration.nanoseconds(1).nanoseconds, 1)
        XCTAssertEqual(Duration.seconds(Int64.max).nanoseconds, .max)
    }

    func test_a_receipt_without_streams_is_of_the_start() {
        XCTAssertEqual(AppendReceipt(versions: [], positions: 1..<1).version, .start)
    }
}

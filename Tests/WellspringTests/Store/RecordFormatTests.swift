@testable import Wellspring
@testable import WellspringLog
import XCTest

final class RecordFormatTests: XCTestCase {
    private let context = FrameContext(
        segment: 3, bodyOffset: 4160, firstPosition: 1, recordedAt: 500)
    private let stream = StreamHead(StreamID(category: "account", key: "1"), StreamExtent(last: 0))

    func test_a_record_survives_writing_and_reading_with_every_optional_field() throws {
        let event = sample(
            version: 7, occurredAt: Timestamp(nanoseconds: -5),
            recordedAt: Timestamp(nanoseconds: 9), tags: ["a:1", "é"],
            metadata: EventMetadata(
                correlation: MessageID(high: 1, low: 2), causation: MessageID(high: 3, low: 4),
                headers: ["user": "ada", "": "", "z": "ü"]))
        let read = try roundTrip([event]).records[0]

        XCTAssertEqual(read.version, 7)
        XCTAssertEqual(read.id, event.recorded.id)
        XCTAssertEqual(read.metadata, event.recorded.metadata)
        XCTAssertEqual(read.occurredAt, Timestamp(nanoseconds: -5))
        XCTAssertEqual(read.recordedAt, Timestamp(nanoseconds: 9))
        XCTAssertEqual(read.tags, ["a:1", "é"])
    }

    func test_a_plain_record_takes_38_bytes_and_its_payload() throws {
        let body = write([sample(version: 1, payload: [1, 2, 3])]).body
        // Two definitions at multiples of 8, an entry of 8 bytes, the record.
        let names = 12 + "account/1".utf8.count + 3 + 12 + "account.opened".utf8.count
        XCTAssertEqual(body.count, names + 8 + 38 + 3)
    }

    func test_a_causation_equal_to_the_correlation_is_written_once() throws {
        let id = MessageID(high: 5, low: 6)
        let once = sample(metadata: EventMetadata(correlation: id, causation: id))
        let without = sample(metadata: EventMetadata(correlation: id))
        XCTAssertEqual(write([once]).body.count, write([without]).body.count)
        XCTAssertEqual(try roundTrip([once]).records[0].metadata.causation, id)
    }

    func test_a_version_beyond_32_bits_survives() throws {
        let version = UInt64(UInt32.max) + 1
        XCTAssertEqual(try roundTrip([sample(version: version)]).records[0].version, version)
        XCTAssertEqual(
            try roundTrip([sample(version: version - 1)]).records[0].version, version - 1)
    }

    func test_a_version_that_no_stream_reaches_is_refused() throws {
        for version in [0, UInt64(Int64.max) + 1, .max] as [UInt64] {
            XCTAssertThrowsError(try roundTrip([sample(version: version)])) { error in
                XCTAssertEqual(
                    (error as? MalformedBody)?.reason, "a version that no stream reaches")
            }
        }
    }

    func test_a_name_is_defined_once_a_segment() throws {
        var writer = RecordWriter()
        let first = write([sample()], with: &writer).body
        let second = write([sample()], with: &writer).body
        XCTAssertLessThan(second.count, first.count)
        writer.segmentBegan()
        stream.name.segment = 2
        XCTAssertEqual(write([sample()], with: &writer).body, first)
    }

    func test_names_of_a_body_that_was_not_stored_are_defined_again() throws {
        var writer = RecordWriter()
        let first = write([sample()], with: &writer).body
        writer.takeBack()
        XCTAssertEqual(write([sample()], with: &writer).body, first)
    }

    func test_definitions_lie_at_multiples_of_eight_and_say_what_was_defined() throws {
        let read = try roundTrip([sample(), sample(version: 2)])
        XCTAssertEqual(
            read.definitions.map(\.definition),
            [
                .stream(StreamID(category: "account", key: "1")),
                .type(StoredType(name: "account.opened", codec: .json, schemaVersion: 1)),
            ])
        XCTAssertEqual(read.definitions.map(\.reference), [520, 523])
        XCTAssertEqual(read.records.map(\.stream), [520, 520])
        XCTAssertEqual(read.records.map(\.type), [523, 523])
    }

    func test_every_flipped_bit_of_a_body_is_noticed_or_changes_nothing() throws {
        let group = [sample(tags: ["t"], metadata: EventMetadata(headers: ["k": "v"]))]
        let (body, _) = write(group)
        let whole = try parse(body)
        for bit in 0..<body.count * 8 {
            var damaged = body
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let read = try? parse(damaged) else { continue }
            // What may change unnoticed here is the frame's to notice: the count of an entry and
            // the zeros between items have no checksum of their own.
            for record in read.records {
                XCTAssertEqual(record.id, whole.records[0].id, "bit \(bit)")
                XCTAssertEqual(record.tags, whole.records[0].tags, "bit \(bit)")
            }
        }
    }

    func test_every_cut_of_a_body_throws_or_reads_less() throws {
        let (body, _) = write([sample(), sample(version: 2)])
        for length in 0..<body.count {
            let read = try? parse(Array(body[..<length]))
            XCTAssertLessThan(read?.records.count ?? 0, 2, "\(length) bytes")
        }
    }

    func test_a_record_read_from_another_place_does_not_pass() throws {
        let (body, places) = write([sample()])
        let start = Int(UInt64(places[0].offset) - context.bodyOffset)
        let record = Array(body[start...])
        XCTAssertNoThrow(try read(record, at: UInt64(places[0].offset)))
        XCTAssertThrowsError(try read(record, at: UInt64(places[0].offset) + 512))
    }

    func test_flags_of_a_newer_version_are_refused() throws {
        let (body, places) = write([sample()])
        let start = Int(UInt64(places[0].offset) - context.bodyOffset)
        var record = Array(body[start...])
        record[9] |= 0x80
        let checksum = crc32c(
            RecordFormat.seed(at: UInt64(places[0].offset)), Array(record[8...]))
        for index in 0..<4 {
            record[4 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index))
        }
        XCTAssertThrowsError(try read(record, at: UInt64(places[0].offset))) { error in
            XCTAssertEqual(
                (error as? MalformedBody)?.reason, "a record with flags of a newer version")
        }
    }

    func test_an_entry_with_a_key_and_no_records_is_read_over() throws {
        var body: [UInt8] = [3, 1, 2, 0, 0, 0, 0, 0]
        body += [UInt8](repeating: 9, count: 16) + Array("k1".utf8)
        XCTAssertEqual(try parse(body).records.count, 0)
        XCTAssertThrowsError(try parse(Array(body.dropLast())))
    }

    // MARK: -

    private func sample(
        version: UInt64 = 1, payload: EventPayload = EventPayload(utf8: "{}"),
        occurredAt: Timestamp? = nil, recordedAt: Timestamp? = nil, tags: [Tag] = [],
        metadata: EventMetadata = EventMetadata()
    ) -> QueuedEvent {
        QueuedEvent(
            stream: stream,
            recorded: RecordedEvent(
                event: EncodedEvent(name: "account.opened", payload: payload),
                id: MessageID(high: 0x0102_0304_0506_0708, low: 9),
                stream: StreamID(category: "account", key: "1"), version: StreamVersion(version),
                position: LogPosition(1), recordedAt: Timestamp(nanoseconds: 1), tags: tags,
                metadata: metadata),
            recordedAt: recordedAt, occurredAt: occurredAt)
    }

    private func write(
        _ events: [QueuedEvent]
    ) -> (body: [UInt8], places: [EventPlace]) {
        var writer = RecordWriter()
        stream.name.segment = 0
        return write(events, with: &writer)
    }

    private func write(
        _ events: [QueuedEvent], with writer: inout RecordWriter
    ) -> (body: [UInt8], places: [EventPlace]) {
        let receipt = AppendReceipt(versions: [], positions: 1..<2)
        var bytes = ByteWriter()
        bytes.appendZeros(64)
        writer.write(
            [
                QueuedAppend(receipt: receipt, events: events, truncates: nil, bytes: 0)
            ],
            context: context, to: &bytes)
        return (Array(bytes.bytes[64...]), writer.places)
    }

    private struct Parsed {
        var definitions: [(reference: UInt32, definition: Definition)] = []
        var records: [RawRecord] = []
    }

    private func roundTrip(_ events: [QueuedEvent]) throws -> Parsed {
        try parse(write(events).body)
    }

    private func parse(_ body: [UInt8]) throws -> Parsed {
        try body.withUnsafeBytes { bytes in
            var parsed = Parsed()
            var reader = BodyReader(bytes, at: context.bodyOffset)
            while let item = try reader.next() {
                switch item {
                case .definition(let reference, let definition):
                    parsed.definitions.append((reference, definition))
                case .entry(let count):
                    for _ in 0..<count { parsed.records.append(try reader.nextRecord()) }
                }
            }
            return parsed
        }
    }

    private func read(_ record: [UInt8], at offset: UInt64) throws -> RawRecord {
        try record.withUnsafeBytes { try RawRecord($0, at: offset) }
    }
}

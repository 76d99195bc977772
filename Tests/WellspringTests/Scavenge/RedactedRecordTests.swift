@testable import Wellspring
@testable import WellspringLog
import XCTest

/// What a record looks like when its content was taken away.
final class RedactedRecordTests: XCTestCase {
    private let context = FrameContext(
        segment: 3, bodyOffset: 4160, firstPosition: 1, recordedAt: 500)

    func test_a_redacted_record_keeps_everything_but_its_content() throws {
        let read = try raw(record(of: event.redacted()))
        XCTAssertTrue(read.isRedacted)
        XCTAssertEqual(read.payload.count, 0)
        XCTAssertEqual(read.id, event.id)
        XCTAssertEqual(read.version, 7)
        XCTAssertEqual(read.occurredAt, event.occurredAt)
        XCTAssertEqual(read.recordedAt, event.recordedAt)
        XCTAssertEqual(read.tags, event.tags)
        XCTAssertEqual(
            read.metadata,
            EventMetadata(
                correlation: event.metadata.correlation, causation: event.metadata.causation))
    }

    func test_a_record_is_not_redacted_because_it_has_no_content() throws {
        var empty = event.event
        empty.payload = []
        let event = RecordedEvent(
            event: empty, id: event.id, stream: event.stream, version: event.version,
            position: event.position, recordedAt: event.recordedAt)
        XCTAssertFalse(try raw(record(of: event)).isRedacted)
    }

    func test_a_redacted_record_with_a_payload_is_damage() throws {
        var bytes = record(of: event.redacted())
        bytes.append(65)
        assertDamage(sealed(bytes))
    }

    func test_a_redacted_record_with_headers_is_damage() throws {
        // Everything but the payload, and its flags: correlation, times, tags and headers.
        var withHeaders = event.event
        withHeaders.payload = []
        let event = RecordedEvent(
            event: withHeaders, id: event.id, stream: event.stream, version: event.version,
            position: event.position, recordedAt: event.recordedAt, tags: event.tags,
            metadata: EventMetadata(headers: ["user": "ada"]))
        var bytes = record(of: event)
        bytes[9] |= 0x40
        assertDamage(sealed(bytes))
    }

    func test_version_1_reads_and_writes_a_redacted_record_like_this() throws {
        let golden = """
            650000003ddf19583b40070000000900000007000000010203040506070800000000000000090000\
            000000000001000000000000000200000000000000030000000000000004fbffffffffffffff0900\
            0000000000000205006163743a3105006275793a32
            """
        XCTAssertEqual(hexadecimal(record(of: event.redacted())), golden)
    }

    func test_an_event_on_its_way_to_a_model_keeps_the_mark_in_any_form() {
        XCTAssertTrue(event.redacted().map { _ in 1 }.isRedacted)
        XCTAssertFalse(event.map { _ in 1 }.isRedacted)
    }

    func test_a_redacted_event_is_not_decoded() {
        XCTAssertThrowsError(try event.redacted().decoded(as: Purse.Event.self)) { error in
            XCTAssertEqual(error as? EventCodingError, .redacted("purse.filled"))
        }
    }

    // MARK: -

    private let event = RecordedEvent(
        event: EncodedEvent(name: "purse.filled", payload: EventPayload(utf8: "{\"cents\":1}")),
        id: MessageID(high: 0x0102_0304_0506_0708, low: 9),
        stream: StreamID(category: "purse", key: "1"), version: StreamVersion(7),
        position: LogPosition(1), recordedAt: Timestamp(nanoseconds: 9),
        occurredAt: Timestamp(nanoseconds: -5), tags: ["act:1", "buy:2"],
        metadata: EventMetadata(
            correlation: MessageID(high: 1, low: 2), causation: MessageID(high: 3, low: 4),
            headers: ["user": "ada"]))

    private func record(of event: RecordedEvent) -> [UInt8] {
        var writer = ByteWriter()
        _ = FrameBody(context: context, start: 0).write(
            event, occurredAt: event.occurredAt, recordedAt: event.recordedAt, stream: 7, type: 9,
            to: &writer)
        return writer.bytes
    }

    private func raw(_ bytes: [UInt8]) throws -> RawRecord {
        try bytes.withUnsafeBytes { try RawRecord($0, at: context.bodyOffset) }
    }

    /// The record with a length and a checksum that hold.
    private func sealed(_ record: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(record)
        writer.patch(UInt32(record.count), at: 0)
        writer.patch(
            crc32c(RecordFormat.seed(at: context.bodyOffset), Array(record[8...])), at: 4)
        return writer.bytes
    }

    private func assertDamage(_ record: [UInt8], line: UInt = #line) {
        XCTAssertThrowsError(try raw(record), line: line) { error in
            XCTAssertEqual(
                (error as? MalformedBody)?.reason, "a redacted record that has content",
                line: line)
        }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

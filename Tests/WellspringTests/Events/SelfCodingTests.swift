import Foundation
import Wellspring
import XCTest

final class SelfCodingTests: XCTestCase {
    private func bytes(_ event: some DomainEvent) throws -> [UInt8] {
        Array(try event.encoded().payload)
    }

    private func read(
        _ bytes: [UInt8], as name: EventName, version: UInt16 = 2
    ) throws(EventCodingError) -> SelfCodedEvent {
        try SelfCodedEvent(
            decoding: EncodedEvent(
                name: name, payload: EventPayload(bytes), codec: .selfCoded,
                schemaVersion: version))
    }

    private func assertMalformed(
        _ bytes: [UInt8], as name: EventName = "self.moved", _ reason: String,
        line: UInt = #line
    ) {
        XCTAssertThrowsError(try read(bytes, as: name), line: line) { error in
            XCTAssertEqual(
                error as? EventCodingError, .malformedPayload(name, reason: reason), line: line)
        }
    }

    func test_the_bytes_are_the_fields_in_order_and_nothing_else() throws {
        XCTAssertEqual(
            try bytes(SelfCodedEvent.opened(owner: "Ada", limit: 300, note: nil)),
            [3, 0x41, 0x64, 0x61, 0xD8, 0x04, 0])
        XCTAssertEqual(
            try bytes(SelfCodedEvent.opened(owner: "", limit: -1, note: "é")),
            [0, 1, 1, 2, 0xC3, 0xA9])
        XCTAssertEqual(try bytes(SelfCodedEvent.closed), [])
    }

    /// The format may grow; what it says today it says in ten years.
    func test_every_kind_of_value_has_the_bytes_it_always_had() throws {
        let encoded = try SelfCodedEvent.everything(.sample).encoded()
        XCTAssertEqual(encoded.codec.rawValue, 3)
        XCTAssertEqual(
            Array(encoded.payload),
            [
                127,  // Int8 -64: the sign is the lowest bit
                0xFF, 0xFF, 0x03,  // Int16.min
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1,  // Int64.min
                0xFF,  // UInt8
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1,  // UInt.max
                1,  // true
                0, 0, 0, 0, 0, 0, 0xF8, 0x3F,  // Double 1.5
                0, 0, 0, 0xC0,  // Float -2
                0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,  // UUID
                0, 0, 0, 0, 0, 0, 0xD0, 0x3F,  // Date, a quarter second after 2001
                2, 1, 2,  // Data
                2, 1, 0, 0, 0, 0, 0, 0,  // Timestamp, 258 ns
                0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2,  // MessageID
                0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,  // Int128 -2
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                4, 3, 2, 1,  // UInt32 in fixed size
                1, 7,  // bytes
                1,  // an enum's raw value
            ])
    }

    func test_every_event_survives() throws {
        let all: [SelfCodedEvent] = [
            .opened(owner: "Ada\u{0}é", limit: .max, note: "n"), .closed, .moved(to: [:]),
            .moved(to: ["b": [1, .min], "a": []]), .everything(.sample),
        ]
        for event in all { XCTAssertEqual(try SelfCodedEvent(decoding: event.encoded()), event) }
    }

    func test_the_same_dictionary_has_the_same_bytes_in_every_process() throws {
        XCTAssertEqual(
            try bytes(SelfCodedEvent.moved(to: ["b": [], "a": [5]])),
            [2, 1, 0x61, 1, 10, 1, 0x62, 0])
    }

    func test_events_stored_as_json_before_are_still_read() throws {
        let stored = EncodedEvent(
            name: "self.opened", payload: EventPayload(utf8: #"{"owner":"Ada","limit":7}"#))
        XCTAssertEqual(
            try SelfCodedEvent(decoding: stored), .opened(owner: "Ada", limit: 7, note: nil))
    }

    func test_a_union_reads_it_as_any_other() throws {
        let stored = try SelfCodedEvent.closed.encoded()
        guard case .own(.closed) = try SelfCodedUnion(decoding: stored) else {
            return XCTFail("not the member's event")
        }
    }

    // MARK: Versions

    func test_a_field_that_was_added_is_not_asked_of_old_events() throws {
        XCTAssertEqual(
            try read([3, 0x41, 0x64, 0x61, 2], as: "self.opened", version: 1),
            .opened(owner: "Ada", limit: 1, note: nil))
    }

    func test_fields_of_a_newer_version_are_left_out() throws {
        XCTAssertEqual(try read([1, 2, 3], as: "self.closed", version: 3), .closed)
    }

    func test_bytes_that_are_left_over_in_the_own_version_are_refused() {
        assertMalformed([9], as: "self.closed", "1 bytes are left after all fields are read")
    }

    // MARK: What is no value

    func test_content_that_ends_early_is_refused_at_every_place() throws {
        let whole = try bytes(SelfCodedEvent.everything(.sample))
        for end in 0..<whole.count {
            XCTAssertThrowsError(try read(Array(whole[..<end]), as: "self.everything"), "\(end)")
        }
    }

    func test_a_count_that_cannot_be_is_refused_before_memory_is_taken() {
        let end = "the content ends before all fields are read"
        assertMalformed([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], end)
        assertMalformed([1, 0xFF, 0xFF, 0xFF, 0x7F], end)
    }

    func test_a_number_has_one_form_only() {
        assertMalformed([1, 1, 0x61, 1, 0x80, 0], "a number has more bytes than it needs")
        assertMalformed(
            [1, 1, 0x61, 1] + [UInt8](repeating: 0xFF, count: 9) + [2],
            "a number is too large for its type")
    }

    func test_a_string_that_is_not_utf8_is_refused() {
        assertMalformed([1, 1, 0xFF, 0], "a string is not UTF-8")
    }

    func test_a_key_that_comes_twice_is_refused() {
        assertMalformed([2, 1, 0x61, 0, 1, 0x61, 0], "a dictionary has a key twice")
    }

    func test_values_nested_without_end_are_refused_in_both_directions() throws {
        let deep = [UInt8](repeating: 1, count: 100_000)
        assertMalformed(deep, as: "self.nested", "values are nested too deeply")
        var tree = SelfCodedTree(children: [])
        for _ in 0..<600 { tree = SelfCodedTree(children: [tree]) }
        XCTAssertThrowsError(try SelfCodedEvent.nested(tree).encoded()) { error in
            XCTAssertEqual(
                error as? EventCodingError,
                .unencodable(type: "SelfCodedEvent", reason: "values are nested too deeply"))
        }
    }

    func test_a_raw_value_that_the_type_does_not_have_is_refused() throws {
        var bytes = try bytes(SelfCodedEvent.everything(.sample))
        bytes[bytes.count - 1] = 9
        assertMalformed(
            bytes, as: "self.everything", "no Colour has the raw value that was stored")
    }

    func test_elements_without_bytes_come_back_and_never_run_away() throws {
        let event = SelfCodedEvent.empties([.init(), .init()])
        XCTAssertEqual(try bytes(event), [2, 0, 0])
        XCTAssertEqual(try SelfCodedEvent(decoding: event.encoded()), event)
        assertMalformed(
            [0xFF, 0xFF, 0xFF, 0x7F, 0], as: "self.empties",
            "the content ends before all fields are read")
    }
}

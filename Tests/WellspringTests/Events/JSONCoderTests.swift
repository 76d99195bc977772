import Foundation
import XCTest

@testable import Wellspring

/// What Wellspring's coder does by itself: errors, events, and where it differs from Foundation.
final class JSONCoderTests: XCTestCase {
    private func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try Array(text.utf8).withUnsafeBytes { try JSONPayloadDecoder.decode(type, from: $0) }
    }

    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try JSONPayloadEncoder.encode(value), as: UTF8.self)
    }

    struct Order: Codable {
        var lines: [Line]
        struct Line: Codable { var count: Int8 }
    }

    private func assertRefused(
        _ text: String, at path: [String], line: UInt = #line,
        _ matches: (DecodingError) -> DecodingError.Context?
    ) {
        XCTAssertThrowsError(try decode(Order.self, text), line: line) { error in
            guard let context = (error as? DecodingError).flatMap(matches) else {
                return XCTFail("\(error)", line: line)
            }
            XCTAssertEqual(context.codingPath.map(\.stringValue), path, line: line)
        }
    }

    func test_errors_tell_what_is_wrong_and_where() {
        let path = ["lines", "Index 1", "count"]
        assertRefused(#"{"lines":[{"count":1},{"count":"x"}]}"#, at: path) {
            if case .typeMismatch(_, let context) = $0 { context } else { nil }
        }
        assertRefused(#"{"lines":[{"count":1},{"count":null}]}"#, at: path) {
            if case .valueNotFound(_, let context) = $0 { context } else { nil }
        }
        assertRefused(#"{"lines":[{"count":1},{"count":1000}]}"#, at: path) {
            if case .dataCorrupted(let context) = $0 { context } else { nil }
        }
        assertRefused(#"{"lines":[{"count":1},{"other":1}]}"#, at: ["lines", "Index 1"]) {
            if case .keyNotFound(let key, let context) = $0, key.stringValue == "count" {
                context
            } else {
                nil
            }
        }
        assertRefused(#"{"lines":{}}"#, at: ["lines"]) {
            if case .typeMismatch(_, let context) = $0 { context } else { nil }
        }
        assertRefused(#"{"lines":"#, at: []) {
            if case .dataCorrupted(let context) = $0 { context } else { nil }
        }
    }

    func test_a_number_that_json_does_not_have_is_refused_with_its_place() {
        for value in [Double.infinity, -.infinity, .nan] {
            XCTAssertThrowsError(try JSONPayloadEncoder.encode(["a": [1, value]])) { error in
                guard case EncodingError.invalidValue(_, let context)? = error as? EncodingError
                else { return XCTFail("\(error)") }
                XCTAssertEqual(context.codingPath.map(\.stringValue), ["a", "Index 1"])
            }
        }
        XCTAssertThrowsError(try JSONPayloadEncoder.encode(Float.nan))
    }

    func test_a_top_level_value_that_encodes_nothing_is_refused() {
        XCTAssertThrowsError(try JSONPayloadEncoder.encode(Wrapped.Nothing()))
    }

    func test_members_are_written_in_the_order_of_their_keys_as_bytes() throws {
        let numbers = Dictionary(uniqueKeysWithValues: (0..<60).map { ("\($0)", $0) })
        let keys = numbers.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let expected = keys.map { "\"\($0)\":\($0)" }.joined(separator: ",")
        XCTAssertEqual(try text(numbers), "{\(expected)}")
        XCTAssertEqual(
            try text(["é": 1, "z": 2, "\"": 3, "\\": 4, "Z": 5, "": 6]),
            #"{"":6,"\"":3,"Z":5,"\\":4,"z":2,"é":1}"#)
    }

    func test_all_keys_have_the_order_of_the_text() throws {
        struct Keys: Decodable {
            var names: [String]
            init(from decoder: any Decoder) throws {
                names = try decoder.container(keyedBy: PayloadKey.self).allKeys.map(\.stringValue)
            }
        }
        XCTAssertEqual(try decode(Keys.self, #"{"b":1,"a":2,"b":3}"#).names, ["b", "a"])
        let many = (0..<50).map { "\"k\($0 * 7 % 50)\":1" }.joined(separator: ",")
        XCTAssertEqual(
            try decode(Keys.self, "{\(many)}").names, (0..<50).map { "k\($0 * 7 % 50)" })
    }

    func test_a_member_that_failed_leaves_nothing_behind() throws {
        // Foundation hands the half-written array to the next member that encodes nothing.
        struct Careful: Encodable {
            enum Keys: CodingKey { case failing, nothing }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Keys.self)
                try? container.encode([[1, 2], [.nan]], forKey: .failing)
                try container.encode(Wrapped.Nothing(), forKey: .nothing)
            }
        }
        XCTAssertEqual(try text(Careful()), #"{"nothing":{}}"#)
    }

    func test_keys_that_differ_as_bytes_are_all_written() throws {
        struct Twins: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: PayloadKey.self)
                try container.encode(1, forKey: PayloadKey(stringValue: "\u{e9}"))
                try container.encode(2, forKey: PayloadKey(stringValue: "e\u{301}"))
            }
        }
        XCTAssertEqual(try text(Twins()), "{\"e\u{301}\":2,\"\u{e9}\":1}")
    }

    func test_a_decoder_that_escapes_goes_on_reading_after_the_payload_is_gone() throws {
        struct Keeping: Decodable {
            var decoder: any Decoder
            init(from decoder: any Decoder) throws { self.decoder = decoder }
        }
        var kept: Keeping?
        do {
            let payload = Array(#"{"text":"a string that is too long for a small string"}"#.utf8)
            let memory = UnsafeMutableRawBufferPointer.allocate(
                byteCount: payload.count, alignment: 1)
            memory.copyBytes(from: payload)
            kept = try JSONPayloadDecoder.decode(
                Keeping.self, from: UnsafeRawBufferPointer(memory))
            memory.initializeMemory(as: UInt8.self, repeating: 0)
            memory.deallocate()
        }
        let container = try XCTUnwrap(kept).decoder.container(keyedBy: PayloadKey.self)
        XCTAssertEqual(
            try container.decode(String.self, forKey: PayloadKey(stringValue: "text")),
            "a string that is too long for a small string")
    }

    // MARK: Events

    enum Event: DomainEvent, Equatable {
        case placed(order: UUID, at: Date, lines: [String: Decimal])
        case noted(String, count: Int?)
        case cancelled

        enum CodingKeys: String, EventNames {
            case placed = "order.placed"
            case noted = "order.noted"
            case cancelled = "order.cancelled"
        }
    }

    func test_events_are_coded_as_by_foundation() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<100 {
            let event: Event =
                switch generator.below(3) {
                case 0:
                    .placed(
                        order: generator.uuid(), at: generator.date(),
                        lines: generator.table { $0.decimal() })
                case 1: .noted(generator.text(), count: generator.maybe { $0.int() })
                default: .cancelled
                }
            let encoded = try event.encoded()
            let whole = try JSONComparison.foundationEncoder.encode(event)
            XCTAssertEqual(
                Array("{\"\(encoded.name)\":".utf8) + Array(encoded.payload) + [0x7D], Array(whole))
            XCTAssertEqual(try Event(decoding: encoded), event)
            XCTAssertEqual(try JSONDecoder().decode(Event.self, from: whole), event)
        }
    }

    func test_a_payload_in_the_middle_of_a_shared_buffer_is_read() throws {
        let buffer = Array(#"xx{"_0":"a","count":7}yy"#.utf8)
        let payload = EventPayload(sharing: buffer[2..<buffer.count - 2])
        XCTAssertEqual(
            try Event(decoding: EncodedEvent(name: "order.noted", payload: payload)),
            .noted("a", count: 7))
    }

    func test_the_names_of_a_type_are_always_the_same() {
        let expected: Set<EventName> = ["order.placed", "order.noted", "order.cancelled"]
        for _ in 0..<3 {
            XCTAssertEqual(Event.names, expected)
            XCTAssertEqual(Other.names, ["other.happened"])
        }
    }

    enum Other: DomainEvent {
        case happened
        enum CodingKeys: String, EventNames { case happened = "other.happened" }
    }

    func test_an_error_names_the_place_without_the_content() {
        let stored = EncodedEvent(
            name: "order.placed",
            payload: EventPayload(utf8: #"{"order":"secret","at":1,"lines":{}}"#))
        XCTAssertThrowsError(try Event(decoding: stored)) { error in
            XCTAssertEqual(
                error as? EventCodingError,
                .malformedPayload("order.placed", reason: "not valid at order"))
        }
    }
}

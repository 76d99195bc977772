import Foundation
import XCTest

@testable import Wellspring

/// What an event type may do over the years, in the binary form.
final class PayloadFormatTests: XCTestCase {
    /// As first released: plain JSON.
    enum First: DomainEvent, Equatable {
        case placed(sku: String, quantity: Int)
        enum CodingKeys: String, EventNames { case placed = "order.placed" }
    }

    /// In the binary form, with the names.
    enum Second: DomainEvent, Equatable {
        case placed(sku: String, quantity: Int)
        enum CodingKeys: String, EventNames { case placed = "order.placed" }
        static let payloadFormat = PayloadFormat.binary
    }

    /// Reordered, with a field more, one less, and a list.
    enum Third: DomainEvent, Equatable {
        case placed(note: String?, sku: String)
        enum CodingKeys: String, EventNames { case placed = "order.placed" }
        static let payloadFormat = PayloadFormat.binary(fields: ["sku", "quantity"])
    }

    /// The list grew at its end.
    enum Fourth: DomainEvent, Equatable {
        case placed(sku: String, note: String?)
        enum CodingKeys: String, EventNames { case placed = "order.placed" }
        static let payloadFormat = PayloadFormat.binary(fields: ["sku", "quantity", "note"])
    }

    /// Somebody sorted the list.
    enum Mistaken: DomainEvent, Equatable {
        case placed(quantity: String, note: String?)
        enum CodingKeys: String, EventNames { case placed = "order.placed" }
        static let payloadFormat = PayloadFormat.binary(fields: ["quantity", "sku", "note"])
    }

    private func hex(_ encoded: EncodedEvent) -> String {
        encoded.payload.map { byte -> String in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    func test_the_payload_is_cbor_that_any_tool_can_show() throws {
        let encoded = try Second.placed(sku: "a7", quantity: 500).encoded()
        XCTAssertEqual(encoded.codec, .binary)
        // {"sku": "a7", "quantity": 500}
        XCTAssertEqual(hex(encoded), "a263736b75626137687175616e746974791901f4")
    }

    func test_names_of_the_list_are_numbers_with_a_check_behind() throws {
        let encoded = try Fourth.placed(sku: "a7", note: "x").encoded()
        // {0: "a7", 2: "x"}, and the check of "sku" at 0 and "note" at 2
        XCTAssertEqual(String(hex(encoded).dropLast(4)), "a20062613702617819")
    }

    func test_every_form_that_the_type_ever_had_is_read() throws {
        let json = try First.placed(sku: "a", quantity: 2).encoded()
        let binary = try Second.placed(sku: "a", quantity: 2).encoded()
        for stored in [json, binary] {
            XCTAssertEqual(try First(decoding: stored), .placed(sku: "a", quantity: 2))
            XCTAssertEqual(try Second(decoding: stored), .placed(sku: "a", quantity: 2))
            XCTAssertEqual(try Third(decoding: stored), .placed(note: nil, sku: "a"))
            XCTAssertEqual(try Fourth(decoding: stored), .placed(sku: "a", note: nil))
        }
        let listed = try Third.placed(note: "n", sku: "a").encoded()
        XCTAssertEqual(try Fourth(decoding: listed), .placed(sku: "a", note: "n"))
    }

    func test_a_list_that_was_changed_is_an_error_and_not_another_event() throws {
        let stored = try Third.placed(note: nil, sku: "seven").encoded()
        XCTAssertThrowsError(try Mistaken(decoding: stored)) { error in
            XCTAssertEqual(
                error as? EventCodingError,
                .malformedPayload(
                    "order.placed",
                    reason: "the type's list of fields is not the one that the event was written by"
                ))
        }
    }

    func test_a_list_that_was_taken_away_is_an_error() throws {
        let stored = try Third.placed(note: nil, sku: "seven").encoded()
        XCTAssertThrowsError(try Second(decoding: stored)) { error in
            XCTAssertEqual(
                error as? EventCodingError,
                .malformedPayload(
                    "order.placed",
                    reason: "a field is stored by a number that the type's list does not have"))
        }
    }

    func test_a_type_that_goes_back_to_json_takes_its_list_with_it() throws {
        enum Back: DomainEvent, Equatable {
            case placed(sku: String, note: String?)
            enum CodingKeys: String, EventNames { case placed = "order.placed" }
            static let payloadFormat = PayloadFormat.json(readingFields: ["sku", "quantity"])
        }
        let stored = try Third.placed(note: nil, sku: "a").encoded()
        XCTAssertEqual(try Back(decoding: stored), .placed(sku: "a", note: nil))
        XCTAssertEqual(try Back.placed(sku: "a", note: nil).encoded().codec, .json)
    }

    /// Writes what it can, and some of it twice.
    struct Moody: Codable, Equatable {
        var text = "kept"
        private struct Refusing: Encodable {
            func encode(to encoder: any Encoder) throws { throw CocoaError(.coderInvalidValue) }
        }
        private struct Inner: Encodable { var deep = 1 }
        enum CodingKeys: String, CodingKey { case text, refused, again }

        init() {}
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            text = try container.decode(String.self, forKey: .text)
        }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(text, forKey: .text)
            switch text {
            case "refused": try? container.encode(Refusing(), forKey: .refused)
            case "again":
                try container.encode(Inner(), forKey: .again)
                try container.encode(5, forKey: .again)
            default: break
            }
        }
    }

    enum Written: DomainEvent, Equatable {
        case happened(Moody)
        enum CodingKeys: String, EventNames { case happened }
        static let payloadFormat = PayloadFormat.binary(
            fields: ["_0", "text", "refused", "again", "deep"])
    }

    private func moody(_ text: String) -> Written {
        var value = Moody()
        value.text = text
        return .happened(value)
    }

    func test_a_field_whose_value_refused_to_be_written_is_not_in_the_check() throws {
        let event = moody("refused")
        XCTAssertEqual(try Written(decoding: event.encoded()), event)
    }

    func test_fields_of_a_value_that_another_took_the_place_of_are_not_in_the_check() throws {
        let event = moody("again")
        XCTAssertEqual(try Written(decoding: event.encoded()), event)
    }

    func test_a_missing_field_is_named() throws {
        let stored = EncodedEvent(name: "order.placed", payload: [0xA0], codec: .binary)
        XCTAssertThrowsError(try Second(decoding: stored)) { error in
            XCTAssertEqual(
                error as? EventCodingError,
                .malformedPayload("order.placed", reason: #"no "sku""#))
        }
    }

    func test_a_number_that_json_does_not_have_is_written() throws {
        enum Event: DomainEvent {
            case measured(Double)
            enum CodingKeys: String, EventNames { case measured }
            static let payloadFormat = PayloadFormat.binary
        }
        guard case .measured(let value) = try Event(decoding: Event.measured(-.infinity).encoded())
        else { return XCTFail("not the case") }
        XCTAssertEqual(value, -.infinity)
    }
}

/// Bytes that nobody wrote.
final class BinaryRefusalTests: XCTestCase {
    private func refusal(_ bytes: [UInt8], _ fields: FieldNames? = nil) -> BinaryFormatError? {
        do {
            _ = try bytes.withUnsafeBytes {
                try BinaryPayloadDecoder.decode(AnyJSON.self, from: $0, fields: fields)
            }
        } catch {
            return error as? BinaryFormatError
        }
        return nil
    }

    func test_what_is_not_of_the_form_is_refused() {
        let malformed: [[UInt8]] = [
            [], [0x18], [0x1B, 0, 0, 0], [0x1C], [0x5F], [0x9F, 0xFF], [0xBF, 0xFF], [0xC1, 0],
            [0xC2, 0x00], [0xC2, 0x51] + [UInt8](repeating: 1, count: 17), [0xE0], [0xF7],
            [0xF8, 0x20], [0xF9, 0, 0], [0xFF], [0x61], [0x00, 0x00], [0xA1, 0x80, 0x00],
            [0xA1, 0x20, 0x00], [0x81], [0xA1, 0x61, 0x61],
        ]
        for bytes in malformed { XCTAssertEqual(refusal(bytes), .malformed, "\(bytes)") }
    }

    func test_a_length_that_cannot_be_is_refused_before_memory_is_taken() {
        for kind: UInt8 in [0x40, 0x60, 0x80, 0xA0] {
            let bytes = [kind | 27, 0x7F] + [UInt8](repeating: 0xFF, count: 7)
            XCTAssertEqual(refusal(bytes), .malformed, "\(kind)")
            XCTAssertEqual(refusal([kind | 26, 0xFF, 0xFF, 0xFF, 0xFF]), .malformed, "\(kind)")
        }
    }

    func test_values_nested_without_end_are_refused() {
        XCTAssertEqual(refusal([UInt8](repeating: 0x81, count: 100_000)), .tooDeep)
    }

    func test_a_decimal_is_refused_unless_all_of_its_text_is_a_number() {
        func decimal(_ text: String) -> Decimal? {
            let bytes = [0x78, UInt8(text.utf8.count)] + Array(text.utf8)
            return try? bytes.withUnsafeBytes {
                try BinaryPayloadDecoder.decode(Decimal.self, from: $0)
            }
        }
        for text in [
            "12abc", "1.5 apples", "1e", "1.", ".5", " 7", "7 ", "+3", "1,5", "0x10", "--1", "NaN",
            "nan", "Infinity", "\u{0}", "1\u{0}", "", "-", "01", "1e999", "1e128",
            "1e9999999999999",
        ] {
            XCTAssertNil(decimal(text), text)
        }
        for (text, value) in ["12": 12, "-0.5": -0.5, "1e2": 100, "0": 0] as [String: Decimal] {
            XCTAssertEqual(decimal(text), value)
        }
    }

    func test_fields_without_their_check_are_refused() {
        let fields = FieldNames(["a"])
        XCTAssertEqual(refusal([0xA1, 0x00, 0x01], fields), .malformed)
        XCTAssertEqual(refusal([0xA1, 0x00, 0x01, 0x19, 0x00, 0x00], fields), .otherFields)
        XCTAssertEqual(refusal([0xA1, 0x01, 0x01, 0x19, 0x00, 0x00], fields), .unknownField)
    }
}

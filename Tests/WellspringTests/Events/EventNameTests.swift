import Wellspring
import XCTest

/// Names that look the same and are not: Swift calls composed and decomposed letters equal, the
/// store does not.
final class EventNameTests: XCTestCase {
    private enum Twins: DomainEvent, Equatable {
        case composed(count: Int)
        case decomposed(text: String)

        enum CodingKeys: String, EventNames {
            case composed = "\u{212B}"
            case decomposed = "A\u{30A}"
        }
    }

    private enum SelfCodedTwins: SelfCodingEvent, Equatable {
        case composed(Int)
        case decomposed(String)

        typealias CodingKeys = Twins.CodingKeys

        func write(to payload: inout PayloadWriter) -> CodingKeys {
            switch self {
            case .composed(let count):
                payload.write(count)
                return .composed
            case .decomposed(let text):
                payload.write(text)
                return .decomposed
            }
        }

        init(_ name: CodingKeys, from payload: inout PayloadReader) throws(PayloadError) {
            switch name {
            case .composed: self = .composed(try payload.read())
            case .decomposed: self = .decomposed(try payload.read())
            }
        }
    }

    func test_two_names_that_differ_in_composed_letters_are_two_cases() throws {
        for event in [Twins.composed(count: 1), .decomposed(text: "é")] {
            XCTAssertEqual(try Twins(decoding: event.encoded()), event)
        }
    }

    func
        test_two_names_that_differ_in_composed_letters_are_two_cases_of_an_event_that_codes_itself()
        throws
    {
        for event in [SelfCodedTwins.composed(1), .decomposed("é")] {
            XCTAssertEqual(try SelfCodedTwins(decoding: event.encoded()), event)
        }
    }

    private enum Lone: SelfCodingEvent, Equatable {
        case opened
        enum CodingKeys: String, EventNames { case opened = "\u{212B}" }
        func write(to payload: inout PayloadWriter) -> CodingKeys { .opened }
        init(_ name: CodingKeys, from payload: inout PayloadReader) throws(PayloadError) {
            self = .opened
        }
    }

    func test_a_name_that_differs_in_composed_letters_is_unknown_in_every_form() {
        for (codec, payload) in [
            (.json, [0x7B, 0x7D]), (.binary, [0xA0]), (.selfCoded, []),
        ] as [(PayloadCodec, [UInt8])] {
            let stored = EncodedEvent(
                name: "A\u{30A}", payload: EventPayload(payload), codec: codec)
            XCTAssertThrowsError(try Lone(decoding: stored), "\(codec)") { error in
                XCTAssertEqual(
                    error as? EventCodingError, .unknownName(stored.name, expected: "Lone"))
            }
        }
    }

    private struct BothTwins: DomainEvent {
        enum CodingKeys: String, EventNames {
            case composed = "\u{212B}"
            case decomposed = "A\u{30A}"
        }
        init() {}
        init(from decoder: any Decoder) throws {}
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            for key in CodingKeys.allCases {
                var content = container.nestedContainer(keyedBy: CodingKeys.self, forKey: key)
                try content.encode(1, forKey: key)
            }
        }
    }

    func test_the_content_of_two_names_that_differ_in_composed_letters_is_not_that_of_one() {
        XCTAssertThrowsError(try BothTwins().encoded()) { error in
            XCTAssertEqual(error as? EventCodingError, .notAnEnumCase(type: "BothTwins"))
        }
    }

    /// Writes itself under a name that it does not list.
    private struct Unlisted: DomainEvent {
        enum CodingKeys: String, EventNames { case listed }
        enum OtherKeys: String, CodingKey { case other }
        init() {}
        init(from decoder: any Decoder) throws {}
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: OtherKeys.self)
            _ = container.nestedContainer(keyedBy: OtherKeys.self, forKey: .other)
        }
    }

    func test_an_event_under_a_name_that_its_type_does_not_list_is_refused_and_not_stored() {
        XCTAssertThrowsError(try Unlisted().encoded()) { error in
            XCTAssertEqual(error as? EventCodingError, .unknownName("other", expected: "Unlisted"))
        }
    }
}

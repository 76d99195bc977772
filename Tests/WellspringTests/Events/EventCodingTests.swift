import Foundation
import Wellspring
import XCTest

final class EventCodingTests: XCTestCase {
    enum Event: DomainEvent, Equatable {
        case opened(owner: String, limit: Double?)
        case closed
        case moved(Address)

        struct Address: Codable, Hashable, Sendable {
            var street: String
        }

        enum CodingKeys: String, EventNames {
            case opened = "account.opened"
            case closed = "account.closed"
            case moved = "account.moved"
        }
    }

    func test_the_case_becomes_the_name_and_its_values_the_payload() throws {
        let encoded = try Event.opened(owner: "Ada/é", limit: nil).encoded()
        XCTAssertEqual(encoded.name, "account.opened")
        XCTAssertEqual(String(decoding: encoded.payload, as: UTF8.self), #"{"owner":"Ada/é"}"#)
        XCTAssertEqual(encoded.codec, .json)
    }

    func test_every_case_survives() throws {
        let all: [Event] = [
            .opened(owner: "", limit: 1.5), .closed, .moved(.init(street: "\u{0}\n\"")),
        ]
        for event in all { XCTAssertEqual(try Event(decoding: event.encoded()), event) }
    }

    func test_an_unknown_name_is_an_error_and_not_a_skip() {
        let stored = EncodedEvent(name: "account.renamed", payload: EventPayload(utf8: "{}"))
        assertThrows(.unknownName("account.renamed", expected: "Event"), from: stored)
    }

    func test_a_missing_field_is_named_without_the_content() {
        let stored = EncodedEvent(
            name: "account.opened", payload: EventPayload(utf8: #"{"secret":"x"}"#))
        assertThrows(
            .malformedPayload("account.opened", reason: #"no "owner""#), from: stored)
    }

    func test_bytes_that_are_no_json_are_an_error() {
        let stored = EncodedEvent(name: "account.opened", payload: [0xFF, 0x00])
        XCTAssertThrowsError(try Event(decoding: stored))
    }

    func test_a_foreign_codec_is_refused() {
        let stored = EncodedEvent(
            name: "account.closed", payload: EventPayload(utf8: "{}"), codec: .opaque)
        assertThrows(.unknownCodec(.opaque, of: "account.closed"), from: stored)
    }

    func test_a_number_that_json_does_not_have_is_refused() {
        XCTAssertThrowsError(try Event.opened(owner: "Ada", limit: .infinity).encoded()) { error in
            guard case EventCodingError.unencodable(_, let reason)? = error as? EventCodingError
            else { return XCTFail("\(error)") }
            XCTAssertFalse(reason.contains("Ada"))
        }
    }

    struct NoEnum: DomainEvent {
        var value = 1
        enum CodingKeys: String, EventNames { case value = "no.enum" }
    }

    /// Writes its content under the name of the case, and something beside it.
    struct TwoKeys: DomainEvent {
        var besides = Besides.anotherCase
        enum Besides: Codable { case anotherCase, list, superclass }
        enum CodingKeys: String, EventNames {
            case happened = "two.happened"
            case extra = "two.extra"
        }

        init() {}
        init(from decoder: any Decoder) throws {}
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            var content = container.nestedContainer(keyedBy: CodingKeys.self, forKey: .happened)
            try content.encode(1, forKey: .happened)
            switch besides {
            case .anotherCase:
                var extra = container.nestedContainer(keyedBy: CodingKeys.self, forKey: .extra)
                try extra.encode(2, forKey: .happened)
            case .list:
                var extra = container.nestedUnkeyedContainer(forKey: .extra)
                try extra.encode(2)
            case .superclass: try 2.encode(to: container.superEncoder())
            }
        }
    }

    /// Content whose keys come from the world, and not from the program.
    enum Counted: DomainEvent {
        case counted(counts: [String: [Int: Double]])
        case asked(Answers)

        struct Answers: Codable {
            struct Question: CodingKey {
                var stringValue: String
                var intValue: Int? { nil }
                init(stringValue: String) { self.stringValue = stringValue }
                init?(intValue: Int) { nil }
            }
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Question.self)
                _ = try container.decode(Int.self, forKey: Question(stringValue: "Ada's age"))
            }
            func encode(to encoder: any Encoder) throws {}
        }

        enum CodingKeys: String, EventNames { case counted, asked }
    }

    func test_an_error_shows_no_key_that_the_program_does_not_name() {
        let texts: [(name: EventName, text: String, reason: String)] = [
            (
                "counted", #"{"counts":{"ada@example.org":5}}"#,
                "expected Dictionary<String, Any> at counts.*"
            ),
            (
                "counted", #"{"counts":{"ada@example.org":{"7":"x"}}}"#,
                "expected Double at counts.*.*"
            ),
            ("asked", #"{"_0":{"Ada's age":"x"}}"#, "expected Int at _0.*"),
            ("asked", #"{"_0":{}}"#, #"no "*" at _0"#),
        ]
        for (name, text, reason) in texts {
            let stored = EncodedEvent(name: name, payload: EventPayload(utf8: text))
            XCTAssertThrowsError(try Counted(decoding: stored)) { error in
                XCTAssertEqual(error as? EventCodingError, .malformedPayload(name, reason: reason))
            }
        }
        let event = Counted.counted(counts: ["ada@example.org": [7: .infinity]])
        XCTAssertThrowsError(try event.encoded()) { error in
            XCTAssertEqual(
                error as? EventCodingError,
                .unencodable(
                    type: "Counted",
                    reason: "a value of type Double cannot be written at counts.*.*"))
        }
    }

    func test_a_type_that_is_no_enum_of_events_is_refused() {
        XCTAssertThrowsError(try NoEnum().encoded()) { error in
            XCTAssertEqual(error as? EventCodingError, .notAnEnumCase(type: "NoEnum"))
        }
    }

    func test_content_besides_that_of_one_case_is_refused_and_not_lost() {
        for besides in [TwoKeys.Besides.anotherCase, .list, .superclass] {
            var event = TwoKeys()
            event.besides = besides
            XCTAssertThrowsError(try event.encoded(), "\(besides)") { error in
                XCTAssertEqual(error as? EventCodingError, .notAnEnumCase(type: "TwoKeys"))
            }
        }
    }

    func test_an_error_says_what_to_do() {
        let error = LoadFailure.undecodable(
            .unknownName("account.renamed", expected: "Event"),
            stream: StreamID(category: "account", key: "ada"), version: StreamVersion(3))
        XCTAssertEqual(
            "\(error)",
            "Event 3 of account/ada cannot be read: Event does not list the name account.renamed; "
                + "add it there, or leave such events out with a filter.")
    }

    enum Both: EventUnion {
        case account(Event)
        case other(Other)
        static let members = EventMembers(Both.account, Both.other)
    }

    enum Other: DomainEvent {
        case happened(count: Int)
        enum CodingKeys: String, EventNames { case happened = "other.happened" }
    }

    func test_a_union_reads_each_member_by_its_names() throws {
        XCTAssertEqual(Both.names.count, 4)
        guard case .other(.happened(3)) = try Both(decoding: Other.happened(count: 3).encoded())
        else { return XCTFail() }
        guard case .account(.closed) = try Both(decoding: Event.closed.encoded()) else {
            return XCTFail()
        }
    }

    func test_a_union_refuses_what_no_member_reads() {
        let stored = EncodedEvent(name: "third.happened", payload: EventPayload(utf8: "{}"))
        XCTAssertThrowsError(try Both(decoding: stored)) { error in
            XCTAssertEqual(
                error as? EventCodingError, .unknownName("third.happened", expected: "Both"))
        }
    }

    private func assertThrows(
        _ expected: EventCodingError, from stored: EncodedEvent, line: UInt = #line
    ) {
        XCTAssertThrowsError(try Event(decoding: stored), line: line) { error in
            XCTAssertEqual(error as? EventCodingError, expected, line: line)
        }
    }
}

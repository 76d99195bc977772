import Wellspring
import XCTest

/// The coders keep their memory for the next event; nothing of one event may reach another.
final class CodingReuseTests: XCTestCase {
    enum Event: DomainEvent, Equatable {
        case noted(text: String, number: Double)
        case wrapped(Nested)

        enum CodingKeys: String, EventNames {
            case noted = "test.noted"
            case wrapped = "test.wrapped"
        }
    }

    /// Writes and reads another event while it is itself written and read.
    struct Nested: Codable, Equatable, Sendable {
        var text: String

        init(text: String) { self.text = text }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let before = try container.decode(String.self)
            let other = try Event(decoding: Event.noted(text: "other", number: 2).encoded())
            XCTAssertEqual(other, .noted(text: "other", number: 2))
            text = try container.decode(String.self)
            XCTAssertEqual(text, before)
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            _ = try Event.noted(text: "other", number: 1).encoded()
            try container.encode(text)
        }
    }

    func test_an_event_that_was_refused_leaves_nothing_behind() throws {
        XCTAssertThrowsError(try Event.noted(text: "lost", number: .nan).encoded())
        let payload = try Event.noted(text: "kept", number: 1).encoded().payload
        XCTAssertEqual(
            String(decoding: payload, as: UTF8.self), #"{"number":1,"text":"kept"}"#)
    }

    func test_an_event_may_be_coded_within_another() throws {
        let event = Event.wrapped(Nested(text: "outer"))
        XCTAssertEqual(try Event(decoding: event.encoded()), event)
    }

    func test_a_decoder_that_is_kept_does_not_see_the_next_event() throws {
        let first = EncodedEvent(
            name: "test.kept", payload: EventPayload(utf8: #"{"text":"the first, of its own"}"#))
        let kept = try Keeping(decoding: first)
        _ = try Event(decoding: Event.noted(text: "the second, over it", number: 3).encoded())
        guard case .kept(let keeper) = kept else { return XCTFail("not the case") }
        XCTAssertEqual(try keeper.text(), "the first, of its own")
    }

    func test_many_tasks_code_at_the_same_time() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<200 {
                        let text = "\(task) \(number) " + String(repeating: "x", count: number)
                        let event = Event.noted(text: text, number: Double(number))
                        XCTAssertEqual(try Event(decoding: event.encoded()), event)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// An event that keeps its decoder, against all custom.
private enum Keeping: DomainEvent {
    case kept(Keeper)

    struct Keeper: @unchecked Sendable {
        // SAFETY: used by one test on one thread.
        let decoder: any Decoder

        func text() throws -> String {
            enum Key: String, CodingKey { case text }
            return try decoder.container(keyedBy: Key.self).decode(String.self, forKey: .text)
        }
    }

    enum CodingKeys: String, EventNames { case kept = "test.kept" }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self = .kept(Keeper(decoder: try container.superDecoder(forKey: .kept)))
    }

    func encode(to encoder: any Encoder) throws {}
}

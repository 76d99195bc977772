import Wellspring
import XCTest

private enum Before: DomainEvent, Hashable {
    case deposited(cents: Int)
    enum CodingKeys: String, EventNames { case deposited = "account.deposited" }
}

private enum After: DomainEvent, Hashable {
    // snippet: modelling-renamed
    // Was `deposited(cents: Int)`.
    case paidIn(amount: Int, reference: String?)

    enum CodingKeys: String, EventNames {
        case paidIn = "account.deposited"
    }

    enum PaidInCodingKeys: String, CodingKey {
        case amount = "cents", reference
    }
    // end
}

private enum Nameless: DomainEvent {
    case opened, closed
    enum CodingKeys: String, EventNames { case opened = "account.opened" }
}

private enum Tagged: DomainEvent {
    case transferred(cents: Int, to: Account.ID)
    enum CodingKeys: String, EventNames { case transferred = "account.transferred" }
    // snippet: modelling-tags
    var tags: [Tag] {
        switch self {
        case .transferred(_, let receiver): [Tag("account:\(receiver)")]
        }
    }
    // end
}

final class ModellingEventsTests: XCTestCase {
    func test_a_renamed_case_reads_the_events_of_its_old_name() throws {
        let old = try Before.deposited(cents: 70).encoded()
        XCTAssertEqual(try After(decoding: old), .paidIn(amount: 70, reference: nil))
        let new = After.paidIn(amount: 70, reference: "cash")
        XCTAssertEqual(try After(decoding: new.encoded()), new)
    }

    func test_an_event_is_stored_as_a_name_and_the_content_of_its_case() throws {
        // snippet: modelling-encoded
        let encoded = try Account.Event.deposited(cents: 70).encoded()
        // encoded.name     "account.deposited"
        // encoded.payload  {"cents":70}
        // end
        XCTAssertEqual(encoded.name, "account.deposited")
        XCTAssertEqual(encoded.payload, EventPayload(utf8: #"{"cents":70}"#))
    }

    func test_a_case_without_a_name_is_refused_when_it_is_written() throws {
        XCTAssertNoThrow(try Nameless.opened.encoded())
        XCTAssertThrowsError(try Nameless.closed.encoded()) {
            guard case EventCodingError.unencodable? = $0 as? EventCodingError else {
                return XCTFail("\($0)")
            }
        }
    }

    func test_an_event_is_found_by_its_tag() async throws {
        let store = InMemoryEventStore()
        let event = Tagged.transferred(cents: 5, to: "bob")
        try await store.append(
            AppendRequest(
                [NewEvent(try event.encoded(), tags: event.tags)], to: Account.ID("ada").stream,
                expecting: .any))
        // snippet: modelling-by-tag
        let page = try await store.read(LogRead(filter: .tagged("account:bob")))
        // end
        XCTAssertEqual(page.events.map(\.stream), [Account.ID("ada").stream])
    }
}

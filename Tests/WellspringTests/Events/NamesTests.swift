import Foundation
import XCTest

@testable import Wellspring

final class NamesTests: XCTestCase {
    private let composed = "caf\u{E9}"
    private let decomposed = "cafe\u{301}"

    func test_composed_and_decomposed_letters_are_different_names() {
        XCTAssertEqual(composed, decomposed, "Swift calls them equal, which is the trap")
        XCTAssertNotEqual(EventName(composed), EventName(decomposed))
        XCTAssertNotEqual(
            StreamID(category: "c", key: composed), StreamID(category: "c", key: decomposed))
        XCTAssertEqual(Set([Tag(composed), Tag(decomposed), Tag(composed)]).count, 2)
    }

    func test_a_stream_splits_at_the_first_slash() {
        let stream = StreamID("order/2026/7")
        XCTAssertEqual(stream?.category, "order")
        XCTAssertEqual(stream?.key, "2026/7")
        XCTAssertEqual(stream, StreamID(category: "order", key: "2026/7"))
    }

    func test_a_stream_without_a_category_or_a_key_is_none() {
        for text in ["", "/", "order", "order/", "/7"] { XCTAssertNil(StreamID(text), text) }
    }

    func test_a_slash_in_a_category_does_not_make_two_streams_one() {
        XCTAssertNotEqual(
            StreamID(category: "a/b", key: "c"), StreamID(category: "a", key: "b/c"))
    }

    func test_a_message_id_survives_its_textual_form() {
        let text = "0193438b-8e2a-7cc3-98c4-dc0c0c07398f"
        XCTAssertEqual(MessageID(text)?.description, text)
        XCTAssertEqual(MessageID(text.uppercased())?.description, text)
        for wrong in [
            "", "0193438b", text + "0", text.replacing("-", with: "0"), "g" + text.dropFirst(),
        ] {
            XCTAssertNil(MessageID(wrong), wrong)
        }
    }

    func test_a_message_id_and_a_uuid_have_the_same_bytes() throws {
        let uuid = try XCTUnwrap(UUID(uuidString: "0193438B-8E2A-7CC3-98C4-DC0C0C07398F"))
        XCTAssertEqual(MessageID(uuid).uuid, uuid)
        XCTAssertEqual(MessageID(uuid).description, uuid.uuidString.lowercased())
    }

    func test_made_ids_are_of_version_7_and_begin_with_the_time() {
        var generator = MessageIDGenerator(seed: 1)
        let id = generator.next(at: 1_700_000_000_123_456_789)
        XCTAssertEqual(id.high >> 16, 1_700_000_000_123)
        XCTAssertEqual(id.high >> 12 & 0xF, 7)
        XCTAssertEqual(id.low >> 62, 2)
    }

    func test_made_ids_repeat_with_their_seed_and_with_nothing_else() {
        var a = MessageIDGenerator(seed: 1)
        var b = MessageIDGenerator(seed: 1)
        var c = MessageIDGenerator(seed: 2)
        XCTAssertEqual(a.next(at: 5), b.next(at: 5))
        XCTAssertNotEqual(a.next(at: 5), c.next(at: 5))
        XCTAssertEqual(Set((0..<1_000).map { _ in a.next(at: 5) }).count, 1_000)
    }

    func test_the_printed_form_of_a_payload_hides_its_content() {
        XCTAssertEqual("\(EventPayload(utf8: "secret"))", "6 bytes")
    }
}

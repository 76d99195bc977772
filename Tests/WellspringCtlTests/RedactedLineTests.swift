import ExampleTestSupport
import Foundation
import Wellspring
import XCTest

/// The tool shows which events are redacted, and takes them along.
final class RedactedLineTests: XCTestCase {
    func test_the_export_of_an_imported_store_with_redacted_events_is_byte_equal() async throws {
        let fixture = try StoreFixture(self)
        let path = try await redactedStore(fixture)
        let first = try fixture.export(path, to: "first")
        let text = try String(contentsOfFile: first, encoding: .utf8)
        XCTAssertTrue(text.contains(#""redacted":true}"#))
        try fixture.run("import", fixture.path("copy"), first)
        let second = try fixture.export(fixture.path("copy"), to: "second")
        XCTAssertTrue(try fixture.contents(first) == fixture.contents(second))
        let copy = try await fixture.open(fixture.path("copy"))
        let events = try await StoreFixture.events(of: copy)
        XCTAssertEqual(
            events.map(\.isRedacted), fixture.events.map { $0.position.rawValue % 3 == 0 })
        await copy.close()
    }

    func test_a_redacted_event_with_content_is_not_imported() async throws {
        let fixture = try StoreFixture(self)
        let path = try await redactedStore(fixture)
        let export = try fixture.export(path, to: "export")
        let text = try String(contentsOfFile: export, encoding: .utf8)
        for content in [#""text":"","redacted":true"#, #""headers":{"a":"b"},"redacted":true"#] {
            let changed = text.replacingOccurrences(of: #""redacted":true"#, with: content)
            try changed.write(
                toFile: fixture.path("changed"), atomically: false, encoding: .utf8)
            let outcome = try fixture.program.run(
                "import", fixture.path("copy"), fixture.path("changed"))
            XCTAssertEqual(outcome.status, 1)
            XCTAssertTrue(
                outcome.errors.contains("line 4: it is redacted and has content"), outcome.errors)
            try FileManager.default.removeItem(atPath: fixture.path("copy"))
        }
    }

    func test_looking_tells_which_events_are_redacted() async throws {
        let fixture = try StoreFixture(self)
        let path = try await redactedStore(fixture)
        let tail = try fixture.run("tail", path, "--data").split(separator: "\n")
        XCTAssertTrue(tail.contains { $0.hasPrefix("3  ") && $0.contains("  redacted") }, "\(tail)")
        XCTAssertTrue(tail.contains("    (redacted)"))
        XCTAssertFalse(tail.contains { $0.hasPrefix("4  ") && $0.contains("redacted") })
        let show = try fixture.run("show", path, "sample/1")
        XCTAssertTrue(show.contains("  redacted"), show)
        let verify = try fixture.run("verify", path)
        XCTAssertTrue(
            verify.contains("\(fixture.events.count / 3) events are redacted\n"), verify)
        let json = Data(try fixture.run("verify", path, "--json").utf8)
        let document = try JSONSerialization.jsonObject(with: json) as? [String: Any]
        XCTAssertEqual(document?["redactedEvents"] as? Int, fixture.events.count / 3)
    }

    /// A store like that of the fixture in which every third event is redacted.
    private func redactedStore(_ fixture: StoreFixture) async throws -> String {
        try await fixture.makeStore(appends: 4)
        let path = fixture.path("redacted")
        let store = try StoreImport(at: path)
        for event in fixture.events {
            let isRedacted = event.position.rawValue % 3 == 0
            try store.append([isRedacted ? event.redacted() : event], key: nil)
        }
        try store.finish()
        return path
    }
}

import ExampleTestSupport
import Foundation
import Wellspring
import XCTest

/// The command that takes contents out of a store, as an operator calls it.
final class ScavengeCommandTests: XCTestCase {
    func test_the_content_goes_and_everything_else_stays() async throws {
        let fixture = try StoreFixture(self)
        let going = try await storeWithRequests(fixture)
        let before = try await events(of: fixture.store, fixture)
        let text = try fixture.run("scavenge", fixture.store)
        XCTAssertTrue(
            text.hasPrefix("\(going.count) events have lost their content, and "), text)
        XCTAssertTrue(text.contains(" written anew: "), text)
        let after = try await events(of: fixture.store, fixture)
        XCTAssertTrue(
            after == before.map { going.contains($0.position) ? $0.redacted() : $0 })
        let verify = try fixture.run("verify", fixture.store)
        XCTAssertTrue(verify.contains("\(going.count) events are redacted\nsound: "), verify)
        XCTAssertEqual(
            try fixture.run("scavenge", fixture.store), "nothing to do\n")
    }

    func test_a_scavenged_store_is_exported_and_imported_as_it_is() async throws {
        let fixture = try StoreFixture(self)
        _ = try await storeWithRequests(fixture)
        try fixture.run("scavenge", fixture.store)
        let first = try fixture.export(fixture.store, to: "first")
        try fixture.run("import", fixture.path("copy"), first)
        let second = try fixture.export(fixture.path("copy"), to: "second")
        XCTAssertTrue(try fixture.contents(first) == fixture.contents(second))
        XCTAssertEqual(
            try fixture.run("scavenge", fixture.path("copy")),
            "nothing to do\n")
        for command in ["salvage", "backup"] {
            try fixture.run(command, fixture.store, fixture.path(command))
            let copied = try fixture.export(fixture.path(command), to: command + ".export")
            XCTAssertTrue(try fixture.contents(first) == fixture.contents(copied), command)
        }
    }

    func test_no_file_of_the_store_holds_what_went() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 20)
        let store = try await fixture.open()
        let secret = "nobody is to read this"
        let receipt = try await store.append(
            AppendRequest(
                [
                    NewEvent(
                        EncodedEvent(name: "sample.secret", payload: EventPayload(utf8: secret)))
                ],
                to: StreamID(category: "sample", key: "1"), expecting: .any))
        try await store.requestRedaction(of: [receipt.position])
        await store.close()
        XCTAssertTrue(try fixture.files().values.contains { $0.contains(secret) })
        let text = try fixture.run("scavenge", fixture.store)
        XCTAssertTrue(text.hasPrefix("1 event has lost its content, and 1 file was"), text)
        XCTAssertFalse(try fixture.files().values.contains { $0.contains(secret) })
    }

    func test_a_report_for_programs_is_one_document() async throws {
        let fixture = try StoreFixture(self)
        let going = try await storeWithRequests(fixture)
        for count in [going.count, 0] {
            let json = Data(try fixture.run("scavenge", fixture.store, "--json").utf8)
            let document = try XCTUnwrap(
                JSONSerialization.jsonObject(with: json) as? [String: Any])
            XCTAssertEqual(document["redactedEvents"] as? Int, count)
            XCTAssertEqual(document["quarantined"] as? [String], [])
            XCTAssertEqual(document["savedStates"] as? [String], [])
            let before = try XCTUnwrap(document["bytesBefore"] as? Int)
            let after = try XCTUnwrap(document["bytesAfter"] as? Int)
            XCTAssertEqual(before > after, count > 0)
        }
    }

    func test_a_store_that_is_open_is_left_alone() async throws {
        let fixture = try StoreFixture(self)
        _ = try await storeWithRequests(fixture)
        let open = try await fixture.open()
        let before = try fixture.files()
        let outcome = try fixture.program.run("scavenge", fixture.store)
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("open"), outcome.errors)
        XCTAssertTrue(try fixture.files() == before)
        await open.close()
    }

    /// Makes a store in which one stream is truncated and one event redacted; returns the positions
    /// of what is to go.
    private func storeWithRequests(_ fixture: StoreFixture) async throws -> Set<LogPosition> {
        try await fixture.makeStore()
        let store = try await fixture.open()
        let stream = StreamID(category: "sample", key: "2")
        let events = fixture.events.filter { $0.stream == stream }
        try await store.truncate(stream, before: StreamVersion(10))
        let other = try XCTUnwrap(fixture.events.first { $0.stream != stream })
        try await store.requestRedaction(of: [other.position])
        await store.close()
        return Set(events.prefix(9).map(\.position) + [other.position])
    }

    private func events(
        of path: String, _ fixture: StoreFixture
    ) async throws -> [RecordedEvent] {
        let store = try await fixture.open(path)
        let events = try await StoreFixture.events(of: store)
        await store.close()
        return events
    }
}

extension Data {
    fileprivate func contains(_ text: String) -> Bool { range(of: Data(text.utf8)) != nil }
}

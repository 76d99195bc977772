import ExampleTestSupport
import Foundation
import Wellspring
import XCTest

/// The commands by which an operator has a store forget something.
final class RequestCommandTests: XCTestCase {
    private let stream = StreamID(category: "sample", key: "2")

    func test_a_stream_is_truncated_and_scavenged() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let events = fixture.events.filter { $0.stream == stream }
        let text = try fixture.run(
            "truncate", fixture.store, "sample/2", "--before", "10", "--reason", "too old")
        XCTAssertEqual(
            text,
            """
            sample/2 begins at version 10 now, by the request at position \
            \(fixture.events.count + 1).
            Until 'wellspringctl scavenge \(fixture.store)' the files keep what was cut off.

            """)
        XCTAssertEqual(try shownPositions(fixture), events.dropFirst(9).map(\.position.rawValue))
        let again = try fixture.run("truncate", fixture.store, "sample/2", "--before", "7")
        XCTAssertEqual(again, "sample/2 begins at version 10 already; nothing was requested.\n")
        let store = try await fixture.open()
        let requests = try await store.read(LogRead(filter: .tagged("$scavenge")))
        XCTAssertEqual(requests.events.map(\.metadata.headers), [["reason": "too old"]])
        await store.close()
        let scavenged = try fixture.run("scavenge", fixture.store)
        XCTAssertTrue(scavenged.hasPrefix("9 events have lost their content"), scavenged)
    }

    /// As at every end of a store in the strict mode: the next append has pages of its own then.
    func test_a_request_ends_with_a_page() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 3)
        try fixture.run("delete", fixture.store, "sample/2")
        let file = fixture.store + "/log/0000000001-0000.seg"
        let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
        XCTAssertEqual(try XCTUnwrap(size) % 4096, 0)
    }

    func test_a_stream_is_deleted_and_keeps_its_version() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let events = fixture.events.filter { $0.stream == stream }
        let text = try fixture.run("delete", fixture.store, "sample/2")
        XCTAssertTrue(text.hasPrefix("sample/2 reads as empty now, by the request at "), text)
        XCTAssertEqual(try shownPositions(fixture), [])
        let again = try fixture.run("delete", fixture.store, "sample/2")
        XCTAssertEqual(again, "sample/2 reads as empty already; nothing was requested.\n")
        let store = try await fixture.open()
        let page = try await store.read(StreamRead(stream))
        XCTAssertEqual(page.version, events.last?.version)
        await store.close()
    }

    func test_single_events_are_redacted() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let events = fixture.events.filter { $0.stream == stream }
        let text = try fixture.run("redact", fixture.store, "sample/2", "3", "5", "3")
        XCTAssertTrue(text.hasPrefix("The content of 2 events of sample/2 is to go, "), text)
        let scavenged = try fixture.run("scavenge", fixture.store)
        XCTAssertTrue(scavenged.hasPrefix("2 events have lost their content"), scavenged)
        let store = try await fixture.open()
        let log = try await StoreFixture.events(of: store)
        XCTAssertEqual(
            log.filter(\.isRedacted).map(\.position), [events[2].position, events[4].position])
        await store.close()
        let done = try fixture.run("redact", fixture.store, "sample/2", "5")
        XCTAssertEqual(
            done, "version 5 of sample/2 has no content any more.\nNothing was requested.\n")
    }

    func test_what_is_not_there_is_said_and_nothing_is_requested() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        try fixture.run("truncate", fixture.store, "sample/2", "--before", "4")
        let calls: [([String], String)] = [
            (["truncate", fixture.store, "sample/none", "--before", "1"], "there is no stream"),
            (["truncate", fixture.store, "sample/2", "--before", "9999"], "cannot begin at 9999"),
            (["delete", fixture.store, "sample/none"], "there is no stream 'sample/none'"),
            (["redact", fixture.store, "sample/none", "1"], "there is no stream"),
            (["redact", fixture.store, "sample/2", "5", "9999"], "has no version 9999"),
            (["redact", fixture.store, "sample/2", "3"], "version 3 is cut off"),
            (["delete", fixture.store, "$redaction/log"], "there is no stream"),
            (["delete", fixture.store, "$truncation/sample/2"], "begins with $"),
            (["redact", fixture.store, "$truncation/sample/2", "1"], "keeps its content"),
        ]
        for (call, message) in calls {
            let outcome = try fixture.program.run(call)
            XCTAssertEqual(outcome.status, 1, "\(call)")
            XCTAssertTrue(outcome.errors.contains(message), outcome.errors)
            XCTAssertEqual(outcome.output, "", "\(call)")
        }
        let store = try await fixture.open()
        let requests = try await store.read(LogRead(filter: .tagged("$scavenge")))
        XCTAssertEqual(requests.events.count, 1)
        await store.close()
    }

    func test_what_opening_a_store_changed_is_told() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let store = try await fixture.open()
        let copy = fixture.path("copy")
        try FileManager.default.copyItem(atPath: fixture.store, toPath: copy)
        await store.close()
        let outcome = try fixture.program.run("delete", copy, "sample/2")
        XCTAssertEqual(outcome.status, 0, outcome.errors)
        XCTAssertTrue(outcome.errors.hasPrefix("Opened it: "), outcome.errors)
        XCTAssertTrue(outcome.errors.contains(", not closed properly, in "), outcome.errors)
        let again = try fixture.program.run("delete", copy, "sample/3")
        XCTAssertEqual(again.errors, "")

        let leftover = "idx/0123456789abcdef.tmp"
        XCTAssertTrue(FileManager.default.createFile(atPath: "\(copy)/\(leftover)", contents: nil))
        let third = try fixture.program.run("delete", copy, "sample/4")
        XCTAssertTrue(third.errors.contains("removed from the index: \(leftover)"), third.errors)
    }

    func test_a_store_that_is_open_elsewhere_is_not_written_to() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 20)
        let open = try await fixture.open()
        let before = try fixture.files()
        for call in [
            ["truncate", fixture.store, "sample/2", "--before", "2"],
            ["delete", fixture.store, "sample/2"], ["redact", fixture.store, "sample/2", "1"],
        ] {
            let outcome = try fixture.program.run(call)
            XCTAssertEqual(outcome.status, 1)
            XCTAssertTrue(
                outcome.errors.contains("open for writing elsewhere")
                    && outcome.errors.contains("have the request made there"), outcome.errors)
        }
        XCTAssertTrue(try fixture.files() == before)
        await open.close()
    }

    func test_a_damaged_store_shows_of_a_truncated_stream_what_a_reader_would_see() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        try fixture.run("truncate", fixture.store, "sample/2", "--before", "30")
        try fixture.run("delete", fixture.store, "sample/3")
        let whole = try shownPositions(fixture)
        XCTAssertGreaterThan(whole.count, 5)
        // The index is gone and cannot be made again: another stream's first event is damaged.
        for name in try fixture.files().keys where name.hasPrefix("idx/") {
            try FileManager.default.removeItem(atPath: fixture.store + "/" + name)
        }
        try fixture.overwrite(4_170..<4_180, of: "log/0000000001-0000.seg")
        let outcome = try fixture.program.run("show", fixture.store, "sample/2")
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("damaged in"), outcome.errors)
        XCTAssertEqual(positions(outcome.output), whole)
        let deleted = try fixture.program.run("show", fixture.store, "sample/3")
        XCTAssertEqual(deleted.output, "")
        XCTAssertFalse(deleted.errors.contains("there is no stream"), deleted.errors)
    }

    // MARK: -

    private func shownPositions(_ fixture: StoreFixture) throws -> [UInt64] {
        positions(try fixture.run("show", fixture.store, "sample/2"))
    }

    private func positions(_ text: String) -> [UInt64] {
        text.split(separator: "\n").compactMap { UInt64($0.prefix { $0 != " " }) }
    }
}

import ExampleTestSupport
import Foundation
import Wellspring
import WellspringLog
import XCTest

/// What is exported can be imported, and is the same then.
final class ExportImportTests: XCTestCase {
    func test_the_export_of_an_imported_store_is_byte_equal() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let before = try fixture.files()
        let first = try fixture.export(fixture.store, to: "first")
        XCTAssertTrue(try fixture.files() == before, "the store was changed")
        try fixture.run("import", fixture.path("copy"), first)
        let second = try fixture.export(fixture.path("copy"), to: "second")
        XCTAssertTrue(try fixture.contents(first) == fixture.contents(second))
        XCTAssertGreaterThan(try fixture.contents(first).count, 100_000)
    }

    func test_an_imported_store_has_every_event_as_it_was_and_can_be_appended_to() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let export = try fixture.export(fixture.store, to: "export")
        try fixture.run("import", fixture.path("copy"), export)
        let copy = try await fixture.open(fixture.path("copy"))
        XCTAssertTrue(copy.report.wasClean)
        let events = try await StoreFixture.events(of: copy)
        XCTAssertTrue(events == fixture.events)
        let stream = try XCTUnwrap(events.last?.stream)
        let receipt = try await copy.append(
            AppendRequest(
                [NewEvent(EncodedEvent(name: "sample.more", payload: [1]))], to: stream,
                expecting: .exactly(try XCTUnwrap(events.last?.version))))
        XCTAssertEqual(receipt.position.rawValue, UInt64(events.count + 1))
        await copy.close()
    }

    func test_appends_stay_together() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 20)
        let export = try fixture.export(fixture.store, to: "export")
        try fixture.run("import", fixture.path("copy"), export)
        for path in [fixture.store, fixture.path("copy")] {
            let store = try await fixture.open(path)
            // A page never splits an append: with room for one event it holds the whole first one.
            let page = try await store.read(
                LogRead(.forward(after: .start), limit: ReadLimit(events: 1)))
            XCTAssertEqual(page.events.count, 2)
            await store.close()
        }
    }

    func test_lines_are_what_the_documentation_says() async throws {
        let fixture = try StoreFixture(self)
        let store = try await fixture.open()
        try await store.append(
            AppendRequest(
                [
                    NewEvent(
                        EncodedEvent(name: "account.opened", payload: EventPayload(utf8: "{}")),
                        id: MessageID(high: 1, low: 2), recordedAt: Timestamp(nanoseconds: 5),
                        tags: ["a"]),
                    NewEvent(
                        EncodedEvent(name: "account.closed", payload: [255], codec: .opaque),
                        id: MessageID(high: 1, low: 3), recordedAt: Timestamp(nanoseconds: 6)),
                ], to: StreamID(category: "account", key: "ada"), expecting: .noStream))
        await store.close()
        let lines = try fixture.run("export", fixture.store).split(separator: "\n").map(String.init)
        XCTAssertEqual(
            Array(lines.prefix(3)),
            [
                #"{"wellspring":"export","version":1}"#,
                #"{"position":1,"stream":"account/ada","version":1,"#
                    + #""id":"00000000-0000-0001-0000-000000000002","type":"account.opened","#
                    + #""schema":1,"codec":1,"recordedAt":5,"tags":["a"],"more":true,"text":"{}"}"#,
                #"{"position":2,"stream":"account/ada","version":2,"#
                    + #""id":"00000000-0000-0001-0000-000000000003","type":"account.closed","#
                    + #""schema":1,"codec":0,"recordedAt":6,"hex":"ff"}"#,
            ])
        XCTAssertEqual(lines.count, 4)
        XCTAssertTrue(lines[3].hasPrefix(#"{"end":{"events":2,"appends":1,"lastPosition":2,"#))
    }

    func test_a_changed_or_cut_export_makes_no_store() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 30)
        let export = try fixture.export(fixture.store, to: "export")
        let text = try String(contentsOfFile: export, encoding: .utf8)
        var (without, doubled, cut) = (text.lines, text.lines, text.lines)
        let fifth = without.remove(at: 4)
        doubled.insert(fifth, at: 4)
        cut.removeLast(2)
        let broken: [String] = [
            text.replacingOccurrences(of: "x10x10", with: "x10x11"),
            text.replacingOccurrences(of: #""schema":2"#, with: #""schema":3"#),
            cut.joined(separator: "\n") + "\n",
            without.joined(separator: "\n"),
            doubled.joined(separator: "\n"),
            String(text.dropLast(1)), String(text.dropLast(20)), text + fifth + "\n",
            "", "hello\n", text.replacingOccurrences(of: #""version":1}"#, with: #""version":9}"#),
        ]
        for (number, content) in broken.enumerated() {
            let file = fixture.path("broken-\(number)")
            try content.write(toFile: file, atomically: false, encoding: .utf8)
            let outcome = try fixture.program.run("import", fixture.path("copy-\(number)"), file)
            XCTAssertEqual(outcome.status, 1, "\(number)")
            XCTAssertTrue(outcome.errors.contains("line "), outcome.errors)
            let verify = try fixture.program.run("verify", fixture.path("copy-\(number)"))
            XCTAssertTrue(verify.errors.contains("no event store"), verify.errors)
        }
    }

    func test_words_of_the_last_line_are_no_checksum() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 30)
        let export = try fixture.export(fixture.store, to: "export")
        let text = try String(contentsOfFile: export, encoding: .utf8)
        let changed = text.replacingOccurrences(of: "x10x10", with: "x10x11")
        let digits = try XCTUnwrap(text.split(separator: "\"").dropLast().last.map(String.init))
        XCTAssertEqual(digits.count, 8)
        for word in ["checksum", "events", "end", "", digits.uppercased() + "0", "0" + digits] {
            let file = fixture.path("changed")
            try changed.replacingOccurrences(of: "\"\(digits)\"", with: "\"\(word)\"")
                .write(toFile: file, atomically: false, encoding: .utf8)
            let outcome = try fixture.program.run("import", fixture.path("copy-\(word)"), file)
            XCTAssertEqual(outcome.status, 1, word)
            XCTAssertTrue(outcome.errors.contains("the checksum is wrong"), outcome.errors)
        }
    }

    func test_an_event_with_more_tags_than_a_record_can_say_is_refused_with_its_line()
        async throws
    {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 3)
        let export = try fixture.export(fixture.store, to: "export")
        var lines = try String(contentsOfFile: export, encoding: .utf8).lines
        let tags = (0..<256).map { "\"\($0)\"" }.joined(separator: ",")
        lines[1] =
            #"{"position":1,"stream":"account/ada","version":1,"#
            + #""id":"00000000-0000-0001-0000-000000000002","type":"account.opened","#
            + #""schema":1,"codec":1,"recordedAt":5,"tags":[\#(tags)],"text":"{}"}"#
        let file = fixture.path("tagged")
        try lines.joined(separator: "\n").write(toFile: file, atomically: false, encoding: .utf8)
        let outcome = try fixture.program.run("import", fixture.path("copy"), file)
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("line 2: "), outcome.errors)
        XCTAssertTrue(outcome.errors.contains("number of tags"), outcome.errors)
    }

    func test_a_directory_that_is_in_use_is_not_imported_into() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 3)
        let export = try fixture.export(fixture.store, to: "export")
        let before = try fixture.files()
        let outcome = try fixture.program.run("import", fixture.store, export)
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(try fixture.files() == before)
    }

    func test_holes_are_exported_and_imported() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        try fixture.overwrite(20_000..<26_000, of: LogLayout.segment(2))
        try fixture.run("salvage", fixture.store, fixture.path("saved"))
        let first = try fixture.export(fixture.path("saved"), to: "first")
        let text = try String(contentsOfFile: first, encoding: .utf8)
        XCTAssertTrue(text.contains(#"{"hole":{"first":"#))
        try fixture.run("import", fixture.path("copy"), first)
        let second = try fixture.export(fixture.path("copy"), to: "second")
        XCTAssertTrue(try fixture.contents(first) == fixture.contents(second))
    }

    func test_a_damaged_store_has_no_whole_export() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        try fixture.overwrite(20_000..<20_010, of: LogLayout.segment(2))
        let outcome = try fixture.program.run("export", fixture.store)
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("Salvage"), outcome.errors)
        XCTAssertFalse(outcome.output.contains(#"{"end":"#))
    }
}

extension String {
    fileprivate var lines: [String] { components(separatedBy: "\n") }
}

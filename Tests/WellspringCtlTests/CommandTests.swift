import ExampleTestSupport
import Foundation
import Wellspring
import WellspringLog
import XCTest

/// The commands as an operator calls them.
final class CommandTests: XCTestCase {
    private let commands = [
        "stats", "verify", "streams", "show", "tail", "export", "import", "repair", "salvage",
        "backup", "truncate", "delete", "redact", "scavenge",
    ]

    func test_every_command_has_help() throws {
        let fixture = try StoreFixture(self)
        let help = try fixture.run("--help")
        for command in commands {
            XCTAssertTrue(help.contains("wellspringctl \(command) DIR"), command)
            XCTAssertTrue(try fixture.run(command, "--help").contains("USAGE"), command)
        }
    }

    func test_a_call_that_makes_no_sense_ends_with_status_2_and_touches_nothing() throws {
        let fixture = try StoreFixture(self)
        let path = fixture.store
        let calls = [
            [], ["stats"], ["turn", path], ["stats", path, path], ["verify", path, "--yaml"],
            ["tail", path, "--count", "many"], ["show", path, "nocategory"], ["salvage", path],
            ["truncate", path, "a/b"], ["truncate", path, "a/b", "--before", "0"],
            ["delete", path, "nocategory"], ["redact", path, "a/b"],
            ["redact", path, "a/b", "1", "0"], ["redact", path, "a/b", "1-3"],
        ]
        for call in calls {
            let outcome = try fixture.program.run(call)
            XCTAssertEqual(outcome.status, 2, "\(call): \(outcome.errors)")
            XCTAssertTrue(outcome.errors.contains("--help"), outcome.errors)
        }
        XCTAssertFalse(FileManager.default.fileExists(atPath: path))
    }

    func test_where_there_is_no_store_every_command_says_so_and_makes_none() throws {
        let fixture = try StoreFixture(self)
        for command in commands where command != "import" {
            var call = [command, fixture.store]
            if ["show", "truncate", "delete", "redact"].contains(command) { call.append("a/b") }
            if command == "truncate" { call += ["--before", "1"] }
            if command == "redact" { call.append("1") }
            if command == "salvage" || command == "backup" { call.append(fixture.path("out")) }
            let outcome = try fixture.program.run(call)
            XCTAssertEqual(outcome.status, 1, command)
            XCTAssertTrue(outcome.errors.contains("no event store"), outcome.errors)
        }
        XCTAssertFalse(FileManager.default.fileExists(atPath: fixture.store))
        XCTAssertFalse(FileManager.default.fileExists(atPath: fixture.path("out")))
    }

    func test_commands_that_read_change_nothing_and_run_beside_a_writer() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let open = try await fixture.open()
        let before = try fixture.files()
        for call in [
            ["stats"], ["verify"], ["streams"], ["show", "sample/1"], ["tail"], ["export"],
        ] {
            let outcome = try fixture.program.run([call[0], fixture.store] + call.dropFirst())
            XCTAssertEqual(outcome.status, 0, "\(call): \(outcome.errors)")
            XCTAssertFalse(outcome.output.isEmpty, "\(call)")
        }
        XCTAssertTrue(try fixture.files() == before)
        await open.close()
    }

    func test_stats_count_what_there_is() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let text = try fixture.run("stats", fixture.store)
        XCTAssertTrue(text.contains("events     \(fixture.events.count), "), text)
        XCTAssertTrue(text.contains("streams    9\n"), text)
        XCTAssertTrue(text.contains("positions  1 to \(fixture.events.count)\n"), text)
        XCTAssertTrue(text.contains("state      closed\n"), text)
        XCTAssertTrue(text.contains("sample.even"), text)
    }

    func test_streams_can_be_listed_by_prefix() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let all = try fixture.run("streams", fixture.store).split(separator: "\n")
        XCTAssertEqual(all.count, 9)
        let some = try fixture.run("streams", fixture.store, "--prefix", "sample/")
        XCTAssertEqual(some.split(separator: "\n").count, 7)
        let last = try XCTUnwrap(
            fixture.events.last { $0.stream == StreamID(category: "sample", key: "3") })
        XCTAssertTrue(some.contains("sample/3  version \(last.version)  "), some)
        // What could move the cursor is written out.
        XCTAssertTrue(all.contains { $0.contains("\\u{1}") }, "\(all)")
    }

    func test_a_stream_is_shown_in_order_and_contents_only_when_asked_for() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let stream = StreamID(category: "sample", key: "2")
        let events = fixture.events.filter { $0.stream == stream }
        let plain = try fixture.run("show", fixture.store, "sample/2").split(separator: "\n")
        XCTAssertEqual(
            plain.map { $0.split(separator: " ").first.map(String.init) },
            events.map { "\($0.position)" })
        XCTAssertFalse(plain.contains { $0.contains("secret") })
        let full = try fixture.run("show", fixture.store, "sample/2", "--data")
        XCTAssertEqual(full.split(separator: "\n").count, 2 * events.count)
        XCTAssertTrue(full.contains("secret"))
        let missing = try fixture.program.run("show", fixture.store, "sample/none")
        XCTAssertEqual(missing.status, 1)
    }

    func test_tail_shows_the_last_events_of_a_type_or_with_a_tag() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let positions = { (text: String) in
            text.split(separator: "\n").compactMap { UInt64($0.prefix { $0 != " " }) }
        }
        let last = fixture.events.map(\.position.rawValue)
        XCTAssertEqual(positions(try fixture.run("tail", fixture.store)), Array(last.suffix(10)))
        let odd = fixture.events.filter { $0.event.name == "sample.odd" }.map(\.position.rawValue)
        XCTAssertEqual(
            positions(
                try fixture.run("tail", fixture.store, "--count", "3", "--type", "sample.odd")),
            Array(odd.suffix(3)))
        let five = fixture.events.filter { $0.tags.contains("five") }.map(\.position.rawValue)
        XCTAssertEqual(
            positions(try fixture.run("tail", fixture.store, "--count", "999", "--tag", "five")),
            five)
    }

    func test_damage_elsewhere_does_not_keep_a_stream_from_being_shown_and_damage_in_it_is_told()
        async throws
    {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let whole = try fixture.run("show", fixture.store, "sample/3").split(separator: "\n")
        let last = try fixture.run("tail", fixture.store)
        // The first commit, of one event of another stream.
        try fixture.overwrite(4_170..<4_180, of: "log/0000000001-0000.seg")
        let same = try fixture.run("show", fixture.store, "sample/3").split(separator: "\n")
        XCTAssertEqual(same, whole)
        XCTAssertEqual(try fixture.run("tail", fixture.store), last)

        try fixture.overwrite(10_000..<16_000, of: "log/0000000001-0000.seg")
        let outcome = try fixture.program.run("show", fixture.store, "sample/3")
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("damaged in"), outcome.errors)
        let rest = outcome.output.split(separator: "\n")
        XCTAssertLessThan(rest.count, whole.count)
        XCTAssertGreaterThan(rest.count, whole.count / 2)
        XCTAssertTrue(rest.allSatisfy(whole.contains))
        XCTAssertEqual(Set(rest).count, rest.count)
    }

    func test_events_that_are_not_yet_known_to_be_durable_are_told_of_and_shown_when_asked_for()
        async throws
    {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 10)
        var configuration = FileEventStore.Configuration()
        configuration.durability = .osManaged
        let store = try await FileEventStore(at: fixture.store, configuration: configuration)
        let event = NewEvent(EncodedEvent(name: "late.came", payload: [1], codec: .opaque))
        let stream = StreamID(category: "late", key: "1")
        try await store.append(AppendRequest([event], to: stream, expecting: .any))
        for command in [
            ["tail", fixture.store, "--count", "1"], ["show", fixture.store, "late/1"],
        ] {
            let hidden = try fixture.program.run(command)
            XCTAssertFalse(hidden.output.contains("late.came"))
            XCTAssertTrue(hidden.errors.contains("1 event at the end is"), hidden.errors)
            let shown = try fixture.program.run(command + ["--all"])
            XCTAssertTrue(shown.output.contains("late.came"), shown.output)
            XCTAssertEqual(shown.errors, "")
        }
        await store.close()
    }

    func test_tail_follows_a_writer() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore(appends: 10)
        let store = try await fixture.open()
        let stream = StreamID(category: "late", key: "1")
        let event = NewEvent(EncodedEvent(name: "late.came", payload: [1], codec: .opaque))
        let follower = try Follower(fixture.store)
        XCTAssertEqual(try follower.lines(1).count, 1)
        var seen: [String] = []
        for _ in 0..<3 {
            try await store.append(AppendRequest([event], to: stream, expecting: .any))
            // Nothing else follows it, so it is shown once the store has marked it as durable.
            seen += try follower.lines(1)
        }
        follower.end()
        let first = UInt64(fixture.events.count)
        XCTAssertEqual(
            seen.map { String($0.prefix { $0 != " " }) },
            ["\(first + 1)", "\(first + 2)", "\(first + 3)"])
        await store.close()
    }
}

/// The tool while it follows a store.
private final class Follower {
    private let process = Process()
    private let output = Pipe()
    private var pending = Data()

    init(_ store: String) throws {
        process.executableURL = Bundle.main.bundleURL.appendingPathComponent("wellspringctl")
        #if os(macOS)
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") } ?? .main
        process.executableURL = bundle.bundleURL.deletingLastPathComponent()
            .appendingPathComponent("wellspringctl")
        #endif
        process.arguments = ["tail", store, "--follow", "--count", "1"]
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// Waits for this many lines.
    func lines(_ count: Int) throws -> [String] {
        var lines: [String] = []
        while lines.count < count {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                lines.append(String(decoding: pending[..<end], as: UTF8.self))
                pending = Data(pending[(end + 1)...])
                continue
            }
            let piece = output.fileHandleForReading.availableData
            guard !piece.isEmpty else { return lines }
            pending += piece
        }
        return lines
    }

    func end() {
        process.terminate()
        process.waitUntilExit()
    }
}

import ExampleTestSupport
import Foundation
import Wellspring
import WellspringLog
import XCTest

/// A store on disk for the tool to look at, and the tool.
final class StoreFixture {
    let directory: TemporaryDirectory
    let program = BuiltProgram("wellspringctl")
    /// All events of the store, by position - 1.
    private(set) var events: [RecordedEvent] = []

    init(_ test: XCTestCase) throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        test.addTeardownBlock { directory.remove() }
    }

    var store: String { directory.path("store") }
    func path(_ name: String) -> String { directory.path(name) }

    /// Makes a store of four segments with events of all shapes.
    func makeStore(appends: Int = 150) async throws {
        let store = try await open()
        for number in 0..<appends {
            var writes = [
                StreamWrite(
                    (0...number % 3).map { Self.event(number * 10 + $0) },
                    to: StreamID(category: "sample", key: "\(number % 7)"), expecting: .any)
            ]
            if number % 5 == 0 {
                let other = StreamID(category: "other", key: "ä/\u{1}\"\(number % 2)")
                writes.append(StreamWrite([Self.event(number)], to: other, expecting: .any))
            }
            try await store.append(AppendRequest(writes))
        }
        events = try await Self.events(of: store)
        await store.close()
    }

    func open(_ path: String? = nil) async throws -> FileEventStore {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        return try await FileEventStore(at: path ?? store, configuration: configuration)
    }

    static func events(of store: some EventStore) async throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        var position = LogPosition.start
        while true {
            let page = try await store.read(
                LogRead(.forward(after: position), limit: ReadLimit(events: 100)))
            guard page.end > position else { return events }
            events += page.events
            position = page.end
        }
    }

    private static func event(_ number: Int) -> NewEvent {
        let text =
            "{ \"secret\" :\t\"\(String(repeating: "x\(number)", count: 60 + number % 70))\" }"
        let payload =
            switch number % 11 {
            case 3: EventPayload([0, 255, 128, UInt8(truncatingIfNeeded: number)])
            case 5: EventPayload(utf8: "\u{7F}\r\n\u{2028} \"\\\u{0} e\u{301} \u{E9}")
            case 7: EventPayload([])
            default: EventPayload(utf8: text)
            }
        let id = MessageID(high: 7, low: UInt64(number))
        return NewEvent(
            EncodedEvent(
                name: number % 2 == 0 ? "sample.even" : "sample.odd", payload: payload,
                codec: number % 11 == 3 ? .opaque : .json,
                schemaVersion: UInt16(1 + number % 3)),
            occurredAt: number % 6 == 0 ? Timestamp(nanoseconds: Int64(number) - 500) : nil,
            recordedAt: number % 12 == 0 ? Timestamp(nanoseconds: Int64(number) * 3) : nil,
            tags: number % 5 == 0 ? ["five", Tag("number:\(number)")] : [],
            metadata: EventMetadata(
                correlation: number % 4 == 0 ? id : nil, causation: number % 8 == 0 ? id : nil,
                headers: number % 9 == 0 ? ["user": "ada \"lovelace\"", "ä": "\n"] : [:]))
    }

    /// Runs the tool, which must end well; returns what it wrote.
    @discardableResult
    func run(_ arguments: String..., line: UInt = #line) throws -> String {
        let outcome = try program.run(arguments)
        XCTAssertEqual(outcome.status, 0, outcome.errors, line: line)
        return outcome.output
    }

    /// Exports a store to a file and returns its path.
    func export(_ store: String, to name: String, line: UInt = #line) throws -> String {
        let outcome = try program.run("export", store)
        XCTAssertEqual(outcome.status, 0, outcome.errors, line: line)
        XCTAssertEqual(outcome.errors, "", line: line)
        try outcome.output.write(toFile: path(name), atomically: false, encoding: .utf8)
        return path(name)
    }

    func contents(_ path: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path))
    }

    /// The files of the store with their contents, but for the lock.
    func files(_ store: String? = nil) throws -> [String: Data] {
        let root = store ?? self.store
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: root) where name != "LOCK" {
            files[name] = FileManager.default.contents(atPath: root + "/" + name)
        }
        return files
    }

    /// Fills a part of a file of the store with other bytes.
    func overwrite(_ range: Range<Int>, of file: String) throws {
        var bytes = try contents(store + "/" + file)
        for index in range.clamped(to: 0..<bytes.count) { bytes[index] ^= 0x5A }
        try bytes.write(to: URL(fileURLWithPath: store + "/" + file))
    }
}

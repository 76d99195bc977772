import ExampleTestSupport
import Foundation
import Wellspring
import XCTest

/// A reader in this process, while others write the store, one of them killed.
final class ReadingBesideImportTests: XCTestCase {
    private let program = BuiltProgram("OrderApp")
    private static let end = StreamID(category: "test", key: "end")

    func test_a_reader_gets_every_event_of_other_processes_in_order_without_gaps() async throws {
        let orders = OrderGenerator(count: 2_000, seed: 2027)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let file = try directory.write(orders.csv, to: "orders.csv")
        let store = directory.path("store")
        try await makeStore(at: store)

        let reader = try await FileEventReader(at: store)
        async let following = Self.events(of: reader)
        let outcome = try await importTwice(file, into: store)
        XCTAssertEqual(outcome.status, 0, outcome.errors)
        let log = try await finish(store)

        let seen = try await following
        XCTAssertGreaterThan(seen.count, 2_000)
        XCTAssertEqual(seen.map(\.position.rawValue), (1...UInt64(seen.count)).map { $0 })
        XCTAssertTrue(seen == log)
        await reader.close()
    }

    private func makeStore(at path: String) async throws {
        let store = try await FileEventStore(at: path)
        await store.close()
    }

    /// Everything up to the event that ends the test.
    private static func events(of reader: FileEventReader) async throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        for try await page in reader.subscribe() {
            events += page.events
            if page.events.last?.stream == end { break }
        }
        return events
    }

    /// Kills an import in the middle and repeats it.
    private func importTwice(_ file: String, into store: String) async throws -> Outcome {
        let program = program
        return try await withCheckedThrowingContinuation { continuation in
            // Waiting for a process must not hold a thread that the reader may need.
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        _ = try program.runAndKill(
                            ["import", file, "--store", store, "--progress"]
                        ) { line in (Int(line.replacing("imported ", with: "")) ?? 0) >= 700 }
                        return try program.run("import", file, "--store", store, "--json")
                    })
            }
        }
    }

    /// Appends the event that ends the test; returns the whole log.
    private func finish(_ path: String) async throws -> [RecordedEvent] {
        let store = try await FileEventStore(at: path)
        try await store.append(
            AppendRequest(
                [NewEvent(EncodedEvent(name: "test.ended", payload: EventPayload(utf8: "{}")))],
                to: Self.end, expecting: .noStream))
        var events: [RecordedEvent] = []
        while true {
            let after = events.last?.position ?? .start
            let page = try await store.read(LogRead(.forward(after: after)))
            if page.events.isEmpty { break }
            events += page.events
        }
        await store.close()
        return events
    }
}

@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Redacted events are seen by who reads the log, and passed over by who reads a model.
final class RedactedEventTests: XCTestCase {
    func test_readers_see_the_mark_wherever_they_read() async throws {
        let store = try await FileEventStore(on: try disk())
        let log = try await store.wholeLog()
        XCTAssertEqual(log, events)
        XCTAssertEqual(log.map(\.isRedacted), [true, false, true, false, false, true])
        let backward = try await store.read(LogRead(.backward(before: nil)))
        XCTAssertEqual(backward.events, events.reversed())
        let stream = try await store.read(StreamRead(Purse.ID("ada").stream))
        XCTAssertEqual(stream.events, events.filter { $0.stream.key == "ada" })
        let tagged = try await store.read(
            LogRead(.forward(after: .start), filter: .tagged("thing:milk")))
        XCTAssertEqual(tagged.events, [events[2]])
        await store.close()
        let reader = try await FileEventReader(on: try disk())
        let seen = try await reader.wholeLog()
        XCTAssertEqual(seen, events)
    }

    func test_an_aggregate_is_folded_from_what_is_left() async throws {
        let store = try await FileEventStore(on: try disk())
        let ada = try await store.load(Purse.self, "ada")
        XCTAssertEqual(ada.version, StreamVersion(4))
        XCTAssertEqual(ada.state.amounts, [20, 40])
        XCTAssertEqual(ada.state.cents, 60, "and the milk is forgotten")
        let bob = try await store.load(Purse.self, "bob")
        XCTAssertEqual(bob.version, StreamVersion(2), "the last event is redacted")
        XCTAssertEqual(bob.state.amounts, [50])
        await store.close()
    }

    func test_commands_go_on_behind_redacted_events() async throws {
        let store = try await FileEventStore(on: try disk())
        for bus in [CommandBus(store), CommandBus(PlainStore(base: store))] {
            let before = try await store.load(Purse.self, "bob").version.rawValue
            let receipt = try await bus.send(Fill(cents: 7), to: Purse.ID("bob"))
            XCTAssertEqual(receipt.version.rawValue, before + 1)
            let again = try await bus.send(Fill(cents: 1), to: Purse.ID("bob"))
            XCTAssertEqual(again.version.rawValue, before + 2)
        }
        let bob = try await store.load(Purse.self, "bob")
        XCTAssertEqual(bob.state.amounts, [50, 7, 1, 7, 1])
        await store.close()
    }

    func test_a_projection_passes_over_redacted_events_and_its_position_does_not() async throws {
        let store = try await FileEventStore(on: try disk())
        let checkpoints = InMemoryCheckpointStore()
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
        try await withRunning(runner) {
            let seen = try await runner.ask(PositionsSeen(), after: LogPosition(6))
            XCTAssertEqual(seen, [2, 4, 5])
        }
        XCTAssertEqual(runner.position, LogPosition(6))
        try await runner.rebuild()
        XCTAssertEqual(runner.snapshot().model.positions, [2, 4, 5])
        let saved = try await checkpoints.load(Contents.name)
        XCTAssertEqual(saved?.position, LogPosition(6))
        await store.close()
    }

    func test_the_event_that_stops_a_projection_is_named_rightly_behind_a_redacted_one()
        async throws
    {
        let store = try await FileEventStore(on: try disk())
        let position = try await store.append(
            AppendRequest(
                [NewEvent(try Purse.Event.spent(cents: 9_000, on: "tea").encoded())],
                to: Purse.ID("ada").stream, expecting: .any)
        ).position
        let runner = ProjectionRunner(Believer.self, from: store, clock: ManualClock())
        try await runner.run()
        guard case .event(let failed)? = runner.state.stop?.reason else {
            return XCTFail("\(runner.state)")
        }
        XCTAssertEqual(failed.position, position)
        await store.close()
    }

    func test_verifying_counts_redacted_events_and_finds_nothing_wrong() async throws {
        let report = try await FileEventStore.verify(at: "store", in: try disk())
        XCTAssertEqual(report.problems, [])
        XCTAssertEqual(report.redactedCount, 3)
        XCTAssertEqual(report.eventCount, 6)
    }

    func test_salvage_and_backup_keep_the_mark() async throws {
        let disk = try disk()
        for copy in [
            { target in
                _ = try await FileEventStore.salvage(
                    from: "store", in: disk, to: "store", in: target, segmentBytes: 64 << 10)
            },
            { target in
                _ = try await FileEventStore.backup(
                    at: "store", in: disk, to: "store", in: target)
            },
        ] as [(SimulatedDisk) async throws -> Void] {
            let target = SimulatedDisk(seed: 9)
            try await copy(target)
            let store = try await FileEventStore(on: target)
            let log = try await store.wholeLog()
            XCTAssertEqual(log, events)
            await store.close()
        }
    }

    func test_redacting_twice_is_redacting_once() {
        XCTAssertEqual(events[0].redacted(), events[0])
    }

    // MARK: -

    /// Four events of ada and two of bob; the first, the third and the last are redacted.
    private var events: [RecordedEvent] {
        let told: [(String, UInt64, Purse.Event)] = [
            ("ada", 1, .filled(cents: 10)), ("ada", 2, .filled(cents: 20)),
            ("ada", 3, .spent(cents: 5, on: "milk")), ("ada", 4, .filled(cents: 40)),
            ("bob", 1, .filled(cents: 50)), ("bob", 2, .filled(cents: 60)),
        ]
        return told.enumerated().compactMap { number, story in
            guard let encoded = try? story.2.encoded() else { return nil }
            let event = RecordedEvent(
                event: encoded, id: MessageID(high: 1, low: UInt64(number)),
                stream: Purse.ID(story.0).stream, version: StreamVersion(story.1),
                position: LogPosition(UInt64(number) + 1),
                recordedAt: Timestamp(nanoseconds: Int64(number)), tags: story.2.tags,
                metadata: EventMetadata(
                    correlation: MessageID(high: 2, low: 2), headers: ["user": "ada"]))
            return [0, 2, 5].contains(number) ? event.redacted() : event
        }
    }

    private func disk() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try StoreImport(at: "store", in: disk)
        for event in events { try store.append([event], key: nil) }
        try store.finish()
        return disk
    }
}

/// A store without a queued head, so that the bus reads what everybody reads.
private struct PlainStore: EventStore {
    let base: FileEventStore

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await base.append(request)
    }
    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await base.read(request)
    }
    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        try await base.read(request)
    }
    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.waitForEvents(after: position)
    }
}

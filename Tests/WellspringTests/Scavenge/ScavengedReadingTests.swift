@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Who reads a store before, beside and after a scavenge.
final class ScavengedReadingTests: XCTestCase {
    func test_a_reader_goes_on_beside_a_scavenge_without_skipping_or_doubling() async throws {
        let fixture = try await ScavengeFixture()
        for pages in [0, 3, 11, 100] {
            let disk = fixture.disk.afterCrash(keeping: .everything, seed: 5)
            let reader = try await FileEventReader(on: disk)
            var seen: [RecordedEvent] = []
            for _ in 0..<pages { seen += try await page(of: reader, after: seen) }
            try await fixture.scavenge(disk)
            let store = try await fixture.open(disk)
            let receipt = try await store.appendSample(1, to: "later")
            await store.close()
            while true {
                let page = try await page(of: reader, after: seen)
                guard !page.isEmpty else { break }
                seen += page
            }
            XCTAssertEqual(seen.map(\.position.rawValue), Array(1...receipt.position.rawValue))
            for (found, event) in zip(seen, fixture.expected) where found != event {
                XCTAssertEqual(found.redacted(), event, "read before it lost its content")
            }
            let tagged = try await reader.read(
                LogRead(.forward(after: .start), filter: .tagged("fourth")))
            XCTAssertEqual(
                tagged.events, fixture.expected.filter { $0.tags.contains("fourth") })
            let calm = try await reader.read(StreamRead(ScavengeFixture.calm))
            XCTAssertEqual(
                calm.events, fixture.expected.filter { $0.stream == ScavengeFixture.calm })
            await reader.close()
        }
    }

    func test_a_reader_reads_at_every_moment_of_a_scavenge() async throws {
        let fixture = try await ScavengeFixture()
        let directory = try fixture.disk.openStore(at: "store", create: false)
        let log = try FollowedLog.open(
            FollowedFiles(directory: directory, includesUnproven: false, keyMask: .max))
        let reading = Guarded((seen: [RecordedEvent](), failures: [String](), rounds: 0))
        @Sendable func read() {
            reading.withLock { reading in
                reading.rounds += 1
                let last = reading.seen.last?.position ?? .start
                do {
                    _ = try log.advance(upTo: .max)
                    let request = LogRead(.forward(after: last), limit: ReadLimit(events: 2))
                    reading.seen += try log.readingAnew { try $0.read(request).events }
                    let calm = try log.readingAnew {
                        try $0.read(StreamRead(ScavengeFixture.calm)).events
                    }
                    if calm.count != fixture.stream(ScavengeFixture.calm).count {
                        reading.failures.append("\(calm.count) calm events after \(last)")
                    }
                } catch {
                    reading.failures.append("\(error) after \(last)")
                }
            }
        }
        let scavenge = StoreScavenge(
            directory,
            isCancelled: {
                read()
                return false
            }, nil)
        _ = try scavenge.run()
        XCTAssertGreaterThan(reading.withLock { $0.rounds }, 10)
        for _ in 0..<fixture.events.count { read() }
        let (seen, failures, _) = reading.withLock { $0 }
        XCTAssertEqual(failures, [])
        XCTAssertEqual(
            seen.map(\.position.rawValue), Array(1...UInt64(fixture.events.count)))
        log.close()
    }

    func test_an_index_from_before_a_scavenge_is_not_believed() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk, configuration: ScavengeFixture.configuration)
        for stream in ["gone"] + Array(repeating: "kept", count: 600) {
            let event = NewEvent(
                EncodedEvent(
                    name: "note.written", payload: EventPayload(Array(repeating: 7, count: 900))))
            try await store.append(
                AppendRequest([event], to: sampleStream(stream), expecting: .any))
        }
        try await store.delete(sampleStream("gone"))
        await store.close()
        let kept = try await FileEventReader(on: disk).read(StreamRead(sampleStream("kept"))).events
        let runs = disk.fileNames.filter { $0.hasPrefix("idx/") }
        XCTAssertLessThan(runs.count, disk.segments.count, "one run is about several segments")
        let old = runs.map { ($0, disk.contents(of: $0)) }

        // Only the first segment is rewritten, so the runs end where they ended before.
        let report = try await FileEventStore.scavenge(at: "store", in: disk)
        XCTAssertEqual(report.segmentCount, 1)
        for (name, contents) in old { disk.replaceContents(of: name, with: contents) }
        let reader = try await FileEventReader(on: disk)
        let seen = try await reader.read(StreamRead(sampleStream("kept"))).events
        XCTAssertEqual(seen, kept)
        await reader.close()
        let again = try await FileEventStore(on: disk, configuration: ScavengeFixture.configuration)
        XCTAssertGreaterThan(again.report.reindexedSegments, 0)
        let found = try await again.read(StreamRead(sampleStream("kept"))).events
        XCTAssertEqual(found, kept)
        await again.close()
    }

    func test_a_reader_that_waits_hears_of_what_comes_after_a_scavenge() async throws {
        let fixture = try await ScavengeFixture()
        let reader = try await FileEventReader(on: fixture.disk)
        let end = try await reader.read(LogRead(.backward(before: nil))).head
        try await fixture.scavenge()
        let store = try await fixture.open()
        let waiting = Task { try await reader.waitForEvents(after: end) }
        // Its timer is set when the simulated time comes, and not after.
        while !reader.watch.isPolling { await Task.yield() }
        let receipt = try await store.appendSample(1, to: "later")
        await store.close()
        fixture.disk.fireTimers()
        try await waiting.value
        let page = try await reader.read(LogRead(.forward(after: end)))
        XCTAssertEqual(page.events.map(\.position), [receipt.position])
        await reader.close()
    }

    func test_aggregates_are_what_they_were_after_a_truncation_and_lack_what_was_redacted()
        async throws
    {
        let disk = SimulatedDisk()
        var store = try await FileEventStore(on: disk)
        for cents in 1...6 {
            for purse in ["ada", "bob"] as [Purse.ID] {
                try await CommandBus(store).send(Fill(cents: cents), to: purse)
            }
        }
        try await store.truncate(Purse.ID("ada").stream, before: StreamVersion(4))
        let third = try await store.read(StreamRead(Purse.ID("bob").stream)).events[2]
        try await store.requestRedaction(of: [third.position])
        let before = try await store.load(Purse.self, "ada")
        await store.close()
        try await FileEventStore.scavenge(at: "store", in: disk)

        store = try await FileEventStore(on: disk)
        let ada = try await store.load(Purse.self, "ada")
        XCTAssertEqual(ada.state.amounts, before.state.amounts)
        XCTAssertEqual(ada.state.amounts, [4, 5, 6])
        XCTAssertEqual(ada.version, before.version)
        let bob = try await store.load(Purse.self, "bob")
        XCTAssertEqual(bob.state.amounts, [1, 2, 4, 5, 6])
        XCTAssertEqual(bob.version, StreamVersion(6))
        for purse in ["ada", "bob"] as [Purse.ID] {
            let receipt = try await CommandBus(store).send(
                Spend(cents: 15), to: purse, expecting: .exactly(StreamVersion(6)))
            XCTAssertEqual(receipt.version, StreamVersion(7))
        }
        await store.close()
    }

    func test_a_projection_goes_on_from_its_saved_state_and_a_rebuild_has_what_is_left()
        async throws
    {
        let disk = SimulatedDisk()
        var store = try await FileEventStore(on: disk)
        for cents in 1...6 { try await CommandBus(store).send(Fill(cents: cents), to: "ada") }
        try await runOnce(
            ProjectionRunner(
                Contents.self, from: store, checkpoints: store.checkpoints, clock: ManualClock()))
        try await store.truncate(Purse.ID("ada").stream, before: StreamVersion(5))
        await store.close()
        let report = try await FileEventStore.scavenge(at: "store", in: disk)
        XCTAssertEqual(report.savedStates.count, 1)

        store = try await FileEventStore(on: disk)
        try await CommandBus(store).send(Fill(cents: 7), to: "ada")
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: store.checkpoints, clock: ManualClock())
        try await runOnce(runner)
        XCTAssertEqual(runner.snapshot().model.cents, ["ada": 28])
        XCTAssertEqual(runner.snapshot().model.positions, [1, 2, 3, 4, 5, 6, 8])
        try await runner.rebuild()
        XCTAssertEqual(runner.snapshot().model.cents, ["ada": 18])
        XCTAssertEqual(runner.snapshot().model.positions, [5, 6, 8])
        await store.close()
    }

    func test_an_index_run_of_many_segments_is_not_believed_when_one_of_them_has_changed()
        async throws
    {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        // Indexed anew as a whole, with the end of the run in a segment that will not change.
        for _ in 0..<4 {
            let store = try await fixture.open()
            try await store.appendSample(1, to: "more")
            await store.close()
        }
        let directory = try fixture.disk.openStore(at: "store", create: false)
        let segments = try XCTUnwrap(LogInspection(directory).manifest).segments
        let store = try await fixture.open()
        let event = try XCTUnwrap(
            fixture.stream(ScavengeFixture.calm).first {
                $0.position.rawValue >= segments[2].basePosition
            })
        try await store.requestRedaction(of: [event.position])
        await store.close()
        let runs = try IndexRun.list(directory).runs
        let spanning = try XCTUnwrap(runs.first { $0.range.first == 1 })
        XCTAssertGreaterThan(spanning.range.last, segments[4].baseSequence)

        let report = try await fixture.scavenge()
        XCTAssertEqual(report.segmentCount, 1)
        let reopened = try await fixture.open()
        let calm = try await reopened.read(StreamRead(ScavengeFixture.calm))
        XCTAssertEqual(
            calm.events.map(\.id), fixture.stream(ScavengeFixture.calm).map(\.id))
        XCTAssertTrue(calm.events.contains { $0.position == event.position && $0.isRedacted })
        let tagged = try await reopened.read(
            LogRead(.forward(after: .start), filter: .tagged("fourth")))
        XCTAssertEqual(
            tagged.events.map(\.position),
            fixture.events.filter { $0.tags.contains("fourth") }.map(\.position))
        await reopened.close()
        let verify = try await FileEventStore.verify(at: "store", in: fixture.disk)
        XCTAssertEqual(verify.problems, [])
    }

    private func page(
        of reader: FileEventReader, after seen: [RecordedEvent]
    ) async throws -> [RecordedEvent] {
        try await reader.read(
            LogRead(
                .forward(after: seen.last?.position ?? .start), limit: ReadLimit(events: 9))
        ).events
    }
}

extension FollowedLog {
    /// Reads as a reader does: anew when files were rewritten meanwhile.
    fileprivate func readingAnew<Page>(_ body: (FollowedLog) throws -> Page) throws -> Page {
        do {
            return try body(self)
        } catch {
            guard isOutdated else { throw error }
            _ = try advance(upTo: .max)
            return try body(self)
        }
    }
}

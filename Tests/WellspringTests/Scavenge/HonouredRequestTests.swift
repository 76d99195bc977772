@testable import Wellspring
@testable import WellspringLog
import WellspringTestKit
import XCTest

/// What a scavenge has done is not looked at again, and what it has not done is.
final class HonouredRequestTests: XCTestCase {
    func test_what_was_asked_for_right_behind_a_scavenge_is_done_by_the_next_one() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        XCTAssertEqual(try honoured(on: fixture.disk), UInt64(fixture.events.count))
        let store = try await fixture.open()
        let calm = fixture.stream(ScavengeFixture.calm)[1]
        let receipt = try await store.requestRedaction(of: [calm.position])
        XCTAssertEqual(receipt.position.rawValue, UInt64(fixture.events.count) + 1)
        await store.close()
        XCTAssertEqual(try honoured(on: fixture.disk), UInt64(fixture.events.count))
        let report = try await fixture.scavenge()
        XCTAssertEqual(report.redactedCount, 1)
        XCTAssertEqual(try honoured(on: fixture.disk), receipt.position.rawValue)
        XCTAssertFalse(fixture.positionsWithContent().contains(calm.position.rawValue))
    }

    func test_a_scavenge_without_anything_new_reads_nothing_of_what_was_asked_for() async throws {
        let (few, many) = (
            try await storeWithDeletedStreams(3), try await storeWithDeletedStreams(400)
        )
        for disk in [few, many] { try await FileEventStore.scavenge(at: "store", in: disk) }
        let (little, much) = (try await readsOfScavenge(few), try await readsOfScavenge(many))
        XCTAssertLessThanOrEqual(much, little + 10)
        XCTAssertLessThan(much, 60)
        // And it does see where everything is looked at once more.
        try forget(on: many)
        let all = try await readsOfScavenge(many)
        XCTAssertGreaterThan(all, 400)
    }

    func test_a_scavenge_right_after_another_one_reads_not_even_the_log() async throws {
        let disk = try await storeWithDeletedStreams(40)
        try await FileEventStore.scavenge(at: "store", in: disk)
        let operations = disk.operationCount
        let report = try await FileEventStore.scavenge(at: "store", in: disk)
        XCTAssertFalse(report.hasChanged)
        let files = disk.operations.filter { $0.number >= operations && $0.kind == .read }
            .map(\.file)
        XCTAssertFalse(files.contains { $0.hasPrefix("log/") || $0.hasPrefix("idx/") }, "\(files)")
    }

    func test_a_stream_that_is_truncated_further_is_looked_at_from_where_it_was_cut_off()
        async throws
    {
        let disk = SimulatedDisk()
        let stream = sampleStream("long")
        var store = try await FileEventStore(on: disk)
        for _ in 0..<10 {
            let events = (0..<1_000).map { sampleEvent($0) }
            try await store.append(AppendRequest(events, to: stream, expecting: .any))
        }
        try await store.truncate(stream, before: StreamVersion(9_990))
        await store.close()
        let first = try await FileEventStore.scavenge(at: "store", in: disk)
        XCTAssertEqual(first.redactedCount, 9_989)

        store = try await FileEventStore(on: disk)
        try await store.truncate(stream, before: StreamVersion(9_992))
        try await store.truncate(stream, before: StreamVersion(9_993))
        await store.close()
        let again = disk.afterCrash(keeping: .everything, seed: 1)
        let counted = try checksOfScavenge(again, redacting: 3)
        try forget(on: disk)
        // One check a page of at most 1,024 events, and as many elsewhere in both.
        XCTAssertGreaterThanOrEqual(try checksOfScavenge(disk, redacting: 3), counted + 9)
        let reopened = try await FileEventStore(on: again)
        let log = try await reopened.wholeLog()
        XCTAssertEqual(log.filter(\.isRedacted).map(\.version.rawValue), Array(1...9_992))
        await reopened.close()
    }

    func test_events_that_came_after_a_request_with_versions_that_it_cut_off_go_with_the_next_one()
        async throws
    {
        let disk = SimulatedDisk()
        let stream = sampleStream("1")
        let truncation = try StreamTruncation(stream, before: StreamVersion(3))
            .event(EventMetadata())
        let salvaged = try StoreImport(at: "store", in: disk)
        let told: [(StreamID, UInt64, NewEvent)] = [
            (stream, 1, sampleEvent(1)),
            (StreamTruncation.requests(about: stream), 1, truncation),
            // As after damage that took the second event: its version is given out again.
            (stream, 2, sampleEvent(2)),
        ]
        for (number, (stream, version, event)) in told.enumerated() {
            let recorded = RecordedEvent(
                event: event.event, id: MessageID(high: 1, low: UInt64(number)), stream: stream,
                version: StreamVersion(version), position: LogPosition(UInt64(number) + 1),
                recordedAt: Timestamp(nanoseconds: 1), tags: event.tags)
            try salvaged.append([recorded], key: nil)
        }
        try salvaged.finish()
        let first = try await FileEventStore.scavenge(at: "store", in: disk)
        XCTAssertEqual(first.redactedCount, 1)

        let store = try await FileEventStore(on: disk)
        try await store.appendSample(3, to: "1")
        try await store.appendSample(4, to: "1")
        try await store.truncate(stream, before: StreamVersion(4))
        await store.close()
        let second = try await FileEventStore.scavenge(at: "store", in: disk)
        XCTAssertEqual(second.redactedCount, 2)
        let reopened = try await FileEventStore(on: disk)
        let kept = try await reopened.wholeLog().filter { $0.stream == stream && !$0.isRedacted }
        XCTAssertEqual(kept.map(\.version.rawValue), [4])
        await reopened.close()
    }

    func test_a_request_about_an_old_segment_is_done_however_often_that_was_scavenged()
        async throws
    {
        let fixture = try await ScavengeFixture()
        var going = fixture.going
        for round in 0..<4 {
            let calm = fixture.stream(ScavengeFixture.calm)[round * 2]
            let store = try await fixture.open()
            try await store.requestRedaction(of: [calm.position])
            // Segments are sealed between one scavenge and the next.
            let event = NewEvent(
                EncodedEvent(
                    name: "large", payload: EventPayload([UInt8](repeating: 1, count: 70_000))))
            for _ in 0..<2 {
                try await store.append(
                    AppendRequest([event], to: sampleStream("large"), expecting: .any))
            }
            await store.close()
            going.insert(calm.position.rawValue)
            try await fixture.scavenge()
            XCTAssertTrue(fixture.positionsWithContent().isDisjoint(with: going), "\(round)")
        }
        let last = try await fixture.scavenge()
        XCTAssertFalse(last.hasChanged)
    }

    func test_a_long_log_of_which_nothing_is_asked_is_read_once() async throws {
        let maintained = try await MaintainedStore(appends: 60)
        let disk = maintained.disk
        let count = UInt64(maintained.events.count)
        func scavenge(rereading limit: UInt64) throws -> ScavengeReport {
            let directory = try disk.openStore(at: "store", create: false)
            return try StoreScavenge(directory, isCancelled: { false }, nil, rereadLimit: limit)
                .run()
        }
        let before = disk.allContents
        XCTAssertFalse(try scavenge(rereading: count + 1).hasChanged)
        XCTAssertTrue(disk.allContents == before)
        XCTAssertFalse(try scavenge(rereading: count).hasChanged)
        XCTAssertEqual(try honoured(on: disk), count)
        let operations = disk.operationCount
        XCTAssertFalse(try scavenge(rereading: count).hasChanged)
        XCTAssertFalse(
            disk.operations.contains {
                $0.number >= operations && $0.kind == .read && $0.file.hasPrefix("log/")
            })
        let report = try await FileEventStore.verify(at: "store", in: disk)
        XCTAssertEqual(report.problems, [])
    }

    func test_requests_about_nothing_are_not_looked_at_twice_either() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        let store = try await fixture.open()
        let gone = try XCTUnwrap(fixture.going.min())
        try await store.requestRedaction(of: [LogPosition(gone)])
        await store.close()
        let report = try await fixture.scavenge()
        XCTAssertFalse(report.hasChanged)
        XCTAssertEqual(
            report.bytesAfter,
            fixture.disk.segments.reduce(0) {
                $0 + UInt64(fixture.disk.contents(of: $1)?.count ?? 0)
            })
        let before = fixture.disk.allContents
        try await fixture.scavenge()
        XCTAssertTrue(fixture.disk.allContents == before)
    }

    func test_files_that_may_hold_copies_are_named_by_every_scavenge() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        let store = try await fixture.open()
        try await store.checkpoints.save(
            Checkpoint(projection: "contents", revision: 1, position: .start, state: [1]))
        await store.close()
        let report = try await fixture.scavenge()
        XCTAssertEqual(report.savedStates.count, 1)
    }

    func test_a_backup_knows_what_was_done_and_does_what_is_asked_of_it() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        let copy = SimulatedDisk(seed: 4)
        try await FileEventStore.backup(at: "store", in: fixture.disk, to: "store", in: copy)
        XCTAssertEqual(try honoured(on: copy), UInt64(fixture.events.count))
        let store = try await fixture.open(copy)
        let calm = fixture.stream(ScavengeFixture.calm)[1]
        try await store.requestRedaction(of: [calm.position])
        await store.close()
        let report = try await fixture.scavenge(copy)
        XCTAssertEqual(report.redactedCount, 1)
    }

    func test_a_manifest_that_is_made_anew_knows_nothing_of_what_was_done() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        let directory = try fixture.disk.openStore(at: "store", create: false)
        try directory.remove(Manifest.fileName)
        try await FileEventStore.repair(at: "store", in: fixture.disk)
        XCTAssertEqual(try honoured(on: fixture.disk), 0)
        let report = try await fixture.scavenge()
        XCTAssertFalse(report.hasChanged)
        XCTAssertEqual(try honoured(on: fixture.disk), UInt64(fixture.events.count))
    }

    func test_a_salvaged_store_does_what_was_asked_of_the_damaged_one() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        let store = try await fixture.open()
        let calm = fixture.stream(ScavengeFixture.calm)[1]
        try await store.requestRedaction(of: [calm.position])
        await store.close()
        let copy = SimulatedDisk(seed: 4)
        try await FileEventStore.salvage(
            from: "store", in: fixture.disk, to: "store", in: copy)
        XCTAssertEqual(try honoured(on: copy), 0)
        let report = try await fixture.scavenge(copy)
        XCTAssertEqual(report.redactedCount, 1)
        XCTAssertTrue(fixture.positionsWithContent(on: copy).isDisjoint(with: fixture.going))
    }

    func test_a_scavenge_that_was_called_off_in_between_calls_nothing_done() async throws {
        let fixture = try await ScavengeFixture()
        let directory = try fixture.disk.openStore(at: "store", create: false)
        let scavenge = StoreScavenge(
            directory,
            isCancelled: {
                // Once the first segment was rewritten.
                fixture.disk.segments.contains(LogLayout.segment(1, generation: 1))
            }, nil)
        XCTAssertThrowsError(try scavenge.run()) { XCTAssertTrue($0 is CancellationError) }
        XCTAssertEqual(try honoured(on: fixture.disk), 0)
        let report = try await fixture.scavenge()
        XCTAssertEqual(report.segmentCount, 2)
        XCTAssertTrue(fixture.positionsWithContent().isDisjoint(with: fixture.going))
    }

    // MARK: -

    private func storeWithDeletedStreams(_ count: Int) async throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        for number in 1...count {
            try await store.appendSample(number, to: "\(number)")
            try await store.delete(sampleStream("\(number)"))
        }
        await store.close()
        return disk
    }

    /// How many times a scavenge reads from a store whose index is there.
    private func readsOfScavenge(_ disk: SimulatedDisk) async throws -> Int {
        await (try await FileEventStore(on: disk)).close()
        let operations = disk.operationCount
        let report = try await FileEventStore.scavenge(at: "store", in: disk)
        XCTAssertEqual(report.redactedCount, 0)
        return disk.operations.count { $0.number >= operations && $0.kind == .read }
    }

    /// How often a scavenge asks whether it is to go on.
    private func checksOfScavenge(_ disk: SimulatedDisk, redacting: UInt64) throws -> Int {
        let checks = Guarded(0)
        let scavenge = StoreScavenge(
            try disk.openStore(at: "store", create: false),
            isCancelled: {
                checks.withLock { $0 += 1 }
                return false
            }, nil)
        XCTAssertEqual(try scavenge.run().redactedCount, redacting)
        return checks.withLock { $0 }
    }

    private func honoured(on disk: SimulatedDisk) throws -> UInt64 {
        try manifest(on: disk).honouredPosition
    }

    private func manifest(on disk: SimulatedDisk) throws -> Manifest {
        let bytes = try XCTUnwrap(disk.contents(of: Manifest.fileName))
        return try bytes.withUnsafeBytes { try Manifest(decoding: $0) }
    }

    /// Has the MANIFEST say that nobody knows what was done.
    private func forget(on disk: SimulatedDisk) throws {
        let known = try manifest(on: disk)
        let manifest = Manifest(
            storeID: known.storeID, number: known.number, isClean: known.isClean,
            knownEnd: known.knownEnd, segments: known.segments, honouredPosition: 0)
        disk.replaceContents(of: Manifest.fileName, with: manifest.encoded())
    }
}

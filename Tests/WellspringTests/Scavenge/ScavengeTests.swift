@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// After a scavenge the content of what was truncated or redacted is gone, and nothing else is.
final class ScavengeTests: XCTestCase {
    func test_events_lose_their_content_and_nothing_else() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        let store = try await fixture.open()
        let log = try await store.wholeLog()
        XCTAssertEqual(log, fixture.expected)
        XCTAssertEqual(
            Set(log.filter(\.isRedacted).map(\.position.rawValue)), fixture.going)
        await store.close()
        let complaints = try await fixture.complaints(about: fixture.disk, isDone: true)
        XCTAssertEqual(complaints, [])
    }

    func test_no_byte_of_the_content_is_left_in_log_or_index() async throws {
        let fixture = try await ScavengeFixture()
        XCTAssertEqual(fixture.positionsWithContent(), fixture.positionsOfNotes)
        try await fixture.scavenge()
        let kept = fixture.positionsOfNotes.subtracting(fixture.going)
        XCTAssertEqual(fixture.positionsWithContent(), kept)
        XCTAssertGreaterThan(kept.count, 20)
        await (try await fixture.open()).close()
        XCTAssertEqual(fixture.positionsWithContent(), kept, "nor when the index was made again")
    }

    func test_only_segments_with_events_that_go_are_written_anew() async throws {
        let fixture = try await ScavengeFixture()
        let before = fixture.disk.allContents
        try await fixture.scavenge()
        let names = fixture.disk.segments
        XCTAssertEqual(
            names,
            [(1, 1), (2, 0), (3, 1), (4, 1), (5, 0)].map { LogLayout.segment($0, generation: $1) })
        XCTAssertTrue(fixture.disk.contents(of: names[1]) == before[names[1]])
        XCTAssertFalse(fixture.disk.fileNames.contains { $0.hasSuffix(".tmp") })
    }

    func test_the_report_counts_what_was_done() async throws {
        let fixture = try await ScavengeFixture()
        let bytes = fixture.bytesOfSegments
        let report = try await fixture.scavenge()
        XCTAssertTrue(report.hasChanged)
        XCTAssertEqual(report.segmentCount, 3)
        XCTAssertEqual(report.redactedCount, UInt64(fixture.going.count))
        XCTAssertEqual(report.bytesBefore, bytes)
        XCTAssertEqual(report.bytesAfter, fixture.bytesOfSegments)
        XCTAssertLessThan(report.bytesAfter + 30_000, report.bytesBefore)
        XCTAssertEqual(report.quarantined, [])
        XCTAssertEqual(report.savedStates, [])
    }

    func test_files_that_may_hold_copies_are_named() async throws {
        let fixture = try await ScavengeFixture()
        let store = try await fixture.open()
        try await store.checkpoints.save(
            Checkpoint(projection: "contents", revision: 1, position: .start, state: [1]))
        await store.close()
        let directory = try fixture.disk.openStore(at: "store", create: false)
        try directory.makeDirectory(LogLayout.quarantine)
        fixture.disk.replaceContents(of: "quarantine/x.tail", with: [1])
        let report = try await fixture.scavenge()
        XCTAssertEqual(report.quarantined, ["quarantine/x.tail"])
        XCTAssertEqual(
            report.savedStates, fixture.disk.fileNames.filter { $0.hasPrefix("views/") })
        XCTAssertEqual(report.savedStates.count, 1)
    }

    func test_a_second_scavenge_touches_no_file() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        await (try await fixture.open()).close()
        let before = fixture.disk.allContents
        let operations = fixture.disk.operationCount
        let report = try await fixture.scavenge()
        XCTAssertFalse(report.hasChanged)
        XCTAssertEqual(report.redactedCount, 0)
        XCTAssertEqual(report.bytesAfter, report.bytesBefore)
        XCTAssertTrue(fixture.disk.allContents == before)
        let changes = fixture.disk.operations.filter {
            $0.number >= operations && $0.changesDisk && $0.kind != .lock
        }
        XCTAssertEqual(changes, [])
    }

    func test_a_store_of_which_nothing_was_asked_is_not_touched() async throws {
        let maintained = try await MaintainedStore(appends: 60)
        let before = maintained.disk.allContents
        let operations = maintained.disk.operationCount
        let report = try await FileEventStore.scavenge(at: "store", in: maintained.disk)
        XCTAssertFalse(report.hasChanged)
        XCTAssertTrue(maintained.disk.allContents == before)
        XCTAssertFalse(
            maintained.disk.operations.contains {
                $0.number >= operations && $0.changesDisk && $0.kind != .lock
            })
    }

    func test_what_is_asked_for_later_is_done_by_the_next_scavenge() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        let store = try await fixture.open()
        let more = fixture.stream(ScavengeFixture.calm)[1]
        try await store.requestRedaction(of: [more.position])
        await store.close()
        let report = try await fixture.scavenge()
        XCTAssertEqual(report.segmentCount, 1)
        XCTAssertEqual(report.redactedCount, 1)
        XCTAssertTrue(fixture.disk.segments.contains(LogLayout.segment(1, generation: 2)))
        XCTAssertFalse(fixture.positionsWithContent().contains(more.position.rawValue))
    }

    func test_appends_go_on_where_they_were() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        let store = try await fixture.open()
        for stream in [ScavengeFixture.truncated, ScavengeFixture.deleted] {
            let version = StreamVersion(UInt64(fixture.stream(stream).count))
            let error = await storeError {
                try await store.append(
                    AppendRequest([sampleEvent(1)], to: stream, expecting: .noStream))
            }
            guard case .conflict(let conflict)? = error else { return XCTFail("\(error as Any)") }
            XCTAssertEqual(conflict.actual, version)
            let receipt = try await store.append(
                AppendRequest([sampleEvent(1)], to: stream, expecting: .exactly(version)))
            XCTAssertEqual(receipt.version.rawValue, version.rawValue + 1)
        }
        await store.close()
    }

    func test_more_requests_than_one_page_holds_are_all_done() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        for number in 1...300 {
            try await store.appendSample(number, to: "\(number)")
            try await store.delete(sampleStream("\(number)"))
        }
        await store.close()
        let report = try await FileEventStore.scavenge(at: "store", in: disk)
        XCTAssertEqual(report.redactedCount, 300)
    }

    func test_a_request_keeps_its_content_whatever_is_asked() async throws {
        let fixture = try await ScavengeFixture()
        let store = try await fixture.open()
        let requests = fixture.events.filter { $0.stream.isReserved }
        XCTAssertEqual(requests.count, 3)
        try await store.requestRedaction(of: requests.map(\.position))
        await store.close()
        try await fixture.scavenge()
        let reopened = try await fixture.open()
        let log = try await reopened.wholeLog()
        XCTAssertEqual(Array(log.prefix(fixture.events.count)), fixture.expected)
        await reopened.close()
        let again = try await fixture.scavenge()
        XCTAssertFalse(again.hasChanged)
    }

    func test_a_request_is_about_what_was_there_when_it_was_made() async throws {
        let disk = SimulatedDisk()
        let store = try StoreImport(at: "store", in: disk)
        let stream = sampleStream("1")
        let truncation = try StreamTruncation(stream, before: StreamVersion(3))
            .event(EventMetadata())
        let redaction = try XCTUnwrap(
            RedactionRequest([LogPosition(4), LogPosition(0), LogPosition(.max)]).events().first)
        let told: [(StreamID, UInt64, NewEvent)] = [
            (stream, 1, sampleEvent(1)),
            (StreamTruncation.requests(about: stream), 1, truncation),
            (.redactions, 1, redaction),
            // As after damage that took the second event: its version is given out again.
            (stream, 2, sampleEvent(2)),
        ]
        for (number, (stream, version, event)) in told.enumerated() {
            let recorded = RecordedEvent(
                event: event.event, id: MessageID(high: 1, low: UInt64(number)), stream: stream,
                version: StreamVersion(version), position: LogPosition(UInt64(number) + 1),
                recordedAt: Timestamp(nanoseconds: 1), tags: event.tags)
            try store.append([recorded], key: nil)
        }
        try store.finish()
        let report = try await FileEventStore.scavenge(at: "store", in: disk)
        XCTAssertEqual(report.redactedCount, 1)
        let reopened = try await FileEventStore(on: disk)
        let log = try await reopened.wholeLog()
        XCTAssertEqual(log.map(\.isRedacted), [true, false, false, false])
        await reopened.close()
    }
}

extension ScavengeFixture {
    fileprivate var bytesOfSegments: UInt64 {
        disk.segments.reduce(0) { $0 + UInt64(disk.contents(of: $1)?.count ?? 0) }
    }
}

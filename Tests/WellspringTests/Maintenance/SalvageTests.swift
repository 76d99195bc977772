@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Salvage keeps every event outside the destroyed commits, and says exactly what is gone.
final class SalvageTests: XCTestCase {
    /// Salvages a damaged store and checks the new one against what was appended once.
    @discardableResult
    private func salvage(
        _ store: MaintainedStore, losing lost: [Range<UInt64>], line: UInt = #line
    ) async throws -> (report: SalvageReport, disk: SimulatedDisk) {
        let before = store.disk.allContents
        let target = SimulatedDisk(seed: 9)
        // Salvaged later than written: the events keep their times all the same.
        target.advanceClock(nanoseconds: 1_000_000_000_000)
        let report = try await FileEventStore.salvage(
            from: "store", in: store.disk, to: "new", in: target, segmentBytes: 64 << 10)
        XCTAssertTrue(store.disk.allContents == before, "the source was changed", line: line)
        XCTAssertEqual(report.holes, lost, line: line)
        let isLost = { (event: RecordedEvent) in
            lost.contains { $0.contains(event.position.rawValue) }
        }
        let kept = store.events.filter { !isLost($0) }
        XCTAssertEqual(report.eventCount, UInt64(kept.count), line: line)

        let verified = try await FileEventStore.verify(at: "new", in: target)
        XCTAssertEqual(verified.problems, [], line: line)
        XCTAssertEqual(verified.holes, lost, line: line)
        XCTAssertEqual(verified.eventCount, report.eventCount, line: line)

        let opened = try await FileEventStore(
            on: target, configuration: MaintainedStore.configuration)
        XCTAssertTrue(opened.report.wasClean, line: line)
        let found = try await opened.wholeLog()
        XCTAssertEqual(found.count, kept.count, line: line)
        XCTAssertTrue(found == kept, "events differ", line: line)
        try await assertStreams(of: opened, hold: kept, line: line)
        // What is appended next continues positions and versions.
        let stream = try XCTUnwrap(kept.last?.stream)
        let last = try XCTUnwrap(kept.last { $0.stream == stream }?.version)
        let receipt = try await opened.append(
            AppendRequest([sampleEvent(1)], to: stream, expecting: .exactly(last)))
        XCTAssertEqual(
            receipt.position.rawValue, report.lastPosition.rawValue + 1, line: line)
        await opened.close()
        return (report, target)
    }

    private func assertStreams(
        of store: FileEventStore, hold events: [RecordedEvent], line: UInt
    ) async throws {
        for stream in Set(events.map(\.stream)) {
            let expected = events.filter { $0.stream == stream }
            let page = try await store.read(StreamRead(stream, .forward(after: .start)))
            XCTAssertTrue(page.events == expected, "\(stream)", line: line)
            let newest = try await store.read(StreamRead(stream, .backward(before: nil)))
            XCTAssertTrue(newest.events == expected.reversed(), "\(stream)", line: line)
        }
        var backwards: [RecordedEvent] = []
        var before: LogPosition?
        while true {
            let page = try await store.read(
                LogRead(.backward(before: before), limit: ReadLimit(events: 5)))
            backwards += page.events
            guard page.end > LogPosition(1), page.end != before else { break }
            before = page.end
        }
        XCTAssertTrue(backwards == events.reversed(), "backwards", line: line)
    }

    private func positions(of places: some Sequence<FramePlace>) -> [Range<UInt64>] {
        var ranges: [Range<UInt64>] = []
        for place in places {
            ranges.addRange(place.firstPosition..<place.firstPosition + UInt64(place.eventCount))
        }
        return ranges
    }

    func test_a_sound_store_is_copied_whole() async throws {
        try await salvage(try await MaintainedStore(), losing: [])
    }

    func test_a_store_that_was_killed_is_copied_whole() async throws {
        try await salvage(try await MaintainedStore(closes: false), losing: [])
    }

    func test_a_destroyed_segment_header_costs_nothing() async throws {
        for segment in UInt32(1)...3 {
            let store = try await MaintainedStore()
            try store.overwrite(0..<4096, of: LogLayout.segment(segment))
            let (report, _) = try await salvage(store, losing: [])
            XCTAssertEqual(report.problems.map(\.kind), [.segmentHeader])
        }
    }

    func test_destroyed_commits_in_the_middle_are_a_hole_and_all_others_are_kept() async throws {
        for segment in UInt32(1)...3 {
            let store = try await MaintainedStore()
            let places = try store.places(in: segment)
            let gone = places[5...9]
            try store.overwrite(
                Int(places[5].offset) + 10..<Int(places[9].bodyOffset) + 5,
                of: LogLayout.segment(segment))
            try await salvage(store, losing: positions(of: gone))
        }
    }

    func test_a_lost_segment_is_a_hole_and_all_others_are_kept() async throws {
        for segment in UInt32(1)...3 {
            let store = try await MaintainedStore()
            let gone = try store.places(in: segment)
            store.disk.replaceContents(of: LogLayout.segment(segment), with: nil)
            try await salvage(store, losing: positions(of: gone))
        }
    }

    func test_several_holes_in_a_segment_are_kept_apart() async throws {
        let store = try await MaintainedStore()
        let places = try store.places(in: 2)
        let gone = [places[3], places[7], places[12]]
        for place in gone {
            try store.overwrite(place.body, of: LogLayout.segment(2))
        }
        try await salvage(store, losing: positions(of: gone))
    }

    func test_lost_commits_at_the_end_of_a_closed_store_keep_their_positions() async throws {
        let store = try await MaintainedStore()
        let last = store.segmentCount
        let places = try store.places(in: last)
        let gone = places.suffix(2)
        try store.overwrite(
            Int(gone.first?.offset ?? 0)..<Int.max, of: LogLayout.segment(last), with: 0)
        let (report, _) = try await salvage(store, losing: positions(of: gone))
        XCTAssertFalse(report.mayHaveLostMore)
    }

    func test_events_whose_names_are_lost_are_counted_with_their_bytes() async throws {
        let store = try await MaintainedStore()
        let last = store.segmentCount
        let place = try store.places(in: last)[0]
        try store.overwrite(place.body, of: LogLayout.segment(last))
        let verified = try await store.verify()
        let (report, _) = try await salvage(store, losing: verified.lostPositions)
        XCTAssertGreaterThan(report.unresolvedEvents, 0)
        XCTAssertGreaterThan(report.unresolvedBytes, report.unresolvedEvents * 38)
    }

    func test_an_event_whose_version_does_not_follow_is_left_out_so_that_the_rest_opens()
        async throws
    {
        let store = try await MaintainedStore()
        let position = try store.forgeVersion(inSegment: 2, commit: 6)
        let (report, _) = try await salvage(store, losing: [position..<position + 1])
        XCTAssertEqual(report.problems.first?.kind, .versions)
        let verified = try await store.verify()
        XCTAssertEqual(verified.problems.map(\.kind).first, .versions)
    }

    /// What no program of ours writes: a version was never given out.
    func test_events_behind_a_version_that_no_lost_event_explains_are_left_out_and_listed()
        async throws
    {
        let disk = SimulatedDisk()
        let builder = try StoreBuilder(in: disk.openStore(at: "store", create: true))
        for (index, version) in [1, 2, 4, 5].enumerated() {
            for stream in ["torn", "whole"] {
                let version = stream == "torn" ? version : index + 1
                let event = RecordedEvent(
                    event: EncodedEvent(name: "a", payload: EventPayload(utf8: "{}")),
                    id: MessageID(high: 1, low: UInt64(index)), stream: sampleStream(stream),
                    version: StreamVersion(UInt64(version)),
                    position: LogPosition(builder.nextPosition),
                    recordedAt: Timestamp(nanoseconds: 1))
                try builder.commit([BuiltAppend([BuiltRecord(event, frameTime: 1)])], at: 1)
            }
        }
        try builder.finish()
        let target = SimulatedDisk(seed: 3)
        let report = try await FileEventStore.salvage(
            from: "store", in: disk, to: "new", in: target)
        XCTAssertEqual(report.holes, [5..<6, 7..<8])
        XCTAssertEqual(report.problems.map(\.positions), report.holes)
        XCTAssertEqual(Set(report.problems.map(\.kind)), [.versions])
        let advice = try XCTUnwrap(report.problems.first).advice
        XCTAssertTrue(advice.contains("all other streams"), advice)
        let copy = try await FileEventStore.verify(at: "new", in: target)
        XCTAssertEqual(copy.problems, [])
    }

    func test_lost_small_files_cost_nothing() async throws {
        for file in [StoreIdentity.fileName, Manifest.fileName] {
            let store = try await MaintainedStore()
            store.disk.replaceContents(of: file, with: nil)
            try await salvage(store, losing: [])
        }
    }

    func test_a_salvaged_store_can_be_damaged_and_salvaged_again() async throws {
        let store = try await MaintainedStore()
        let places = try store.places(in: 2)
        let gone = [places[3], places[4]]
        for place in gone {
            try store.overwrite(place.body, of: LogLayout.segment(2))
        }
        let target = SimulatedDisk(seed: 9)
        try await FileEventStore.salvage(
            from: "store", in: store.disk, to: "new", in: target, segmentBytes: 64 << 10)
        let again = SimulatedDisk(seed: 10)
        let report = try await FileEventStore.salvage(
            from: "new", in: target, to: "newer", in: again, segmentBytes: 64 << 10)
        XCTAssertEqual(report.holes, positions(of: gone))
        XCTAssertEqual(report.problems, [])
    }

    func test_a_directory_with_anything_in_it_is_refused() async throws {
        let store = try await MaintainedStore(appends: 3)
        let target = SimulatedDisk()
        target.replaceContents(of: "notes.txt", with: [1])
        let error = await storeError {
            _ = try await FileEventStore.salvage(
                from: "store", in: store.disk, to: "new", in: target)
        }
        XCTAssertEqual(error, .notEmpty(path: "new"))
        XCTAssertEqual(target.fileNames, ["notes.txt"])
    }

    func test_the_remains_of_an_interrupted_salvage_are_not_built_upon() async throws {
        let store = try await MaintainedStore(appends: 60)
        let target = SimulatedDisk()
        target.inject(.powerCut(at: 30))
        _ = try? await FileEventStore.salvage(
            from: "store", in: store.disk, to: "new", in: target, segmentBytes: 64 << 10)
        target.crash(keeping: .everything)
        let remains = target.allContents
        XCTAssertFalse(remains.isEmpty)
        let error = await storeError {
            try await FileEventStore.salvage(
                from: "store", in: store.disk, to: "new", in: target, segmentBytes: 64 << 10)
        }
        XCTAssertEqual(error, .notEmpty(path: "new"))
        XCTAssertTrue(target.allContents == remains)
    }

    func test_what_an_interrupted_salvage_leaves_is_no_store() async throws {
        let store = try await MaintainedStore(appends: 60)
        let run = SimulatedDisk()
        try await FileEventStore.salvage(
            from: "store", in: store.disk, to: "new", in: run, segmentBytes: 64 << 10)
        for cut in 1..<run.operationCount {
            let target = SimulatedDisk(seed: UInt64(cut))
            target.inject(.powerCut(at: cut))
            let error = await storeError {
                _ = try await FileEventStore.salvage(
                    from: "store", in: store.disk, to: "new", in: target, segmentBytes: 64 << 10)
            }
            XCTAssertNotNil(error)
            target.crash()
            guard target.contents(of: StoreIdentity.fileName) == nil else {
                let report = try await FileEventStore.verify(at: "new", in: target)
                XCTAssertEqual(report.eventCount, UInt64(store.events.count), "cut \(cut)")
                continue
            }
            do {
                var configuration = MaintainedStore.configuration
                configuration.createsStore = false
                _ = try await FileEventStore(on: target, configuration: configuration)
                XCTFail("half a store opened, cut \(cut)")
            } catch {}
        }
    }

    func test_a_full_disk_ends_a_salvage_with_an_error_that_says_so() async throws {
        let store = try await MaintainedStore(appends: 60)
        let target = SimulatedDisk()
        target.capacity = 40_000
        let error = await storeError {
            _ = try await FileEventStore.salvage(
                from: "store", in: store.disk, to: "new", in: target, segmentBytes: 64 << 10)
        }
        guard case .storageFull? = error else { return XCTFail("\(error as Any)") }
    }
}

extension FramePlace {
    /// Where the body lies in its file.
    fileprivate var body: Range<Int> { Int(bodyOffset)..<Int(bodyOffset) + bodyLength }
}

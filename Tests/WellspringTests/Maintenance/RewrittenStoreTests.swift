import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// What looks after a store knows which files of rewritten segments count.
final class RewrittenStoreTests: XCTestCase {
    private let old = LogLayout.segment(2)
    private let new = LogLayout.segment(2, generation: 1)

    /// A store of five segments, of which the second was rewritten, and the old file of it.
    private func rewrittenStore() async throws -> (store: MaintainedStore, old: [UInt8]) {
        let store = try await MaintainedStore()
        let bytes = try XCTUnwrap(store.disk.contents(of: old))
        try store.disk.rewriteSegments(redacting: { $0 % 2 == 0 }, where: { $0 == 2 })
        return (store, bytes)
    }

    private func log(_ disk: SimulatedDisk) async throws -> [RecordedEvent] {
        let store = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        let events = try await store.wholeLog()
        await store.close()
        return events
    }

    private func assertSame(
        _ found: [RecordedEvent], _ events: [RecordedEvent], line: UInt = #line
    ) {
        XCTAssertEqual(found.map(\.id), events.map(\.id), line: line)
        XCTAssertEqual(found.map(\.version), events.map(\.version), line: line)
        XCTAssertEqual(found.map(\.position), events.map(\.position), line: line)
        XCTAssertEqual(found.map(\.recordedAt), events.map(\.recordedAt), line: line)
        XCTAssertEqual(found.map(\.tags), events.map(\.tags), line: line)
        for (found, event) in zip(found, events) where !found.isRedacted {
            XCTAssertEqual(found, event, line: line)
        }
    }

    // MARK: - Verifying

    func test_a_rewritten_store_is_sound() async throws {
        let (store, _) = try await rewrittenStore()
        let report = try await store.verify()
        XCTAssertEqual(report.problems, [])
        XCTAssertEqual(report.eventCount, UInt64(store.events.count))
        XCTAssertGreaterThan(report.redactedCount, 5)
        assertSame(try await log(store.disk), store.events)
    }

    func test_what_a_rewriting_left_is_told_and_is_no_damage() async throws {
        let (store, bytes) = try await rewrittenStore()
        let later = LogLayout.segment(2, generation: 2)
        let leftovers = [old, later, LogLayout.rewrittenSegment]
        for name in leftovers { store.disk.replaceContents(of: name, with: bytes) }
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.file).sorted(), leftovers.sorted())
        XCTAssertFalse(report.problems.contains { $0.kind.isDamage })
        assertSame(try await log(store.disk), store.events)
        for name in leftovers { XCTAssertNil(store.disk.contents(of: name)) }
        let after = try await store.verify()
        XCTAssertEqual(after.problems, [])
    }

    func test_damage_in_a_rewritten_segment_is_told_with_its_file() async throws {
        let (store, _) = try await rewrittenStore()
        let place = try store.places(in: 2)[3]
        store.disk.flipBit(1, ofByte: Int(place.bodyOffset) + 9, in: new)
        let report = try await store.verify()
        XCTAssertEqual(Set(report.problems.map(\.file)), [new])
        let error = await storeError { _ = try await log(store.disk) }
        guard case .damaged(let damage)? = error else {
            return XCTFail("\(String(describing: error))")
        }
        XCTAssertEqual(damage.file, new)
    }

    func test_a_segment_under_the_name_of_another_generation_is_told() async throws {
        let (store, bytes) = try await rewrittenStore()
        store.disk.replaceContents(of: new, with: bytes)
        let report = try await store.verify()
        XCTAssertTrue(report.problems.contains { $0.file == new && $0.kind == .segmentHeader })
    }

    func test_verifying_beside_a_rewriting_finds_no_damage() async throws {
        let store = try await MaintainedStore()
        let moments = try record(store)
        for pace in 1...12 {
            let disk = TurningDisk(SimulatedDisk(), through: moments, pace: pace * 2)
            let report = try await FileEventStore.verify(at: "store", in: disk)
            XCTAssertEqual(report.problems.filter(\.kind.isDamage), [], "pace \(pace)")
            XCTAssertEqual(report.eventCount, UInt64(store.events.count), "pace \(pace)")
        }
    }

    /// The moments of a rewriting of all segments.
    private func record(_ store: MaintainedStore) throws -> [SimulatedDisk.Moment] {
        store.disk.startRecording()
        try store.disk.rewriteSegments { $0 % 3 == 0 }
        return store.disk.takeRecording()
    }

    func test_looking_goes_on_behind_its_place_when_the_segment_was_rewritten() async throws {
        let store = try await MaintainedStore(appends: 20)
        var examination = try StoreExamination(at: "store", in: store.disk)
        var positions: [UInt64] = []
        func look() throws {
            try examination.read { item in
                if case .append(let events, _) = item {
                    positions += events.map(\.position.rawValue)
                }
                if case .problem(let problem) = item { XCTFail("\(problem)") }
                return true
            }
        }
        try look()
        try store.disk.rewriteSegments { $0 % 2 == 0 }
        try look()
        let opened = try await FileEventStore(on: store.disk)
        try await opened.appendSample(1)
        await opened.close()
        try look()
        try look()
        XCTAssertEqual(positions, Array(1...UInt64(store.events.count + 1)))
    }

    // MARK: - Repairing

    func test_without_a_manifest_the_higher_of_two_whole_generations_counts() async throws {
        let (store, bytes) = try await rewrittenStore()
        store.disk.replaceContents(of: old, with: bytes)
        store.disk.replaceContents(of: Manifest.fileName, with: nil)
        let report = try await FileEventStore.repair(at: "store", in: store.disk)
        XCTAssertTrue(report.isRepaired)
        let events = try await log(store.disk)
        assertSame(events, store.events)
        XCTAssertTrue(events.contains(where: \.isRedacted))
        XCTAssertNil(store.disk.contents(of: old))
    }

    func test_the_higher_generation_counts_though_an_end_of_it_is_read_wrong_once() async throws {
        for length in [SegmentHeader.length, SegmentTrailer.length] {
            let (store, bytes) = try await rewrittenStore()
            store.disk.replaceContents(of: old, with: bytes)
            store.disk.replaceContents(of: Manifest.fileName, with: nil)
            var files = HookedFiles(store.disk)
            let isFirst = Guarded(true)
            files.change = { [new] name, bytes in
                guard name == new, bytes.count == length else { return }
                let flips = isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst
                }
                if flips { bytes[40] ^= 1 }
            }
            let report = try await FileEventStore.repair(at: "store", in: files)
            XCTAssertTrue(report.isRepaired)
            XCTAssertFalse(isFirst.withLock { $0 })
            let events = try await log(store.disk)
            XCTAssertTrue(events.contains(where: \.isRedacted), "\(length) bytes")
            XCTAssertNil(store.disk.contents(of: old))
        }
    }

    func test_without_a_manifest_a_generation_that_is_not_whole_does_not_count() async throws {
        let (store, bytes) = try await rewrittenStore()
        let cut = try XCTUnwrap(store.disk.contents(of: new)?.dropLast(700))
        store.disk.replaceContents(of: new, with: Array(cut))
        store.disk.replaceContents(of: old, with: bytes)
        store.disk.replaceContents(of: Manifest.fileName, with: nil)
        try await FileEventStore.repair(at: "store", in: store.disk)
        let events = try await log(store.disk)
        XCTAssertEqual(events, store.events)
        XCTAssertNil(store.disk.contents(of: new))
    }

    // MARK: - Copying

    func test_a_backup_holds_the_generation_that_lives() async throws {
        let (store, bytes) = try await rewrittenStore()
        store.disk.replaceContents(of: old, with: bytes)
        let copy = SimulatedDisk(seed: 5)
        try await FileEventStore.backup(at: "store", in: store.disk, to: "copy", in: copy)
        XCTAssertNil(copy.contents(of: old))
        XCTAssertEqual(copy.contents(of: new), store.disk.contents(of: new))
        let report = try await FileEventStore.verify(at: "copy", in: copy)
        XCTAssertEqual(report.problems, [])
        let opened = try await FileEventStore(
            on: copy, configuration: MaintainedStore.configuration)
        assertSame(try await opened.wholeLog(), store.events)
        await opened.close()
    }

    func test_a_backup_beside_a_rewriting_is_whole_or_says_that_it_is_not() async throws {
        let store = try await MaintainedStore()
        let moments = try record(store)
        var copies = 0
        for pace in 1...24 {
            let disk = TurningDisk(SimulatedDisk(), through: moments, pace: pace)
            let copy = SimulatedDisk(seed: 5)
            do {
                try await FileEventStore.backup(at: "store", in: disk, to: "copy", in: copy)
            } catch EventStoreError.io, EventStoreError.damaged {
                XCTAssertNil(copy.contents(of: StoreIdentity.fileName))
                continue
            }
            copies += 1
            let report = try await FileEventStore.verify(at: "copy", in: copy)
            XCTAssertEqual(report.problems, [], "pace \(pace)")
            let opened = try await FileEventStore(
                on: copy, configuration: MaintainedStore.configuration)
            assertSame(try await opened.wholeLog(), store.events)
            for key in 0..<11 {
                let stream = sampleStream("\(key)")
                let page = try await opened.read(
                    StreamRead(stream, limit: ReadLimit(events: 10_000)))
                XCTAssertEqual(
                    page.events.map(\.id), store.events.filter { $0.stream == stream }.map(\.id))
            }
            await opened.close()
        }
        XCTAssertEqual(copies, 24)
    }

    func test_a_backup_beside_a_scavenge_of_the_newest_segment_is_whole() async throws {
        let fixture = try await ScavengeFixture()
        fixture.disk.startRecording()
        let report = try await fixture.scavenge()
        let moments = fixture.disk.takeRecording()
        let newest = LogLayout.segment(UInt32(fixture.disk.segments.count) - 1, generation: 1)
        XCTAssertEqual(report.segmentCount, 3)
        XCTAssertTrue(fixture.disk.segments.contains(newest))
        var rewritten = 0
        // A backup that sees the scavenge go on step by step, and one in whose midst much is done.
        var courses = stride(from: 1, to: 24, by: 4).map { pace in
            moments.enumerated().filter { $0.offset % pace == 0 }.map(\.element)
        }
        for still in 1...14 {
            for end in [moments.count - 1, moments.count * 3 / 4] {
                courses.append(
                    Array(repeating: moments[0], count: still) + [moments[end], moments[end]])
            }
        }
        for (number, course) in courses.enumerated() {
            let disk = TurningDisk(SimulatedDisk(), through: course, pace: 1)
            let copy = SimulatedDisk(seed: 5)
            let message = "course \(number)"
            try await FileEventStore.backup(at: "store", in: disk, to: "store", in: copy)
            // One file of each segment, in the generation that is listed.
            let numbers = copy.segments.compactMap {
                LogLayout.parse(String($0.dropFirst(4)))?.number
            }
            XCTAssertEqual(numbers, Array(1...UInt32(numbers.count)), message)
            if copy.segments.contains(newest) { rewritten += 1 }
            let complaints = try await fixture.complaints(
                about: copy.afterCrash(keeping: .everything, seed: 1), isDone: false)
            XCTAssertEqual(complaints, [], message)
            // The copy does not say that more was honoured than is in it.
            try await fixture.scavenge(copy)
            let left = fixture.positionsWithContent(on: copy).intersection(fixture.going)
            XCTAssertEqual(left, [], message)
        }
        XCTAssertGreaterThan(rewritten, 3)

    }

    func test_a_rewritten_store_is_salvaged_with_its_flags() async throws {
        let (store, _) = try await rewrittenStore()
        let place = try store.places(in: 2)[3]
        store.disk.flipBit(1, ofByte: Int(place.bodyOffset) + 9, in: new)
        let copy = SimulatedDisk(seed: 5)
        try await FileEventStore.salvage(from: "store", in: store.disk, to: "copy", in: copy)
        let opened = try await FileEventStore(on: copy)
        let events = try await opened.wholeLog()
        await opened.close()
        XCTAssertGreaterThan(events.count, store.events.count - 10)
        for event in events {
            let original = store.events[Int(event.position.rawValue) - 1]
            XCTAssertEqual(event.id, original.id)
            if !event.isRedacted { XCTAssertEqual(event, original) }
        }
        XCTAssertTrue(events.contains(where: \.isRedacted))
    }

    // MARK: - Reading

    func test_a_reader_that_is_opened_beside_a_rewriting_shows_every_event() async throws {
        let store = try await MaintainedStore()
        let moments = try record(store)
        for pace in 1...20 {
            let disk = TurningDisk(SimulatedDisk(), through: moments, pace: pace)
            let reader = try await FileEventReader(at: "store", in: disk, configuration: .init())
            assertSame(try await reader.wholeLog(), store.events)
            await reader.close()
        }
    }
}

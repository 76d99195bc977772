import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// The index that a store keeps on disk: never believed over the log, never missed.
final class StoreIndexTests: XCTestCase {
    // MARK: - Opening

    func test_opening_after_a_close_reads_no_frames_of_sealed_segments() async throws {
        let (disk, history) = try await closedStore()
        let sealed = disk.segments.dropLast()
        XCTAssertGreaterThan(sealed.count, 3)

        let before = disk.operationCount
        let store = try await FileEventStore(on: disk, configuration: configuration)
        let read = disk.operations.filter {
            $0.number >= before && $0.kind == .read && sealed.contains($0.file)
        }
        // Header and trailer, and of some the place at which an index run ends.
        XCTAssertLessThanOrEqual(read.map(\.count).reduce(0, +), sealed.count * 2 * 4_300)
        try await history.check(store)
        await store.close()
    }

    func test_a_large_segment_is_not_read_again_after_a_close() async throws {
        let disk = SimulatedDisk()
        let large = EventPayload([UInt8](repeating: 7, count: 60_000))
        let store = try await FileEventStore(on: disk)
        for _ in 0..<120 {
            let event = NewEvent(EncodedEvent(name: "large", payload: large))
            try await store.append(
                AppendRequest([event], to: sampleStream("1"), expecting: .any))
        }
        await store.close()
        let before = disk.operationCount
        let again = try await FileEventStore(on: disk)
        let read = disk.operations.filter {
            $0.number >= before && $0.kind == .read && $0.file.hasPrefix("log/")
        }
        // The window of the opening, and what the store's anchor is compared with.
        XCTAssertLessThan(read.map(\.count).reduce(0, +), 1 << 20)
        let page = try await again.read(StreamRead(sampleStream("1")))
        XCTAssertEqual(page.version, StreamVersion(120))
        await again.close()
    }

    // MARK: - What goes wrong with an index

    func test_what_is_missing_of_the_index_is_made_again_from_the_log() async throws {
        let (disk, history) = try await closedStore()
        XCTAssertGreaterThan(disk.runs.count, 1)
        for removed in [\[String].first, \.last] {
            let name = try XCTUnwrap(disk.runs[keyPath: removed])
            disk.replaceContents(of: name, with: nil)
            let store = try await FileEventStore(on: disk, configuration: configuration)
            XCTAssertGreaterThan(store.report.reindexedSegments, 0)
            try await history.check(store)
            await store.close()
            XCTAssertFalse(disk.runs.isEmpty)
            let again = try await FileEventStore(on: disk, configuration: configuration)
            XCTAssertEqual(again.report.reindexedSegments, 0)
            await again.close()
        }
    }

    func test_an_index_that_cannot_be_written_stays_in_memory_and_is_told_of() async throws {
        let notices = Guarded<[StoreNotice]>([])
        var configuration = configuration
        configuration.onNotice = { notice in notices.withLock { $0.append(notice) } }
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk, configuration: configuration)
        var history = History()
        try await history.append(20, to: store, seed: 1)
        XCTAssertTrue(disk.runs.isEmpty)
        // No directory can be made where a file is.
        disk.replaceContents(of: "idx", with: [1])
        try await history.append(200, to: store, seed: 2)
        try await history.check(store)
        XCTAssertTrue(disk.runs.isEmpty)
        let told = notices.withLock { $0 }
        guard case .keptIndexInMemory? = told.last else { return XCTFail("\(told)") }

        disk.replaceContents(of: "idx", with: nil)
        await store.close()
        XCTAssertFalse(disk.runs.isEmpty)
    }

    func test_an_index_that_is_damaged_anywhere_changes_no_answer() async throws {
        let (disk, history) = try await closedStore()
        let whole = Dictionary(
            uniqueKeysWithValues: disk.runs.map { ($0, disk.contents(of: $0) ?? []) })
        for (name, bytes) in whole.sorted(by: { $0.key < $1.key }) {
            for offset in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 9)) {
                disk.flipBit(3, ofByte: offset, in: name)
                let store = try await FileEventStore(on: disk, configuration: configuration)
                try await history.check(store)
                await store.close()
                for name in disk.runs { disk.replaceContents(of: name, with: nil) }
                for (name, bytes) in whole { disk.replaceContents(of: name, with: bytes) }
            }
        }
    }

    func test_a_fork_that_meets_a_damaged_run_leaves_the_file_to_its_parent() async throws {
        let (disk, history) = try await closedStore()
        let store = try await FileEventStore(on: disk, configuration: configuration)
        let runs = disk.runs.sorted()
        for name in runs {
            let bytes = try XCTUnwrap(disk.contents(of: name))
            let header = bytes[12..<16].reversed().reduce(0) { $0 << 8 | Int($1) }
            disk.flipBit(3, ofByte: header + 20, in: name)
        }
        disk.setForked(true)
        try await history.check(store)
        XCTAssertEqual(disk.runs.sorted(), runs)
        disk.setForked(false)
        try await history.check(store)
        await store.close()
    }

    func test_a_damaged_run_does_not_stop_merging() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk, configuration: configuration)
        var history = History()
        while disk.runs.isEmpty { try await history.append(10, to: store, seed: 1) }
        let name = try XCTUnwrap(disk.runs.first)
        let bytes = try XCTUnwrap(disk.contents(of: name))
        // The blocks begin where the header says that it ends.
        let header = bytes[12..<16].reversed().reduce(0) { $0 << 8 | Int($1) }
        disk.flipBit(3, ofByte: header + 20, in: name)

        try await history.append(900, to: store, seed: 2)
        XCTAssertGreaterThan(disk.segments.count, 9)
        XCTAssertLessThan(disk.runs.count, 5)
        try await history.check(store)
        await store.close()
    }

    func test_an_index_of_another_history_is_not_believed() async throws {
        let (disk, history) = try await closedStore()
        let backup = disk.afterCrash(keeping: .everything, seed: 1)
        // The same store goes on in two ways.
        var others: [History] = []
        for (copy, seed) in [(disk, 5), (backup, 6)] {
            let store = try await FileEventStore(on: copy, configuration: configuration)
            var history = history
            try await history.append(200, to: store, seed: UInt64(seed))
            others.append(history)
            await store.close()
        }
        for name in backup.runs { backup.replaceContents(of: name, with: nil) }
        for name in disk.runs {
            backup.replaceContents(of: name, with: disk.contents(of: name))
        }
        let store = try await FileEventStore(on: backup, configuration: configuration)
        try await others[1].check(store)
        await store.close()
    }

    func test_an_older_log_opens_beside_an_index_that_ends_where_it_was_closed() async throws {
        let disk = SimulatedDisk()
        var history = History()
        let first = try await FileEventStore(on: disk)
        try await history.append(20, to: first, seed: 1)
        await first.close()
        // Without an index, the next close writes one of all that was there at opening.
        for name in disk.runs { disk.replaceContents(of: name, with: nil) }
        let older = disk.afterCrash(keeping: .everything, seed: 1)
        let second = try await FileEventStore(on: disk)
        await second.close()

        XCTAssertFalse(disk.runs.isEmpty)
        for name in disk.runs { older.replaceContents(of: name, with: disk.contents(of: name)) }
        let store = try await FileEventStore(on: older)
        XCTAssertTrue(store.report.wasClean)
        try await history.check(store)
        await store.close()
    }

    func test_names_that_collide_in_the_index_are_told_apart() async throws {
        for mask in [0, 1] as [UInt64] {
            var configuration = configuration
            configuration.indexKeyMask = mask
            configuration.streamLimit = 3
            let disk = SimulatedDisk()
            var history = History()
            for seed in 1...3 as ClosedRange<UInt64> {
                let store = try await FileEventStore(on: disk, configuration: configuration)
                try await history.append(25, to: store, seed: seed)
                try await history.check(store)
                await store.close()
            }
        }
    }

    // MARK: - Many streams

    func test_a_store_with_more_streams_than_it_holds_in_memory_forgets_none() async throws {
        var configuration = configuration
        configuration.streamLimit = 4
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk, configuration: configuration)
        var history = History()
        try await history.append(400, to: store, seed: 9)
        try await history.check(store)
        for stream in history.streams.keys {
            let refused = await storeError {
                try await store.append(
                    AppendRequest([sampleEvent(1)], to: stream, expecting: .noStream))
            }
            guard case .conflict(let conflict)? = refused else { return XCTFail("\(stream)") }
            XCTAssertEqual(conflict.actual.rawValue, UInt64(history.streams[stream]?.count ?? 0))
        }
        await store.close()
    }

    // MARK: -

    private var configuration: FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        return configuration
    }

    /// A store of several segments, opened and closed in between.
    private func closedStore() async throws -> (SimulatedDisk, History) {
        let disk = SimulatedDisk()
        var history = History()
        for seed in 1...4 as ClosedRange<UInt64> {
            let store = try await FileEventStore(on: disk, configuration: configuration)
            try await history.append(150, to: store, seed: seed)
            await store.close()
        }
        return (disk, history)
    }
}

/// What was appended to a store, to be compared with what it answers.
private struct History {
    private(set) var events: [(stream: StreamID, number: Int, tags: Set<Tag>)] = []
    private(set) var streams: [StreamID: [Int]] = [:]

    /// Appends `count` times one to three events to streams and with tags drawn by lot.
    mutating func append(
        _ count: Int, to store: some EventStore, seed: UInt64
    ) async throws {
        var dice = SmallDice(seed: seed)
        for _ in 0..<count {
            let stream = sampleStream("\(dice.below(23))")
            var new: [NewEvent] = []
            for _ in 0...dice.below(3) {
                var event = sampleEvent(events.count)
                event.tags = dice.below(3) == 0 ? [Tag("t\(dice.below(9))"), "all"] : []
                // Fills the segments.
                event.metadata.headers["pad"] = String(repeating: "x", count: dice.below(600))
                new.append(event)
                events.append((stream, events.count, Set(event.tags)))
                streams[stream, default: []].append(events.count - 1)
            }
            let version = StreamVersion(UInt64((streams[stream]?.count ?? 0) - new.count))
            try await store.append(
                AppendRequest(new, to: stream, expecting: .exactly(version)))
        }
    }

    /// Compares everything that the store can be asked.
    func check(_ store: some EventStore, line: UInt = #line) async throws {
        let log = try await store.wholeLog()
        XCTAssertEqual(log.map(\.stream), events.map(\.stream), line: line)
        XCTAssertEqual(log.map(\.position.rawValue), log.indices.map { UInt64($0 + 1) }, line: line)
        for (stream, numbers) in streams {
            let limit = ReadLimit(events: 11)
            var found: [RecordedEvent] = []
            for try await event in store.events(in: stream, limit: limit) { found.append(event) }
            XCTAssertEqual(
                found.map(\.position.rawValue), numbers.map { UInt64($0 + 1) }, line: line)
            XCTAssertEqual(
                found.map(\.version.rawValue), numbers.indices.map { UInt64($0 + 1) }, line: line)
            let last = try await store.read(
                StreamRead(stream, .backward(before: nil), limit: limit))
            XCTAssertEqual(
                last.events.map(\.position), found.suffix(11).reversed().map(\.position), line: line
            )
        }
        for tag in ["all", "t1", "t8", "none"] as [Tag] {
            let expected = events.filter { $0.tags.contains(tag) }.map { UInt64($0.number + 1) }
            let forward = try await positions(tag, in: store, forward: true)
            XCTAssertEqual(forward, expected, "\(tag)", line: line)
            let backward = try await positions(tag, in: store, forward: false)
            XCTAssertEqual(backward, expected.reversed(), "\(tag)", line: line)
        }
        let missing = try await store.read(StreamRead(sampleStream("missing")))
        XCTAssertEqual(missing.version, .start, line: line)
    }

    private func positions(
        _ tag: Tag, in store: some EventStore, forward: Bool
    ) async throws -> [UInt64] {
        var found: [UInt64] = []
        var order: ReadOrder<LogPosition> =
            forward ? .forward(after: .start) : .backward(before: nil)
        while true {
            let page = try await store.read(
                LogRead(order, filter: .tagged(tag), limit: ReadLimit(events: 5)))
            found += page.events.map(\.position.rawValue)
            if forward ? page.end >= page.head : page.end.rawValue <= 1 { return found }
            order = forward ? .forward(after: page.end) : .backward(before: page.end)
        }
    }
}

import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Readers beside a writer that begins files, writes its index and is busy.
final class ReaderFollowingTests: XCTestCase {
    private let disk = SimulatedDisk(seed: 21)

    /// No test asks the disk for so much: then it fails, and ends a reader that goes round in
    /// circles.
    private static let operationLimit = 300_000

    override func setUp() {
        disk.inject(.init(.inputOutput, from: Self.operationLimit, .untilHealed))
    }

    override func tearDown() {
        XCTAssertLessThan(disk.operationCount, Self.operationLimit)
    }

    private func small() -> FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        return configuration
    }

    private func append(_ number: Int, to store: FileEventStore) async throws {
        let payload = EventPayload(utf8: String(repeating: "y", count: 3_000))
        let event = NewEvent(
            EncodedEvent(name: "big", payload: payload), tags: [Tag("n:\(number % 3)")])
        try await store.append(
            AppendRequest([event], to: sampleStream("\(number % 4)"), expecting: .any))
    }

    private func check(_ reader: FileEventReader, against store: FileEventStore) async throws {
        let log = try await store.wholeLog()
        let found = try await reader.wholeLog()
        XCTAssertEqual(found, log)
        for key in 0..<4 {
            let stream = sampleStream("\(key)")
            var events: [RecordedEvent] = []
            for try await event in reader.events(in: stream) { events.append(event) }
            XCTAssertEqual(events, log.filter { $0.stream == stream })
            let last = try await reader.lastEvent(of: stream)
            XCTAssertEqual(last, events.last)
        }
        let tagged = try await reader.read(
            LogRead(filter: .tagged("n:1"), limit: ReadLimit(events: 10_000)))
        XCTAssertEqual(tagged.events, log.filter { $0.tags.contains("n:1") })
    }

    func test_a_reader_follows_through_many_files_of_the_log_and_of_the_index() async throws {
        let store = try await FileEventStore(on: disk, configuration: small())
        let reader = try await FileEventReader(on: disk)
        for number in 1...400 {
            try await append(number, to: store)
            guard number % 37 == 0 else { continue }
            disk.fireTimers()
            try await check(reader, against: store)
        }
        XCTAssertGreaterThan(disk.fileNames.filter { $0.hasSuffix(".seg") }.count, 15)
        disk.fireTimers()
        try await check(reader, against: store)
        await store.close()
        try await check(FileEventReader(on: disk), beside: store, log: reader)
    }

    private func check(
        _ fresh: FileEventReader, beside store: FileEventStore, log reader: FileEventReader
    ) async throws {
        let (a, b) = (try await fresh.wholeLog(), try await reader.wholeLog())
        XCTAssertEqual(a, b)
    }

    func test_a_reader_takes_over_the_index_of_the_writer_instead_of_growing() async throws {
        let store = try await FileEventStore(on: disk, configuration: small())
        let directory = try disk.openStore(at: "store", create: false)
        let log = try FollowedLog.open(
            FollowedFiles(directory: directory, includesUnproven: false, keyMask: .max))
        for number in 1...300 {
            try await append(number, to: store)
            if number % 10 == 0 { XCTAssertTrue(try log.advance(upTo: .max)) }
        }
        disk.fireTimers()
        XCTAssertTrue(try log.advance(upTo: .max))
        XCTAssertLessThanOrEqual(log.index.contents.withLock { $0.parts.count }, 8)
        XCTAssertGreaterThan(log.index.runs.count, 0)
        XCTAssertLessThan(log.index.recentCount, 80)
        await store.close()
    }

    func test_opening_reads_the_ends_of_full_files_and_the_frames_of_the_newest_only() async throws
    {
        let store = try await FileEventStore(on: disk, configuration: small())
        for number in 1...300 { try await append(number, to: store) }
        let start = disk.operationCount
        let reader = try await FileEventReader(on: disk)
        let newest = try XCTUnwrap(disk.fileNames.filter { $0.hasSuffix(".seg") }.last)
        let read = disk.operations.filter { $0.number >= start && $0.kind == .read }
        let old = read.filter { $0.file.hasSuffix(".seg") && $0.file != newest }
        XCTAssertLessThanOrEqual(old.map(\.count).max() ?? 0, SegmentHeader.length)
        await reader.close()
        await store.close()
    }

    func test_a_reader_that_was_open_before_the_first_event_shows_it() async throws {
        let store = try await FileEventStore(on: disk)
        let reader = try await FileEventReader(on: disk)
        let none = try await reader.wholeLog()
        XCTAssertEqual(none, [])
        try await append(1, to: store)
        disk.fireTimers()
        try await check(reader, against: store)
        await store.close()
    }

    func test_a_damaged_run_of_the_index_is_made_again_in_memory_and_left_alone() async throws {
        let store = try await FileEventStore(on: disk, configuration: small())
        for number in 1...100 { try await append(number, to: store) }
        disk.fireTimers()
        let log = try await store.wholeLog()
        await store.close()
        let directory = try disk.openStore(at: "store", create: false)
        for listed in try IndexRun.list(directory).runs {
            let run = try IndexRun.open(directory, name: listed.name, storeID: store.storeID)
            disk.flipBit(3, ofByte: Int(run.blockOffset(0)) + 20, in: run.name)
            XCTAssertThrowsError(try run.readBlock(0, run.readDirectory()))
        }
        let start = disk.operationCount
        let reader = try await FileEventReader(on: disk)
        for key in 0..<4 {
            let stream = sampleStream("\(key)")
            let page = try await reader.read(StreamRead(stream))
            XCTAssertEqual(page.events, log.filter { $0.stream == stream })
        }
        let changes = disk.operations.filter { $0.number >= start && $0.changesDisk }
        XCTAssertEqual(changes, [])
    }

    func test_a_store_without_an_index_is_read_all_the_same() async throws {
        let store = try await FileEventStore(on: disk, configuration: small())
        for number in 1...100 { try await append(number, to: store) }
        disk.fireTimers()
        for run in disk.fileNames where run.hasSuffix(".run") {
            disk.replaceContents(of: run, with: nil)
        }
        try await check(FileEventReader(on: disk), against: store)
        await store.close()
    }

    func test_many_events_that_nobody_calls_durable_are_not_read_again_and_again() async throws {
        var configuration = FileEventStore.Configuration()
        configuration.durability = .osManaged
        let store = try await FileEventStore(on: disk, configuration: configuration)
        let reader = try await FileEventReader(on: disk)
        for number in 1...500 { try await append(number, to: store) }
        _ = try await reader.wholeLog()
        let start = disk.operationCount
        _ = try await reader.wholeLog()
        let read = disk.operations.filter { $0.number >= start && $0.kind == .read }
        XCTAssertLessThan(read.reduce(0) { $0 + $1.count }, 600_000)
        XCTAssertEqual(reader.position, .start)
        try await store.sync()
        try await append(501, to: store)
        let shown = try await reader.wholeLog().count
        XCTAssertEqual(shown, 500)
        await store.close()
        try await check(reader, count: 501)
    }

    private func check(_ reader: FileEventReader, count: Int) async throws {
        let found = try await reader.wholeLog().count
        XCTAssertEqual(found, count)
    }

    func test_what_a_store_must_do_for_readers_a_reader_beside_it_does() async throws {
        try await EventStoreChecks.run {
            var configuration = FileEventStore.Configuration()
            // Says of each append at once that it is durable.
            configuration.durability = .strict
            let path = try temporaryDirectory(self)
            return WriterAndReader(
                writer: try await FileEventStore(at: path, configuration: configuration),
                reader: try await FileEventReader(at: path))
        } closing: { store in
            await store.reader.close()
            await store.writer.close()
        }
    }
}

/// Appends to a store and reads from a reader beside it.
private struct WriterAndReader: EventStore {
    let writer: FileEventStore
    let reader: FileEventReader

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await writer.append(request)
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await reader.read(request)
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        try await reader.read(request)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await reader.waitForEvents(after: position)
    }
}

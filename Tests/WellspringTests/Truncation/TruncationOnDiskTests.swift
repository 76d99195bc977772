import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Where a stream begins that was truncated, after everything that may happen to a store on disk.
final class TruncationOnDiskTests: XCTestCase {
    private let disk = SimulatedDisk(seed: 5)
    private let stream = sampleStream("1")

    private var smallSegments: FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        return configuration
    }

    /// Fills several segments with other streams.
    private func fillSegments(of store: FileEventStore) async throws {
        let large = EventPayload([UInt8](repeating: 7, count: 20_000))
        for number in 0..<20 {
            let event = NewEvent(EncodedEvent(name: "large", payload: large))
            try await store.append(
                AppendRequest([event], to: sampleStream("large\(number % 5)"), expecting: .any))
        }
    }

    // MARK: - Opening again

    func test_a_store_that_is_opened_again_knows_where_its_streams_begin() async throws {
        var store = try await FileEventStore(on: disk)
        for number in 1...10 { try await store.appendSample(number) }
        try await store.truncate(stream, before: StreamVersion(4))
        try await store.appendSample(1, to: "2")
        try await store.delete(sampleStream("2"))
        for _ in 1...2 {
            await store.close()
            store = try await FileEventStore(on: disk)
            try await store.assertReads(stream, Array(4...10))
            try await store.assertReads(sampleStream("2"), [])
        }
        let receipt = try await store.truncate(stream, before: StreamVersion(2))
        XCTAssertEqual(receipt.firstVersion, StreamVersion(4))
        XCTAssertEqual(receipt.position, LogPosition(11))
        try await store.truncate(stream, before: StreamVersion(5))
        try await store.assertReads(stream, Array(5...10))
        await store.close()
    }

    func test_a_truncation_that_was_acknowledged_outlives_a_power_cut() async throws {
        for survival in [SimulatedDisk.Survival.nothing, .everything, .chance] {
            let disk = SimulatedDisk(seed: 8)
            let store = try await FileEventStore(on: disk)
            for number in 1...5 { try await store.appendSample(number) }
            try await store.truncate(stream, before: StreamVersion(3))
            disk.crash(keeping: survival)
            let again = try await FileEventStore(on: disk)
            try await again.assertReads(stream, Array(3...5))
            await again.close()
        }
    }

    func test_a_truncation_falls_with_the_events_that_a_crash_takes_back() async throws {
        var configuration = FileEventStore.Configuration()
        configuration.durability = .osManaged
        let store = try await FileEventStore(on: disk, configuration: configuration)
        for number in 1...5 { try await store.appendSample(number) }
        try await store.sync()
        try await store.truncate(stream, before: StreamVersion(3))
        disk.crash(keeping: .nothing)
        let again = try await FileEventStore(on: disk)
        try await again.assertReads(stream, Array(1...5))
        await again.close()
    }

    // MARK: - The index

    func test_a_request_is_found_in_the_index_on_disk() async throws {
        var store = try await FileEventStore(on: disk, configuration: smallSegments)
        for number in 1...10 { try await store.appendSample(number) }
        try await fillSegments(of: store)
        try await store.truncate(stream, before: StreamVersion(4))
        try await fillSegments(of: store)
        try await store.appendSample(11)
        try await fillSegments(of: store)
        await store.close()
        XCTAssertGreaterThan(disk.segments.count, 3)
        XCTAssertGreaterThan(disk.runs.count, 0)
        store = try await FileEventStore(on: disk, configuration: smallSegments)
        try await store.assertReads(stream, Array(4...11))
        let (page, _) = try await store.readQueued(StreamRead(stream))
        XCTAssertEqual(page.events.first?.version, StreamVersion(4))
        await store.close()
    }

    func test_streams_with_the_same_key_in_the_index_are_told_apart() async throws {
        var configuration = FileEventStore.Configuration()
        configuration.indexKeyMask = 0
        configuration.streamLimit = 0
        let store = try await FileEventStore(on: disk, configuration: configuration)
        for number in 1...4 {
            for key in ["1", "2", "3"] { try await store.appendSample(number, to: key) }
        }
        try await store.truncate(sampleStream("1"), before: StreamVersion(3))
        try await store.delete(sampleStream("2"))
        try await store.assertReads(sampleStream("1"), [3, 4])
        try await store.assertReads(sampleStream("2"), [])
        try await store.assertReads(sampleStream("3"), [1, 2, 3, 4])
        await store.close()
    }

    // MARK: - Beside the writer

    func test_a_reader_in_another_process_begins_there_once_the_request_is_durable() async throws {
        let store = try await FileEventStore(on: disk)
        for number in 1...5 { try await store.appendSample(number) }
        disk.fireTimers()
        let reader = try await FileEventReader(on: disk)
        try await reader.assertReads(stream, Array(1...5))
        try await store.truncate(stream, before: StreamVersion(3))
        disk.fireTimers()
        try await reader.assertReads(stream, Array(3...5))
        let page = try await reader.read(StreamRead(stream))
        XCTAssertEqual(page.firstVersion, StreamVersion(3))
        try await store.delete(stream)
        disk.fireTimers()
        try await reader.assertReads(stream, [])
        await reader.close()
        await store.close()
    }

    func test_a_reader_of_a_store_on_a_real_disk_begins_there() async throws {
        let path = try temporaryDirectory(self)
        let store = try await FileEventStore(at: path, configuration: smallSegments)
        for number in 1...5 { try await store.appendSample(number) }
        try await store.truncate(stream, before: StreamVersion(3))
        try await fillSegments(of: store)
        await store.close()
        let reader = try await FileEventReader(at: path)
        try await reader.assertReads(stream, Array(3...5))
        await reader.close()
    }

    // MARK: - Copies and damage

    func test_a_backup_of_a_store_knows_where_its_streams_begin() async throws {
        let path = try temporaryDirectory(self)
        let store = try await FileEventStore(at: path + "/store")
        for number in 1...5 { try await store.appendSample(number) }
        try await store.truncate(stream, before: StreamVersion(3))
        try await store.backup(to: path + "/backup")
        await store.close()
        let copy = try await FileEventStore(at: path + "/backup")
        try await copy.assertReads(stream, Array(3...5))
        await copy.close()
    }

    func test_events_that_take_the_place_of_lost_ones_are_not_cut_off() async throws {
        // Versions 6 to 9 of the stream are lost, and the request to truncate it before 8 is not.
        let events = (1...5).map { Self.event(sampleEvent($0), in: stream, version: $0, at: $0) }
        let truncation = StreamTruncation(stream, before: StreamVersion(8))
        let request = Self.event(
            try truncation.event(EventMetadata()), in: StreamTruncation.requests(about: stream),
            version: 1, at: 10)
        let builder = try StoreImport(at: "store", in: disk)
        try builder.append(events, key: nil)
        try builder.hole(6..<10)
        try builder.append([request], key: nil)
        try builder.finish()

        var store = try await FileEventStore(on: disk)
        try await store.assertReads(stream, [])
        for version in 6...9 as ClosedRange<UInt64> {
            let receipt = try await store.appendSample(Int(version))
            XCTAssertEqual(receipt.version, StreamVersion(version))
            try await store.assertReads(stream, Array(6...version))
            await store.close()
            store = try await FileEventStore(on: disk)
            try await store.assertReads(stream, Array(6...version))
        }
        try await store.truncate(stream, before: StreamVersion(7))
        await store.close()
        store = try await FileEventStore(on: disk)
        try await store.assertReads(stream, [7, 8, 9])
        await store.close()
    }

    private static func event(
        _ new: NewEvent, in stream: StreamID, version: Int, at position: Int
    ) -> RecordedEvent {
        RecordedEvent(
            event: new.event, id: MessageID(high: 0, low: UInt64(position)), stream: stream,
            version: StreamVersion(UInt64(version)), position: LogPosition(UInt64(position)),
            recordedAt: Timestamp(nanoseconds: 1), tags: new.tags, metadata: new.metadata)
    }
}

import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// A store that is read without being written to.
final class FileEventReaderTests: XCTestCase {
    private let disk = SimulatedDisk(seed: 3)

    // MARK: - Opening

    func test_a_store_that_was_closed_is_read_whole() async throws {
        let store = try await FileEventStore(on: disk)
        for number in 1...20 { try await store.appendSample(number, to: "\(number % 3)") }
        let log = try await store.wholeLog()
        await store.close()

        let reader = try await FileEventReader(on: disk)
        let found = try await reader.wholeLog()
        XCTAssertEqual(found, log)
        let page = try await reader.read(StreamRead(sampleStream("1")))
        XCTAssertEqual(page.version, StreamVersion(7))
        XCTAssertEqual(page.events.map(\.version), (1...7).map { StreamVersion($0) })
        await reader.close()
    }

    func test_a_directory_without_a_store_is_refused_as_none() async throws {
        let error = await storeError { _ = try await FileEventReader(on: disk) }
        XCTAssertEqual(error, .notAStore(path: "store"))
        let path = try temporaryDirectory(self)
        let missing = await storeError { _ = try await FileEventReader(at: path + "/no") }
        XCTAssertEqual(missing, .notAStore(path: path + "/no"))
    }

    func test_opening_and_reading_change_nothing_on_the_disk() async throws {
        let store = try await FileEventStore(on: disk)
        for number in 1...5 { try await store.appendSample(number) }
        let before = disk.operationCount
        let reader = try await FileEventReader(on: disk)
        _ = try await reader.wholeLog()
        await reader.close()
        let changes = disk.operations.filter { $0.number >= before && $0.changesDisk }
        XCTAssertEqual(changes, [])
        await store.close()
    }

    // MARK: - Beside a writer

    func test_an_event_is_shown_once_a_later_frame_calls_it_durable() async throws {
        let store = try await FileEventStore(on: disk)
        let reader = try await FileEventReader(on: disk)
        try await store.appendSample(1)
        var shown = try await reader.wholeLog().count
        XCTAssertEqual(shown, 0)
        try await store.appendSample(2)
        shown = try await reader.wholeLog().count
        XCTAssertEqual(shown, 1)
        disk.fireTimers()
        shown = try await reader.wholeLog().count
        XCTAssertEqual(shown, 2)
        XCTAssertEqual(reader.position, LogPosition(2))
        await store.close()
    }

    func test_waiting_ends_when_an_event_is_found_to_be_durable() async throws {
        let store = try await FileEventStore(on: disk)
        try await store.appendSample(1)
        disk.fireTimers()
        let reader = try await FileEventReader(on: disk)
        let waiting = Task { try await reader.waitForEvents(after: LogPosition(1)) }
        try await store.appendSample(2)
        disk.fireTimers()
        while reader.position < LogPosition(2) {
            await Task.yield()
            disk.fireTimers()
        }
        try await waiting.value
        await store.close()
    }

    func test_waiting_ends_with_an_error_when_the_reader_is_closed() async throws {
        let store = try await FileEventStore(on: disk)
        let reader = try await FileEventReader(on: disk)
        let waiting = Task { try await reader.waitForEvents(after: .start) }
        while !reader.watch.isPolling { await Task.yield() }
        await reader.close()
        let error = await storeError { try await waiting.value }
        XCTAssertEqual(error, .closed)
        let read = await storeError { _ = try await reader.read(LogRead()) }
        XCTAssertEqual(read, .closed)
        await store.close()
    }

    func test_a_reader_is_of_no_use_in_a_fork_of_its_process() async throws {
        let store = try await FileEventStore(on: disk)
        let reader = try await FileEventReader(on: disk)
        await store.close()
        disk.setForked(true)
        let waiting = await storeError { try await reader.waitForEvents(after: .start) }
        XCTAssertEqual(waiting, .forked)
        let reading = await storeError { _ = try await reader.read(LogRead()) }
        XCTAssertEqual(reading, .forked)
    }

    func test_waiting_ends_with_an_error_when_its_task_is_cancelled() async throws {
        let store = try await FileEventStore(on: disk)
        let reader = try await FileEventReader(on: disk)
        let waiting = Task { try await reader.waitForEvents(after: .start) }
        while !reader.watch.isPolling { await Task.yield() }
        waiting.cancel()
        let error = await storeError { try await waiting.value }
        XCTAssertEqual(error, .cancelled)
        await store.close()
    }

    func test_a_projection_follows_a_reader() async throws {
        let path = try temporaryDirectory(self)
        let store = try await FileEventStore(at: path)
        let reader = try await FileEventReader(at: path)
        for number in 1...10 { try await store.appendSample(number) }
        var numbers: [LogPosition] = []
        for try await page in reader.subscribe() {
            numbers += page.events.map(\.position)
            if page.end == LogPosition(10) { break }
        }
        XCTAssertEqual(numbers, (1...10).map { LogPosition($0) })
        await store.close()
        await reader.close()
    }
}

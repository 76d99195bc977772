import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Readers of stores that fail, are damaged, or become something else.
final class ReaderFailureTests: XCTestCase {
    private let disk = SimulatedDisk(seed: 9)
    private let segment = "log/0000000001-0000.seg"

    private func fill(_ count: Int, segmentBytes: Int = 64 << 20) async throws -> FileEventStore {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = segmentBytes
        let store = try await FileEventStore(on: disk, configuration: configuration)
        for number in 1...count {
            let payload = EventPayload(utf8: String(repeating: "x", count: 2_000))
            let event = NewEvent(
                EncodedEvent(name: "big", payload: payload),
                id: MessageID(high: 1, low: UInt64(number)), tags: ["t"])
            try await store.append(
                AppendRequest([event], to: sampleStream("\(number % 5)"), expecting: .any))
        }
        return store
    }

    // MARK: - A disk that fails

    func test_any_operation_may_fail_once_and_the_next_try_is_right() async throws {
        let store = try await fill(80, segmentBytes: 64 << 10)
        let log = try await store.wholeLog()
        await store.close()
        let start = disk.operationCount
        try await readAll(log)
        let count = disk.operationCount - start
        XCTAssertGreaterThan(count, 10)
        for number in stride(from: 0, to: count, by: StoreCrashRun.isOptimized ? 1 : 9) {
            disk.inject(.init(.inputOutput, from: disk.operationCount + number))
            var failures = 0
            var isDone = false
            while !isDone {
                do {
                    try await readAll(log)
                    isDone = true
                } catch let error as EventStoreError {
                    failures += 1
                    guard case .io = error else { XCTFail("\(number): \(error)"); break }
                    if failures > 2 { break }
                }
            }
            XCTAssertTrue(isDone, "operation \(number)")
            disk.heal()
        }
    }

    /// Opens, reads everything in every way, and compares it.
    private func readAll(_ log: [RecordedEvent]) async throws {
        let reader = try await FileEventReader(on: disk)
        let found = try await reader.wholeLog()
        XCTAssertEqual(found, log)
        let tagged = try await reader.read(LogRead(filter: .tagged("t")))
        XCTAssertEqual(tagged.events, log)
        let page = try await reader.read(StreamRead(sampleStream("3"), .backward(before: nil)))
        XCTAssertEqual(page.events, log.filter { $0.stream == sampleStream("3") }.reversed())
    }

    func test_a_reader_that_follows_goes_on_after_any_operation_failed() async throws {
        let store = try await fill(40, segmentBytes: 64 << 10)
        let reader = try await FileEventReader(on: disk)
        for number in 1...60 {
            try await store.appendSample(number)
            disk.fireTimers()
            disk.inject(
                .init(
                    .inputOutput, operations: [.read, .open, .status, .list],
                    from: disk.operationCount + number % 12))
            try await allowingFailure {
                _ = try await reader.read(LogRead(.backward(before: nil)))
            }
            disk.heal()
            let found = try await reader.wholeLog()
            let log = try await store.wholeLog()
            XCTAssertEqual(found, log)
        }
        await store.close()
    }

    private func allowingFailure(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as EventStoreError {
            guard case .io = error else { throw error }
        }
    }

    // MARK: - Damage

    func test_a_flipped_bit_in_a_durable_event_is_damage_and_never_a_shorter_log() async throws {
        let store = try await fill(6)
        await store.close()
        let contents = try XCTUnwrap(disk.contents(of: segment))
        for byte in stride(from: 4_096, to: contents.count, by: 97) {
            disk.flipBit(byte % 8, ofByte: byte, in: segment)
            let error = await storeError {
                _ = try await FileEventReader(on: disk).wholeLog()
            }
            guard case .damaged = error else {
                return XCTFail("byte \(byte): \(String(describing: error))")
            }
            disk.flipBit(byte % 8, ofByte: byte, in: segment)
        }
        _ = try await FileEventReader(on: disk).wholeLog()
    }

    func test_a_frame_that_is_half_written_is_no_damage_and_shown_when_it_is_whole() async throws {
        let store = try await fill(3)
        let reader = try await FileEventReader(on: disk)
        disk.startRecording()
        try await store.appendSample(4)
        try await store.appendSample(5)
        let whole = try XCTUnwrap(disk.contents(of: segment))
        let writes = disk.takeRecording().map(\.operation).filter { $0.kind == .write }
        let frame = try XCTUnwrap(writes.first)
        // Every prefix of the write, as a reader may see it.
        for length in stride(from: 0, to: frame.count, by: 8) {
            var torn = Array(whole[..<(Int(frame.offset) + length)])
            torn += [UInt8](repeating: 0, count: 4_096)
            disk.replaceContents(of: segment, with: torn)
            let count = try await reader.wholeLog().count
            XCTAssertEqual(count, length < FrameHeader.length ? 2 : count, "\(length)")
            XCTAssertTrue((2...3).contains(count))
            let fresh = try await FileEventReader(on: disk).wholeLog().count
            XCTAssertTrue((2...3).contains(fresh))
        }
        disk.replaceContents(of: segment, with: whole)
        let count = try await reader.wholeLog().count
        XCTAssertEqual(count, 4)
    }

    func test_what_a_dead_writer_never_marked_is_shown_only_when_asked_for() async throws {
        var store: FileEventStore? = try await fill(5)
        XCTAssertNotNil(store)
        store = nil
        let shown = try await FileEventReader(on: disk).wholeLog().count
        XCTAssertEqual(shown, 4)
        var configuration = FileEventReader.Configuration()
        configuration.includesUnproven = true
        let all = try await FileEventReader(on: disk, configuration: configuration)
        let count = try await all.wholeLog().count
        XCTAssertEqual(count, 5)
    }

    func test_an_event_of_a_dead_writer_is_shown_once_the_store_was_opened_again() async throws {
        var store: FileEventStore? = try await fill(5)
        XCTAssertNotNil(store)
        let reader = try await FileEventReader(on: disk)
        store = nil
        let before = try await reader.wholeLog().count
        XCTAssertEqual(before, 4)
        let again = try await FileEventStore(on: disk)
        let after = try await reader.wholeLog().count
        XCTAssertEqual(after, 5)
        await again.close()
    }

    func test_an_event_in_place_of_one_that_was_taken_back_is_the_one_that_is_shown() async throws {
        let store = try await fill(3)
        let reader = try await FileEventReader(on: disk)
        for number in 10...30 {
            disk.inject(.init(.inputOutput, operations: [.write], from: disk.operationCount))
            let error = await storeError { try await store.appendSample(number) }
            guard case .notStored = error else { return XCTFail("\(String(describing: error))") }
            _ = try await reader.wholeLog()
            try await store.appendSample(number + 100)
            _ = try await reader.wholeLog()
            disk.fireTimers()
            let found = try await reader.wholeLog()
            let log = try await store.wholeLog()
            XCTAssertEqual(found, log)
        }
        await store.close()
    }

    // MARK: - Something else in its place

    func test_a_store_that_was_deleted_is_gone_for_its_reader() async throws {
        let store = try await fill(3)
        let reader = try await FileEventReader(on: disk)
        await store.close()
        for name in disk.fileNames { disk.replaceContents(of: name, with: nil) }
        let error = await storeError { _ = try await reader.read(LogRead(.backward(before: nil))) }
        guard case .replaced(let path, _) = error else {
            return XCTFail("\(String(describing: error))")
        }
        XCTAssertEqual(path, "store")
    }

    func test_another_history_in_the_same_file_is_told_from_the_one_that_was_read() async throws {
        let store = try await fill(3)
        await store.close()
        let reader = try await FileEventReader(on: disk)
        let other = SimulatedDisk(seed: 77)
        let replacement = try await FileEventStore(on: other)
        for number in 1...40 { try await replacement.appendSample(number) }
        await replacement.close()
        for name in other.fileNames {
            disk.replaceContents(of: name, with: other.contents(of: name))
        }
        let error = await storeError { _ = try await reader.read(LogRead(.backward(before: nil))) }
        switch error {
        case .replaced, .damaged: break
        default: XCTFail("\(String(describing: error))")
        }
    }

    func test_an_unproven_event_that_another_took_the_place_of_is_not_kept_silent() async throws {
        var store: FileEventStore? = try await fill(3)
        let other = disk.afterCrash(keeping: .everything, seed: 4)
        try await store?.appendSample(4)
        store = nil
        var configuration = FileEventReader.Configuration()
        configuration.includesUnproven = true
        let reader = try await FileEventReader(on: disk, configuration: configuration)
        let shown = try await reader.wholeLog().count
        XCTAssertEqual(shown, 4)

        let replacement = try await FileEventStore(on: other)
        try await replacement.appendSample(5)
        disk.replaceContents(of: segment, with: other.contents(of: segment))
        let error = await storeError { _ = try await reader.read(LogRead(.backward(before: nil))) }
        guard case .replaced = error else { return XCTFail("\(String(describing: error))") }
    }

    func test_a_file_that_became_shorter_than_what_was_read_is_damage() async throws {
        let store = try await fill(3)
        await store.close()
        let reader = try await FileEventReader(on: disk)
        let contents = try XCTUnwrap(disk.contents(of: segment))
        disk.replaceContents(of: segment, with: Array(contents.dropLast(1_000)))
        let error = await storeError { _ = try await reader.read(LogRead(.backward(before: nil))) }
        guard case .damaged(let damage) = error else {
            return XCTFail("\(String(describing: error))")
        }
        XCTAssertEqual(damage.file, segment)
    }

    func test_waiting_ends_when_another_store_is_at_the_path() async throws {
        let parent = try temporaryDirectory(self)
        let path = parent + "/store"
        let store = try await FileEventStore(at: path)
        try await store.appendSample(1)
        await store.close()
        var configuration = FileEventReader.Configuration()
        configuration.pollInterval = .milliseconds(1)
        let reader = try await FileEventReader(at: path, configuration: configuration)
        try FileManager.default.moveItem(atPath: path, toPath: parent + "/old")
        let other = try await FileEventStore(at: path)
        let error = await storeError { try await reader.waitForEvents(after: LogPosition(1)) }
        XCTAssertEqual(
            error, .replaced(path: path, reason: "another store is at the path now"))
        await reader.close()
        await other.close()
    }
}

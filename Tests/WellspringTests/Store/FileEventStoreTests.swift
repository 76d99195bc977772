import Foundation
import Wellspring
import WellspringTestKit
import XCTest

final class FileEventStoreTests: XCTestCase {
    func test_what_was_appended_is_there_after_closing_and_opening_again() async throws {
        let path = try temporaryDirectory(self) + "/store"
        let store = try await FileEventStore(at: path)
        XCTAssertTrue(store.report.created)
        let tagged = NewEvent(
            EncodedEvent(name: "sample.tagged", payload: [1, 2], codec: .opaque, schemaVersion: 3),
            id: MessageID(high: 1, low: 2), occurredAt: Timestamp(nanoseconds: 77),
            tags: ["a", "b"],
            metadata: EventMetadata(
                correlation: MessageID(high: 3, low: 4), causation: MessageID(high: 5, low: 6),
                headers: ["user": "ada"]))
        try await store.append(
            AppendRequest([
                StreamWrite([sampleEvent(1), tagged], to: sampleStream("1"), expecting: .noStream),
                StreamWrite([sampleEvent(2)], to: sampleStream("2"), expecting: .noStream),
            ]))
        let before = try await store.wholeLog()
        await store.close()

        let again = try await FileEventStore(at: path)
        XCTAssertTrue(again.report.wasClean)
        XCTAssertEqual(again.report.eventCount, 3)
        let after = try await again.wholeLog()
        XCTAssertEqual(after, before)
        XCTAssertEqual(after[1].event, tagged.event)
        XCTAssertEqual(after[1].metadata, tagged.metadata)
        XCTAssertEqual(after[1].occurredAt, Timestamp(nanoseconds: 77))
        let receipt = try await again.append(
            AppendRequest(
                [sampleEvent(3)], to: sampleStream("2"), expecting: .exactly(StreamVersion(1))))
        XCTAssertEqual(receipt.position, LogPosition(4))
        await again.close()
    }

    func test_a_store_that_was_dropped_loses_nothing_and_says_so() async throws {
        let path = try temporaryDirectory(self) + "/store"
        do {
            let store = try await FileEventStore(at: path)
            for number in 1...10 { try await store.appendSample(number) }
        }
        let again = try await FileEventStore(at: path)
        XCTAssertFalse(again.report.wasClean)
        XCTAssertEqual(again.report.eventCount, 10)
        await again.close()
    }

    func test_a_second_opener_is_told_who_has_the_store() async throws {
        let path = try temporaryDirectory(self) + "/store"
        let store = try await FileEventStore(at: path)
        let error = await storeError { _ = try await FileEventStore(at: path) }
        guard case .locked(path, let owner)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertTrue(owner.contains("\(ProcessInfo.processInfo.processIdentifier)"), owner)
        await store.close()
        let next = try await FileEventStore(at: path)
        await next.close()
    }

    func test_a_missing_store_is_not_made_when_that_was_not_wanted() async throws {
        let path = try temporaryDirectory(self) + "/none"
        var configuration = FileEventStore.Configuration()
        configuration.createsStore = false
        let error = await storeError {
            _ = try await FileEventStore(at: path, configuration: configuration)
        }
        XCTAssertEqual(error, .notAStore(path: path))
        XCTAssertFalse(FileManager.default.fileExists(atPath: path))
    }

    func test_a_mistyped_path_does_not_make_a_store_of_somebody_elses_directory() async throws {
        let path = try temporaryDirectory(self)
        try "secret".write(toFile: path + "/diary.txt", atomically: true, encoding: .utf8)
        let error = await storeError { _ = try await FileEventStore(at: path) }
        XCTAssertEqual(error, .notEmpty(path: path))
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: path), ["diary.txt"])
    }

    func test_a_failure_of_the_machine_is_told_in_words() async throws {
        let path = try temporaryDirectory(self)
        try FileManager.default.createSymbolicLink(
            atPath: path + "/link", withDestinationPath: path)
        let error = await storeError { _ = try await FileEventStore(at: path + "/link") }
        let text = try XCTUnwrap(error).description
        XCTAssertTrue(text.contains("symbolic links (error "), text)
    }

    func test_everything_fails_after_close_and_closing_again_does_nothing() async throws {
        let store = try await FileEventStore(at: try temporaryDirectory(self) + "/store")
        try await store.appendSample(1)
        await store.close()
        await store.close()
        let append = await storeError { try await store.appendSample(2) }
        let read = await storeError { _ = try await store.wholeLog() }
        let wait = await storeError { try await store.waitForEvents(after: LogPosition(1)) }
        let save = await storeError {
            try await store.checkpoints.save(
                Checkpoint(projection: "p", revision: 1, position: .start, state: []))
        }
        XCTAssertEqual([append, read, wait, save], [.closed, .closed, .closed, .closed])
    }

    func test_closing_wakes_those_who_wait() async throws {
        let store = try await FileEventStore(at: try temporaryDirectory(self) + "/store")
        async let error = storeError { try await store.waitForEvents(after: .start) }
        await Task.yield()
        await store.close()
        let seen = await error
        XCTAssertEqual(seen, .closed)
    }

    func test_appends_that_were_accepted_are_finished_by_close() async throws {
        let path = try temporaryDirectory(self) + "/store"
        let store = try await FileEventStore(at: path)
        let acknowledged = await withTaskGroup(of: Int.self) { group in
            for number in 1...200 {
                group.addTask {
                    do {
                        try await store.appendSample(number, to: "\(number % 10)")
                        return 1
                    } catch { return 0 }
                }
            }
            group.addTask {
                try? await store.waitForEvents(after: LogPosition(20))
                await store.close()
                return 0
            }
            return await group.reduce(0, +)
        }
        let again = try await FileEventStore(at: path)
        XCTAssertTrue(again.report.wasClean)
        XCTAssertEqual(again.report.eventCount, UInt64(acknowledged))
        await again.close()
    }

    func test_concurrent_appends_share_syncs_and_keep_their_order() async throws {
        let path = try temporaryDirectory(self) + "/store"
        let store = try await FileEventStore(at: path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<32 {
                group.addTask {
                    for number in 1...20 {
                        try await store.append(
                            AppendRequest(
                                [sampleEvent(number)], to: sampleStream("\(writer)"),
                                expecting: .exactly(StreamVersion(UInt64(number - 1)))))
                    }
                }
            }
            try await group.waitForAll()
        }
        await store.close()
        let again = try await FileEventStore(at: path)
        let log = try await again.wholeLog()
        XCTAssertEqual(log.map(\.position.rawValue), Array(1...640))
        for writer in 0..<32 {
            let versions = log.filter { $0.stream == sampleStream("\(writer)") }.map(\.version)
            XCTAssertEqual(versions.map(\.rawValue), Array(1...20))
        }
        await again.close()
    }

    func test_a_log_of_many_segments_reads_like_one() async throws {
        let path = try temporaryDirectory(self) + "/store"
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        configuration.durability = .osManaged
        let store = try await FileEventStore(at: path, configuration: configuration)
        let big = EventPayload([UInt8](repeating: 7, count: 3_000))
        for number in 0..<200 {
            let event = NewEvent(EncodedEvent(name: "sample.big", payload: big))
            try await store.append(
                AppendRequest([event], to: sampleStream("\(number % 3)"), expecting: .any))
        }
        let before = try await store.wholeLog()
        await store.close()
        let again = try await FileEventStore(at: path, configuration: configuration)
        XCTAssertGreaterThan(again.report.segmentCount, 5)
        let after = try await again.wholeLog()
        XCTAssertEqual(after, before)
        let page = try await again.read(
            StreamRead(sampleStream("1"), .backward(before: nil), limit: ReadLimit(events: 3)))
        XCTAssertEqual(page.events.map(\.version.rawValue), [67, 66, 65])
        await again.close()
    }

    func test_every_durability_mode_keeps_what_was_closed() async throws {
        for durability in [
            Durability.everyCommit, .strict, .osManaged,
            .interval(time: .milliseconds(1), bytes: 1),
        ] {
            let path = try temporaryDirectory(self) + "/store"
            var configuration = FileEventStore.Configuration()
            configuration.durability = durability
            let store = try await FileEventStore(at: path, configuration: configuration)
            for number in 1...20 { try await store.appendSample(number) }
            try await store.sync()
            XCTAssertEqual(store.durablePosition, LogPosition(20), "\(durability)")
            await store.close()
            let again = try await FileEventStore(at: path, configuration: configuration)
            XCTAssertEqual(again.report.eventCount, 20, "\(durability)")
            await again.close()
        }
    }
}

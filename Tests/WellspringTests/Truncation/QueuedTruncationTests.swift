import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// A truncation that is accepted and not durable yet.
final class QueuedTruncationTests: XCTestCase {
    private let disk = SimulatedDisk()
    private let stream = sampleStream("1")

    private func store(holding limit: Int = 1 << 16) async throws -> FileEventStore {
        var configuration = FileEventStore.Configuration()
        configuration.streamLimit = limit
        let store = try await FileEventStore(on: disk, configuration: configuration)
        for number in 1...5 { try await store.appendSample(number) }
        return store
    }

    /// Accepts a truncation, and leaves it in the queue.
    private func enqueue(
        before version: UInt64, in store: FileEventStore
    ) throws -> AppendTicket {
        let truncation = StreamTruncation(stream, before: StreamVersion(version))
        let event = try truncation.event(EventMetadata())
        let requests = StreamTruncation.requests(about: stream)
        return try store.core.enqueue(
            AppendRequest([
                StreamWrite([], to: stream, expecting: .any),
                StreamWrite([event], to: requests, expecting: .any),
            ]), for: .truncating(truncation))
    }

    private func firstQueued(in store: FileEventStore) async throws -> UInt64? {
        let (page, _) = try await store.readQueued(StreamRead(stream))
        XCTAssertEqual(page.firstVersion, try store.queuedStream(stream)?.firstVersion)
        return page.events.first?.version.rawValue
    }

    func test_the_queued_head_begins_there_and_readers_see_nothing_of_it() async throws {
        let store = try await store()
        let ticket = try enqueue(before: 3, in: store)
        var queued = try await firstQueued(in: store)
        XCTAssertEqual(queued, 3)
        try await store.assertReads(stream, Array(1...5))

        let further = try enqueue(before: 5, in: store)
        queued = try await firstQueued(in: store)
        XCTAssertEqual(queued, 5)
        _ = try await store.core.receipt(for: further)
        _ = try await store.core.receipt(for: ticket)
        try await store.assertReads(stream, [5])
        await store.close()
    }

    func test_events_that_are_queued_too_follow_where_the_stream_begins() async throws {
        let store = try await store()
        _ = try enqueue(before: 6, in: store)
        let append = AppendRequest([sampleEvent(6)], to: stream, expecting: .any)
        let pending = try store.enqueue(append, basedOn: nil)
        let (page, _) = try await store.readQueued(StreamRead(stream))
        XCTAssertEqual(page.events.map(\.version.rawValue), [6])
        XCTAssertEqual(page.version, StreamVersion(6))
        _ = try await pending.receipt()
        try await store.assertReads(stream, [6])
        await store.close()
    }

    func test_a_deletion_at_a_version_that_is_queued_takes_the_queued_events_in() async throws {
        let store = try await store()
        let append = AppendRequest([sampleEvent(6)], to: stream, expecting: .any)
        let pending = try store.enqueue(append, basedOn: nil)
        let receipt = try await store.delete(stream, expecting: .exactly(StreamVersion(6)))
        XCTAssertEqual(receipt.firstVersion, StreamVersion(7))
        _ = try await pending.receipt()
        try await store.assertReads(stream, [])
        await store.close()
    }

    func test_a_truncation_that_is_taken_back_leaves_the_stream_as_it_was() async throws {
        let store = try await store()
        disk.inject(.init(.inputOutput, operations: [.write]))
        let ticket = try enqueue(before: 3, in: store)
        let error = await storeError { _ = try await store.core.receipt(for: ticket) }
        guard case .notStored? = error else { return XCTFail("\(error as Any)") }
        let queued = try await firstQueued(in: store)
        XCTAssertEqual(queued, 1)
        try await store.assertReads(stream, Array(1...5))
        try await store.truncate(stream, before: StreamVersion(2))
        try await store.assertReads(stream, Array(2...5))
        await store.close()
    }

    func test_a_stream_stays_in_memory_while_a_truncation_of_it_is_queued() async throws {
        let store = try await store(holding: 2)
        let ticket = try enqueue(before: 3, in: store)
        // So many others that nothing else is held for its use.
        for number in 1...20 {
            _ = try await store.readQueued(StreamRead(sampleStream("o\(number)")))
        }
        let queued = try await firstQueued(in: store)
        XCTAssertEqual(queued, 3)
        _ = try await store.core.receipt(for: ticket)
        try await store.assertReads(stream, Array(3...5))
        await store.close()
    }
}

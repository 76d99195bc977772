import WellspringTestKit
import XCTest

@testable import Wellspring

/// What reads of a stream see that was truncated or deleted, in every store.
final class TruncationTests: XCTestCase {
    // MARK: - Reads

    func test_reads_of_a_stream_begin_where_it_was_truncated() async throws {
        try await withTenEvents { store, stream in
            let receipt = try await store.truncate(stream, before: StreamVersion(4))
            XCTAssertEqual(receipt.firstVersion, StreamVersion(4))
            XCTAssertEqual(receipt.position, LogPosition(21))
            try await store.assertReads(stream, Array(4...10))
            try await store.assertReads(sampleStream("other"), Array(1...10))
            let (page, _) = try await store.readQueued(StreamRead(stream))
            XCTAssertEqual(page.events.map(\.version.rawValue), Array(4...10))
        }
    }

    func test_a_read_from_before_the_beginning_begins_there() async throws {
        try await withTenEvents { store, stream in
            try await store.truncate(stream, before: StreamVersion(4))
            for (after, first) in [(0, 4), (2, 4), (3, 4), (4, 5), (9, 10)] as [(UInt64, UInt64)] {
                let request = StreamRead(stream, .forward(after: StreamVersion(after)))
                let page = try await store.read(request)
                XCTAssertEqual(page.events.map(\.version.rawValue), Array(first...10))
                let (queued, _) = try await store.readQueued(request)
                XCTAssertEqual(queued.events.map(\.version.rawValue), Array(first...10))
            }
            for before in [0, 1, 3, 4] as [UInt64] {
                let page = try await store.read(
                    StreamRead(stream, .backward(before: StreamVersion(before))))
                XCTAssertEqual(page.events, [])
                XCTAssertEqual(page.version, StreamVersion(10))
            }
        }
    }

    func test_a_page_says_where_the_stream_begins() async throws {
        try await withTenEvents { store, stream in
            var page = try await store.read(StreamRead(stream))
            XCTAssertEqual(page.firstVersion, StreamVersion(1))
            try await store.truncate(stream, before: StreamVersion(4))
            page = try await store.read(StreamRead(stream, .backward(before: nil)))
            XCTAssertEqual(page.firstVersion, StreamVersion(4))
            page = try await store.readQueued(StreamRead(stream)).page
            XCTAssertEqual(page.firstVersion, StreamVersion(4))
            let known = try store.queuedStream(stream)
            if let known { XCTAssertEqual(known.firstVersion, StreamVersion(4)) }
        }
    }

    func test_versions_and_positions_stay_and_appends_go_on_behind_them() async throws {
        try await withTenEvents { store, stream in
            try await store.truncate(stream, before: StreamVersion(4))
            let page = try await store.read(StreamRead(stream))
            XCTAssertEqual(page.version, StreamVersion(10))
            XCTAssertEqual(page.events.first?.position, LogPosition(8))
            let receipt = try await store.append(
                AppendRequest(
                    [sampleEvent(11)], to: stream, expecting: .exactly(StreamVersion(10))))
            XCTAssertEqual(receipt.version, StreamVersion(11))
            try await store.assertReads(stream, Array(4...11))
        }
    }

    func test_the_log_shows_what_was_cut_off_and_the_request() async throws {
        try await withTenEvents { store, stream in
            let before = try await store.wholeLog()
            let metadata = EventMetadata(headers: ["who": "ada", "why": "retention"])
            try await store.truncate(stream, before: StreamVersion(4), metadata: metadata)
            let log = try await store.wholeLog()
            XCTAssertEqual(log.dropLast(), before[...])
            let request = try XCTUnwrap(log.last)
            XCTAssertEqual(request.stream, StreamID("$truncation/sample/1"))
            XCTAssertEqual(request.tags, ["$scavenge"])
            XCTAssertEqual(request.metadata, metadata)
            XCTAssertEqual(
                String(decoding: Array(request.event.payload), as: UTF8.self),
                #"{"before":4,"stream":"sample/1"}"#)
        }
    }

    func test_a_stream_is_a_sequence_from_where_it_begins() async throws {
        try await withTenEvents { store, stream in
            try await store.truncate(stream, before: StreamVersion(9))
            var versions: [UInt64] = []
            for try await event in store.events(in: stream, limit: ReadLimit(events: 1)) {
                versions.append(event.version.rawValue)
            }
            XCTAssertEqual(versions, [9, 10])
        }
    }

    // MARK: - Going forward

    func test_a_stream_is_only_truncated_further() async throws {
        try await withTenEvents { store, stream in
            let first = try await store.truncate(stream, before: StreamVersion(6))
            for earlier in [0, 1, 5, 6] as [UInt64] {
                let receipt = try await store.truncate(stream, before: StreamVersion(earlier))
                XCTAssertEqual(receipt, first)
            }
            try await store.assertReads(stream, Array(6...10))
            let further = try await store.truncate(stream, before: StreamVersion(8))
            XCTAssertEqual(further.position, LogPosition(22))
            try await store.assertReads(stream, Array(8...10))
        }
    }

    func test_what_is_no_truncation_leaves_no_trace() async throws {
        try await withTenEvents { store, stream in
            let receipt = try await store.truncate(stream, before: StreamVersion(1))
            XCTAssertEqual(
                receipt, TruncationReceipt(firstVersion: StreamVersion(1), position: .start))
            try await store.delete(sampleStream("nothing"))
            let log = try await store.wholeLog()
            XCTAssertEqual(log.count, 20)
        }
    }

    func test_the_furthest_of_truncations_at_the_same_time_counts() async throws {
        try await withTenEvents { store, stream in
            await withTaskGroup(of: Void.self) { group in
                for version in 1...11 as ClosedRange<UInt64> {
                    group.addTask {
                        do {
                            let receipt = try await store.truncate(
                                stream, before: StreamVersion(version))
                            XCTAssertGreaterThanOrEqual(receipt.firstVersion.rawValue, version)
                            let page = try await store.read(StreamRead(stream))
                            XCTAssertGreaterThanOrEqual(page.firstVersion, receipt.firstVersion)
                        } catch {
                            XCTFail("\(error)")
                        }
                    }
                }
            }
            try await store.assertReads(stream, [])
            let requests = try await store.read(
                StreamRead(StreamTruncation.requests(about: stream)))
            let limits = try requests.events.map { try StreamTruncation($0).before }
            XCTAssertEqual(limits, limits.sorted())
            XCTAssertEqual(Set(limits).count, limits.count)
        }
    }

    func test_a_stream_cannot_begin_where_it_has_not_come_to() async throws {
        try await withTenEvents { store, stream in
            let error = await storeError {
                try await store.truncate(stream, before: StreamVersion(12))
            }
            XCTAssertEqual(
                error,
                .invalidRequest(reason: "sample/1 is at version 10 and cannot begin at 12"))
            try await store.truncate(stream, before: StreamVersion(11))
            try await store.assertReads(stream, [])
        }
    }

    func test_a_truncation_on_a_wrong_belief_is_a_conflict() async throws {
        try await withTenEvents { store, stream in
            for before in [nil, StreamVersion(1), StreamVersion(4)] {
                let request = TruncationRequest(
                    stream, before: before, expecting: .exactly(StreamVersion(9)))
                let error = await storeError { try await store.truncate(request) }
                XCTAssertEqual(
                    error,
                    .conflict(
                        StreamConflict(
                            stream: stream, expected: .exactly(StreamVersion(9)),
                            actual: StreamVersion(10))))
            }
            try await store.assertReads(stream, Array(1...10))
            let huge = TruncationRequest(
                stream, before: nil, expecting: .exactly(StreamVersion(.max)))
            let error = await storeError { try await store.truncate(huge) }
            guard case .conflict? = error else { return XCTFail("\(error as Any)") }
        }
    }

    // MARK: - Deleting

    func test_a_deleted_stream_reads_as_empty_and_keeps_its_version() async throws {
        try await withTenEvents { store, stream in
            let receipt = try await store.delete(stream)
            XCTAssertEqual(receipt.firstVersion, StreamVersion(11))
            let page = try await store.read(StreamRead(stream))
            XCTAssertEqual(page.events, [])
            XCTAssertEqual(page.version, StreamVersion(10))
            let last = try await store.lastEvent(of: stream)
            XCTAssertNil(last)
            let error = await storeError {
                _ = try await store.append(
                    AppendRequest([sampleEvent(11)], to: stream, expecting: .noStream))
            }
            guard case .conflict? = error else { return XCTFail("\(error as Any)") }
            try await store.append(
                AppendRequest(
                    [sampleEvent(11)], to: stream, expecting: .exactly(StreamVersion(10))))
            try await store.assertReads(stream, [11])
        }
    }

    func test_a_stream_is_deleted_at_the_version_that_the_caller_knows() async throws {
        try await withTenEvents { store, stream in
            try await store.delete(stream, expecting: .exactly(StreamVersion(10)))
            try await store.assertReads(stream, [])
        }
    }

    func test_an_aggregate_is_loaded_from_where_its_stream_begins() async throws {
        for kind in TruncatedStore.allCases {
            let store = try await kind.open(self)
            let ada = Purse.ID("ada")
            for cents in [1, 2, 4, 8] { await store.fill(ada, cents: cents) }
            try await store.truncate(ada.stream, before: StreamVersion(3))
            var loaded = try await store.load(Purse.self, ada)
            XCTAssertEqual(loaded.state.amounts, [4, 8])
            XCTAssertEqual(loaded.version, StreamVersion(4))
            try await store.delete(ada.stream)
            loaded = try await store.load(Purse.self, ada)
            XCTAssertEqual(loaded.state.amounts, [])
            XCTAssertEqual(loaded.version, StreamVersion(4))
        }
    }

    func test_an_aggregate_that_is_truncated_while_it_is_loaded_is_loaded_anew() async throws {
        let ada = Purse.ID("ada")
        // Before, and behind, what is folded by then.
        for first in [100, 290] as [UInt64] {
            let base = InMemoryEventStore()
            for _ in 0..<300 { await base.fill(ada, cents: 1) }
            let store = InterferingStore(
                base: base,
                beforeReadingStream: { request in
                    guard case .forward(StreamVersion(256)) = request.order else { return }
                    _ = try? await base.truncate(ada.stream, before: StreamVersion(first))
                })
            let loaded = try await store.load(Purse.self, ada)
            XCTAssertEqual(loaded.state.cents, 301 - Int(first))
            XCTAssertEqual(loaded.version, StreamVersion(300))
        }
    }
}

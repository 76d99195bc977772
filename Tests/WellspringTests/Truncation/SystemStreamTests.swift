import WellspringTestKit
import XCTest

@testable import Wellspring

/// The streams that belong to the store itself, and the requests in them.
final class SystemStreamTests: XCTestCase {
    func test_nobody_else_appends_to_a_stream_of_the_store() async throws {
        for kind in TruncatedStore.allCases {
            let store = try await kind.open(self)
            for name in ["$truncation/sample/1", "$redaction/log", "$/1", "$anything/else"] {
                let stream = try XCTUnwrap(StreamID(name))
                let request = AppendRequest([sampleEvent(1)], to: stream, expecting: .any)
                let reason =
                    "category \(stream.category) begins with $, as those of the store itself do"
                let error = await storeError { _ = try await store.append(request) }
                XCTAssertEqual(error, .invalidRequest(reason: reason))
                let queued = await storeError { _ = try store.enqueue(request, basedOn: nil) }
                XCTAssertEqual(queued, .invalidRequest(reason: reason))
                let truncation = await storeError { try await store.delete(stream) }
                XCTAssertEqual(truncation, .invalidRequest(reason: reason))
            }
            try await store.append(
                AppendRequest(
                    [sampleEvent(1)], to: StreamID(category: "a$", key: "$b"), expecting: .any))
            let log = try await store.wholeLog()
            XCTAssertEqual(log.count, 1)
        }
    }

    func test_a_stream_with_the_longest_name_can_be_truncated() async throws {
        for kind in TruncatedStore.allCases {
            let store = try await kind.open(self)
            let stream = sampleStream(String(repeating: "k", count: 1_024 - 7))
            try await store.append(
                AppendRequest([sampleEvent(1), sampleEvent(2)], to: stream, expecting: .any))
            try await store.truncate(stream, before: StreamVersion(2))
            try await store.assertReads(stream, [2])
            let longer = sampleStream(String(repeating: "k", count: 1_024 - 6))
            let error = await storeError { try await store.delete(longer) }
            XCTAssertEqual(
                error,
                .limitExceeded(what: "the stream name in bytes", size: 1_025, limit: 1_024))
        }
    }

    func test_requests_are_found_by_their_tag_and_read_back() async throws {
        try await withTenEvents { store, stream in
            // An event of somebody else's with the same tag is no request.
            var other = sampleEvent(1)
            other.tags = [.scavenge]
            try await store.append(AppendRequest([other], to: stream, expecting: .any))
            try await store.truncate(stream, before: StreamVersion(3))
            let metadata = EventMetadata(headers: ["why": "art. 17"])
            let positions = [LogPosition(2), LogPosition(5)]
            try await store.requestRedaction(of: positions, metadata: metadata)
            let page = try await store.read(LogRead(filter: .tagged(.scavenge)))
            let found = try page.events.map { try ScavengeRequest($0) }
            XCTAssertEqual(
                found,
                [
                    nil, .truncation(StreamTruncation(stream, before: StreamVersion(3))),
                    .redaction(RedactionRequest(positions, metadata: metadata)),
                ])
        }
    }

    func test_a_redaction_of_many_events_is_one_append() async throws {
        let store = InMemoryEventStore()
        let events = (1...25_000).map { _ in NewEvent(EncodedEvent(name: "e", payload: [])) }
        try await store.append(AppendRequest(events, to: sampleStream("1"), expecting: .any))
        let positions = (1...25_000).map { LogPosition(UInt64($0)) }
        let receipt = try await store.requestRedaction(of: positions)
        XCTAssertEqual(receipt.positions, 25_001..<25_004)
        let page = try await store.read(StreamRead(.redactions))
        let found = try page.events.flatMap { try RedactionRequest($0).positions }
        XCTAssertEqual(found, positions)
    }

    func test_a_redaction_of_nothing_or_of_what_is_not_there_is_refused() async throws {
        try await withTenEvents { store, _ in
            for (positions, reason) in [
                ([], "it names no position"),
                ([0], "position 0 is not in the log, which ends at 20"),
                ([1, 21], "position 21 is not in the log, which ends at 20"),
            ] as [([UInt64], String)] {
                let error = await storeError {
                    try await store.requestRedaction(of: positions.map { LogPosition($0) })
                }
                XCTAssertEqual(error, .invalidRequest(reason: reason))
            }
            let log = try await store.wholeLog()
            XCTAssertEqual(log.count, 20)
        }
    }

    func test_a_request_of_a_later_version_of_the_library_is_not_misread() async throws {
        let stream = StreamTruncation.requests(about: sampleStream("1"))
        let good = try StreamTruncation(sampleStream("1"), before: StreamVersion(3))
            .event(EventMetadata()).event
        func recorded(_ event: EncodedEvent, in stream: StreamID) -> RecordedEvent {
            RecordedEvent(
                event: event, id: MessageID(high: 0, low: 1), stream: stream,
                version: StreamVersion(1), position: LogPosition(7),
                recordedAt: Timestamp(nanoseconds: 0))
        }
        XCTAssertEqual(
            try StreamTruncation(recorded(good, in: stream)),
            StreamTruncation(sampleStream("1"), before: StreamVersion(3)))
        var shaped = good
        shaped.schemaVersion = 2
        var named = good
        named.name = "$stream.closed"
        var emptied = good
        emptied.payload = EventPayload(utf8: "{}")
        let elsewhere = StreamTruncation.requests(about: sampleStream("2"))
        for (event, stream) in [
            (shaped, stream), (named, stream), (emptied, stream), (good, elsewhere),
        ] {
            XCTAssertThrowsError(try StreamTruncation(recorded(event, in: stream))) { error in
                guard case .unsupportedFormat(let file, _)? = error as? EventStoreError else {
                    return XCTFail("\(error)")
                }
                XCTAssertEqual(file, "\(stream)")
            }
        }
    }

    func test_a_request_that_begins_before_the_first_version_cuts_nothing_off() async throws {
        for streamLimit in [0, 100] {
            let disk = SimulatedDisk()
            var configuration = FileEventStore.Configuration()
            configuration.streamLimit = streamLimit
            var store = try await FileEventStore(on: disk, configuration: configuration)
            for number in 1...3 { try await store.appendSample(number) }
            let stream = sampleStream("1")
            // As it may come from an import.
            let event = try StreamTruncation(stream, before: .start).event(EventMetadata())
            _ = try await store.core.append(
                AppendRequest(
                    [event], to: StreamTruncation.requests(about: stream), expecting: .any),
                for: .redacting)
            await store.close()
            store = try await FileEventStore(on: disk, configuration: configuration)
            let (page, _) = try await store.readQueued(StreamRead(stream))
            XCTAssertEqual(page.events.count, 3)
            XCTAssertEqual(page.firstVersion, StreamVersion(1))
            try await store.assertReads(stream, [1, 2, 3])
            await store.close()
        }
    }
}

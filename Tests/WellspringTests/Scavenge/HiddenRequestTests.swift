@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// What is to be removed is found in the log, whatever the index says.
final class HiddenRequestTests: XCTestCase {
    private func indexKey(of stream: StreamID, in store: MaintainedStore) throws -> UInt64 {
        let identity = try XCTUnwrap(
            LogInspection(store.disk.openStore(at: "store", create: false)).identity)
        return LogIndex(hashKey: (identity.hashKey.first, identity.hashKey.second)).key(of: stream)
    }

    private func hide(
        in store: MaintainedStore, _ isHidden: (UInt64, IndexEntry) -> Bool
    ) throws {
        var hidden = 0
        for name in store.disk.runs {
            try store.rewriteRun(name) { entries in
                let count = entries.count
                entries.removeAll { isHidden($0.key, $0.entry) }
                hidden += count - entries.count
            }
        }
        XCTAssertGreaterThan(hidden, 0)
    }

    private func log(of store: MaintainedStore) async throws -> [RecordedEvent] {
        let reader = try await FileEventReader(on: store.disk)
        let log = try await reader.wholeLog()
        await reader.close()
        return log
    }

    func test_a_request_that_the_index_does_not_list_is_honoured() async throws {
        let store = try await MaintainedStore(appends: 60)
        let open = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        let hidden = try await open.requestRedaction(of: [store.events[3].position]).position
        try await open.requestRedaction(of: [store.events[9].position])
        await open.close()
        try hide(in: store) { key, entry in key & 1 == 1 && entry.number == hidden.rawValue }
        let report = try await FileEventStore.scavenge(at: "store", in: store.disk)
        XCTAssertEqual(report.redactedCount, 2)
        let log = try await log(of: store)
        XCTAssertTrue(log[3].isRedacted)
        XCTAssertTrue(log[9].isRedacted)
        XCTAssertEqual(log.count(where: \.isRedacted), 2)
    }

    func test_events_of_a_truncated_stream_that_the_index_does_not_list_lose_their_content()
        async throws
    {
        for segment in 1...3 as ClosedRange<UInt32> {
            let store = try await MaintainedStore()
            XCTAssertGreaterThan(store.segmentCount, 3)
            let stream = sampleStream("4")
            let last = try XCTUnwrap(store.events.last { $0.stream == stream }?.version)
            let open = try await FileEventStore(
                on: store.disk, configuration: MaintainedStore.configuration)
            try await open.truncate(stream, before: last)
            await open.close()
            let key = try indexKey(of: stream, in: store)
            try hide(in: store) { $0 == key && $1.place.segment == segment }
            let report = try await FileEventStore.scavenge(at: "store", in: store.disk)
            XCTAssertEqual(report.redactedCount, last.rawValue - 1, "\(segment)")
            let events = try await log(of: store).filter { $0.stream == stream }
            XCTAssertEqual(events.filter { !$0.isRedacted }.map(\.version), [last], "\(segment)")
        }
    }

    func test_the_only_event_of_a_deleted_stream_loses_its_content_though_no_index_lists_it()
        async throws
    {
        let store = try await MaintainedStore(appends: 60)
        let open = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        let position = try await open.appendSample(1, to: "alone").position
        try await open.delete(sampleStream("alone"))
        await open.close()
        let key = try indexKey(of: sampleStream("alone"), in: store)
        try hide(in: store) { found, _ in found == key }
        let report = try await FileEventStore.scavenge(at: "store", in: store.disk)
        XCTAssertEqual(report.redactedCount, 1)
        let log = try await log(of: store)
        XCTAssertTrue(log[Int(position.rawValue) - 1].isRedacted)
    }
}

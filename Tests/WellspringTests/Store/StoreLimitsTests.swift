import Wellspring
import WellspringTestKit
import XCTest

/// The border of every limit, on both sides, and names that try to be something else.
final class StoreLimitsTests: XCTestCase {
    func test_names_at_their_limit_are_kept_and_longer_ones_refused() async throws {
        try await onBothStores { store in
            for (length, isKept) in [(1_023, true), (1_024, true), (1_025, false)] {
                let key = String(repeating: "k", count: length - "sample/".utf8.count)
                try await self.expect(isKept, store, sampleEvent(1), to: sampleStream(key))
            }
            for (length, isKept) in [(254, true), (255, true), (256, false)] {
                let name =
                    String(repeating: "é", count: length / 2)
                    + (length % 2 == 1 ? "n" : "")
                try await self.expect(
                    isKept, store, sampleEvent(1, name: EventName(name)), to: sampleStream("1"))
                let stream = StreamID(category: StreamCategory(name), key: "1")
                try await self.expect(isKept, store, sampleEvent(1), to: stream)
            }
            for (length, isKept) in [(255, true), (256, true), (257, false)] {
                let tag = Tag(String(repeating: "t", count: length))
                try await self.expect(isKept, store, self.event(tags: [tag]), to: sampleStream("1"))
            }
            for (count, isKept) in [(63, true), (64, true), (65, false)] {
                let event = self.event(tags: (0..<count).map { Tag("tag \($0)") })
                try await self.expect(isKept, store, event, to: sampleStream("1"))
            }
        }
    }

    func test_empty_names_and_names_with_nul_are_refused() async throws {
        try await onBothStores { store in
            for bad in ["", "a\0b", "\0"] {
                try await self.expect(false, store, sampleEvent(1), to: sampleStream(bad))
                try await self.expect(
                    false, store, sampleEvent(1, name: EventName(bad)), to: sampleStream("1"))
                try await self.expect(
                    false, store, self.event(tags: [Tag(bad)]), to: sampleStream("1"))
                try await self.expect(
                    false, store, sampleEvent(1),
                    to: StreamID(category: StreamCategory(bad), key: "1"))
            }
            try await self.expect(
                false, store, sampleEvent(1), to: StreamID(category: "a/b", key: "1"))
        }
    }

    func test_names_that_swift_calls_equal_are_different_streams_events_and_tags() async throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        XCTAssertEqual(composed, decomposed)
        try await onBothStores { store in
            for (count, name) in [(1, composed), (2, decomposed)] {
                for _ in 0..<count {
                    let event = NewEvent(
                        EncodedEvent(name: EventName(name), payload: []), tags: [Tag(name)])
                    try await store.append(
                        AppendRequest([event], to: sampleStream(name), expecting: .any))
                }
            }
            for (count, name) in [(1, composed), (2, decomposed)] {
                let stream = try await store.read(StreamRead(sampleStream(name)))
                XCTAssertEqual(stream.version, StreamVersion(UInt64(count)))
                for filter in [EventFilter.named([EventName(name)]), .tagged(Tag(name))] {
                    let page = try await store.read(LogRead(filter: filter))
                    XCTAssertEqual(page.events.count, count)
                }
            }
        }
    }

    func test_payloads_from_nothing_to_the_limit_are_kept_as_they_are() async throws {
        try await onBothStores(isLarge: true) { store in
            for (size, isKept) in [(0, true), (1, true), (8 << 20, true), ((8 << 20) + 1, false)] {
                let payload = EventPayload(
                    sharing: [UInt8](repeating: UInt8(size & 0xFF), count: size)[...])
                let event = NewEvent(EncodedEvent(name: "big", payload: payload))
                try await self.expect(isKept, store, event, to: sampleStream("\(size)"))
            }
        }
    }

    func test_headers_at_their_limit_are_kept_and_larger_ones_refused() async throws {
        try await onBothStores(isLarge: true) { store in
            for (size, isKept) in [(1 << 20, true), ((1 << 20) + 1, false)] {
                // Each header takes eight bytes besides its key and value.
                let value = String(repeating: "v", count: size - 8 - "key".utf8.count)
                let event = NewEvent(
                    EncodedEvent(name: "e", payload: []),
                    metadata: EventMetadata(headers: ["key": value]))
                try await self.expect(isKept, store, event, to: sampleStream("\(size)"))
            }
        }
    }

    func test_more_events_than_an_append_may_have_are_refused() async throws {
        try await onBothStores { store in
            let event = NewEvent(EncodedEvent(name: "e", payload: []))
            let events = Array(repeating: event, count: 100_001)
            do {
                _ = try await store.append(
                    AppendRequest(events, to: sampleStream("1"), expecting: .any))
                XCTFail("they were kept")
            } catch EventStoreError.limitExceeded(let what, let size, _) {
                XCTAssertEqual("\(what) \(size)", "the number of events 100001")
            }
        }
    }

    func test_an_append_of_nearly_the_limit_is_kept_whole_and_a_larger_one_refused() async throws {
        try await onBothStores(isLarge: true) { store in
            let payload = EventPayload(sharing: [UInt8](repeating: 3, count: 1 << 20)[...])
            let event = NewEvent(EncodedEvent(name: "big", payload: payload))
            for (count, isKept) in [(14, true), (15, false)] {
                let request = AppendRequest(
                    Array(repeating: event, count: count), to: sampleStream("\(count)"),
                    expecting: .noStream)
                do {
                    let receipt = try await store.append(request)
                    XCTAssertTrue(isKept)
                    XCTAssertEqual(receipt.version, StreamVersion(UInt64(count)))
                } catch {
                    guard case .limitExceeded? = error as? EventStoreError, !isKept else {
                        return XCTFail("\(count): \(error)")
                    }
                }
            }
            let page = try await store.read(LogRead(limit: ReadLimit(bytes: 1)))
            XCTAssertEqual(page.events.count, 14, "a page never splits an append")
            XCTAssertTrue(page.events.allSatisfy { $0.event.payload == payload })
        }
    }

    func test_names_of_any_other_kind_survive_closing() async throws {
        let disk = SimulatedDisk()
        let keys = [
            "..", "../../etc/passwd", "a//b/", "/", " ", "\n\r\t", "\u{FEFF}", "\u{301}x",
            "👩‍👩‍👧‍👦", "\u{10FFFF}", "%s%n", "'; DROP TABLE", "\u{202E}abc", "ﬃ", "\u{7F}",
        ]
        let store = try await FileEventStore(on: disk)
        for key in keys {
            let event = NewEvent(
                EncodedEvent(name: EventName(key), payload: EventPayload(utf8: key)),
                tags: [Tag(key)], metadata: EventMetadata(headers: [key: key, "": ""]))
            try await store.append(
                AppendRequest([event], to: sampleStream(key), expecting: .noStream))
        }
        let before = try await store.wholeLog()
        await store.close()
        let again = try await FileEventStore(on: disk)
        let after = try await again.wholeLog()
        XCTAssertEqual(after, before)
        XCTAssertEqual(after.map(\.stream.key.utf8.count), keys.map(\.utf8.count))
        for key in keys {
            let page = try await again.read(StreamRead(sampleStream(key)))
            XCTAssertEqual(page.version, StreamVersion(1), key)
        }
        await again.close()
    }

    // MARK: - Help

    private func onBothStores(
        isLarge: Bool = false, _ body: (any EventStore) async throws -> Void
    ) async throws {
        try await body(InMemoryEventStore())
        // Unoptimized, the simulated disk takes most of a minute for so much.
        guard !isLarge || StoreCrashRun.isOptimized else { return }
        var configuration = FileEventStore.Configuration()
        configuration.durability = .osManaged
        let store = try await FileEventStore(on: SimulatedDisk(), configuration: configuration)
        try await body(store)
        await store.close()
    }

    private func event(tags: [Tag]) -> NewEvent {
        NewEvent(EncodedEvent(name: "tagged", payload: [1]), tags: tags)
    }

    /// Appends and reads back, or is refused without a trace.
    private func expect(
        _ isKept: Bool, _ store: any EventStore, _ event: NewEvent, to stream: StreamID,
        line: UInt = #line
    ) async throws {
        let before = try await store.read(LogRead(limit: ReadLimit(events: 1))).head
        do {
            try await store.append(AppendRequest([event], to: stream, expecting: .any))
        } catch {
            switch error {
            case .limitExceeded, .invalidRequest: XCTAssertFalse(isKept, line: line)
            default: XCTFail("\(error)", line: line)
            }
            let after = try await store.read(LogRead(limit: ReadLimit(events: 1))).head
            return XCTAssertEqual(after, before, line: line)
        }
        XCTAssertTrue(isKept, "it should have been refused", line: line)
        let last = try await store.lastEvent(of: stream)
        XCTAssertEqual(last?.event, event.event, line: line)
        XCTAssertEqual(last?.tags, event.tags, line: line)
    }
}

import Foundation
import Wellspring
import WellspringTestKit
import XCTest

/// What reads return, against the simplest possible idea of it.
final class StoreReadingTests: XCTestCase {
    private static let scale =
        Int(ProcessInfo.processInfo.environment["WELLSPRING_STRESS"] ?? "") ?? 1

    func test_reads_of_a_memory_store_return_what_a_list_would() async throws {
        for seed in 1...UInt64(20 * Self.scale) {
            try await check(InMemoryEventStore(), seed: seed)
        }
    }

    func test_reads_of_a_file_store_return_what_a_list_would() async throws {
        for seed in 1...UInt64(6 * Self.scale) {
            let disk = SimulatedDisk(seed: seed)
            var configuration = FileEventStore.Configuration()
            configuration.segmentBytes = 64 << 10
            configuration.durability = .osManaged
            let store = try await FileEventStore(on: disk, configuration: configuration)
            let reference = try await check(store, seed: seed)
            await store.close()
            let again = try await FileEventStore(on: disk, configuration: configuration)
            try await checkReads(of: again, reference, SmallDice(seed: seed &+ 9))
            await again.close()
        }
    }

    func test_a_page_can_go_on_with_a_last_append_that_is_shorter_than_a_header() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        // Two appends in one group, the last of them without any content.
        let requests = [30, 0].map { size in
            let event = NewEvent(
                EncodedEvent(name: "e", payload: EventPayload([UInt8](repeating: 1, count: size))))
            return AppendRequest([event], to: sampleStream("1"), expecting: .any)
        }
        let pending = try requests.map { try store.enqueue($0, basedOn: nil) }
        for append in pending { _ = try await append.receipt() }
        // What a full disk leaves: a log without zeros behind its last frame.
        disk.inject(.init(.noSpace, operations: [.write]))
        let refused = await storeError { try await store.appendSample(1, to: "2") }
        guard case .storageFull? = refused else { return XCTFail("\(refused as Any)") }

        let first = try await store.read(LogRead(limit: ReadLimit(events: 1)))
        XCTAssertEqual(first.events.count, 1)
        let second = try await store.read(
            LogRead(.forward(after: first.end), limit: ReadLimit(events: 1)))
        XCTAssertEqual(second.events.map(\.position), [LogPosition(2)])
        await store.close()
    }

    func test_a_limit_that_is_changed_afterwards_is_still_one_at_least() async throws {
        let store = InMemoryEventStore()
        try await store.appendSample(2)
        var limit = ReadLimit()
        limit.events = -1
        limit.bytes = 0
        XCTAssertEqual(limit, ReadLimit(events: 1, bytes: 1))
        let page = try await store.read(LogRead(limit: limit))
        XCTAssertEqual(page.events.count, 1)
    }

    /// Fills a store by chance, and compares reads by chance.
    @discardableResult
    private func check(_ store: any EventStore, seed: UInt64) async throws -> ReferenceLog {
        var dice = SmallDice(seed: seed)
        var reference = ReferenceLog()
        for number in 0..<60 {
            let request = Self.request(number, &dice)
            let receipt = try await store.append(request)
            XCTAssertEqual(receipt.positions, reference.append(request), "seed \(seed)")
        }
        try await checkReads(of: store, reference, dice)
        return reference
    }

    private static func request(_ number: Int, _ dice: inout SmallDice) -> AppendRequest {
        var request = AppendRequest([])
        let count = 1 + dice.below(3)
        for offset in 0..<count {
            let key = (dice.below(4) + offset * 4)
            let category: StreamCategory = ["sample", "other", "samplé"][key % 3]
            let stream = StreamID(category: category, key: "\(key)")
            let events = (0..<dice.below(5)).map { place in
                NewEvent(
                    EncodedEvent(
                        name: EventName("name.\(dice.below(5))"),
                        payload: CrashEvent.bytes(
                            [0, 1, 30, 700][dice.below(4)], seed: UInt64(number))),
                    id: MessageID(high: UInt64(number), low: UInt64(offset * 10 + place)),
                    tags: (0..<dice.below(4)).map { _ in Tag("tag \(dice.below(4))") })
            }
            request.writes.append(StreamWrite(events, to: stream, expecting: .any))
        }
        return request
    }

    private func checkReads(
        of store: any EventStore, _ reference: ReferenceLog, _ dice: SmallDice
    ) async throws {
        var dice = dice
        for _ in 0..<60 {
            let limit = ReadLimit(
                events: [1, 2, 5, 17, 1_000][dice.below(5)],
                bytes: [1, 40, 900, 5_000, 1 << 20][dice.below(5)])
            let filter = Self.filter(&dice)
            let start = UInt64(dice.below(reference.events.count + 4))
            try await checkForward(store, reference, start, filter, limit)
            try await checkBackward(
                store, reference, dice.below(4) == 0 ? nil : start, filter, limit)
            let stream = reference.streams[dice.below(reference.streams.count)]
            try await checkStream(store, reference, stream, UInt64(dice.below(30)), limit)
        }
    }

    private static func filter(_ dice: inout SmallDice) -> EventFilter {
        var filter = EventFilter.all
        if dice.below(3) == 0 {
            filter.categories = Set(
                (0..<dice.below(3)).map { _ in ["sample", "samplé", "none"][dice.below(3)] })
        }
        if dice.below(3) == 0 {
            filter.names = Set((0..<dice.below(4)).map { _ in EventName("name.\(dice.below(6))") })
        }
        if dice.below(3) == 0 { filter.tags = [Tag("tag \(dice.below(5))")] }
        return filter
    }

    private func checkForward(
        _ store: any EventStore, _ reference: ReferenceLog, _ start: UInt64,
        _ filter: EventFilter, _ limit: ReadLimit
    ) async throws {
        var after = LogPosition(start)
        var seen: [MessageID] = []
        while true {
            let page = try await store.read(
                LogRead(.forward(after: after), filter: filter, limit: limit))
            XCTAssertEqual(page.head.rawValue, UInt64(reference.events.count))
            guard page.end > after else { break }
            let range = Int(after.rawValue)..<Int(page.end.rawValue)
            checkPage(page, reference, range, filter, limit, isForward: true)
            seen += page.events.map(\.id)
            after = page.end
        }
        let rest = reference.events.dropFirst(Int(start)).filter { reference.passes($0, filter) }
        XCTAssertEqual(seen, rest.map(\.new.id))
        XCTAssertEqual(after.rawValue, max(start, UInt64(reference.events.count)))
    }

    private func checkBackward(
        _ store: any EventStore, _ reference: ReferenceLog, _ start: UInt64?,
        _ filter: EventFilter, _ limit: ReadLimit
    ) async throws {
        var before = start.map { LogPosition($0) }
        let count = UInt64(reference.events.count)
        let begin = min(start ?? count + 1, count + 1)
        var seen: [MessageID] = []
        while true {
            let page = try await store.read(
                LogRead(.backward(before: before), filter: filter, limit: limit))
            let from = min(before?.rawValue ?? count + 1, count + 1)
            guard page.end.rawValue < from, from > 1 else { break }
            let range = Int(page.end.rawValue) - 1..<Int(from) - 1
            checkPage(page, reference, range, filter, limit, isForward: false)
            seen += page.events.map(\.id)
            before = page.end
        }
        let rest = reference.events.prefix(Int(max(begin, 1) - 1)).reversed()
            .filter { reference.passes($0, filter) }
        XCTAssertEqual(seen, rest.map(\.new.id))
    }

    /// A page holds just what passes in its range, ends with whole appends, and keeps its limits
    /// but for the append that filled it.
    private func checkPage(
        _ page: LogPage, _ reference: ReferenceLog, _ range: Range<Int>, _ filter: EventFilter,
        _ limit: ReadLimit, isForward: Bool
    ) {
        let passing = reference.events[range].filter { reference.passes($0, filter) }
        XCTAssertEqual(Set(page.events.map(\.id)), Set(passing.map(\.new.id)))
        for event in page.events {
            XCTAssertTrue(reference.holds(event), "\(event.position) differs")
        }
        // The other edge is where the reader began, which may be inside of an append.
        let edge = isForward ? range.upperBound : range.lowerBound
        if edge > 0, edge < reference.events.count {
            XCTAssertNotEqual(
                reference.events[edge - 1].append, reference.events[edge].append, "split")
        }
        let last = page.events.last.map { $0.id.high }
        let others = page.events.filter { $0.id.high != last }
        XCTAssertTrue(others.isEmpty || others.count < limit.events)
        let size = others.reduce(0) { $0 + $1.event.payload.count }
        XCTAssertTrue(others.isEmpty || size < limit.bytes)
    }

    private func checkStream(
        _ store: any EventStore, _ reference: ReferenceLog, _ stream: StreamID, _ start: UInt64,
        _ limit: ReadLimit
    ) async throws {
        let all = reference.events.filter { $0.stream == stream }.map(\.new.id)
        for isForward in [true, false] {
            var order: ReadOrder<StreamVersion> =
                isForward
                ? .forward(after: StreamVersion(start)) : .backward(before: StreamVersion(start))
            var seen: [MessageID] = []
            while true {
                let page = try await store.read(StreamRead(stream, order, limit: limit))
                XCTAssertEqual(page.version.rawValue, UInt64(all.count))
                XCTAssertLessThanOrEqual(page.events.count, limit.events)
                guard let last = page.events.last else { break }
                seen += page.events.map(\.id)
                order =
                    isForward ? .forward(after: last.version) : .backward(before: last.version)
            }
            let expected =
                isForward
                ? Array(all.dropFirst(Int(start)))
                : all.prefix(Int(max(start, 1) - 1)).reversed()
            XCTAssertEqual(seen, expected, "\(stream) \(isForward) from \(start)")
        }
    }
}

/// A log as a list.
struct ReferenceLog {
    struct Event {
        let new: NewEvent
        let stream: StreamID
        let version: UInt64
        let append: Int
    }

    private(set) var events: [Event] = []
    private(set) var streams: [StreamID] = []
    private var versions: [StreamID: UInt64] = [:]
    private var appends = 0

    mutating func append(_ request: AppendRequest) -> Range<UInt64> {
        let first = UInt64(events.count + 1)
        appends += 1
        for write in request.writes {
            if !streams.contains(write.stream) { streams.append(write.stream) }
            for new in write.events {
                versions[write.stream, default: 0] += 1
                events.append(
                    Event(
                        new: new, stream: write.stream, version: versions[write.stream] ?? 0,
                        append: appends))
            }
        }
        return first..<UInt64(events.count + 1)
    }

    func passes(_ event: Event, _ filter: EventFilter) -> Bool {
        if let names = filter.names, !names.contains(event.new.event.name) { return false }
        if let categories = filter.categories, !categories.contains(event.stream.category) {
            return false
        }
        return filter.tags.allSatisfy { event.new.tags.contains($0) }
    }

    func holds(_ recorded: RecordedEvent) -> Bool {
        let event = events[Int(recorded.position.rawValue) - 1]
        return event.new.id == recorded.id && event.new.event == recorded.event
            && event.stream == recorded.stream && event.version == recorded.version.rawValue
            && event.new.tags == recorded.tags && event.new.metadata == recorded.metadata
    }
}

import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// What is taken out of a store and put into a new one stays what it was.
final class ExportImportTests: XCTestCase {
    private func items(
        of disk: SimulatedDisk, includingUnproven: Bool = false
    ) throws -> [StoreExamination.Item] {
        var items: [StoreExamination.Item] = []
        var examination = try StoreExamination(at: "store", in: disk)
        try examination.read(includingUnproven: includingUnproven) {
            items.append($0)
            return true
        }
        return items
    }

    private func refusal(_ body: () throws -> Void, line: UInt = #line) -> String? {
        do {
            try body()
        } catch EventStoreError.invalidRequest(let reason) {
            return reason
        } catch {
            XCTFail("\(error)", line: line)
        }
        return nil
    }

    func test_events_and_keys_come_back_as_they_were() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        for number in 1...5 { try await store.appendSample(number) }
        await store.close()
        let events = try await { () async throws in
            let reader = try await FileEventReader(on: disk)
            return try await reader.wholeLog()
        }()
        let key = StoreExamination.AppendKey(
            key: "order-7", fingerprint: [UInt8](repeating: 3, count: 16))

        let copy = SimulatedDisk()
        let importing = try StoreImport(at: "store", in: copy)
        try importing.append(Array(events[0...1]), key: key)
        XCTAssertEqual(importing.eventCount, 2)
        XCTAssertEqual(importing.nextPosition, 3)
        try importing.append(Array(events[2...]), key: nil)
        try importing.finish()

        var found: [RecordedEvent] = []
        var keys: [StoreExamination.AppendKey?] = []
        for case .append(let events, let key) in try items(of: copy) {
            found += events
            keys.append(key)
        }
        XCTAssertEqual(found, events)
        XCTAssertEqual(keys, [key, nil])
    }

    func test_what_does_not_follow_is_refused() async throws {
        let source = try await MaintainedStore(appends: 4)
        let importing = try StoreImport(at: "store", in: SimulatedDisk())
        let events = source.events
        XCTAssertEqual(
            refusal { try importing.append([events[1]], key: nil) },
            "position 2 stands where 1 should be")
        XCTAssertEqual(refusal { try importing.hole(2..<4) }, "a hole at 2 where 1 should be")
        XCTAssertEqual(refusal { try importing.hole(1..<1) }, "a hole at 1 where 1 should be")
        try importing.append([events[0]], key: nil)
        var repeated = events[0]
        repeated = RecordedEvent(
            event: repeated.event, id: repeated.id, stream: repeated.stream,
            version: repeated.version, position: LogPosition(2), recordedAt: repeated.recordedAt)
        XCTAssertNotNil(refusal { try importing.append([repeated], key: nil) })
        importing.abandon()
    }

    func test_a_hole_is_exported_and_imported_as_one() async throws {
        let source = try await MaintainedStore(appends: 3)
        let disk = SimulatedDisk()
        let importing = try StoreImport(at: "store", in: disk)
        try importing.append([source.events[0]], key: nil)
        try importing.hole(2..<7)
        try importing.finish()
        var holes: [Range<UInt64>] = []
        for case .hole(let positions) in try items(of: disk) { holes.append(positions) }
        XCTAssertEqual(holes, [2..<7])
    }

    func test_a_hole_that_no_log_has_lost_is_refused() throws {
        let importing = try StoreImport(at: "store", in: SimulatedDisk())
        XCTAssertThrowsError(try importing.hole(1..<UInt64(Int64.max)))
        importing.abandon()
    }

    func test_an_import_into_a_disk_that_is_full_says_so_and_leaves_no_half_store() async throws {
        let source = try await MaintainedStore(appends: 3)
        let whole = SimulatedDisk()
        func run(on disk: SimulatedDisk) throws(EventStoreError) {
            let importing = try StoreImport(at: "store", in: disk)
            try importing.append([source.events[0]], key: nil)
            try importing.hole(2..<7)
            try importing.finish()
        }
        try run(on: whole)
        for number in 0..<whole.operationCount {
            let disk = SimulatedDisk()
            disk.inject(.init(.noSpace, from: number, .untilHealed))
            do {
                try run(on: disk)
                XCTFail("operation \(number) failed, and nothing was said")
            } catch {
                guard case .storageFull = error else {
                    XCTFail("operation \(number): \(error)")
                    continue
                }
            }
            disk.heal()
            // When only the last sync failed it is all there, but may not stay.
            guard disk.contents(of: StoreIdentity.fileName) != nil else { continue }
            XCTAssertGreaterThanOrEqual(try items(of: disk).count, 3)
        }
    }

    func test_events_of_which_nobody_says_that_they_are_durable_are_counted_or_shown() async throws
    {
        let disk = SimulatedDisk()
        var store: FileEventStore? = try await FileEventStore(on: disk)
        for number in 1...4 { try await store?.appendSample(number) }
        store = nil
        var examination = try StoreExamination(at: "store", in: disk)
        var events = 0
        try examination.read {
            if case .append(let found, _) = $0 { events += found.count }
            return true
        }
        XCTAssertEqual(events, 3)
        XCTAssertEqual(examination.unprovenEvents, 1)
        let all = try items(of: disk, includingUnproven: true).reduce(0) {
            if case .append(let found, _) = $1 { $0 + found.count } else { $0 }
        }
        XCTAssertEqual(all, 4)
    }

    func test_an_unfinished_write_is_told_by_its_bytes() async throws {
        let store = try await MaintainedStore(appends: 3, closes: false)
        let name = LogLayout.segment(store.segmentCount)
        let contents = try XCTUnwrap(store.disk.contents(of: name))
        let end = try XCTUnwrap(contents.lastIndex { $0 != 0 })
        try store.overwrite(end + 100..<end + 140, of: name, with: 7)
        var unfinished: [UInt64] = []
        for case .unfinished(let bytes) in try items(of: store.disk) { unfinished.append(bytes) }
        XCTAssertEqual(unfinished.count, 1)
        XCTAssertGreaterThan(unfinished.first ?? 0, 39)
    }

    func test_a_record_whose_names_are_lost_is_a_problem_and_its_neighbours_are_not() async throws {
        let store = try await MaintainedStore()
        let last = store.segmentCount
        let place = try store.places(in: last)[0]
        store.disk.flipBit(2, ofByte: Int(place.bodyOffset) + 40, in: LogLayout.segment(last))
        var problems = 0
        var events = 0
        for item in try items(of: store.disk) {
            switch item {
            case .problem: problems += 1
            case .append(let found, _): events += found.count
            default: break
            }
        }
        XCTAssertGreaterThan(problems, 1)
        XCTAssertLessThan(events, store.events.count)
    }

    func test_where_no_store_is_there_is_nothing_to_examine() throws {
        XCTAssertThrowsError(try StoreExamination(at: "/nowhere/at/all")) {
            XCTAssertEqual($0 as? EventStoreError, .notAStore(path: "/nowhere/at/all"))
        }
    }
}

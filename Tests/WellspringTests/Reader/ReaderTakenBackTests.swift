import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// What a reader shows of an event whose append failed, and in its place.
final class ReaderTakenBackTests: XCTestCase {
    func test_what_comes_in_place_of_an_event_is_not_shown_in_its_stream() async throws {
        var hasBeenSeen = false
        // How much a failed write leaves in the file is up to the seed.
        for seed in UInt64(1)...40 where !hasBeenSeen {
            let disk = SimulatedDisk(seed: seed)
            disk.startRecording()
            let store = try await FileEventStore(on: disk)
            try await store.appendSample(1, to: "x")
            disk.setNote(1)
            disk.inject(.init(.noSpace, operations: [.write], from: disk.operationCount))
            let refused = await storeError { try await store.appendSample(2, to: "a") }
            XCTAssertNotNil(refused)
            disk.setNote(2)
            try await store.appendSample(3, to: "b")
            let moments = disk.takeRecording()
            await store.close()

            let shown = SimulatedDisk(seed: seed)
            shown.turn(
                to: try XCTUnwrap(moments.first { $0.note == 1 && $0.operation.kind == .write }))
            var configuration = FileEventReader.Configuration()
            configuration.includesUnproven = true
            let reader = try await FileEventReader(
                at: "store", in: shown, configuration: configuration)
            let seen = try await reader.wholeLog().map(\.stream)
            if seen == [sampleStream("x"), sampleStream("a")] {
                hasBeenSeen = true
                shown.turn(to: try XCTUnwrap(moments.last))
                let page = try await reader.read(LogRead())
                XCTAssertEqual(page.events.map(\.stream), [sampleStream("x"), sampleStream("b")])
            }
            await reader.close()
        }
        XCTAssertTrue(hasBeenSeen)
    }

    func test_an_event_that_is_shown_or_copied_stays_when_its_mark_cannot_be_written() async throws
    {
        var strict = FileEventStore.Configuration()
        strict.durability = .strict
        var timesSeen = 0
        for seed in UInt64(1)...20 {
            let disk = SimulatedDisk(seed: seed)
            disk.startRecording()
            let store = try await FileEventStore(on: disk, configuration: strict)
            let start = disk.operationCount
            try await store.appendSample(1, to: "x")
            let writes = disk.operations.filter { $0.number >= start && $0.kind == .write }
            XCTAssertEqual(writes.count, 2, "a group and its mark")
            let toMark = try XCTUnwrap(writes.last).number - start
            disk.setNote(1)
            disk.inject(
                .init(.inputOutput, operations: [.write], from: disk.operationCount + toMark))
            let failure = await storeError { try await store.appendSample(2, to: "a") }
            if case .outcomeUnknown? = failure {} else { XCTFail("\(failure as Any)") }
            disk.setNote(2)
            await store.close()
            let opened = try await FileEventStore(on: disk, configuration: strict)
            try await opened.appendSample(3, to: "b")
            let moments = disk.takeRecording()
            await opened.close()

            let shown = SimulatedDisk(seed: seed)
            shown.turn(
                to: try XCTUnwrap(moments.last { $0.note == 1 && $0.operation.kind == .write }))
            let reader = try await FileEventReader(on: shown)
            let seen = try await reader.wholeLog()
            let copied = try await copy(of: shown)
            shown.turn(to: try XCTUnwrap(moments.last))
            let later = try await reader.read(LogRead()).events
            XCTAssertEqual(Array(later.prefix(seen.count)), seen, "seed \(seed)")
            XCTAssertEqual(Array(later.prefix(copied.count)), copied, "seed \(seed)")
            await reader.close()
            if seen.count == 2 { timesSeen += 1 }
        }
        XCTAssertGreaterThan(timesSeen, 0)
    }

    /// The events in a copy of the store.
    private func copy(of disk: SimulatedDisk) async throws -> [RecordedEvent] {
        let target = SimulatedDisk(seed: 1)
        _ = try await FileEventStore.backup(at: "store", in: disk, to: "store", in: target)
        let reader = try await FileEventReader(on: target)
        let events = try await reader.wholeLog()
        await reader.close()
        return events
    }
}

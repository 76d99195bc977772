import Wellspring
import WellspringTestKit
import XCTest

@testable import WellspringLog

/// An index that was written out in the midst of a segment: records behind it refer to names before.
final class IndexInMidSegmentTests: XCTestCase {
    /// The disk of a store that was not closed, and how many events of the first stream are indexed.
    private func interruptedStore() async throws -> (disk: SimulatedDisk, count: UInt64) {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        let event = NewEvent(EncodedEvent(name: "e", payload: []))
        let large = [NewEvent](repeating: event, count: 2_000)
        // The index is written out once this many events are in memory.
        var count: UInt64 = 0
        while count <= 1 << 18 {
            try await store.append(AppendRequest(large, to: sampleStream("1"), expecting: .any))
            count += 2_000
        }
        try await store.appendSample(1)
        try await store.appendSample(2)
        XCTAssertEqual(disk.segments.count, 1)
        XCTAssertEqual(disk.runs.count, 1)
        disk.crash(keeping: .everything)
        return (disk, count)
    }

    func test_records_behind_the_index_find_the_names_before_it() async throws {
        let (disk, count) = try await interruptedStore()
        let again = try await FileEventStore(on: disk)
        let page = try await again.read(
            StreamRead(sampleStream("1"), .backward(before: nil), limit: ReadLimit(events: 3)))
        XCTAssertEqual(page.version, StreamVersion(count + 2))
        XCTAssertEqual(
            page.events.map(\.position), [count + 2, count + 1, count].map { LogPosition($0) })
        let receipt = try await again.appendSample(3)
        XCTAssertEqual(receipt.version, StreamVersion(count + 3))
        await again.close()
    }

    func test_damage_behind_the_known_end_that_the_index_covers_is_told_when_it_is_read()
        async throws
    {
        let (disk, count) = try await interruptedStore()
        let name = try XCTUnwrap(disk.segments.first)
        // In the body of the first frame, which follows the known end of a store that was never closed.
        disk.flipBit(3, ofByte: SegmentHeader.length + FrameHeader.length + 100, in: name)

        let reader = try await FileEventReader(on: disk)
        let seen = try await reader.read(
            StreamRead(sampleStream("1"), .backward(before: nil), limit: ReadLimit(events: 1)))
        // Nothing says yet that the last commit was durable.
        XCTAssertEqual(seen.version, StreamVersion(count + 1))
        await reader.close()
        let store = try await FileEventStore(on: disk)
        let receipt = try await store.appendSample(3)
        XCTAssertEqual(receipt.version, StreamVersion(count + 3))
        let error = await storeError {
            _ = try await store.read(StreamRead(sampleStream("1"), limit: ReadLimit(events: 50)))
        }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.reason, "a record whose checksum does not match")
        await store.close()
    }

    func test_names_before_the_index_that_cannot_be_read_once_are_not_called_damage() async throws {
        let (disk, _) = try await interruptedStore()
        let sound = disk.afterCrash(seed: 1)
        await (try await FileEventStore(on: sound)).close()
        let read = try XCTUnwrap(
            sound.operations.first {
                $0.kind == .read && disk.segments.contains($0.file) && $0.count == 256
            }, "no name was read")
        let open = try XCTUnwrap(
            sound.operations.last { $0.kind == .open && $0.number < read.number })
        for fault in [
            SimulatedDisk.Fault(.inputOutput, operations: [.read], from: read.number),
            SimulatedDisk.Fault(.tooManyFiles, operations: [.open], from: open.number),
        ] {
            let failing = disk.afterCrash(seed: 1)
            failing.inject(fault)
            let error = await storeError { _ = try await FileEventStore(on: failing) }
            guard case .io? = error else { return XCTFail("\(error as Any)") }
        }
    }
}

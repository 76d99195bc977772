import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// An index that was written out in the midst of a segment: records behind it refer to names before.
final class IndexInMidSegmentTests: XCTestCase {
    func test_records_behind_the_index_find_the_names_before_it() async throws {
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
}

import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// How often the disk is asked for events that are larger than what is read on the chance.
final class LargeEventReadingTests: XCTestCase {
    func test_large_events_that_lie_together_are_read_in_one_go_in_either_order() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        let large = EventPayload([UInt8](repeating: 7, count: 2_000))
        let events = (0..<50).map { _ in NewEvent(EncodedEvent(name: "large", payload: large)) }
        try await store.append(AppendRequest(events, to: sampleStream("1"), expecting: .any))
        let orders: [ReadOrder<StreamVersion>] = [.forward(after: .start), .backward(before: nil)]
        for order in orders {
            let before = disk.operationCount
            let page = try await store.read(StreamRead(sampleStream("1"), order))
            XCTAssertEqual(page.events.count, 50)
            let reads = disk.operations.filter { $0.number >= before && $0.kind == .read }
            // All of them, and the rest of the last one.
            XCTAssertLessThanOrEqual(reads.count, 3, "\(order)")
        }
        await store.close()
    }
}

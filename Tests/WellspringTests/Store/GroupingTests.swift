import XCTest

@testable import Wellspring

/// Which of the queued appends share a commit.
final class GroupingTests: XCTestCase {
    private var state = CoreState()

    func test_a_group_takes_all_that_is_queued_if_that_is_little() {
        queue(sizes: [10, 10, 10])
        XCTAssertEqual(takeAndPublish(bytes: 30, appends: 3), [1, 2, 3])
        XCTAssertTrue(state.pending.isEmpty)
        XCTAssertEqual(state.visible, 3)
    }

    func test_what_is_too_much_for_one_group_goes_into_the_next_one() {
        queue(sizes: [10, 10, 10])
        XCTAssertEqual(takeAndPublish(bytes: 29, appends: 3), [1, 2])
        XCTAssertEqual(state.visible, 2)
        XCTAssertEqual(takeAndPublish(bytes: 29, appends: 3), [3])
        XCTAssertEqual(state.visible, 3)
    }

    func test_a_group_holds_no_more_appends_than_it_may() {
        queue(sizes: [1, 1, 1])
        XCTAssertEqual(takeAndPublish(bytes: 100, appends: 1), [1])
        XCTAssertEqual(takeAndPublish(bytes: 100, appends: 2), [2, 3])
    }

    func test_an_append_that_is_larger_than_a_group_goes_alone() {
        queue(sizes: [50, 1])
        XCTAssertEqual(takeAndPublish(bytes: 10, appends: 9), [1])
        XCTAssertEqual(takeAndPublish(bytes: 10, appends: 9), [2])
    }

    func test_what_is_queued_while_a_group_is_in_flight_is_not_in_it() {
        queue(sizes: [1])
        let group = state.takeGroup(bytes: 9, appends: 9)
        queue(sizes: [1])
        XCTAssertEqual(group.count, 1)
        _ = state.publish()
        XCTAssertEqual(state.visible, 1)
        XCTAssertEqual(takeAndPublish(bytes: 9, appends: 9), [2])
        XCTAssertTrue(state.takeGroup(bytes: 9, appends: 9).isEmpty)
    }

    // MARK: -

    private func queue(sizes: [Int]) {
        for size in sizes {
            state.queued += 1
            let position = state.queued
            let stream = StreamHead(sampleStream("\(position)"), StreamExtent(last: 0))
            let recorded = RecordedEvent(
                event: EncodedEvent(name: "a", payload: []),
                id: MessageID(high: 1, low: position), stream: stream.id, version: StreamVersion(1),
                position: LogPosition(position), recordedAt: Timestamp(nanoseconds: 1))
            let event = QueuedEvent(
                stream: stream, recorded: recorded, recordedAt: nil, occurredAt: nil)
            stream.queue(event)
            state.pending.append(
                QueuedAppend(
                    receipt: AppendReceipt(
                        versions: [StreamVersion(1)], positions: position..<position + 1),
                    events: [event], truncates: nil, bytes: size))
        }
    }

    /// The positions in the group that was taken.
    private func takeAndPublish(bytes: Int, appends: Int) -> [UInt64] {
        let group = state.takeGroup(bytes: bytes, appends: appends)
        _ = state.publish()
        return group.flatMap(\.events).map(\.recorded.position.rawValue)
    }
}

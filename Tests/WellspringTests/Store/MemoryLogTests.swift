import XCTest

@testable import Wellspring

/// The log that forgets.
final class MemoryLogTests: XCTestCase {
    func test_there_is_nothing_to_sync_and_nothing_to_look_after() {
        let log = MemoryLog()
        XCTAssertTrue(log.isInstant)
        XCTAssertEqual(log.doHousekeeping(timerFired: true), .notNeeded)
        log.sync()
        log.close()
        log.abandon()
        XCTAssertEqual(log.durablePosition, 0)
        XCTAssertEqual(log.version(of: sampleStream("1"), through: 9), 0)
        XCTAssertEqual(log.events(StreamRead(sampleStream("1")), in: StreamExtent(last: 4)), [])
    }

    func test_a_stream_that_was_forgotten_goes_on_where_it_was() {
        let log = MemoryLog()
        let id = sampleStream("1")
        for version in 1...3 as ClosedRange<UInt64> {
            // A head that was made anew does not know what the log has of its stream.
            let head = StreamHead(id, StreamExtent(last: version - 1))
            log.commit([queuedAppend(to: head, version: version)])
            log.commit([
                queuedAppend(
                    to: StreamHead(sampleStream("other \(version)"), StreamExtent(last: 0)),
                    version: 1)
            ])
        }
        XCTAssertEqual(log.version(of: id, through: .max), 3)
        let events = log.events(StreamRead(id), in: StreamExtent(last: 3))
        XCTAssertEqual(events.map(\.version.rawValue), [1, 2, 3])
        XCTAssertEqual(log.version(of: sampleStream("other 2"), through: .max), 1)
    }

    func test_what_waits_for_the_end_of_all_positions_ends_when_the_store_does() async throws {
        let store = InMemoryEventStore()
        let waiting = Task {
            await storeError { try await store.waitForEvents(after: .init(.max)) }
        }
        await Task.yield()
        await store.close()
        let error = await waiting.value
        XCTAssertEqual(error, .closed)
    }

    private func queuedAppend(to stream: StreamHead, version: UInt64) -> QueuedAppend {
        let recorded = RecordedEvent(
            event: EncodedEvent(name: "a", payload: []), id: MessageID(high: 1, low: version),
            stream: stream.id, version: StreamVersion(version), position: LogPosition(version),
            recordedAt: Timestamp(nanoseconds: 1))
        return QueuedAppend(
            receipt: AppendReceipt(versions: [StreamVersion(version)], positions: 1..<2),
            events: [
                QueuedEvent(stream: stream, recorded: recorded, recordedAt: nil, occurredAt: nil)
            ],
            truncates: nil, bytes: 0)
    }
}

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
}

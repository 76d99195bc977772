import Wellspring
import WellspringTestKit
import XCTest

final class EventStoreChecksTests: XCTestCase {
    func test_the_store_in_memory_passes_every_check() async throws {
        try await EventStoreChecks.run {
            // A clock that jumps back and forth: recorded times must not follow it back.
            let ticks = ManualClock()
            return InMemoryEventStore(clock: {
                ticks.advance(by: .seconds(1))
                let jump: Int64 = ticks.now.offset.components.seconds % 3 == 0 ? -60 : 0
                return Timestamp(nanoseconds: ticks.time.nanoseconds + jump * 1_000_000_000)
            })
        } closing: { store in
            await store.close()
        }
    }
}

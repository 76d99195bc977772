import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

final class ManualClockTests: XCTestCase {
    func test_time_stands_still_until_it_is_advanced() {
        let clock = ManualClock(startingAt: Timestamp(nanoseconds: 100))
        let before = clock.now
        XCTAssertEqual(clock.time, Timestamp(nanoseconds: 100))
        clock.advance(by: .nanoseconds(1_000_000_005))
        XCTAssertEqual(before.duration(to: clock.now), .nanoseconds(1_000_000_005))
        XCTAssertEqual(clock.time, Timestamp(nanoseconds: 1_000_000_105))
    }

    func test_sleepers_wake_at_their_time_and_not_before() async throws {
        let clock = ManualClock()
        let woken = Guarded<[Int]>([])
        let tasks = [3, 1, 2].map { seconds in
            Task {
                try await clock.sleep(for: .seconds(seconds))
                woken.withLock { $0.append(seconds) }
            }
        }
        await clock.waitForSleepers(3)
        clock.advance(by: .milliseconds(999))
        XCTAssertEqual(clock.sleepers, 3)
        clock.advance(by: .milliseconds(1))
        try await tasks[1].value
        XCTAssertEqual(woken.withLock { $0 }, [1])
        clock.advance(by: .seconds(5))
        for task in tasks { try await task.value }
        XCTAssertEqual(Set(woken.withLock { $0 }), [1, 2, 3])
        XCTAssertEqual(clock.sleepers, 0)
    }

    func test_a_time_that_has_come_is_not_waited_for() async throws {
        let clock = ManualClock()
        clock.advance(by: .seconds(1))
        try await clock.sleep(until: clock.now)
        try await clock.sleep(for: .zero)
    }

    func test_a_cancelled_sleeper_wakes_with_an_error() async throws {
        let clock = ManualClock()
        let task = Task { try await clock.sleep(for: .seconds(1)) }
        await clock.waitForSleepers()
        task.cancel()
        do {
            try await task.value
            XCTFail("it slept on")
        } catch {
            XCTAssertTrue(error is CancellationError)
        }
        XCTAssertEqual(clock.sleepers, 0)
    }
}

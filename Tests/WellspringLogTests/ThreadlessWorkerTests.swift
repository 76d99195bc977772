import WellspringTestKit
import XCTest

@testable import WellspringLog

final class ThreadlessWorkerTests: XCTestCase {
    func test_its_timer_is_due_by_itself_and_only_the_one_that_was_set_last() async {
        let (signals, continuation) = AsyncStream.makeStream(of: WorkerSignal.self)
        var received = signals.makeAsyncIterator()
        let worker = ThreadlessWorker { continuation.yield($0) }
        worker.setTimer(nanoseconds: 1)
        let first = await received.next()
        XCTAssertEqual(first, .timer)

        worker.setTimer(nanoseconds: 1)
        worker.setTimer(nanoseconds: .max)
        let (ticks, tick) = AsyncStream.makeStream(of: WorkerSignal.self)
        let other = ThreadlessWorker { tick.yield($0) }
        other.setTimer(nanoseconds: 5_000_000)
        for await _ in ticks { break }
        worker.wake()
        let second = await received.next()
        XCTAssertEqual(second, .woken, "the timer that was replaced was due all the same")
        worker.stop()
        other.stop()
    }
}

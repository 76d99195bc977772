import WellspringTestKit
import XCTest

@testable import WellspringLog

final class ThreadlessWorkerTests: XCTestCase {
    func test_its_timer_is_due_by_itself() async {
        let (signals, continuation) = AsyncStream.makeStream(of: WorkerSignal.self)
        var received = signals.makeAsyncIterator()
        let worker = ThreadlessWorker { continuation.yield($0) }
        worker.setTimer(nanoseconds: 1)
        let first = await received.next()
        XCTAssertEqual(first, .timer)
        worker.stop()
    }

    func test_only_the_timer_that_was_set_last_is_due() {
        let signals = Guarded<[WorkerSignal]>([])
        let worker = ThreadlessWorker { signal in signals.withLock { $0.append(signal) } }
        let replaced = worker.beginTimer(nanoseconds: 1)
        let last = worker.beginTimer(nanoseconds: 2)
        replaced()
        XCTAssertEqual(signals.withLock { $0 }, [])
        last()
        XCTAssertEqual(signals.withLock { $0 }, [.timer])
        worker.stop()
    }
}

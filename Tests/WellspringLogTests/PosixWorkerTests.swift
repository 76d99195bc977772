import Foundation
import WellspringLog
import XCTest

final class PosixWorkerTests: XCTestCase {
    private var path = ""

    override func setUp() {
        path = NSTemporaryDirectory() + "wellspring-\(UUID().uuidString)"
    }

    override func tearDownWithError() throws {
        try FileManager.default.removeItem(atPath: path)
    }

    private func worker(
        _ body: @escaping @Sendable (WorkerSignal) -> Void
    ) throws -> any LogWorker {
        try PosixFileSystem().openStore(at: path, create: true)
            .makeWorker(named: "test", body: body)
    }

    func test_a_woken_worker_runs_its_body_on_another_thread() throws {
        let ran = DispatchSemaphore(value: 0)
        let signals = Guarded<[WorkerSignal]>([])
        let caller = Guarded(Thread.current)
        let worker = try worker { signal in
            XCTAssertFalse(caller.withLock { $0 === Thread.current })
            signals.withLock { $0.append(signal) }
            ran.signal()
        }
        worker.wake()
        ran.wait()
        worker.wake()
        ran.wait()
        worker.stop()
        XCTAssertEqual(signals.withLock { $0 }, [.woken, .woken])
    }

    func test_calls_before_the_body_ran_count_once() throws {
        let mayGoOn = DispatchSemaphore(value: 0)
        let started = DispatchSemaphore(value: 0)
        let count = Guarded(0)
        let worker = try worker { _ in
            count.withLock { $0 += 1 }
            started.signal()
            mayGoOn.wait()
        }
        worker.wake()
        started.wait()
        for _ in 0..<10 { worker.wake() }
        mayGoOn.signal()
        started.wait()
        mayGoOn.signal()
        worker.stop()
        XCTAssertEqual(count.withLock { $0 }, 2)
    }

    func test_a_timer_fires_and_a_new_one_replaces_it() throws {
        let fired = DispatchSemaphore(value: 0)
        let signals = Guarded<[WorkerSignal]>([])
        let worker = try worker { signal in
            signals.withLock { $0.append(signal) }
            fired.signal()
        }
        worker.setTimer(nanoseconds: 3_600_000_000_000)
        worker.setTimer(nanoseconds: 1_000)
        fired.wait()
        worker.setTimer(nanoseconds: .max)
        worker.stop()
        XCTAssertEqual(signals.withLock { $0 }, [.timer])
    }

    func test_a_stopped_worker_has_returned_and_never_runs_again() throws {
        let isInside = Guarded(false)
        let started = DispatchSemaphore(value: 0)
        let worker = try worker { _ in
            isInside.withLock { $0 = true }
            started.signal()
            for _ in 0..<1_000 { sched_yield() }
            isInside.withLock { $0 = false }
        }
        worker.wake()
        started.wait()
        worker.stop()
        XCTAssertFalse(isInside.withLock { $0 })
        worker.wake()
        worker.setTimer(nanoseconds: 0)
        worker.stop()
        XCTAssertFalse(isInside.withLock { $0 })
    }

    func test_a_forgotten_worker_ends_even_from_inside_its_own_body() throws {
        let box = Guarded<(any LogWorker)?>(nil)
        let ended = DispatchSemaphore(value: 0)
        let made = try worker { _ in
            box.withLock { $0 = nil }
            ended.signal()
        }
        box.withLock { $0 = made }
        made.wake()
        ended.wait()
    }
}

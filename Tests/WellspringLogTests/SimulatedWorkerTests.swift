import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

/// The workers of a simulated disk, which run on the thread of whoever wakes them.
final class SimulatedWorkerTests: XCTestCase {
    func test_a_worker_may_hold_the_last_reference_to_what_needs_the_disk() throws {
        // The disk let go of its workers under its own lock, which a lock's token takes as it goes.
        let disk = SimulatedDisk()
        let store = try disk.openStore(at: "store", create: true)
        do {
            guard case .acquired(let token) = try store.lock("LOCK", owner: "first") else {
                return XCTFail("it is free")
            }
            _ = store.makeWorker(named: "holder") { _ in withExtendedLifetime(token) {} }
        }
        disk.crash()
        guard
            case .acquired = try disk.openStore(at: "store", create: true).lock(
                "LOCK", owner: "second")
        else {
            return XCTFail("it is free again")
        }
    }

    func test_a_worker_has_returned_when_it_is_stopped_from_another_thread() throws {
        let disk = SimulatedDisk()
        let store = try disk.openStore(at: "store", create: true)
        let (begun, goesOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let isDone = Guarded(false)
        let worker = store.makeWorker(named: "busy") { _ in
            begun.signal()
            goesOn.wait()
            isDone.withLock { $0 = true }
        }
        Thread.detachNewThread { worker.wake() }
        begun.wait()
        Thread.detachNewThread { goesOn.signal() }
        worker.stop()
        XCTAssertTrue(isDone.withLock { $0 })
        worker.wake()
        withExtendedLifetime(disk) {}
    }

    func test_a_worker_may_be_stopped_by_its_own_body() {
        let held = Guarded<InlineWorker?>(nil)
        let worker = InlineWorker { _ in held.withLock { $0 }?.stop() }
        held.withLock { $0 = worker }
        worker.wake()
        XCTAssertTrue(worker.isStopped)
    }

    func test_a_worker_that_was_stopped_does_not_begin_any_more() {
        let late = Guarded(0)
        for _ in 0..<20_000 {
            let isStopped = Guarded(false)
            let worker = InlineWorker { _ in
                if isStopped.withLock({ $0 }) { late.withLock { $0 += 1 } }
            }
            let isDone = DispatchSemaphore(value: 0)
            let begins = Guarded(false)
            DispatchQueue.global().async {
                while !begins.withLock({ $0 }) {}
                for _ in 0..<5 { worker.wake() }
                isDone.signal()
            }
            begins.withLock { $0 = true }
            worker.stop()
            isStopped.withLock { $0 = true }
            isDone.wait()
        }
        XCTAssertEqual(late.withLock { $0 }, 0)
    }
}

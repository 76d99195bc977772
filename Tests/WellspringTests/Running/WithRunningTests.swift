@testable import Wellspring
import WellspringLog
import XCTest

final class WithRunningTests: XCTestCase {
    func test_services_run_while_the_body_does_and_have_ended_when_it_returns() async throws {
        let services = [Service(), Service()]
        let value = try await withRunning(services[0], services[1]) {
            for service in services { await service.begun.wait() }
            XCTAssertEqual(services.map(\.hasEnded), [false, false])
            return 7
        }
        XCTAssertEqual(value, 7)
        XCTAssertEqual(services.map(\.hasEnded), [true, true])
    }

    func test_services_are_prepared_before_the_body_begins() async throws {
        let service = PreparedService()
        let wasPrepared = try await withRunning(service) { service.isPrepared.withLock { $0 } }
        XCTAssertTrue(wasPrepared)
    }

    func test_a_failing_body_ends_the_services_and_is_thrown() async throws {
        let service = Service()
        do {
            try await withRunning(service) {
                await service.begun.wait()
                throw Failure(name: "body")
            }
            XCTFail("nothing was thrown")
        } catch {
            XCTAssertEqual(error as? Failure, Failure(name: "body"))
        }
        XCTAssertTrue(service.hasEnded)
    }

    func test_a_failing_service_ends_the_body_and_the_other_services_and_is_thrown() async throws {
        let (good, bad) = (Service(), Service(failing: Failure(name: "service")))
        let bodyHasEnded = Guarded(false)
        do {
            try await withRunning(good, bad) {
                while !Task.isCancelled { await Task.yield() }
                bodyHasEnded.withLock { $0 = true }
                try Task.checkCancellation()
            }
            XCTFail("nothing was thrown")
        } catch {
            XCTAssertEqual(error as? Failure, Failure(name: "service"))
        }
        XCTAssertTrue(good.hasEnded)
        XCTAssertTrue(bodyHasEnded.withLock { $0 })
    }

    func test_a_service_that_returns_early_ends_nobody_else() async throws {
        struct Brief: Runnable {
            func run() async throws {}
        }
        let service = Service()
        let isRunning = try await withRunning(Brief(), service) {
            await service.begun.wait()
            for _ in 0..<20 { await Task.yield() }
            return !service.hasEnded
        }
        XCTAssertTrue(isRunning)
    }

    func test_a_body_without_a_value_may_be_optional() async throws {
        let value: Int? = try await withRunning(Service()) { nil }
        XCTAssertNil(value)
    }

    func test_cancelling_the_caller_ends_everything() async throws {
        let service = Service()
        let task = Task {
            try await withRunning(service) {
                while !Task.isCancelled { await Task.yield() }
                try Task.checkCancellation()
            }
        }
        await service.begun.wait()
        task.cancel()
        let result = await task.result
        guard case .failure(let error) = result else { return XCTFail("it returned") }
        XCTAssertTrue(error is CancellationError)
        XCTAssertTrue(service.hasEnded)
    }
}

private struct Failure: Error, Equatable {
    let name: String
}

private final class Service: Runnable {
    let begun = Signal()
    private let failure: Failure?
    private let ended = Guarded(false)
    var hasEnded: Bool { ended.withLock { $0 } }

    init(failing failure: Failure? = nil) { self.failure = failure }

    func run() async throws {
        begun.give()
        if let failure { throw failure }
        while !Task.isCancelled { await Task.yield() }
        // Whoever ends it has to wait for this as well.
        for _ in 0..<20 { await Task.yield() }
        ended.withLock { $0 = true }
    }
}

/// Takes note of being prepared, and then has nothing to do.
private final class PreparedService: PreparesToRun {
    let isPrepared = Guarded(false)

    func prepareToRun() { isPrepared.withLock { $0 = true } }
    func run() async throws {}
}

import ExampleSupport
import Synchronization
import XCTest

@testable import ProductApp

final class ConcurrentlyTests: XCTestCase {
    /// Counts who is at work.
    private final class Gauge: Sendable {
        private let state = Mutex((now: 0, most: 0, all: 0))
        var most: Int { state.withLock { $0.most } }
        var all: Int { state.withLock { $0.all } }

        func work() async {
            state.withLock { state in
                state.now += 1
                state.all += 1
                state.most = max(state.most, state.now)
            }
            for _ in 0..<20 { await Task.yield() }
            state.withLock { $0.now -= 1 }
        }
    }

    func test_all_elements_are_worked_on_and_never_more_than_the_limit_at_once() async throws {
        for limit in [1, 3, 100] {
            let gauge = Gauge()
            try await concurrently(0..<50, limit: limit) { _ in await gauge.work() }
            XCTAssertEqual(gauge.all, 50)
            XCTAssertLessThanOrEqual(gauge.most, limit)
        }
    }

    func test_the_first_error_ends_it() async {
        let gauge = Gauge()
        do {
            try await concurrently(0..<50, limit: 1) { number in
                if number == 3 { throw Failure("no") }
                await gauge.work()
            }
            XCTFail("it has to throw")
        } catch {
            XCTAssertEqual("\(error)", "no")
        }
        XCTAssertEqual(gauge.all, 3)
    }
}

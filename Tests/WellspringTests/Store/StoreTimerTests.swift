import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// What becomes of a timer that fires while somebody is at work on the log.
final class StoreTimerTests: XCTestCase {
    func test_a_timer_that_fires_while_it_is_being_set_is_not_lost() async throws {
        let disk = SimulatedDisk()
        var configuration = LogConfiguration()
        configuration.durability = .interval(nanoseconds: 1_000, bytes: 1 << 20)
        let directory = try disk.openStore(at: "store", create: true)
        let log = try FileLog.open(directory, configuration)
        let core = StoreCore(
            log: log, state: CoreState(), seed: 1, mayLead: true, clock: { .now },
            onNotice: { _ in })
        core.start { HastyWorker(body: $0) }
        for number in 1...2 {
            _ = try await core.append(
                AppendRequest([sampleEvent(number)], to: sampleStream("1"), expecting: .any))
            XCTAssertEqual(log.durablePosition, UInt64(number))
        }
        await core.close()
    }
}

/// A worker whose timer fires before whoever sets it has gone on.
private final class HastyWorker: LogWorker {
    private let body: @Sendable (WorkerSignal) -> Void

    init(body: @escaping @Sendable (WorkerSignal) -> Void) { self.body = body }

    func wake() { body(.woken) }
    func setTimer(nanoseconds: UInt64) { body(.timer) }
    func stop() {}
}

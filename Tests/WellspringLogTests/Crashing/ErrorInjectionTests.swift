import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

/// An error at every operation of every scenario, once and for ever.
///
/// `WELLSPRING_ERROR_STRIDE=1` leaves none out; the default takes one in 31. `WELLSPRING_ERRORS=all`
/// brings about every kind of error at each operation, in place of two and one of the others in turn.
final class ErrorInjectionTests: XCTestCase {
    func test_no_error_at_any_operation_loses_what_was_promised_or_brings_back_what_was_refused() {
        let stride = CrashCampaign.setting("WELLSPRING_ERROR_STRIDE", default: 31)
        let seed = UInt64(CrashCampaign.setting("WELLSPRING_CRASH_SEED", default: 1))
        let campaign = CrashCampaign.all(seeds: seed..<seed + 2)
        var errors = ErrorCampaign(examinations: campaign.examinations)
        if ProcessInfo.processInfo.environment["WELLSPRING_ERRORS"] == "all" {
            errors.failures = SimulatedDisk.Fault.Failure.allCases
        }
        let totals = errors.run(stride: stride)
        print("totals: \(totals.summary)")
        for violation in totals.violations.prefix(3) { print(violation) }
        XCTAssertEqual(totals.violations.count, 0)
    }

    func test_a_failed_write_that_was_taken_back_can_be_tried_again() throws {
        let driver = LogDriver(SimulatedDisk(), LogConfiguration())
        driver.open()
        for failure: SimulatedDisk.Fault.Failure in [.noSpace, .inputOutput] {
            driver.disk.inject(.init(failure, operations: [.write]))
            guard case .rolledBack? = driver.commit(Array(repeating: 7, count: 900)) else {
                return XCTFail("the failed write was to be taken back")
            }
            XCTAssertNil(driver.commit(Array(repeating: 7, count: 900)))
        }
        driver.crash(keeping: .nothing)
        driver.open()
        XCTAssertEqual(driver.client.frames.count, 2)
        XCTAssertEqual(driver.violations, [])
    }

    func test_a_failed_sync_poisons_the_log_until_it_is_opened_again() throws {
        let driver = LogDriver(SimulatedDisk(), LogConfiguration())
        driver.open()
        XCTAssertNil(driver.commit([1]))
        driver.disk.inject(.init(.inputOutput, operations: [.sync]))
        guard case .poisoned? = driver.commit([2]) else {
            return XCTFail("a failed sync leaves the outcome unknown")
        }
        for _ in 0..<3 { XCTAssertEqual(driver.commit([3]), .alreadyPoisoned) }
        XCTAssertNotNil(driver.log?.poison)
        XCTAssertEqual(driver.log?.durablePosition, 1)
        driver.readBack()
        XCTAssertNil(driver.open())
        XCTAssertNil(driver.commit([4]))
        XCTAssertEqual(driver.violations, [])
    }

    func test_a_failed_read_is_not_taken_for_damage_or_for_the_end() throws {
        let driver = LogDriver(SimulatedDisk(), LogConfiguration())
        driver.open()
        for size in [100, 2_000, 300] { driver.commit(size: size) }
        driver.abandon()
        let first = driver.disk.operationCount
        driver.open()
        let count = driver.disk.operationCount - first
        driver.abandon()
        let contents = driver.disk.fileNames.map { driver.disk.contents(of: $0) }
        for offset in 0..<count {
            driver.disk.inject(
                .init(
                    .inputOutput, operations: [.read, .status, .list, .open],
                    from: driver.disk.operationCount + offset))
            if case .system? = driver.open() {
                driver.disk.heal()
            }
            driver.disk.heal()
            XCTAssertNil(driver.open())
            XCTAssertEqual(driver.client.frames.count, 3)
            driver.abandon()
        }
        XCTAssertEqual(driver.disk.fileNames.count, contents.count)
        XCTAssertEqual(driver.violations, [])
    }
}

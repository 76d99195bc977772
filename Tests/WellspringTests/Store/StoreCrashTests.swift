import Foundation
import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// The power goes off at any operation of a store's life, again and again.
///
/// `WELLSPRING_STORE_CRASHES` says how many crashes there are; a failure names its seed.
final class StoreCrashTests: XCTestCase {
    static let crashes =
        Int(ProcessInfo.processInfo.environment["WELLSPRING_STORE_CRASHES"] ?? "")
        ?? (StoreCrashRun.isOptimized ? 2_000 : 12)

    static let modes: [Durability] = [
        .everyCommit, .strict, .interval(time: .milliseconds(30), bytes: 20_000), .osManaged,
    ]

    func test_a_power_cut_at_any_operation_breaks_no_promise() async throws {
        var done = 0
        var seed: UInt64 = 0
        while done < Self.crashes {
            for durability in Self.modes {
                seed += 1
                let (count, problems) = await StoreCrashTrial().crashes(of: durability, seed: seed)
                XCTAssertEqual(problems, [], "seed \(seed), \(durability)")
                done += count
            }
        }
    }

    func test_any_operation_of_a_short_life_may_be_the_last() async throws {
        let step = StoreCrashRun.isOptimized ? 1 : 13
        let (_, problems) = await StoreCrashTrial().crashes(
            of: .everyCommit, seed: 99, things: 25, every: step)
        XCTAssertEqual(problems, [])
    }

    func test_crashes_find_stores_that_break_a_promise() async throws {
        let faults: [(PlantedFault, Durability)] = [
            (.skipSync, .everyCommit), (.checkpointAheadOfLog, .osManaged),
            (.skipDirectorySync, .everyCommit), (.unsyncedManifest, .everyCommit),
        ]
        for (fault, durability) in faults {
            var problems: [String] = []
            for seed in 1...60 where problems.isEmpty {
                problems = await StoreCrashTrial(fault: fault)
                    .crashes(of: durability, seed: UInt64(seed)).problems
            }
            XCTAssertFalse(problems.isEmpty, "nothing notices \(fault)")
        }
    }
}

import Foundation
import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// The power goes off at any operation of a store's life, again and again.
///
/// `WELLSPRING_STORE_CRASHES` says how many crashes there are, `WELLSPRING_FIRST_SEED` where the seeds
/// begin; a failure names its seed.
final class StoreCrashTests: XCTestCase {
    static let crashes =
        Int(ProcessInfo.processInfo.environment["WELLSPRING_STORE_CRASHES"] ?? "")
        ?? (StoreCrashRun.isOptimized ? 2_000 : 12)

    static let modes: [Durability] = [
        .everyCommit, .strict, .interval(time: .milliseconds(30), bytes: 20_000), .osManaged,
    ]

    func test_a_power_cut_at_any_operation_breaks_no_promise() async throws {
        let began = ContinuousClock.now
        var done = 0
        var lives = 0
        var seed = UInt64(Size.firstSeed)
        while done < Self.crashes {
            for durability in Self.modes {
                let (count, problems) = await StoreCrashTrial().crashes(of: durability, seed: seed)
                XCTAssertEqual(problems, [], "seed \(seed), \(durability)")
                done += count
                lives += 1
            }
            // Even and odd ones differ in who syncs: every mode has both.
            seed += 1
        }
        Totals.print("crashes of stores", since: began, "\(done) in \(lives) lives")
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

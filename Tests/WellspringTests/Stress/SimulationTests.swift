import Wellspring
import WellspringTestKit
import XCTest

/// Whole applications under a seed that decides everything.
///
/// `WELLSPRING_SEEDS` says how many seeds there are, `WELLSPRING_FIRST_SEED` where they begin. A
/// failure names its seed, which does the same each time.
final class SimulationTests: XCTestCase {
    private static let seeds = Size("SEEDS", debug: 60, release: 2_000)

    func test_no_seed_makes_an_application_lose_or_double_anything() async {
        let began = ContinuousClock.now
        let first = Size.firstSeed
        let outcomes = await onThreads(first..<first + Self.seeds.value) { seed in
            var outcome = Simulation.run(seed: UInt64(seed))
            outcome.history = nil
            return (seed, outcome)
        }
        let failed = outcomes.filter { !$0.1.problems.isEmpty }.sorted { $0.0 < $1.0 }
        for (seed, outcome) in failed.prefix(3) {
            XCTFail("seed \(seed): \(outcome.problems.prefix(3))")
        }
        XCTAssertEqual(failed.count, 0, "seeds that went wrong")
        func sum(_ count: (Simulation.Outcome) -> Int) -> Int {
            outcomes.reduce(0) { $0 + count($1.1) }
        }
        XCTAssertGreaterThanOrEqual(sum(\.powerCuts), Self.seeds.value / 2)
        // Few seeds may have drawn little of it.
        if Self.seeds.value >= 1_000 {
            XCTAssertGreaterThanOrEqual(sum(\.scavenges), Self.seeds.value / 4)
            XCTAssertGreaterThanOrEqual(sum(\.redactions), Self.seeds.value / 2)
            XCTAssertGreaterThanOrEqual(sum(\.eventsBeside), 5 * Self.seeds.value)
        }
        Totals.print(
            "simulation", since: began,
            "\(outcomes.count) seeds, \(sum(\.lives)) lives, \(sum(\.powerCuts)) power cuts, "
                + "\(sum(\.faults)) faults, \(sum(\.calls)) calls, \(sum(\.jobs)) jobs, "
                + "\(sum(\.scavenges)) scavenges, \(sum(\.unfinishedScavenges)) not to their end, "
                + "\(sum(\.truncations)) truncations, \(sum(\.redactions)) events without content, "
                + "\(sum(\.eventsBeside)) events read beside")
    }

    func test_the_same_seed_is_the_same_history() async {
        let differing = await onThreads(1..<(StoreCrashRun.isOptimized ? 200 : 12)) { seed in
            let once = Simulation.run(seed: UInt64(seed))
            let again = Simulation.run(seed: UInt64(seed))
            XCTAssertGreaterThan(once.trace.count, 20)
            return once.trace == again.trace && once.jobs == again.jobs ? nil : seed
        }
        XCTAssertEqual(differing.compactMap { $0 }, [])
    }
}

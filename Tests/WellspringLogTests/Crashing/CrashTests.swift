import WellspringLog
import WellspringTestKit
import XCTest

/// Crashes after every operation of every scenario, in every durability mode.
///
/// `WELLSPRING_CRASH_IMAGES` says how many disks to look at in all. The default leaves most operations
/// out, so that a debug build is through in seconds; 100,000 take a release build half a minute.
final class CrashTests: XCTestCase {
    func test_no_crash_loses_invents_or_changes_a_commit_or_raises_a_false_alarm() {
        let images = CrashCampaign.setting("WELLSPRING_CRASH_IMAGES", default: 1_900)
        let seed = UInt64(CrashCampaign.setting("WELLSPRING_CRASH_SEED", default: 1))
        let totals = CrashCampaign.all(seeds: seed..<seed + 4).run(images: images)
        XCTAssertEqual(totals.images, images)
        assertNothingIsBroken(totals, "all scenarios")
    }

    func test_no_short_sequence_of_steps_can_be_crashed_into_a_loss() {
        let images = CrashCampaign.setting("WELLSPRING_CRASH_IMAGES", default: 800)
        let sequences = LogScenario.sequences(upTo: images < 50_000 ? 2 : 3)
        let campaign = CrashCampaign(
            examinations: sequences.map {
                LogExamination(
                    scenario: $0, durability: .everyCommit, durabilityName: "everyCommit", seed: 9)
            })
        assertNothingIsBroken(campaign.run(images: images), "all \(sequences.count) sequences")
    }

    /// A disk that destroys the sector in which it loses power may destroy what shares the sector
    /// with it.
    ///
    /// In strict mode nothing that was acknowledged does. Half the images, for a page for each commit
    /// makes them dearer.
    func test_in_strict_mode_even_torn_sectors_lose_nothing() {
        let images = CrashCampaign.setting("WELLSPRING_CRASH_IMAGES", default: 1_600) / 2
        var campaign = CrashCampaign.all(seeds: 1..<4)
        campaign.examinations.removeAll { $0.durability != .strict }
        for index in campaign.examinations.indices {
            campaign.examinations[index].tearsSectors = true
        }
        assertNothingIsBroken(campaign.run(images: images), "torn sectors")
    }

    /// The mark of a strict commit was written in part, and the commit is taken back: a crash while
    /// it is cut off must not leave the mark without the group that it calls durable.
    func test_a_mark_that_could_not_be_written_never_speaks_for_a_group_that_was_taken_back() {
        let scenario = LogScenario(name: "failed mark") { driver in
            driver.open()
            driver.commit(size: 600)
            driver.disk.inject(
                .init(.noSpace, operations: [.write], from: driver.disk.operationCount + 1))
            driver.commit(size: 600)
        }
        let campaign = CrashCampaign(
            examinations: (UInt64(1)...12).map {
                LogExamination(
                    scenario: scenario, durability: .strict, durabilityName: "strict", seed: $0)
            })
        assertNothingIsBroken(campaign.run(images: 4_000), "failed marks")
    }

    private func assertNothingIsBroken(
        _ totals: CrashCampaign.Totals, _ title: String, line: UInt = #line
    ) {
        print("totals: crash images, \(title): \(totals.summary)")
        for violation in totals.violations.prefix(3) { print(violation) }
        XCTAssertEqual(totals.violations.count, 0, line: line)
    }

    func test_a_scenario_does_the_same_each_time() {
        func trace() -> [String] {
            let examination = LogExamination(
                scenario: .random(3), durability: .everyCommit, durabilityName: "everyCommit",
                seed: 5)
            return examination.rehearse().moments.map { $0.moment.operation.description }
        }
        XCTAssertEqual(trace(), trace())
    }
}

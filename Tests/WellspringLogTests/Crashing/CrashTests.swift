import WellspringLog
import WellspringTestKit
import XCTest

/// Crashes after every operation of every scenario, in every durability mode.
///
/// `WELLSPRING_CRASH_IMAGES` says how many disks to look at in all. The default leaves most operations
/// out, so that a debug build is through in seconds; 100,000 take a release build half a minute.
final class CrashTests: XCTestCase {
    func test_no_crash_loses_invents_or_changes_a_commit_or_raises_a_false_alarm() {
        let images = CrashCampaign.setting("WELLSPRING_CRASH_IMAGES", default: 2_500)
        let seed = UInt64(CrashCampaign.setting("WELLSPRING_CRASH_SEED", default: 1))
        let totals = CrashCampaign.all(seeds: seed..<seed + 4).run(images: images)
        print(totals.summary)
        XCTAssertTrue(totals.violations.isEmpty, "\(totals.violations.prefix(3))")
        for violation in totals.violations.prefix(3) { print(violation) }
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

import WellspringLog
import WellspringTestKit
import XCTest

/// Crashes after every operation of every scenario, in every durability mode.
///
/// `WELLSPRING_CRASH_IMAGES` says how many disks to look at for all scenarios, with torn sectors and
/// without; `WELLSPRING_SEQUENCE_IMAGES` how many for the short sequences of steps; `WELLSPRING_CRASH_SEED`
/// gives other images of them all. The defaults leave most operations out, so that a debug build is
/// through in seconds; 100,000 take a release build half a minute.
final class CrashTests: XCTestCase {
    private static let seed = UInt64(CrashCampaign.setting("WELLSPRING_CRASH_SEED", default: 1))
    private static let images = CrashCampaign.setting("WELLSPRING_CRASH_IMAGES", default: 2_600)

    func test_no_crash_loses_invents_or_changes_a_commit_or_raises_a_false_alarm() {
        let images = Self.images - Self.tornImages
        let totals = Self.scenarios(Self.seed).run(images: images)
        XCTAssertEqual(totals.images, images)
        assertNothingIsBroken(totals, "all scenarios")
    }

    func test_no_short_sequence_of_steps_can_be_crashed_into_a_loss() {
        let images = CrashCampaign.setting("WELLSPRING_SEQUENCE_IMAGES", default: 800)
        let campaign = Self.sequences(upTo: images < 50_000 ? 2 : 3, Self.seed)
        assertNothingIsBroken(
            campaign.run(images: images), "all \(campaign.examinations.count) sequences")
    }

    /// A disk that destroys the sector in which it loses power may destroy what shares the sector
    /// with it.
    ///
    /// In strict mode nothing that was acknowledged does.
    func test_in_strict_mode_even_torn_sectors_lose_nothing() {
        assertNothingIsBroken(
            Self.tornSectors(Self.seed).run(images: Self.tornImages), "torn sectors")
    }

    /// The mark of a strict commit was written in part, and the commit is taken back: a crash while
    /// it is cut off must not leave the mark without the group that it calls durable.
    func test_a_mark_that_could_not_be_written_never_speaks_for_a_group_that_was_taken_back() {
        assertNothingIsBroken(Self.failedMarks(Self.seed).run(images: 4_000), "failed marks")
    }

    private func assertNothingIsBroken(
        _ totals: CrashCampaign.Totals, _ title: String, line: UInt = #line
    ) {
        print("totals: crash images, \(title): \(totals.summary)")
        for violation in totals.violations.prefix(3) { print(violation) }
        XCTAssertEqual(totals.violations.count, 0, line: line)
    }

    // MARK: - What is crashed

    /// A quarter, which is as many at each operation as of all scenarios.
    private static var tornImages: Int { images / 4 }

    private static func scenarios(_ seed: UInt64) -> CrashCampaign { .all(seeds: seed..<seed + 4) }

    private static func sequences(upTo length: Int, _ seed: UInt64) -> CrashCampaign {
        CrashCampaign(
            examinations: LogScenario.sequences(upTo: length).map {
                LogExamination(
                    scenario: $0, durability: .everyCommit, durabilityName: "everyCommit",
                    seed: seed)
            })
    }

    private static func tornSectors(_ seed: UInt64) -> CrashCampaign {
        var campaign = CrashCampaign.all(seeds: seed..<seed + 3)
        campaign.examinations.removeAll { $0.durability != .strict }
        for index in campaign.examinations.indices {
            campaign.examinations[index].tearsSectors = true
        }
        return campaign
    }

    private static func failedMarks(_ seed: UInt64) -> CrashCampaign {
        let scenario = LogScenario(name: "failed mark") { driver in
            driver.open()
            driver.commit(size: 600)
            driver.disk.inject(
                .init(.noSpace, operations: [.write], from: driver.disk.operationCount + 1))
            driver.commit(size: 600)
        }
        return CrashCampaign(
            examinations: (seed..<seed + 12).map {
                LogExamination(
                    scenario: scenario, durability: .strict, durabilityName: "strict", seed: $0)
            })
    }

    // MARK: - Seeds

    /// What crashes leave by chance: of each sector, whether it is as the last write made it.
    ///
    /// Not the bytes: those have salts in them, which every seed has of its own.
    private static func choices(
        of campaign: CrashCampaign
    ) -> [[SimulatedDisk.SectorPlace: Bool]] {
        CrashCampaign.inParallel(campaign.examinations) { examination in
            let moments = examination.rehearse().moments
            return stride(from: 1, to: moments.count, by: 3).map { index in
                let disk = examination.image(5, of: moments[index].moment).disk
                let whole = examination.image(1, of: moments[index].moment).disk
                return disk.sectorPlaces.reduce(into: [:]) {
                    $0[$1] = disk.content(of: $1) == whole.content(of: $1)
                }
            }
        }.flatMap(\.self)
    }

    /// Each night is to look at other disks than the nights before, in each of the tests.
    func test_another_seed_leaves_other_images_and_the_same_seed_the_same() {
        let campaigns: [(String, (UInt64) -> CrashCampaign)] = [
            ("scenarios", Self.scenarios), ("torn sectors", Self.tornSectors),
            ("sequences", { Self.sequences(upTo: 1, $0) }), ("failed marks", Self.failedMarks),
        ]
        for (name, campaign) in campaigns {
            // Lives by chance do other things under another seed; that alone is not to count.
            func choices(_ seed: UInt64) -> [[SimulatedDisk.SectorPlace: Bool]] {
                var chosen = campaign(seed)
                chosen.examinations.removeAll { $0.scenario.name.hasPrefix("random") }
                let step = max(1, chosen.examinations.count / 6)
                chosen.examinations = stride(from: 0, to: chosen.examinations.count, by: step)
                    .map { chosen.examinations[$0] }
                return Self.choices(of: chosen)
            }
            let (one, other) = (choices(1_000), choices(2_000))
            XCTAssertEqual(one, choices(1_000), name)
            let different = zip(one, other).count { $0 != $1 }
            print("crash images, \(name): \(different) of \(one.count) differ with the seed")
            XCTAssertGreaterThan(different, 0, name)
        }
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

import WellspringLog
import WellspringTestKit
import XCTest

/// Shows of more protections of the log that the tests notice when they are switched off.
final class PlantedLogFaultTests: XCTestCase {
    override class func tearDown() { FaultTable.shared.printRows(of: Self.self) }

    private func crash(
        _ scenario: LogScenario, _ fault: PlantedFault?, images: Int = 300,
        durability: LogDurability = .everyCommit, seeds: ClosedRange<UInt64> = 1...6
    ) -> [String] {
        CrashCampaign(
            examinations: seeds.map { seed in
                LogExamination(
                    scenario: scenario, durability: durability, durabilityName: "\(durability)",
                    seed: seed, plantedFault: fault)
            }
        ).run(images: images, violationLimit: 3).violations
    }

    func test_a_time_that_goes_back_is_noticed() {
        assertNoticed(.clockGoesBack) { fault in
            let driver = LogDriver(
                SimulatedDisk(),
                LogScenario.clock.configuration(.everyCommit, plantedFault: fault))
            LogScenario.clock.run(driver)
            driver.open()
            let times = driver.client.frames.map(\.place.recordedAt)
            return driver.violations + (times == times.sorted() ? [] : ["TIME: \(times)"])
        }
    }

    func test_a_mark_that_outlives_its_group_is_noticed() {
        let scenario = LogScenario(name: "failed mark") { driver in
            driver.open()
            driver.commit(size: 600)
            driver.disk.inject(
                .init(.noSpace, operations: [.write], from: driver.disk.operationCount + 1))
            driver.commit(size: 600)
        }
        assertNoticed(.leaveMarkOfLostGroup) {
            crash(scenario, $0, images: 4_000, durability: .strict, seeds: 1...12)
        }
    }

    func test_a_commit_that_was_taken_back_in_memory_only_is_noticed() {
        let scenario = LogScenario(name: "failed write") { driver in
            driver.open()
            driver.commit(size: 600)
            driver.disk.inject(.init(.noSpace, operations: [.write]))
            driver.commit(size: 20)
            driver.abandon()
        }
        assertNoticed(.takeBackInMemoryOnly) { crash(scenario, $0, seeds: 1...20) }
    }

    func test_writing_after_a_failed_sync_is_noticed() {
        assertNoticed(.writeAfterPoison) { crash(.failedSync, $0) }
    }

    func test_a_tail_that_is_cut_off_and_not_kept_is_noticed() throws {
        try assertNoticed(.forgetTornTail) { fault in
            let disk = SimulatedDisk()
            let driver = LogDriver(
                disk, LogScenario.sizes.configuration(.osManaged, plantedFault: fault))
            driver.open()
            driver.commit(size: 900)
            driver.abandon()
            let name = disk.fileNames.first { $0.hasSuffix(".seg") } ?? ""
            var bytes = disk.contents(of: name) ?? []
            let place = try XCTUnwrap(driver.frames.last?.place)
            bytes[Int(place.bodyOffset) + 50] ^= 1
            disk.replaceContents(of: name, with: bytes)
            driver.crash(keeping: .everything)
            driver.open()
            let kept = disk.fileNames.filter { $0.hasPrefix("quarantine/") }
            return kept.isEmpty ? ["GONE: \(place.bodyLength) bytes"] : []
        }
    }

    func test_a_tail_that_is_written_again_and_not_synced_is_noticed() {
        assertNoticed(.restampWithoutSync) { crash(.failedSync, $0, images: 2_000) }
    }

    func test_a_segment_that_the_manifest_does_not_list_is_noticed() {
        assertNoticed(.rollWithoutManifest) { crash(.roll, $0) }
    }

    func test_a_seal_that_is_not_synced_is_noticed() {
        assertNoticed(.sealWithoutSync) { crash(.roll, $0) }
    }

    func test_zeros_behind_a_proper_end_are_noticed() {
        assertNoticed(.leaveZerosAtClose) { crash(.cleanReopening, $0) }
    }

    func test_a_body_that_was_changed_is_noticed() {
        assertNoticed(.ignoreBodyChecksum) { fault in
            let store = RottenStore(plantedFault: fault) {
                RottenStore.life($0)
                $0.close()
            }
            return store.places.compactMap { place -> String? in
                let name = store.segments[Int(place.segment) - 1]
                let outcome = store.open {
                    $0.flipBit(1, ofByte: Int(place.bodyOffset) + 5, in: name)
                }
                return outcome == .reported ? nil : "\(outcome)"
            }
        }
    }
}

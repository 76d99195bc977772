import WellspringLog
import WellspringTestKit
import XCTest

/// Shows of each protection that the tests notice when it is switched off, and are quiet otherwise.
final class PlantedFaultTests: XCTestCase {
    override class func tearDown() { FaultTable.shared.printRows(of: Self.self) }

    private func crash(
        _ scenario: LogScenario, _ fault: PlantedFault?, images: Int = 150,
        seeds: ClosedRange<UInt64> = 1...4
    ) -> [String] {
        CrashCampaign(
            examinations: seeds.map { seed in
                LogExamination(
                    scenario: scenario, durability: .everyCommit, durabilityName: "everyCommit",
                    seed: seed, plantedFault: fault)
            }
        ).run(images: images, violationLimit: 3).violations
    }

    func test_a_commit_that_is_reported_without_a_sync_is_noticed() {
        assertNoticed(.skipSync) { crash(.sizes, $0) }
    }

    func test_a_new_size_that_rests_on_one_sync_is_noticed() {
        assertNoticed(.believeFirstSync) { fault in
            (UInt64(1)...8).flatMap { seed in
                let examination = LogExamination(
                    scenario: .cleanReopening, durability: .everyCommit,
                    durabilityName: "everyCommit", seed: seed, plantedFault: fault)
                return (0..<examination.rehearse().operations).flatMap {
                    examination.examine(.abortedJournal(from: $0))
                }
            }
        }
    }

    func test_a_frame_that_calls_itself_durable_is_noticed() {
        assertNoticed(.claimDurableEarly) { crash(.sizes, $0, images: 600) }
    }

    func test_a_segment_whose_name_was_not_made_durable_is_noticed() {
        assertNoticed(.skipDirectorySync) { crash(.roll, $0, images: 300) }
    }

    func test_a_manifest_that_was_not_synced_before_its_renaming_is_noticed() {
        assertNoticed(.unsyncedManifest) { crash(.roll, $0) }
    }

    func test_a_commit_that_was_taken_back_without_a_sync_is_noticed() {
        assertNoticed(.rollBackWithoutSync) { fault in
            (UInt64(1)...20).flatMap { seed in
                let driver = LogDriver(
                    SimulatedDisk(seed: seed),
                    LogScenario.sizes.configuration(.everyCommit, plantedFault: fault))
                driver.open()
                driver.commit(size: 600)
                driver.disk.inject(.init(.noSpace, operations: [.write]))
                driver.commit(size: 20)
                return (UInt64(1)...20).flatMap { image in
                    let after = LogDriver(
                        driver.disk.afterCrash(seed: image), driver.configuration,
                        commits: driver.commits, promise: driver.promise)
                    after.open()
                    return after.violations
                }
            }
        }
    }

    func test_a_failed_sync_that_is_tried_again_is_noticed() {
        assertNoticed(.retryFailedSync) { crash(.failedSync, $0) }
    }

    func test_a_tail_that_is_believed_without_writing_it_again_is_noticed() {
        assertNoticed(.skipRestamp) { crash(.failedSync, $0, images: 300) }
    }

    func test_damage_that_is_taken_for_the_end_is_noticed() {
        assertNoticed(.cutAtAnyDamage) { fault in
            let store = RottenStore(plantedFault: fault) {
                RottenStore.life($0)
                $0.mark()
            }
            return damages(store, everyNth: 1) { place, segment in
                { $0.flipBit(1, ofByte: Int(place.bodyOffset) + 5, in: segment) }
            }
        }
    }

    func test_an_end_that_is_not_compared_with_the_known_one_is_noticed() {
        assertNoticed(.ignoreKnownEnd) { fault in
            let store = RottenStore(plantedFault: fault) {
                RottenStore.life($0)
                $0.close()
            }
            return damages(store, everyNth: 1) { place, segment in
                { disk in
                    let cut = disk.contents(of: segment)?.prefix(Int(place.offset)) ?? []
                    disk.replaceContents(of: segment, with: Array(cut))
                }
            }
        }
    }

    func test_a_close_without_a_mark_is_noticed() {
        assertNoticed(.skipClosingMark) { crash(.cleanReopening, $0) }
    }

    func test_a_torn_tail_that_stays_in_the_file_is_noticed() {
        assertNoticed(.keepTornTail) { fault in
            // Two commits were written and not synced. Of the first a sector is lost; then the same
            // program does the first commit again, at the same time, with the same bytes.
            let driver = LogDriver(
                SimulatedDisk(), LogScenario.sizes.configuration(.osManaged, plantedFault: fault))
            driver.open()
            driver.commit(size: 900)
            driver.sync()
            driver.commit([UInt8](repeating: 5, count: 2_000))
            let place = driver.frames.last?.place
            driver.commit([UInt8](repeating: 6, count: 2_000))
            driver.abandon()
            let segment = driver.disk.fileNames.first { $0.hasSuffix(".seg") } ?? ""
            var bytes = driver.disk.contents(of: segment) ?? []
            let middle = Int((place?.bodyOffset ?? 0) + 600)
            bytes.replaceSubrange(middle..<middle + 512, with: [UInt8](repeating: 0, count: 512))
            driver.disk.replaceContents(of: segment, with: bytes)
            driver.crash(keeping: .everything)
            driver.open()
            driver.commit([UInt8](repeating: 5, count: 2_000))
            driver.crash(keeping: .everything)
            driver.open()
            return driver.violations
        }
    }

    // MARK: - Rewriting

    func test_a_rewritten_segment_that_is_listed_before_it_is_synced_is_noticed() {
        assertNoticed(.rewriteWithoutSync) { crash(.rewriting, $0, images: 1_500) }
    }

    func test_an_old_segment_that_goes_before_the_new_one_is_listed_is_noticed() {
        assertNoticed(.removeSupersededEarly) { crash(.rewriting, $0, images: 1_500) }
    }

    func test_a_generation_that_is_not_the_listed_one_is_noticed() {
        assertNoticed(.believeHighestGeneration) { crash(.rewriting, $0, images: 1_500) }
    }

    func test_a_file_that_rewriting_left_is_noticed() {
        assertNoticed(.keepSuperseded) { crash(.rewriting, $0, images: 1_500) }
    }

    // MARK: - Frames in the wrong place

    /// Two stores with the same beginning, because their seed is the same.
    private func twins(_ fault: PlantedFault?) -> [RottenStore] {
        [1, 2].map { version in
            RottenStore(
                durability: .strict, segmentBytes: 1 << 20, plantedFault: fault
            ) { driver in
                driver.open()
                driver.commit([UInt8](repeating: 0, count: 900))
                driver.commit([UInt8](repeating: UInt8(version), count: 900))
                driver.commit([UInt8](repeating: UInt8(version + 2), count: 900))
                driver.close()
            }
        }
    }

    func test_a_frame_that_does_not_follow_the_one_before_it_is_noticed() {
        assertNoticed(.ignoreChain) { fault in
            // The page of one frame was never written; an older one with the same number is there.
            let stores = twins(fault)
            let segment = stores[0].segments.last ?? ""
            let place = stores[0].places[1]
            return damages(stores[0], segment) { disk in
                var bytes = disk.contents(of: segment) ?? []
                let page = Int(place.offset)..<Int(place.offset) + 4_096
                let older = stores[1].files[segment] ?? []
                bytes.replaceSubrange(page, with: older[page])
                disk.replaceContents(of: segment, with: bytes)
            }
        }
    }

    func test_frames_of_another_segment_that_has_the_same_salt_are_noticed() {
        assertNoticed(.sharedSalt) { fault in
            // Two stores with equal commits up to the last. It was not synced, the power goes, and
            // the blocks that the file was given hold what the other store once wrote there.
            let drivers = [UInt64(1), 2].map { seed in
                let driver = LogDriver(
                    SimulatedDisk(seed: seed),
                    LogScenario.sizes.configuration(.osManaged, plantedFault: fault))
                driver.open()
                driver.commit([1, 2, 3])
                driver.sync()
                driver.commit([UInt8](repeating: UInt8(seed), count: 900))
                driver.abandon()
                return driver
            }
            let (mine, other) = (drivers[0], drivers[1])
            let name = mine.disk.fileNames.first { $0.hasSuffix(".seg") } ?? ""
            let place = Int(mine.frames.last?.place.offset ?? 0)
            let bytes = (mine.disk.contents(of: name) ?? []).prefix(place)
            let foreign = (other.disk.contents(of: name) ?? []).dropFirst(place)
            mine.disk.replaceContents(of: name, with: Array(bytes) + foreign)
            mine.crash(keeping: .everything)
            mine.open()
            return mine.violations
        }
    }

    func test_a_frame_that_lies_where_it_was_not_written_is_noticed() {
        assertNoticed(.ignoreOwnOffset) { fault in
            // A body holds frames that the same log would have written later, in another life: a
            // copy of its own backup. The frame's header is lost in a crash; what is left of the
            // body must not be taken for a witness that the frame was durable.
            func life(_ durability: LogDurability, _ rest: [[UInt8]]) -> LogDriver {
                let driver = LogDriver(
                    SimulatedDisk(),
                    LogScenario.sizes.configuration(durability, plantedFault: fault))
                driver.open()
                driver.commit([1, 2, 3])
                driver.sync()
                for body in rest { driver.commit(body) }
                driver.abandon()
                return driver
            }
            func segment(_ driver: LogDriver) -> String {
                driver.disk.fileNames.first { $0.hasSuffix(".seg") } ?? ""
            }
            let other = life(.everyCommit, [[1], [2], [3]])
            let later = other.disk.contents(of: segment(other))?.dropFirst(4_096 + 72).prefix(220)
            let driver = life(.osManaged, [Array(later ?? [])])
            let place = Int(driver.frames.last?.place.offset ?? 0)
            var bytes = driver.disk.contents(of: segment(driver)) ?? []
            bytes.replaceSubrange(place..<place + 64, with: [UInt8](repeating: 0, count: 64))
            driver.disk.replaceContents(of: segment(driver), with: bytes)
            driver.crash(keeping: .everything)
            driver.open()
            return driver.violations
        }
    }

    /// Damages the store at its commits, one at a time, and returns what was not reported.
    private func damages(
        _ store: RottenStore, everyNth step: Int,
        _ damage: (FramePlace, String) -> (SimulatedDisk) -> Void
    ) -> [String] {
        stride(from: 0, to: store.places.count, by: step).flatMap { index -> [String] in
            let place = store.places[index]
            let segment = store.segments[Int(place.segment) - 1]
            return damages(store, segment, damage(place, segment))
        }
    }

    private func damages(
        _ store: RottenStore, _ segment: String, _ damage: (SimulatedDisk) -> Void
    ) -> [String] {
        switch store.open(after: damage) {
        case .reported: []
        case .harmless: ["UNNOTICED: damage to \(segment)"]
        case .broken(let what): [what]
        }
    }
}

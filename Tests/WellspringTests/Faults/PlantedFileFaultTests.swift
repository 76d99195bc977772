import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Shows of each thing that a file system has to do that the tests notice when it is not done.
final class PlantedFileFaultTests: XCTestCase {
    override class func tearDown() { FaultTable.shared.printRows(of: Self.self) }

    /// Crashes lives of stores.
    private func crash(
        _ fault: FileFault, _ durability: Durability = .everyCommit, test: String = #function,
        line: UInt = #line
    ) async {
        await assertNoticed(fault, seeds: 1...60, test: test, line: line) {
            (isPlanted, seed) in
            let trial = StoreCrashTrial(
                files: { disk -> any FileSystem in
                    isPlanted ? SabotagedFiles(base: disk, fault: fault) : disk
                })
            return await trial.crashes(of: durability, seed: seed).problems
        }
    }

    func test_a_store_directory_that_is_not_synced_is_noticed() async {
        await crash(.skipSyncOfTheStore)
    }

    func test_a_directory_of_segments_that_is_not_synced_is_noticed() async {
        await crash(.skipSyncOfTheSegments)
    }

    func test_a_directory_of_projections_that_is_not_synced_is_noticed() async {
        await crash(.skipSyncOfTheViews)
    }

    func test_segments_that_are_not_synced_are_noticed() async {
        await crash(.skipSyncOfSegments)
    }

    func test_a_manifest_that_is_not_synced_is_noticed() async {
        await crash(.skipSyncOfTheManifest)
    }

    func test_an_identity_that_is_not_synced_is_noticed() async {
        await crash(.skipSyncOfTheIdentity)
    }

    func test_saved_projections_that_are_not_synced_are_noticed() async {
        await crash(.skipSyncOfCheckpoints)
    }

    func test_a_cut_that_is_not_done_is_noticed() async {
        await crash(.skipTruncation)
    }

    func test_writes_that_are_dropped_are_noticed() async {
        await crash(.dropWrites)
    }

    func test_writes_that_change_a_bit_are_noticed() async {
        await crash(.garbleWrites)
    }

    func test_writes_to_another_place_are_noticed() async {
        await crash(.misplaceWrites)
    }

    func test_writes_that_end_early_are_noticed() async {
        await crash(.cutWritesShort)
    }

    func test_reads_that_end_early_are_noticed() async {
        await crash(.shortReads)
    }

    func test_a_manifest_that_is_never_renamed_is_noticed() async {
        await crash(.loseRenamingOfTheManifest)
    }

    func test_a_segment_that_is_never_renamed_is_noticed() async {
        await crash(.loseRenamingOfSegments)
    }

    func test_a_projection_that_is_never_renamed_is_noticed() async {
        await crash(.loseRenamingOfCheckpoints)
    }

    func test_a_list_without_the_newest_segment_is_noticed() async {
        await crash(.overlookTheNewestSegment)
    }

    func test_sizes_that_are_too_small_are_noticed() async {
        await crash(.understateSizes)
    }

    func test_a_failed_sync_that_is_not_reported_is_noticed() async {
        await assertNoticed(FileFault.swallowFailedSyncs, seeds: 1...40) {
            (isPlanted, seed) in
            let disk = SimulatedDisk(seed: seed)
            let files: any FileSystem =
                isPlanted ? SabotagedFiles(base: disk, fault: .swallowFailedSyncs) : disk
            let store = try await FileEventStore(
                at: "store", in: files, configuration: .init())
            try await store.appendSample(1)
            disk.inject(.init(.inputOutput, operations: [.sync]))
            let isStored = (try? await store.appendSample(2)) != nil
            disk.crash(keeping: .nothing)
            disk.heal()
            let log = try await FileEventStore(on: disk).wholeLog()
            return isStored && log.count < 2 ? ["an acknowledged append is lost"] : []
        }
    }

    func test_a_second_writer_is_noticed() async {
        await assertNoticed(FileFault.shareTheLock) { (isPlanted, _) in
            let disk = SimulatedDisk()
            let files: any FileSystem =
                isPlanted ? SabotagedFiles(base: disk, fault: .shareTheLock) : disk
            let first = try await FileEventStore(at: "store", in: files, configuration: .init())
            let second = try? await FileEventStore(
                at: "store", in: files, configuration: .init())
            await first.close()
            return second == nil ? [] : ["two writers at once"]
        }
    }
}

import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Shows of each protection of the index, and of reading by it, that the tests notice when it is
/// switched off.
final class PlantedIndexFaultTests: XCTestCase {
    override class func tearDown() { FaultTable.shared.printRows(of: Self.self) }

    private func configuration(_ fault: PlantedFault?) -> FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.plantedFault = fault
        configuration.segmentBytes = 64 << 10
        return configuration
    }

    /// A store of several segments, opened and closed in between.
    private func closedStore(
        _ fault: PlantedFault?, lives: ClosedRange<UInt64> = 1...4
    ) async throws -> (disk: SimulatedDisk, ledger: Ledger) {
        let disk = SimulatedDisk()
        var ledger = Ledger()
        for seed in lives {
            let store = try await FileEventStore(on: disk, configuration: configuration(fault))
            try await ledger.append(120, to: store, seed: seed)
            await store.close()
        }
        return (disk, ledger)
    }

    /// Opens what is on the disk and compares everything.
    private func complaints(
        _ disk: SimulatedDisk, _ ledger: Ledger, _ configuration: FileEventStore.Configuration
    ) async throws -> [String] {
        let store = try await FileEventStore(on: disk, configuration: configuration)
        defer { withExtendedLifetime(store) {} }
        let found = try await ledger.complaints(about: store)
        await store.close()
        return found
    }

    /// Damages a closed store that is sound, and opens it with the fault.
    private func check(
        _ fault: PlantedFault, test: String = #function, line: UInt = #line,
        after damage: (SimulatedDisk) async throws -> Void
    ) async {
        await assertNoticed(fault, test: test, line: line) { (isPlanted, _) in
            let (disk, ledger) = try await closedStore(nil)
            try await damage(disk)
            return try await complaints(disk, ledger, configuration(isPlanted ? fault : nil))
        }
    }

    func test_a_missing_run_that_is_not_missed_is_noticed() async {
        await check(.bridgeIndexGap) { disk in
            let runs = disk.runs
            XCTAssertGreaterThan(runs.count, 1)
            // The one that begins with the log.
            disk.replaceContents(of: runs[0], with: nil)
        }
    }

    func test_a_gap_in_the_index_that_stays_is_noticed() async {
        await check(.leaveIndexGap) { disk in
            for name in disk.runs { disk.replaceContents(of: name, with: nil) }
        }
    }

    func test_frames_that_are_indexed_twice_are_noticed() async {
        await check(.indexTwice) { _ in }
    }

    func test_an_index_that_is_continued_in_the_wrong_place_is_noticed() async {
        await check(.anchorOffByOne) { _ in }
    }

    func test_a_damaged_run_that_is_taken_for_an_empty_one_is_noticed() async {
        await check(.takeIndexDamageForNothing) { disk in
            for name in disk.runs { disk.flipBit(1, ofByte: 4_096 + 600, in: name) }
        }
    }

    func test_an_index_of_another_history_is_noticed() async {
        await assertNoticed(PlantedFault.believeForeignIndex) { (isPlanted, _) in
            let (disk, before) = try await closedStore(nil, lives: 1...2)
            let backup = disk.afterCrash(keeping: .everything, seed: 1)
            var ledgers: [Ledger] = []
            for (copy, seed) in [(disk, UInt64(5)), (backup, 6)] {
                var ledger = before
                let store = try await FileEventStore(on: copy, configuration: configuration(nil))
                try await ledger.append(200, to: store, seed: seed)
                await store.close()
                ledgers.append(ledger)
            }
            for name in backup.runs { backup.replaceContents(of: name, with: nil) }
            for name in disk.runs {
                backup.replaceContents(of: name, with: disk.contents(of: name))
            }
            return try await complaints(
                backup, ledgers[1], configuration(isPlanted ? .believeForeignIndex : nil))
        }
    }

    func test_a_merge_that_loses_a_run_is_noticed() async {
        await assertNoticed(PlantedFault.mergeDropsRun) { (isPlanted, _) in
            let fault: PlantedFault? = isPlanted ? .mergeDropsRun : nil
            let disk = SimulatedDisk()
            var ledger = Ledger()
            let store = try await FileEventStore(on: disk, configuration: configuration(fault))
            try await ledger.append(900, to: store, seed: 1)
            let found = try await ledger.complaints(about: store)
            await store.close()
            return found
        }
    }

    func test_verifying_tells_of_frames_that_were_indexed_twice() async throws {
        for fault in [nil, PlantedFault.indexTwice] {
            let (disk, _) = try await closedStore(fault)
            let report = try await FileEventStore.verify(at: "store", in: disk)
            XCTAssertEqual(
                Set(report.problems.map(\.kind)), fault == nil ? [] : [.indexEntries])
        }
    }

    func test_keys_that_are_believed_without_a_look_at_the_record_are_noticed() async {
        await assertNoticed(PlantedFault.believeIndexKey) { (isPlanted, _) in
            var configuration = configuration(isPlanted ? .believeIndexKey : nil)
            configuration.indexKeyMask = 1
            configuration.streamLimit = 3
            let store = try await FileEventStore(
                on: SimulatedDisk(), configuration: configuration)
            var ledger = Ledger()
            try await ledger.append(40, to: store, seed: 1)
            return try await ledger.complaints(about: store)
        }
    }

    // MARK: - Sealed segments, which opening does not read

    /// Opens a damaged store, which has to be refused.
    private func refuse(
        _ fault: PlantedFault, test: String = #function, line: UInt = #line,
        _ damagedStore: () async throws -> SimulatedDisk
    ) async {
        await assertNoticed(fault, test: test, line: line) { (isPlanted, _) in
            let disk = try await damagedStore()
            do {
                let store = try await FileEventStore(
                    on: disk, configuration: configuration(isPlanted ? fault : nil))
                await store.close()
                return ["it was opened"]
            } catch EventStoreError.damaged {
                return []
            }
        }
    }

    func test_a_sealed_segment_of_another_history_is_noticed() async {
        await refuse(.believeSealedEnd) {
            let disk = SimulatedDisk()
            let empty = try await FileEventStore(on: disk, configuration: configuration(nil))
            await empty.close()
            let other = disk.afterCrash(keeping: .everything, seed: 1)
            for (disk, byte) in [(disk, UInt8(1)), (other, 2)] {
                let store = try await FileEventStore(on: disk, configuration: configuration(nil))
                for _ in 0..<200 {
                    let payload = EventPayload([UInt8](repeating: byte, count: 500))
                    let event = NewEvent(EncodedEvent(name: "e", payload: payload))
                    try await store.append(
                        AppendRequest([event], to: sampleStream("1"), expecting: .any))
                }
                await store.close()
            }
            let name = disk.segments[0]
            XCTAssertEqual(disk.contents(of: name)?.count, other.contents(of: name)?.count)
            disk.replaceContents(of: name, with: other.contents(of: name))
            return disk
        }
    }

    // MARK: - Damage that shows when reading

    /// Flips a bit in an event of the first segment and reads it in one way.
    private func read(
        _ fault: PlantedFault, test: String = #function, line: UInt = #line,
        _ read: (FileEventStore) async throws -> Void
    ) async {
        await assertNoticed(fault, test: test, line: line) { (isPlanted, _) in
            let (disk, _) = try await closedStore(nil, lives: 1...1)
            disk.flipBit(2, ofByte: 4_096 + 64 + 700, in: disk.segments[0])
            let store = try await FileEventStore(
                on: disk, configuration: configuration(isPlanted ? fault : nil))
            do {
                try await read(store)
                return ["damage was read without a word"]
            } catch EventStoreError.damaged {
                return []
            }
        }
    }

    func test_damage_that_is_read_from_the_log_is_noticed() async {
        await read(.believeFramesWhenReading) { _ = try await $0.wholeLog() }
    }

    func test_damage_that_is_read_from_a_stream_is_noticed() async {
        await read(.ignoreRecordChecksum) { store in
            for key in 0..<23 {
                for try await _ in store.events(in: sampleStream("\(key)")) {}
            }
        }
    }
}

extension SimulatedDisk {
    var segments: [String] { fileNames.filter { $0.hasSuffix(".seg") }.sorted() }
    var runs: [String] { fileNames.filter { $0.hasSuffix(".run") }.sorted() }
}

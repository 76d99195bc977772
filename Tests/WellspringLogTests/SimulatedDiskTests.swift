import WellspringLog
import WellspringTestKit
import XCTest

final class SimulatedDiskTests: XCTestCase {
    private func open(_ disk: SimulatedDisk) throws -> any StoreDirectory {
        try disk.openStore(at: "store", create: true)
    }

    private func write(_ bytes: [UInt8], to file: any StoreFile, at offset: UInt64 = 0) throws {
        try bytes.withUnsafeBytes { try file.write($0, at: offset) }
    }

    private func read(_ file: any StoreFile, _ count: Int, at offset: UInt64 = 0) throws -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0xEE, count: count)
        let found = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
        return Array(bytes[..<found])
    }

    /// A disk with one durable file of these bytes.
    private func disk(
        _ bytes: [UInt8], seed: UInt64 = 1
    ) throws -> (SimulatedDisk, any StoreDirectory, any StoreFile) {
        let disk = SimulatedDisk(seed: seed)
        let store = try open(disk)
        let file = try store.open("a", .create)
        try write(bytes, to: file)
        try file.sync()
        try store.syncDirectory(nil)
        return (disk, store, file)
    }

    private func ones(_ count: Int, _ value: UInt8 = 1) -> [UInt8] {
        [UInt8](repeating: value, count: count)
    }

    // MARK: - As a file system

    func test_bytes_are_read_where_they_were_written_and_zeros_between() throws {
        let (_, _, file) = try disk([])
        try write([1, 2, 3], to: file, at: 510)
        try write(ones(600, 0), to: file, at: 2_000)
        try write([9], to: file, at: 3_000)
        XCTAssertEqual(try file.size(), 3_001)
        XCTAssertEqual(try read(file, 6, at: 508), [0, 0, 1, 2, 3, 0])
        XCTAssertEqual(try read(file, 10, at: 2_998), [0, 0, 9])
        XCTAssertEqual(try read(file, 10, at: 3_001), [])
    }

    func test_writing_zeros_over_bytes_erases_them() throws {
        let (disk, _, file) = try disk(ones(2_048))
        try write(ones(1_100, 0), to: file, at: 100)
        try file.sync()
        XCTAssertEqual(disk.contents(of: "a"), ones(100) + ones(1_100, 0) + ones(848))
    }

    func test_what_was_cut_off_does_not_come_back_when_the_file_grows() throws {
        let (disk, _, file) = try disk(ones(1_500))
        try file.truncate(to: 700)
        try file.truncate(to: 1_500)
        XCTAssertEqual(disk.contents(of: "a"), ones(700) + ones(800, 0))
    }

    func test_files_are_made_once_renamed_over_others_and_removed() throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        try store.makeDirectory("log")
        try write([1], to: store.open("log/1", .create))
        try write([2], to: store.open("next", .create))
        XCTAssertThrowsError(try store.open("next", .create))
        XCTAssertThrowsError(try store.open("none/1", .create))
        try store.rename("next", to: "log/1")
        XCTAssertEqual(disk.fileNames, ["log/1"])
        XCTAssertEqual(disk.contents(of: "log/1"), [2])
        try store.remove("log/1")
        XCTAssertThrowsError(try store.open("log/1", .read))
        XCTAssertEqual(try store.list(nil), ["log"])
        XCTAssertEqual(try store.list("log"), [])
    }

    func test_a_store_on_a_disk_is_locked_by_one_opener() throws {
        let disk = SimulatedDisk()
        guard case .acquired(let token) = try open(disk).lock("LOCK", owner: "first") else {
            return XCTFail("must be free")
        }
        guard case .held("first") = try open(disk).lock("LOCK", owner: "second") else {
            return XCTFail("must be held")
        }
        token.release()
        guard case .acquired = try open(disk).lock("LOCK", owner: "third") else {
            return XCTFail("must be free again")
        }
    }

    // MARK: - Crashes

    func test_what_was_synced_survives_and_what_was_not_need_not() throws {
        let (disk, _, file) = try disk(ones(512))
        try write(ones(512, 2), to: file)
        XCTAssertEqual(
            disk.afterCrash(keeping: .nothing, seed: 1).contents(of: "a"), ones(512))
        XCTAssertEqual(
            disk.afterCrash(keeping: .everything, seed: 1).contents(of: "a"), ones(512, 2))
        try file.sync()
        XCTAssertEqual(
            disk.afterCrash(keeping: .nothing, seed: 1).contents(of: "a"), ones(512, 2))
    }

    func test_after_a_crash_every_sector_holds_any_version_by_itself() throws {
        let (disk, _, file) = try disk(ones(1_024, 0))
        for value in UInt8(1)...3 { try write(ones(1_024, value), to: file) }
        var seen: Set<[UInt8]> = []
        for seed in 0..<2_000 {
            let contents = try XCTUnwrap(disk.afterCrash(seed: UInt64(seed)).contents(of: "a"))
            XCTAssertEqual(Set(contents[..<512]).count, 1)
            seen.insert([contents[0], contents[512]])
        }
        XCTAssertEqual(seen.count, 16, "any of 4 versions in each of 2 sectors")
    }

    func test_after_a_crash_a_file_has_any_size_it_may_have_had() throws {
        let (disk, _, file) = try disk(ones(4))
        try write(ones(8), to: file)
        try file.truncate(to: 2)
        var sizes: Set<Int> = []
        for seed in 0..<500 {
            sizes.insert(disk.afterCrash(seed: UInt64(seed)).contents(of: "a")?.count ?? -1)
        }
        XCTAssertEqual(sizes, Set(2...8))
    }

    func test_exactly_one_sector_can_survive() throws {
        let (disk, _, file) = try disk(ones(5_120, 0))
        try write(ones(5_120), to: file)
        var places: Set<Int?> = []
        for seed in 0..<500 {
            let image = disk.afterCrash(keeping: .oneSector, seed: UInt64(seed))
            let contents = try XCTUnwrap(image.contents(of: "a"))
            XCTAssertEqual(contents.count(where: { $0 == 1 }), 512)
            places.insert(contents.firstIndex(of: 1))
        }
        XCTAssertEqual(places.count, 10)
    }

    func test_names_that_were_not_synced_survive_or_not_each_by_itself() throws {
        let (disk, store, _) = try disk([1])
        _ = try store.open("b", .create)
        try store.rename("a", to: "c")
        var seen: Set<[String]> = []
        for seed in 0..<500 { seen.insert(disk.afterCrash(seed: UInt64(seed)).fileNames) }
        XCTAssertEqual(seen.count, 8, "of a, b and c any")
        XCTAssertEqual(disk.afterCrash(keeping: .nothing, seed: 0).fileNames, ["a"])
        try store.syncDirectory(nil)
        XCTAssertEqual(disk.afterCrash(keeping: .nothing, seed: 0).fileNames, ["b", "c"])
    }

    func test_a_file_in_a_directory_that_was_not_made_durable_is_lost() throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        try store.makeDirectory("log")
        let file = try store.open("log/1", .create)
        try file.sync()
        try store.syncDirectory("log")
        XCTAssertEqual(disk.afterCrash(keeping: .nothing, seed: 0).fileNames, [])
        try store.syncDirectory(nil)
        XCTAssertEqual(disk.afterCrash(keeping: .nothing, seed: 0).fileNames, ["log/1"])
    }

    func test_a_crash_ends_every_use_of_the_disk_from_before() throws {
        let (disk, store, file) = try disk([1])
        _ = try store.lock("LOCK", owner: "dead")
        disk.crash()
        XCTAssertThrowsError(try write([2], to: file))
        XCTAssertThrowsError(try store.open("a", .read))
        XCTAssertEqual(disk.contents(of: "a"), [1])
        guard case .acquired = try open(disk).lock("LOCK", owner: "alive") else {
            return XCTFail("the lock died with its holder")
        }
    }

    func test_a_power_cut_stops_everything_until_the_crash() throws {
        let (disk, store, file) = try disk(ones(512))
        try write(ones(512, 2), to: file)
        disk.inject(.powerCut(at: disk.operationCount))
        XCTAssertThrowsError(try file.sync())
        XCTAssertThrowsError(try store.open("b", .create))
        disk.crash(keeping: .nothing)
        XCTAssertEqual(disk.contents(of: "a"), ones(512))
        _ = try open(disk).open("b", .create)
    }

    func test_a_torn_sector_holds_neither_old_nor_new_only_on_demand() throws {
        let (disk, _, file) = try disk(ones(512))
        try write(ones(512, 2), to: file)
        func contents() -> Set<[UInt8]> {
            Set((0..<50).compactMap { disk.afterCrash(seed: $0).contents(of: "a") })
        }
        XCTAssertEqual(contents(), [ones(512), ones(512, 2)])
        disk.tearsSectors = true
        XCTAssertTrue(contents().isDisjoint(with: [ones(512), ones(512, 2)]))
    }

    func test_a_torn_sector_takes_its_page_with_it_though_the_same_bytes_were_written() throws {
        let (disk, _, file) = try disk(ones(12_288))
        try write(ones(512), to: file, at: 5_000)
        XCTAssertEqual(disk.afterCrash(seed: 1).contents(of: "a"), ones(12_288))
        disk.tearsSectors = true
        let torn = try XCTUnwrap(disk.afterCrash(seed: 1).contents(of: "a"))
        for sector in 0..<24 {
            let isWhole = Array(torn[sector * 512..<sector * 512 + 512]) == ones(512)
            XCTAssertEqual(isWhole, !(8..<16).contains(sector), "\(sector)")
        }
    }

    func test_noise_never_lies_behind_the_end_of_a_file() throws {
        let (disk, store, file) = try disk(ones(100))
        try write(ones(4_000), to: file)
        disk.tearsSectors = true
        for seed in 0..<100 {
            let image = disk.afterCrash(seed: UInt64(seed))
            let size = try XCTUnwrap(image.contents(of: "a")?.count)
            let file = try open(image).open("a", .readWrite)
            try file.truncate(to: 5_000)
            XCTAssertEqual(try read(file, 9_999, at: UInt64(size)), ones(5_000 - size, 0))
        }
        withExtendedLifetime(store) {}
    }

    func test_the_same_seed_leaves_the_same_disk() throws {
        func image(_ seed: UInt64) throws -> [UInt8]? {
            let (disk, store, file) = try disk(ones(4_000), seed: 3)
            for value in UInt8(2)...9 { try write(ones(3_000, value), to: file, at: 777) }
            _ = try store.open("b", .create)
            let after = disk.afterCrash(seed: seed)
            return after.contents(of: "a").map { $0 + [after.contents(of: "b") == nil ? 0 : 1] }
        }
        for seed in 0..<20 { XCTAssertEqual(try image(UInt64(seed)), try image(UInt64(seed))) }
        XCTAssertGreaterThan(Set(try (0..<20).map { try image(UInt64($0)) }).count, 5)
    }

    // MARK: - Faults

    func test_a_fault_hits_the_operation_it_was_made_for_once_or_until_healed() throws {
        let (disk, _, file) = try disk([])
        disk.inject(.init(.noSpace, operations: [.write], from: disk.operationCount + 1))
        try write([1], to: file)
        try file.sync()
        XCTAssertThrowsError(try write([2], to: file)) {
            XCTAssertEqual(($0 as? SystemError)?.kind, .noSpace)
        }
        try write([3], to: file)
        disk.inject(.init(.inputOutput, operations: [.read], .untilHealed))
        XCTAssertThrowsError(try read(file, 1))
        XCTAssertThrowsError(try read(file, 1))
        disk.heal()
        XCTAssertEqual(try read(file, 1), [3])
    }

    func test_a_failed_write_leaves_any_beginning_of_its_bytes() throws {
        var lengths: Set<Int> = []
        for seed in 0..<200 {
            let (disk, _, file) = try disk([], seed: UInt64(seed))
            disk.inject(.init(.inputOutput, operations: [.write]))
            XCTAssertThrowsError(try write(ones(10), to: file))
            lengths.insert(try XCTUnwrap(disk.contents(of: "a")?.count))
        }
        XCTAssertEqual(lengths, Set(0...10))
    }

    func test_after_a_failed_sync_readers_see_what_the_disk_may_never_get() throws {
        var seen: [String: Int] = [:]
        for seed in 0..<200 {
            let (disk, _, file) = try disk(ones(512), seed: UInt64(seed))
            try write(ones(512, 2), to: file)
            disk.inject(.init(.inputOutput, operations: [.sync]))
            XCTAssertThrowsError(try file.sync())
            try file.sync()
            XCTAssertEqual(try read(file, 512), ones(512, 2))
            let onDisk = disk.afterCrash(keeping: .everything, seed: 0).contents(of: "a")
            file.dropCache()
            let inMemory = try read(file, 512)
            seen["\(onDisk?.first ?? 0) on disk, \(inMemory[0]) in memory", default: 0] += 1
        }
        XCTAssertEqual(
            Set(seen.keys),
            ["2 on disk, 2 in memory", "1 on disk, 2 in memory", "1 on disk, 1 in memory"])
        XCTAssertGreaterThan(seen.values.min() ?? 0, 20)
    }

    func test_bytes_written_again_after_a_failed_sync_are_synced_even_if_readers_see_them() throws {
        for seed in 0..<50 {
            let (disk, _, file) = try disk(ones(512), seed: UInt64(seed))
            try write(ones(512, 2), to: file)
            disk.inject(.init(.inputOutput, operations: [.sync]))
            XCTAssertThrowsError(try file.sync())
            try write(ones(512, 2), to: file)
            try file.sync()
            disk.crash(keeping: .nothing)
            XCTAssertEqual(disk.contents(of: "a"), ones(512, 2))
        }
    }

    func test_a_full_disk_takes_what_fits() throws {
        let (disk, store, file) = try disk(ones(10))
        disk.capacity = 15
        XCTAssertThrowsError(try write(ones(10, 2), to: file, at: 10)) {
            XCTAssertEqual(($0 as? SystemError)?.kind, .noSpace)
        }
        XCTAssertEqual(disk.contents(of: "a"), ones(10) + ones(5, 2))
        XCTAssertThrowsError(try file.truncate(to: 16))
        XCTAssertThrowsError(try store.open("b", .create))
        try write(ones(15, 3), to: file)
        disk.heal()
        try write(ones(10), to: file, at: 10)
    }

    func test_a_flipped_bit_is_on_the_disk_and_in_memory() throws {
        let (disk, _, file) = try disk(ones(2, 0))
        disk.flipBit(3, ofByte: 1, in: "a")
        XCTAssertEqual(try read(file, 2), [0, 8])
        XCTAssertEqual(disk.afterCrash(seed: 1).contents(of: "a"), [0, 8])
    }

    // MARK: - The machine

    func test_the_clock_stands_until_it_is_moved_and_timers_fire_on_demand() throws {
        let disk = SimulatedDisk()
        let store = try open(disk)
        let start = store.wallClock()
        disk.advanceClock(nanoseconds: -5)
        XCTAssertEqual(store.wallClock(), start - 5)
        let signals = Guarded<[WorkerSignal]>([])
        let worker = store.makeWorker(named: "x") { signal in
            signals.withLock { $0.append(signal) }
        }
        worker.wake()
        disk.fireTimers()
        worker.setTimer(nanoseconds: 1)
        disk.fireTimers()
        disk.fireTimers()
        worker.stop()
        worker.wake()
        XCTAssertEqual(signals.withLock { $0 }, [.woken, .timer])
    }

    func test_the_trace_tells_what_was_asked_and_what_failed() throws {
        let (disk, _, file) = try disk([1])
        disk.inject(.init(.inputOutput, operations: [.read]))
        _ = try? read(file, 7, at: 5)
        XCTAssertEqual(
            disk.operations.map(\.description),
            [
                "#0 create a", "#1 write a 1 bytes at 0", "#2 sync a", "#3 syncDirectory .",
                "#4 read a 7 bytes at 5 FAILED",
            ])
    }
}

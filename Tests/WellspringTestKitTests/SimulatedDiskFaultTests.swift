import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

/// The faults of the simulated disk really happen, where and when they were asked for.
final class SimulatedDiskFaultTests: XCTestCase {
    /// A disk with a durable file `a` of four sectors of ones.
    private func disk(
        seed: UInt64 = 1
    ) throws -> (SimulatedDisk, any StoreDirectory, any StoreFile) {
        let disk = SimulatedDisk(seed: seed)
        disk.replaceContents(of: "a", with: sectors(1, 1, 1, 1))
        let store = try disk.openStore(at: "store", create: true)
        return (disk, store, try store.open("a", .readWrite))
    }

    private func sectors(_ values: UInt8...) -> [UInt8] {
        values.flatMap { [UInt8](repeating: $0, count: 512) }
    }

    private func write(_ bytes: [UInt8], to file: any StoreFile, at offset: UInt64 = 0) throws {
        try bytes.withUnsafeBytes { try file.write($0, at: offset) }
    }

    private func read(
        _ file: any StoreFile, _ count: Int = 2_048, at offset: UInt64 = 0
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: count)
        let found = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
        return Array(bytes[..<found])
    }

    /// What the disk has, whatever the system shows.
    private func onDisk(_ disk: SimulatedDisk) -> [UInt8]? {
        disk.afterCrash(keeping: .everything, seed: 1).contents(of: "a")
    }

    private func error(_ body: () throws -> Void) -> SystemError? {
        do {
            try body()
            return nil
        } catch {
            return error as? SystemError
        }
    }

    // MARK: - Errors

    func test_each_error_is_the_one_that_the_system_has_for_it() throws {
        let numbers: [SimulatedDisk.Fault.Failure: Int32] = [
            .inputOutput: EIO, .noSpace: ENOSPC, .quotaExceeded: EDQUOT, .accessDenied: EACCES,
            .readOnly: EROFS, .tooManyFiles: EMFILE, .tooManyFilesOfAll: ENFILE,
            .interrupted: EINTR,
        ]
        XCTAssertEqual(Set(numbers.keys), Set(SimulatedDisk.Fault.Failure.allCases))
        let (disk, _, file) = try disk()
        for (failure, number) in numbers {
            disk.inject(.init(failure))
            XCTAssertEqual(
                error { try file.sync() }, SystemError(call: "sync", file: "a", code: number))
        }
    }

    // MARK: - Bad sectors

    func test_a_read_fails_where_it_touches_a_bad_sector_and_nowhere_else() throws {
        let (disk, store, file) = try disk()
        disk.inject(.badSectors(700..<701, of: "a"))
        XCTAssertEqual(try read(file, 512), sectors(1))
        XCTAssertEqual(try read(file, 1_024, at: 1_024), sectors(1, 1))
        for (count, offset) in [(1, 512), (513, 0), (2_048, 0), (1, 1_023)] as [(Int, UInt64)] {
            XCTAssertEqual(error { _ = try read(file, count, at: offset) }?.kind, .io)
        }
        XCTAssertEqual(try read(store.open("b", .create)), [])
        disk.heal()
        XCTAssertEqual(try read(file), sectors(1, 1, 1, 1))
    }

    func test_what_is_written_to_a_bad_sector_fails_the_next_sync_and_is_gone() throws {
        for seed in 0..<50 as Range<UInt64> {
            let (disk, _, file) = try disk(seed: seed)
            disk.inject(.badSectors(512..<1_024, of: "a"))
            try write(sectors(2), to: file)
            try file.sync()
            try write(sectors(3, 3), to: file)
            XCTAssertEqual(error { try file.sync() }?.kind, .io)
            try file.sync()
            disk.heal()
            XCTAssertEqual(try read(file), sectors(3, 3, 1, 1))
            let found = onDisk(disk)
            XCTAssertTrue([sectors(2, 1, 1, 1), sectors(3, 1, 1, 1)].contains(found))
        }
    }

    func test_a_bad_sector_belongs_to_the_file_that_has_the_name_by_then() throws {
        let (disk, store, file) = try disk()
        disk.inject(.badSectors(0..<1, of: "b"))
        XCTAssertEqual(try read(file), sectors(1, 1, 1, 1))
        try store.rename("a", to: "b")
        XCTAssertEqual(error { _ = try read(file) }?.kind, .io)
    }

    // MARK: - Lies

    func test_a_lost_write_is_seen_by_readers_and_is_not_on_the_disk() throws {
        var seen: Set<[UInt8]> = []
        for seed in 0..<50 as Range<UInt64> {
            let (disk, _, file) = try disk(seed: seed)
            disk.inject(.lostWrite())
            try write(sectors(2), to: file, at: 512)
            try write(sectors(3), to: file, at: 1_024)
            try file.sync()
            XCTAssertEqual(try read(file), sectors(1, 2, 3, 1))
            XCTAssertEqual(onDisk(disk), sectors(1, 1, 3, 1))
            file.dropCache()
            seen.insert(try read(file))
        }
        XCTAssertEqual(seen, [sectors(1, 2, 3, 1), sectors(1, 1, 3, 1)])
    }

    func test_a_lost_write_is_made_good_by_whoever_writes_the_sector_again() throws {
        let (disk, _, file) = try disk()
        disk.inject(.lostWrite())
        try write(sectors(2, 2), to: file)
        try file.sync()
        try write([3], to: file)
        try file.sync()
        XCTAssertEqual(onDisk(disk), [3] + sectors(2).dropFirst() + sectors(1, 1, 1))
    }

    func test_writes_are_lost_of_one_file_from_an_operation_on_once_or_until_healed() throws {
        let (disk, store, file) = try disk()
        disk.replaceContents(of: "b", with: sectors(1))
        let other = try store.open("b", .readWrite)
        disk.inject(.lostWrite(to: "a", from: disk.operationCount + 2, .untilHealed))
        try write(sectors(2), to: file)
        try write(sectors(2), to: other)
        try write(sectors(2), to: file, at: 512)
        try write(sectors(2), to: file, at: 1_024)
        disk.heal()
        try write(sectors(2), to: file, at: 1_536)
        try file.sync()
        try other.sync()
        XCTAssertEqual(onDisk(disk), sectors(2, 1, 1, 2))
        disk.crash(keeping: .nothing)
        XCTAssertEqual(disk.contents(of: "b"), sectors(2))
    }

    func test_a_misdirected_write_overwrites_another_place_on_the_disk() throws {
        for (distance, expected) in [
            (1, sectors(1, 1, 2, 3)), (-1, sectors(2, 3, 1, 1)), (2, sectors(1, 1, 1, 2)),
            (9, sectors(1, 1, 1, 1)),
        ] {
            let (disk, _, file) = try disk()
            disk.inject(.misdirectedWrite(by: distance))
            try write(sectors(2, 3), to: file, at: 512)
            try file.sync()
            XCTAssertEqual(try read(file), sectors(1, 2, 3, 1))
            XCTAssertEqual(onDisk(disk), expected, "by \(distance)")
        }
    }

    func test_what_a_misdirected_write_has_hit_shows_once_the_cache_is_dropped() throws {
        var seen: Set<[UInt8]> = []
        for seed in 0..<200 as Range<UInt64> {
            let (disk, _, file) = try disk(seed: seed)
            disk.inject(.misdirectedWrite(by: 2))
            try write(sectors(2), to: file)
            file.dropCache()
            seen.insert(try read(file))
        }
        XCTAssertTrue(seen.isSuperset(of: [sectors(2, 1, 1, 1), sectors(1, 1, 2, 1)]))
    }

    func test_the_trace_tells_of_lies() throws {
        let (disk, _, file) = try disk()
        disk.inject(.lostWrite())
        try write([2], to: file)
        try write([3], to: file)
        XCTAssertEqual(disk.operations.suffix(2).map(\.hasFailed), [true, false])
    }

    // MARK: - Time

    func test_slow_operations_move_the_clock_and_succeed_or_fail_all_the_same() throws {
        let (disk, store, file) = try disk()
        let start = store.wallClock()
        disk.inject(.delay(nanoseconds: 5, operations: [.sync]))
        disk.inject(.delay(nanoseconds: 70, .once))
        disk.inject(.init(.inputOutput, operations: [.sync]))
        XCTAssertEqual(error { try file.sync() }?.kind, .io)
        XCTAssertEqual(store.wallClock(), start + 75)
        try file.sync()
        try write([2], to: file)
        XCTAssertEqual(store.wallClock(), start + 80)
        disk.heal()
        try file.sync()
        XCTAssertEqual(store.wallClock(), start + 80)
    }
}

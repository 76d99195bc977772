import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Whatever a disk does wrong, a store says so: it never passes it off as success, as an empty place
/// or as the end of the log.
final class ReportedFaultTests: XCTestCase {
    private typealias Failure = SimulatedDisk.Fault.Failure
    private let segment = "log/0000000001-0000.seg"

    /// An event that takes several sectors, so that none of its neighbours writes all of them again.
    private func append(_ number: Int, to store: FileEventStore) async throws {
        let payload = CrashEvent.bytes(2_000, seed: UInt64(number))
        let event = NewEvent(EncodedEvent(name: "large", payload: payload))
        try await store.append(AppendRequest([event], to: sampleStream("1"), expecting: .any))
    }

    /// A disk with a store of so many events, which nobody closed.
    private func filled(
        _ count: Int, seed: UInt64 = 1, _ trouble: (SimulatedDisk, Int) -> Void = { _, _ in }
    ) async throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: seed)
        let store = try await FileEventStore(on: disk)
        for number in 1...count {
            trouble(disk, number)
            try await append(number, to: store)
        }
        return disk
    }

    /// Where the events of the segment end and what was written ahead begins.
    private func end(of disk: SimulatedDisk) -> Int {
        (disk.contents(of: segment) ?? []).lastIndex { $0 != 0 } ?? 0
    }

    private func openAndRead(_ disk: SimulatedDisk) async throws -> Int {
        let store = try await FileEventStore(on: disk)
        let log = try await store.wholeLog()
        await store.close()
        return log.count
    }

    // MARK: - Errors

    func test_each_error_of_a_write_is_told_and_leaves_nothing_behind() async throws {
        for failure in Failure.allCases {
            let disk = SimulatedDisk()
            let store = try await FileEventStore(on: disk)
            try await store.appendSample(1)
            disk.inject(.init(failure, operations: [.write]))
            let error = await storeError { try await store.appendSample(2) }
            switch (failure, error) {
            case (.noSpace, .storageFull), (.quotaExceeded, .storageFull): break
            case (_, .notStored): break
            default: XCTFail("\(failure): \(error as Any)")
            }
            try await store.appendSample(3)
            await store.close()
            let log = try await FileEventStore(on: disk).wholeLog()
            XCTAssertEqual(log.map(\.event), [sampleEvent(1).event, sampleEvent(3).event])
        }
    }

    func test_each_error_of_a_sync_stops_the_store_until_it_is_opened_again() async throws {
        for failure in Failure.allCases {
            let disk = SimulatedDisk()
            let store = try await FileEventStore(on: disk)
            try await store.appendSample(1)
            disk.inject(.init(failure, operations: [.sync]))
            let unknown = await storeError { try await store.appendSample(2) }
            guard case .outcomeUnknown? = unknown else {
                return XCTFail("\(failure): \(unknown as Any)")
            }
            let refused = await storeError { try await store.appendSample(3) }
            guard case .poisoned? = refused else { return XCTFail("\(refused as Any)") }
            await store.close()
            let again = try await FileEventStore(on: disk)
            try await again.appendSample(4)
            await again.close()
        }
    }

    func test_each_error_while_opening_and_reading_is_told_with_its_number() async throws {
        let base = try await filled(3)
        for failure in Failure.allCases {
            for kind in [SimulatedDisk.Operation.Kind.open, .list, .status, .read] {
                let disk = base.afterCrash(seed: 1)
                disk.inject(.init(failure, operations: [kind], .untilHealed))
                let error = await storeError { _ = try await openAndRead(disk) }
                switch (failure, error) {
                case (.noSpace, .storageFull), (.quotaExceeded, .storageFull): break
                case (_, .io(_, _, let code)): XCTAssertGreaterThan(code, 0)
                default: XCTFail("\(failure) of \(kind): \(error as Any)")
                }
                disk.heal()
                let count = try await openAndRead(disk)
                XCTAssertEqual(count, 3)
            }
        }
    }

    // MARK: - Bad sectors

    func test_events_that_cannot_be_read_are_neither_damage_nor_the_end_of_the_log() async throws {
        let disk = try await filled(5)
        disk.crash(keeping: .everything)
        let size = end(of: disk)
        for place in stride(from: 0, to: size, by: 512) {
            let trial = disk.afterCrash(keeping: .everything, seed: 1)
            let before = trial.contents(of: segment)
            trial.inject(.badSectors(place..<place + 1, of: segment))
            let error = await storeError { _ = try await openAndRead(trial) }
            guard case .io(_, segment, 5)? = error else {
                return XCTFail("\(place): \(error as Any)")
            }
            XCTAssertEqual(trial.contents(of: segment), before)
            trial.heal()
            let count = try await openAndRead(trial)
            XCTAssertEqual(count, 5)
        }
    }

    func test_an_append_to_a_bad_sector_is_not_acknowledged() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        try await append(1, to: store)
        let end = end(of: disk)
        disk.inject(.badSectors(end + 600..<end + 700, of: segment))
        let error = await storeError { try await append(2, to: store) }
        guard case .outcomeUnknown? = error else { return XCTFail("\(error as Any)") }
        disk.crash()
        let count = try await openAndRead(disk)
        XCTAssertEqual(count, 1, "a part of it cannot be there")
    }

    // MARK: - Lies

    /// Loses one write of a store's life and turns the power off some writes later.
    ///
    /// - Returns: The error of the next opening, after a look at whether the disk has lied at all.
    private func errorAfter(
        _ fault: (String) -> SimulatedDisk.Fault, ofWrite harmed: Int, of count: Int, seed: UInt64
    ) async throws -> EventStoreError? {
        let honest = try await filled(count, seed: seed).afterCrash(keeping: .everything, seed: 1)
        let lying = try await filled(count, seed: seed) { disk, number in
            if number == harmed { disk.inject(fault(segment)) }
        }
        lying.crash(keeping: .everything)
        XCTAssertNotEqual(lying.contents(of: segment), honest.contents(of: segment))
        let damaged = lying.contents(of: segment)
        let error = await storeError { _ = try await openAndRead(lying) }
        XCTAssertEqual(lying.contents(of: segment), damaged, "damage is left as it was found")
        return error
    }

    func test_a_lost_write_below_later_events_is_damage() async throws {
        for harmed in 1...4 {
            for seed in 1...5 as ClosedRange<UInt64> {
                let error = try await errorAfter(
                    { .lostWrite(to: $0) }, ofWrite: harmed, of: 5, seed: seed)
                guard case .damaged(let damage)? = error, damage.file == segment else {
                    return XCTFail("\(harmed): \(error as Any)")
                }
            }
        }
    }

    func test_a_misdirected_write_below_later_events_is_damage() async throws {
        for (harmed, distance) in [(1, 1), (2, 3), (3, -2), (4, -5), (3, 700)] {
            for seed in 1...5 as ClosedRange<UInt64> {
                let error = try await errorAfter(
                    { .misdirectedWrite(by: distance, to: $0) }, ofWrite: harmed, of: 5,
                    seed: seed)
                guard case .damaged(let damage)? = error, damage.file == segment else {
                    return XCTFail("\(harmed) by \(distance): \(error as Any)")
                }
            }
        }
    }

    func test_the_last_write_is_missed_too_once_the_store_was_idle_or_closed() async throws {
        for isClosed in [true, false] {
            let disk = SimulatedDisk()
            let store = try await FileEventStore(on: disk)
            try await append(1, to: store)
            disk.inject(.lostWrite(to: segment))
            try await append(2, to: store)
            if isClosed { await store.close() } else { disk.fireTimers() }
            disk.crash(keeping: .everything)
            let error = await storeError { _ = try await openAndRead(disk) }
            guard case .damaged? = error else { return XCTFail("\(error as Any)") }
        }
    }

    // MARK: - Time

    func test_events_of_a_slow_disk_bear_the_times_at_which_they_were_written() async throws {
        let disk = SimulatedDisk()
        disk.inject(.delay(nanoseconds: 3_000_000_000, operations: [.sync]))
        let store = try await FileEventStore(on: disk)
        for number in 1...3 { try await store.appendSample(number) }
        disk.heal()
        try await store.appendSample(4)
        // Time that goes backwards meanwhile does not count.
        disk.inject(.delay(nanoseconds: -1 << 60, .once))
        try await store.appendSample(5)
        try await store.appendSample(6)
        let times = try await store.wholeLog().map(\.recordedAt.nanoseconds)
        XCTAssertEqual(
            zip(times, times.dropFirst()).map { $1 - $0 },
            [3_000_000_000, 3_000_000_000, 3_000_000_000, 0, 0])
        await store.close()
    }
}

import Wellspring
import WellspringLog
import XCTest

@testable import WellspringTestKit

/// When events become durable in each mode, on a disk whose time stands still.
final class StoreDurabilityTests: XCTestCase {
    func test_an_opening_says_when_syncs_end_in_the_cache_of_the_drive() async throws {
        for reachMedium in [true, false] {
            let disk = SimulatedDisk()
            disk.setSyncsReachMedium(reachMedium)
            let notices = Guarded<[StoreNotice]>([])
            var configuration = FileEventStore.Configuration()
            configuration.onNotice = { notice in notices.withLock { $0.append(notice) } }
            let store = try await FileEventStore(on: disk, configuration: configuration)
            XCTAssertEqual(store.report.syncsReachMedium, reachMedium)
            let told = "\(notices.withLock { $0 }.first.map { "\($0)" } ?? "")"
            XCTAssertEqual(told.contains("power cut"), !reachMedium, told)
            await store.close()
        }
    }

    func test_every_commit_is_durable_and_visible_when_it_returns() async throws {
        for durability in [Durability.everyCommit, .strict] {
            let (store, _) = try await open(durability)
            let receipt = try await store.appendSample(1)
            XCTAssertEqual(store.durablePosition, receipt.position, "\(durability)")
            await store.close()
        }
    }

    func test_an_interval_ends_with_its_timer() async throws {
        let (store, disk) = try await open(.interval(time: .milliseconds(50), bytes: 1 << 20))
        try await store.appendSample(1)
        XCTAssertEqual(store.durablePosition, .start)
        let visible = try await store.wholeLog()
        XCTAssertEqual(visible.count, 1, "the same process sees what is written")
        disk.fireTimers()
        XCTAssertEqual(store.durablePosition, LogPosition(1))
        try await store.appendSample(2)
        disk.fireTimers()
        XCTAssertEqual(store.durablePosition, LogPosition(2), "the timer must start again")
        await store.close()
    }

    func test_an_interval_ends_in_steady_traffic_too() async throws {
        let (store, disk) = try await open(.interval(time: .milliseconds(50), bytes: 1 << 20))
        try await store.appendSample(1)
        disk.advanceClock(nanoseconds: 49_999_999)
        try await store.appendSample(2)
        XCTAssertEqual(store.durablePosition, .start)
        disk.advanceClock(nanoseconds: 1)
        try await store.appendSample(3)
        XCTAssertEqual(store.durablePosition, LogPosition(3))
        await store.close()
    }

    func test_an_interval_ends_though_the_clock_is_set_back() async throws {
        let (store, disk) = try await open(.interval(time: .milliseconds(50), bytes: 1 << 20))
        try await store.appendSample(1)
        disk.advanceClock(nanoseconds: -3_600_000_000_000)
        for number in 2...4 {
            try await store.appendSample(number)
            disk.advanceClock(nanoseconds: 50_000_000)
        }
        XCTAssertGreaterThanOrEqual(store.durablePosition, LogPosition(3))
        await store.close()
    }

    func test_an_interval_ends_with_its_bytes() async throws {
        let (store, _) = try await open(.interval(time: .seconds(1_000), bytes: 2_000))
        var number = 0
        while store.durablePosition == .start {
            number += 1
            try await store.appendSample(number)
            XCTAssertLessThan(number, 30)
        }
        XCTAssertGreaterThan(number, 3)
        await store.close()
    }

    func test_the_system_decides_until_somebody_asks() async throws {
        let (store, disk) = try await open(.osManaged)
        try await store.appendSample(1)
        disk.fireTimers()
        XCTAssertEqual(store.durablePosition, .start)
        try await store.sync()
        XCTAssertEqual(store.durablePosition, LogPosition(1))
        await store.close()
    }

    func test_a_mark_follows_the_last_commit_when_it_is_quiet() async throws {
        let (store, disk) = try await open(.everyCommit)
        try await store.appendSample(1)
        let before = disk.operationCount
        disk.fireTimers()
        let kinds = disk.operations.suffix(disk.operationCount - before).map(\.kind)
        XCTAssertTrue(kinds.contains(.write) && kinds.contains(.sync), "\(kinds)")
        let quiet = disk.operationCount
        disk.fireTimers()
        XCTAssertEqual(disk.operationCount, quiet, "one mark is enough")
        await store.close()
    }

    func test_a_mark_for_which_there_is_no_room_is_tried_again() async throws {
        for durability in [Durability.everyCommit, .interval()] {
            let (store, disk) = try await open(durability)
            try await store.appendSample(1)
            disk.inject(.init(.noSpace, operations: [.write]))
            disk.fireTimers()
            disk.heal()
            let before = disk.operationCount
            disk.fireTimers()
            let kinds = disk.operations.suffix(disk.operationCount - before).map(\.kind)
            XCTAssertTrue(kinds.contains(.write) && kinds.contains(.sync), "\(kinds)")
            try await store.appendSample(2)
            await store.close()
        }
    }

    func test_an_interval_is_no_longer_after_a_mark_for_which_there_was_no_room() async throws {
        let (store, disk) = try await open(.interval(time: .milliseconds(50), bytes: 1 << 20))
        try await store.appendSample(1)
        disk.inject(.init(.noSpace, operations: [.write]))
        disk.fireTimers()
        disk.heal()
        try await store.appendSample(2)
        let timers = disk.core.withLock { $0.workers }.compactMap(\.timer)
        XCTAssertEqual(timers.min(), 50_000_000)
        disk.fireTimers()
        XCTAssertEqual(store.durablePosition, LogPosition(2))
        await store.close()
    }

    func test_a_sync_that_somebody_asked_for_is_told_to_other_processes() async throws {
        let (store, disk) = try await open(.osManaged)
        try await store.appendSample(1)
        let reader = try await FileEventReader(on: disk)
        let before = try await reader.wholeLog()
        XCTAssertEqual(before.count, 0, "nobody knows yet that it is durable")
        try await store.sync()
        let after = try await reader.wholeLog()
        XCTAssertEqual(after.count, 1)
        await reader.close()
        await store.close()
    }

    private func open(_ durability: Durability) async throws -> (FileEventStore, SimulatedDisk) {
        let disk = SimulatedDisk()
        var configuration = FileEventStore.Configuration()
        configuration.durability = durability
        return (try await FileEventStore(on: disk, configuration: configuration), disk)
    }
}

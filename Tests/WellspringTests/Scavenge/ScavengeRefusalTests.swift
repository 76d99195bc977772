@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// What a scavenge refuses, gives up, or has to recover first.
final class ScavengeRefusalTests: XCTestCase {
    func test_an_open_store_is_not_scavenged() async throws {
        let fixture = try await ScavengeFixture()
        let store = try await fixture.open()
        let before = fixture.disk.allContents
        let error = await storeError { try await fixture.scavenge() }
        guard case .locked? = error else { return XCTFail("\(error as Any)") }
        XCTAssertTrue(fixture.disk.allContents == before)
        await store.close()
    }

    func test_the_lock_is_free_again_whatever_came_of_it() async throws {
        let fixture = try await ScavengeFixture()
        for _ in 0..<3 {
            try await fixture.scavenge()
            await (try await fixture.open()).close()
        }
        let damaged = try await ScavengeFixture()
        try await damageSomething(of: damaged)
        _ = await storeError { try await damaged.scavenge() }
        await (try await damaged.open()).close()
    }

    func test_a_store_that_was_not_closed_is_recovered_first() async throws {
        let fixture = try await ScavengeFixture(closes: false)
        let report = try await fixture.scavenge()
        XCTAssertEqual(report.redactedCount, UInt64(fixture.going.count))
        let complaints = try await fixture.complaints(about: fixture.disk, isDone: true)
        XCTAssertEqual(complaints, [])
    }

    func test_requests_of_the_last_moment_before_a_crash_are_done() async throws {
        let fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        let store = try await fixture.open()
        let event = fixture.stream(ScavengeFixture.calm)[5]
        try await store.requestRedaction(of: [event.position])
        // No mark says that it is durable.
        fixture.disk.crash(keeping: .everything)
        _ = store
        let report = try await fixture.scavenge()
        XCTAssertEqual(report.redactedCount, 1)
    }

    func test_where_there_is_no_store_there_is_none_afterwards() async throws {
        let disk = SimulatedDisk()
        let error = await storeError {
            try await FileEventStore.scavenge(at: "store", in: disk)
        }
        guard case .notAStore? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(disk.fileNames, [])
    }

    func test_a_damaged_segment_is_told_and_left_as_it_is() async throws {
        let fixture = try await ScavengeFixture()
        try await damageSomething(of: fixture)
        let before = fixture.disk.allContents.filter { $0.key.hasSuffix(".run") }
        let segments = fixture.disk.segments.map { fixture.disk.contents(of: $0) }
        let error = await storeError { try await fixture.scavenge() }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.file, LogLayout.segment(1))
        XCTAssertTrue(fixture.disk.segments.map { fixture.disk.contents(of: $0) } == segments)
        XCTAssertTrue(
            fixture.disk.allContents.filter { $0.key.hasSuffix(".run") } == before,
            "without its index the store could not be opened any more")
    }

    func test_a_full_disk_is_told_and_costs_nothing() async throws {
        let fixture = try await ScavengeFixture()
        fixture.disk.inject(.init(.noSpace, operations: [.write], .untilHealed))
        let error = await storeError { try await fixture.scavenge() }
        guard case .storageFull? = error else { return XCTFail("\(error as Any)") }
        fixture.disk.heal()
        let complaints = try await fixture.complaints(
            about: fixture.disk.afterCrash(keeping: .nothing, seed: 2), isDone: false)
        XCTAssertEqual(complaints, [])
        try await fixture.scavenge()
        XCTAssertTrue(fixture.positionsWithContent().isDisjoint(with: fixture.going))
    }

    func test_a_disk_that_fails_at_any_moment_is_told_as_that() async throws {
        let fixture = try await ScavengeFixture()
        let rehearsal = fixture.disk.afterCrash(keeping: .everything, seed: 1)
        try await fixture.scavenge(rehearsal)
        for index in stride(from: 0, to: rehearsal.operationCount, by: 1) {
            let disk = fixture.disk.afterCrash(keeping: .everything, seed: 1)
            disk.inject(.init(.inputOutput, from: index, .untilHealed))
            let error = await storeError { try await fixture.scavenge(disk) }
            guard case .io? = error else { return XCTFail("\(index): \(error as Any)") }
        }
    }

    func test_a_cancelled_scavenge_leaves_a_store_that_was_closed() async throws {
        let fixture = try await ScavengeFixture()
        let disk = fixture.disk
        let scavenge = Task { () -> EventStoreError? in
            withUnsafeCurrentTask { $0?.cancel() }
            return await storeError { try await FileEventStore.scavenge(at: "store", in: disk) }
        }
        let error = await scavenge.value
        XCTAssertEqual(error, .cancelled)
        let store = try await fixture.open()
        XCTAssertTrue(store.report.wasClean)
        await store.close()
        try await fixture.scavenge()
        XCTAssertTrue(fixture.positionsWithContent().isDisjoint(with: fixture.going))
    }

    func test_a_scavenge_that_is_cancelled_amid_the_writing_keeps_what_it_did() async throws {
        let fixture = try await ScavengeFixture()
        let disk = fixture.disk
        let directory = try disk.openStore(at: "store", create: false)
        // Asked before each segment: the second time it is.
        let asked = Guarded(0)
        let scavenge = StoreScavenge(
            directory,
            isCancelled: {
                guard disk.segments.contains(LogLayout.segment(1, generation: 1)) else {
                    return false
                }
                asked.withLock { $0 += 1 }
                return true
            }, nil)
        XCTAssertThrowsError(try scavenge.run()) { XCTAssertTrue($0 is CancellationError) }
        XCTAssertEqual(asked.withLock { $0 }, 1)
        XCTAssertTrue(disk.segments.contains(LogLayout.segment(1, generation: 1)))
        XCTAssertTrue(disk.segments.contains(LogLayout.segment(3)))
        let complaints = try await fixture.complaints(
            about: disk.afterCrash(keeping: .nothing, seed: 1), isDone: false)
        XCTAssertEqual(complaints, [])
        let report = try await fixture.scavenge()
        XCTAssertEqual(report.segmentCount, 2)
        XCTAssertTrue(fixture.positionsWithContent().isDisjoint(with: fixture.going))
    }

    func test_progress_is_told_in_bytes_of_what_is_written_and_events_that_lost_content()
        async throws
    {
        let fixture = try await ScavengeFixture()
        let told = Guarded<[MaintenanceProgress]>([])
        try await FileEventStore.scavenge(at: "store", in: fixture.disk) { progress in
            told.withLock { $0.append(progress) }
        }
        let last = try XCTUnwrap(told.withLock { $0.last })
        XCTAssertEqual(last.events, UInt64(fixture.going.count))
        XCTAssertEqual(last.bytes, last.totalBytes)
        XCTAssertGreaterThan(last.bytes, 100_000)
    }

    /// Turns a bit in the first segment, in an event that is to go.
    private func damageSomething(of fixture: ScavengeFixture) async throws {
        let name = fixture.disk.segments[0]
        let bytes = try XCTUnwrap(fixture.disk.contents(of: name))
        fixture.disk.flipBit(1, ofByte: bytes.count / 2, in: name)
    }
}

import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// What a store does when the disk fails under it.
final class StoreFailureTests: XCTestCase {
    func test_a_failed_write_is_taken_back_and_may_be_tried_again() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        try await store.appendSample(1)
        disk.inject(.init(.noSpace, operations: [.write]))
        let error = await storeError { try await store.appendSample(2) }
        guard case .storageFull(let reason)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertTrue(reason.contains("No space left on device"), reason)
        let receipt = try await store.appendSample(3)
        XCTAssertEqual(receipt.position, LogPosition(2))
        let log = try await store.wholeLog()
        XCTAssertEqual(
            log.map { String(decoding: $0.event.payload, as: UTF8.self) },
            [
                #"{"number":1}"#, #"{"number":3}"#,
            ])
        await store.close()
    }

    func test_a_failed_sync_stops_the_store_and_hides_what_is_uncertain() async throws {
        let disk = SimulatedDisk()
        let notices = Guarded<[StoreNotice]>([])
        var configuration = FileEventStore.Configuration()
        configuration.onNotice = { notice in notices.withLock { $0.append(notice) } }
        let store = try await FileEventStore(on: disk, configuration: configuration)
        try await store.appendSample(1)
        disk.inject(.init(.inputOutput, operations: [.sync]))

        let unknown = await storeError { try await store.appendSample(2) }
        guard case .outcomeUnknown(let failure)? = unknown else {
            return XCTFail("\(unknown as Any)")
        }
        XCTAssertEqual(failure.lastDurable, LogPosition(1))
        let refused = await storeError { try await store.appendSample(3) }
        guard case .poisoned? = refused else { return XCTFail("\(refused as Any)") }
        let waiting = await storeError { try await store.waitForEvents(after: LogPosition(1)) }
        guard case .poisoned? = waiting else { return XCTFail("\(waiting as Any)") }

        let visible = try await store.wholeLog()
        XCTAssertEqual(visible.count, 1, "what is uncertain must not be seen")
        XCTAssertTrue(notices.withLock { $0 }.contains(.poisoned(failure)))
        await store.close()

        disk.heal()
        let again = try await FileEventStore(on: disk)
        let log = try await again.wholeLog()
        XCTAssertTrue((1...2).contains(log.count))
        try await again.appendSample(4)
        await again.close()
    }

    func test_publishing_before_the_sync_would_announce_what_is_uncertain() async throws {
        let disk = SimulatedDisk()
        var configuration = FileEventStore.Configuration()
        configuration.plantedFault = .publishBeforeSync
        let store = try await FileEventStore(on: disk, configuration: configuration)
        try await store.appendSample(1)
        disk.inject(.init(.inputOutput, operations: [.sync]))
        _ = try? await store.appendSample(2)
        // In the test before this one, the same wait ends with `.poisoned`.
        try await store.waitForEvents(after: LogPosition(1))
    }

    func test_a_fork_of_the_process_can_read_and_do_nothing_else() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        try await store.appendSample(1)
        disk.setForked(true)
        let before = disk.contents(of: "log/0000000001-0000.seg")
        let append = await storeError { try await store.appendSample(2) }
        let sync = await storeError { try await store.sync() }
        let save = await storeError {
            try await store.checkpoints.save(
                Checkpoint(projection: "p", revision: 1, position: LogPosition(1), state: []))
        }
        let remove = await storeError { try await store.checkpoints.remove("p") }
        XCTAssertEqual([append, sync, save, remove], [.forked, .forked, .forked, .forked])
        let log = try await store.wholeLog()
        XCTAssertEqual(log.count, 1)
        await store.close()
        XCTAssertEqual(disk.contents(of: "log/0000000001-0000.seg"), before)
        XCTAssertFalse(disk.fileNames.contains { $0.hasPrefix("views/") })
    }

    func test_a_saved_projection_never_knows_what_a_crash_took_back() async throws {
        let lost = try await crashAfterSavingACheckpoint(plantedFault: nil)
        XCTAssertFalse(lost)
    }

    func test_a_checkpoint_ahead_of_the_log_would_survive_its_events() async throws {
        let lost = try await crashAfterSavingACheckpoint(plantedFault: .checkpointAheadOfLog)
        XCTAssertTrue(lost)
    }

    /// Returns whether the checkpoint knows more than the log after a crash that keeps nothing
    /// which was not synced.
    private func crashAfterSavingACheckpoint(plantedFault: PlantedFault?) async throws -> Bool {
        let disk = SimulatedDisk()
        var configuration = FileEventStore.Configuration()
        configuration.durability = .osManaged
        configuration.plantedFault = plantedFault
        let store = try await FileEventStore(on: disk, configuration: configuration)
        let receipt = try await store.appendSample(1)
        try await store.checkpoints.save(
            Checkpoint(
                projection: "p", revision: 1, position: receipt.position,
                state: EventPayload(utf8: "1")))
        disk.crash(keeping: .nothing)
        let again = try await FileEventStore(on: disk)
        let saved: Checkpoint?
        do {
            saved = try await again.checkpoints.load("p")
        } catch {
            guard case .damaged = error else { throw error }
            // A state of what the log does not hold is not believed.
            await again.close()
            return true
        }
        let log = try await again.wholeLog()
        XCTAssertNotNil(saved)
        await again.close()
        return (saved?.position ?? .start) > (log.last?.position ?? .start)
    }

    func test_events_that_were_taken_back_leave_no_trace_in_the_queue() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        try await store.appendSample(1)
        disk.inject(.init(.inputOutput, operations: [.write]))
        let request = AppendRequest([sampleEvent(2)], to: sampleStream("1"), expecting: .any)
        let pending = try store.enqueue(request, basedOn: nil)
        let (page, mark) = try await store.readQueued(StreamRead(sampleStream("1")))
        XCTAssertEqual(page.version, StreamVersion(2))
        let error = await storeError { _ = try await pending.receipt() }
        guard case .notStored? = error else { return XCTFail("\(error as Any)") }
        let settled = try await store.settle(mark)
        XCTAssertFalse(settled, "an answer that rests on it must be given anew")
        let after = try await store.readQueued(StreamRead(sampleStream("1")))
        XCTAssertEqual(after.page.version, StreamVersion(1))
        await store.close()
    }
}

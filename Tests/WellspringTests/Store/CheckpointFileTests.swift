import Foundation
import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

final class CheckpointFileTests: XCTestCase {
    private let owner = StoreUUID(high: 1, low: 2)
    private let last = MessageID(high: 3, low: 4)
    private let checkpoint = Checkpoint(
        projection: "orders", revision: 3, position: LogPosition(9),
        state: EventPayload(utf8: #"{"count":1}"#))

    func test_it_survives_writing_and_reading() throws {
        let file = CheckpointFile.encode(checkpoint, lastEvent: last, storeID: owner)
        let read = try XCTUnwrap(
            try CheckpointFile.decode(file, of: "orders", storeID: owner))
        XCTAssertEqual(read.checkpoint, checkpoint)
        XCTAssertEqual(read.lastEvent, last)
    }

    func test_every_flipped_bit_is_noticed() {
        let file = CheckpointFile.encode(checkpoint, lastEvent: last, storeID: owner)
        for bit in 0..<file.count * 8 {
            var damaged = file
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            XCTAssertThrowsError(
                try CheckpointFile.decode(damaged, of: "orders", storeID: owner), "bit \(bit)")
        }
    }

    func test_every_cut_is_noticed() {
        let file = CheckpointFile.encode(checkpoint, lastEvent: last, storeID: owner)
        for length in 0..<file.count {
            XCTAssertThrowsError(
                try CheckpointFile.decode(Array(file[..<length]), of: "orders", storeID: owner))
        }
    }

    func test_one_of_another_store_is_refused() {
        let file = CheckpointFile.encode(
            checkpoint, lastEvent: last, storeID: StoreUUID(high: 1, low: 3))
        XCTAssertThrowsError(try CheckpointFile.decode(file, of: "orders", storeID: owner))
    }

    func test_one_of_another_projection_counts_as_absent() throws {
        let file = CheckpointFile.encode(checkpoint, lastEvent: last, storeID: owner)
        XCTAssertNil(try CheckpointFile.decode(file, of: "customers", storeID: owner))
    }

    func test_nothing_is_saved_in_a_store_that_was_closed_after_a_failure() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        try await store.appendSample(1)
        disk.inject(.init(.inputOutput, operations: [.sync]))
        _ = await storeError { try await store.appendSample(2) }
        await store.close()
        let next = try await FileEventStore(on: disk)
        let checkpoint = Checkpoint(
            projection: "p", revision: 1, position: LogPosition(1), state: EventPayload(utf8: "old")
        )
        let error = await storeError { try await store.checkpoints.save(checkpoint) }
        XCTAssertEqual(error, .closed)
        let saved = try await next.checkpoints.load("p")
        XCTAssertNil(saved, "the directory is another's by now")
        await next.close()
    }

    func test_closing_waits_for_what_is_being_saved() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        let (begun, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        Thread.detachNewThread { [saving = store.savingCheckpoints] in
            saving.withLock { _ in
                begun.signal()
                done.wait()
            }
        }
        await onThread(of: store.directory, named: "wait") { begun.wait() }
        let closing = Task { await store.close() }
        while (try? store.core.checkNotClosed()) != nil { await Task.yield() }
        for _ in 0..<1_000 {
            let error = await storeError { _ = try await FileEventStore(on: disk) }
            guard case .locked? = error else {
                done.signal()
                return XCTFail("\(error as Any)")
            }
        }
        done.signal()
        await closing.value
        let next = try await FileEventStore(on: disk)
        await next.close()
    }

    func test_saving_replaces_and_removing_forgets() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        try await store.appendSample(1)
        for count in 1...2 {
            try await store.checkpoints.save(
                Checkpoint(
                    projection: "p", revision: 1, position: LogPosition(1),
                    state: EventPayload(utf8: "\(count)")))
        }
        let saved = try await store.checkpoints.load("p")
        XCTAssertEqual(saved?.state, EventPayload(utf8: "2"))
        try await store.checkpoints.remove("p")
        try await store.checkpoints.remove("p")
        let removed = try await store.checkpoints.load("p")
        XCTAssertNil(removed)
        await store.close()
    }

    func test_the_store_gives_notice_of_damaged_state() async throws {
        let told = Guarded<[StoreNotice]>([])
        var configuration = FileEventStore.Configuration()
        configuration.onNotice = { notice in told.withLock { $0.append(notice) } }
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk, configuration: configuration)
        try await store.appendSample(1)
        try await store.checkpoints.save(
            Checkpoint(projection: "p", revision: 1, position: LogPosition(1), state: [1]))
        let file = CheckpointFile.name(of: "p")
        disk.flipBit(0, ofByte: 60, in: file)
        let error = await storeError { _ = try await store.checkpoints.load("p") }
        guard case .damaged? = error else { return XCTFail("\(error as Any)") }
        let notices = told.withLock { $0 }
        guard case .discardedCheckpoint("p", let reason)? = notices.last else {
            return XCTFail("\(notices)")
        }
        XCTAssertTrue(reason.hasPrefix(file), reason)
        await store.close()
    }

    func test_a_position_beyond_the_log_is_refused() async throws {
        let store = try await FileEventStore(on: SimulatedDisk())
        let error = await storeError {
            try await store.checkpoints.save(
                Checkpoint(projection: "p", revision: 1, position: LogPosition(5), state: []))
        }
        guard case .invalidRequest? = error else { return XCTFail("\(error as Any)") }
        await store.close()
    }

    func test_state_over_another_history_of_the_log_is_not_believed() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        try await store.appendSample(1)
        // The state of the disk now stands for a backup.
        let backup = disk.afterCrash(keeping: .everything, seed: 2)
        try await store.appendSample(2)
        try await store.checkpoints.save(
            Checkpoint(projection: "p", revision: 1, position: LogPosition(2), state: [1]))
        await store.close()

        let restored = try await FileEventStore(on: backup)
        for number in 3...5 { try await restored.appendSample(number) }
        try await restored.checkpoints.save(
            Checkpoint(projection: "other", revision: 1, position: .start, state: []))
        let name = CheckpointFile.name(of: "p")
        backup.replaceContents(of: name, with: disk.contents(of: name))
        let error = await storeError { _ = try await restored.checkpoints.load("p") }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertTrue(damage.reason.contains("another event at position 2"), damage.reason)
        await restored.close()
    }

    func test_a_crash_at_any_moment_of_saving_leaves_the_old_or_the_new() async throws {
        for cut in 0..<200 {
            let disk = SimulatedDisk(seed: UInt64(cut))
            let store = try await FileEventStore(on: disk)
            try await store.appendSample(1)
            let old = Checkpoint(
                projection: "p", revision: 1, position: LogPosition(1), state: [1])
            try await store.checkpoints.save(old)
            var new = old
            new.state = EventPayload([UInt8](repeating: 2, count: 2_000))
            disk.inject(.powerCut(at: disk.operationCount + cut))
            let saved: Void? = try? await store.checkpoints.save(new)
            if saved != nil { return }
            disk.crash()
            let again = try await FileEventStore(on: disk)
            let found = try await again.checkpoints.load("p")
            XCTAssertTrue(found == old || found == new, "cut at \(cut)")
            await again.close()
        }
        XCTFail("the save never came to its end")
    }
}

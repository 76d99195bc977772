@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// What only saves time comes along with a backup, or is left out.
final class BackupCacheTests: XCTestCase {
    func test_parts_of_the_index_that_cannot_be_read_are_left_out() async throws {
        let store = try await MaintainedStore()
        XCTAssertFalse(store.disk.runs.isEmpty)
        for sector in [0, 4_096, 8_192] as [UInt64] {
            var files = HookedFiles(store.disk)
            files.failure = { name, offset in
                name.hasPrefix("idx/") && offset <= sector ? HookedFiles.unreadable(name) : nil
            }
            let copy = SimulatedDisk(seed: 5)
            let report = try await FileEventStore.backup(
                at: "store", in: files, to: "copy", in: copy)
            XCTAssertEqual(report.eventCount, UInt64(store.events.count))
            XCTAssertEqual(copy.runs, [])
            XCTAssertEqual(report.wrongIndexRuns, store.disk.runs)
            let found = try await FileEventStore.verify(at: "copy", in: copy)
            XCTAssertEqual(found.problems, [])
        }
    }

    func test_a_target_that_is_full_is_no_reason_to_leave_anything_out() async throws {
        let store = try await MaintainedStore()
        let whole = SimulatedDisk(seed: 5)
        try await FileEventStore.backup(at: "store", in: store.disk, to: "copy", in: whole)
        let writes = whole.operations.filter { $0.kind == .write && $0.file.hasPrefix("idx/") }
        XCTAssertFalse(writes.isEmpty)
        for write in writes {
            let copy = SimulatedDisk(seed: 5)
            copy.inject(.init(.noSpace, from: write.number))
            let error = await storeError {
                try await FileEventStore.backup(at: "store", in: store.disk, to: "copy", in: copy)
            }
            guard case .storageFull? = error else { return XCTFail("\(error as Any)") }
        }
    }

    func test_a_state_that_is_saved_meanwhile_is_copied_whole_or_left_out() async throws {
        let store = try await MaintainedStore(appends: 30)
        let open = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        let last = UInt64(store.events.count)
        func state(_ position: UInt64, bytes: Int) -> [UInt8] {
            let checkpoint = Checkpoint(
                projection: "p", revision: 1, position: LogPosition(position),
                state: EventPayload([UInt8](repeating: 7, count: bytes)))
            let event = store.events[Int(min(position, last)) - 1]
            return CheckpointFile.encode(checkpoint, lastEvent: event.id, storeID: open.storeID)
        }
        let name = CheckpointFile.name(of: "p")
        let before = state(9, bytes: 5_000)
        let saved = [
            state(10, bytes: 500), state(10, bytes: 9_000), state(last + 50, bytes: 5_000),
        ]
        try await open.checkpoints.save(
            Checkpoint(projection: "p", revision: 1, position: LogPosition(9), state: [1]))
        await open.close()
        for after in saved {
            for number in 1...3 {
                store.disk.replaceContents(of: name, with: before)
                let times = Guarded(0)
                let disk = store.disk
                var files = HookedFiles(disk)
                files.onOpen = { file, mode in
                    guard file == name, mode == .read else { return }
                    guard
                        times.withLock({
                            $0 += 1; return $0 == number
                        })
                    else { return }
                    guard let directory = try? disk.openStore(at: "store", create: false) else {
                        return
                    }
                    try? AtomicFile.replace(directory, name: name, contents: after)
                }
                let copy = SimulatedDisk(seed: 5)
                try await FileEventStore.backup(at: "store", in: files, to: "copy", in: copy)
                XCTAssertGreaterThan(times.withLock { $0 }, 0)
                let report = try await FileEventStore.verify(at: "copy", in: copy)
                XCTAssertEqual(report.problems, [])
            }
        }
    }
}

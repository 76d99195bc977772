@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Closing, syncing and waiting at the same time as everything else.
final class StoreClosingTests: XCTestCase {
    func test_everybody_who_closes_returns_when_the_store_is_closed() async throws {
        // A second closer was left waiting for ever when it came just after the first was served.
        for _ in 0..<200 {
            let disk = SimulatedDisk()
            let store = try await FileEventStore(on: disk)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        await store.close()
                        do {
                            await (try FileEventStore(on: disk)).close()
                        } catch {
                            // Another closer of this test may be at it.
                            guard case .locked? = error as? EventStoreError else {
                                return XCTFail("\(error)")
                            }
                        }
                    }
                }
            }
        }
    }

    func test_a_disk_goes_away_with_its_last_user_whether_the_opening_failed_or_not() async throws {
        // What an opening held on to was kept by the disk, and a disk that nobody had any more was
        // not freed.
        weak var refused: SimulatedDisk?
        weak var closed: SimulatedDisk?
        weak var forgotten: SimulatedDisk?
        do {
            let disks = (0..<3).map { _ in SimulatedDisk() }
            (refused, closed, forgotten) = (disks[0], disks[1], disks[2])
            disks[0].replaceContents(of: "notes.txt", with: [1])
            do {
                _ = try await FileEventStore(on: disks[0])
                XCTFail("made a store of somebody's files")
            } catch {
                guard case .notEmpty = error else { throw error }
            }
            let store = try await FileEventStore(on: disks[1])
            try await store.appendSample(1)
            await store.close()
            try await FileEventStore(on: disks[2]).appendSample(1)
        }
        XCTAssertNil(refused)
        XCTAssertNil(closed)
        XCTAssertNil(forgotten)
    }

    func test_a_store_that_was_open_in_a_crash_of_its_disk_fails_and_can_be_closed() async throws {
        for durability in StoreCrashTests.modes {
            for leads in [false, true] {
                let disk = SimulatedDisk()
                var configuration = FileEventStore.Configuration()
                configuration.durability = durability
                configuration.syncsOnCallingTask = leads
                let store = try await FileEventStore(on: disk, configuration: configuration)
                try await store.appendSample(1)
                disk.crash(keeping: .everything)
                for number in 2...3 {
                    do {
                        try await store.appendSample(number)
                        XCTFail("an append to a disk that is gone, \(durability)")
                    } catch is EventStoreError {}
                }
                do {
                    try await store.sync()
                    XCTFail("a sync of a disk that is gone, \(durability)")
                } catch {}
                disk.fireTimers()
                await store.close()
                let next = try await FileEventStore(on: disk)
                XCTAssertEqual(next.report.eventCount, 1)
                await next.close()
            }
        }
    }

    func test_a_store_may_be_let_go_by_what_it_tells_of_its_failure() async throws {
        let disk = SimulatedDisk()
        let held = Guarded<FileEventStore?>(nil)
        var configuration = FileEventStore.Configuration()
        configuration.syncsOnCallingTask = false
        configuration.onNotice = { notice in
            guard case .poisoned = notice else { return }
            let store = held.withLock { $0.take() }
            withExtendedLifetime(store) {}
        }
        let core = try await keep(FileEventStore(on: disk, configuration: configuration), in: held)
        disk.crash()
        _ = try? await core.append(
            AppendRequest([sampleEvent(2)], to: sampleStream("1"), expecting: .any))
        XCTAssertNil(held.withLock { $0 })
    }

    private func keep(
        _ store: FileEventStore, in held: Guarded<FileEventStore?>
    ) async throws -> StoreCore {
        try await store.appendSample(1)
        held.withLock { $0 = store }
        return store.core
    }

    func test_closers_on_threads_of_their_own_all_return() async throws {
        for _ in 0..<20 {
            let store = try await FileEventStore(at: try temporaryDirectory(self) + "/store")
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask { _ = try? await store.appendSample(number) }
                    group.addTask { await store.close() }
                    group.addTask { try? await store.sync() }
                }
            }
        }
    }

    func test_a_sync_does_not_wait_for_what_comes_after_it() async throws {
        // It used to wait for a moment in which nobody appends.
        let store = try await storeWithItsOwnThread()
        let isOver = Guarded(false)
        let writers = (0..<64).map { writer in
            Task {
                for number in 0..<3_000 where !isOver.withLock({ $0 }) {
                    try await store.appendSample(number, to: "\(writer)")
                }
            }
        }
        try await store.waitForEvents(after: LogPosition(200))
        var waited: UInt64 = 0
        for _ in 0..<20 {
            let before = try await store.read(LogRead(limit: ReadLimit(events: 1))).head.rawValue
            try await store.sync()
            let after = try await store.read(LogRead(limit: ReadLimit(events: 1))).head.rawValue
            waited += after - before
        }
        isOver.withLock { $0 = true }
        for writer in writers { try await writer.value }
        // Every writer has one append on its way when the sync begins, and few more as it ends.
        XCTAssertLessThan(waited, 20 * 64 * 10)
        await store.close()
    }

    private func storeWithItsOwnThread() async throws -> FileEventStore {
        var configuration = FileEventStore.Configuration()
        configuration.syncsOnCallingTask = false
        return try await FileEventStore(
            at: try temporaryDirectory(self) + "/store", configuration: configuration)
    }

    func test_a_pending_append_keeps_its_store() async throws {
        let disk = SimulatedDisk()
        let pending = try await {
            let store = try await FileEventStore(on: disk)
            return try store.enqueue(
                AppendRequest([sampleEvent(1)], to: sampleStream("1"), expecting: .any),
                basedOn: nil)
        }()
        let receipt = try await pending.receipt()
        XCTAssertEqual(receipt.position, LogPosition(1))
    }

    func test_many_may_wait_for_one_append() async throws {
        let store = try await storeWithItsOwnThread()
        for number in 1...20 {
            let pending = try store.enqueue(
                AppendRequest([sampleEvent(1)], to: sampleStream("1"), expecting: .any),
                basedOn: nil)
            let positions = try await withThrowingTaskGroup(of: LogPosition.self) { group in
                for _ in 0..<16 { group.addTask { try await pending.receipt().position } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            XCTAssertEqual(
                positions, Array(repeating: LogPosition(UInt64(number)), count: 16))
        }
        await store.close()
    }

    func test_a_conflict_is_told_only_once_its_winner_can_be_read() async throws {
        // Else the loser loads the stream without the winner's event, and loses again and again.
        let store = try await FileEventStore(on: SimulatedDisk())
        let request = AppendRequest(
            [sampleEvent(1)], to: sampleStream("1"), expecting: .noStream)
        let winner = try store.enqueue(request, basedOn: nil)
        let loser = Task {
            let error = await storeError { try await store.append(request) }
            let version = try await store.read(StreamRead(sampleStream("1"))).version
            return (error, version)
        }
        for _ in 0..<1_000 { await Task.yield() }
        _ = try await winner.receipt()
        let (error, version) = try await loser.value
        guard case .conflict(let conflict)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(conflict.actual, StreamVersion(1))
        XCTAssertEqual(version, StreamVersion(1))
        await store.close()
    }

    func test_nobody_loses_against_an_append_that_is_taken_back() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        let request = AppendRequest(
            [sampleEvent(1)], to: sampleStream("1"), expecting: .noStream)
        let failing = try store.enqueue(request, basedOn: nil)
        let other = Task { try await store.append(request) }
        for _ in 0..<1_000 { await Task.yield() }
        disk.inject(.init(.noSpace, operations: [.write]))
        let error = await storeError { _ = try await failing.receipt() }
        guard case .storageFull? = error else { return XCTFail("\(error as Any)") }
        let receipt = try await other.value
        XCTAssertEqual(receipt.version, StreamVersion(1))
        await store.close()
    }

    func test_the_operator_is_told_how_the_store_was_closed() async throws {
        for fails in [false, true] {
            let disk = SimulatedDisk()
            let notices = Guarded<[StoreNotice]>([])
            var configuration = FileEventStore.Configuration()
            configuration.onNotice = { notice in notices.withLock { $0.append(notice) } }
            let store = try await FileEventStore(on: disk, configuration: configuration)
            try await store.appendSample(1)
            if fails { disk.inject(.init(.noSpace, operations: [.rename], .untilHealed)) }
            await store.close()
            guard case .closed(let reason)? = notices.withLock({ $0.last }) else {
                return XCTFail("\(notices.withLock { $0 })")
            }
            XCTAssertEqual(reason != nil, fails, "\(reason as Any)")
        }
    }

    func test_waits_that_are_cancelled_end_at_once_and_leave_nothing_behind() async throws {
        for store: any EventStore in [
            InMemoryEventStore(),
            try await FileEventStore(at: try temporaryDirectory(self) + "/store"),
        ] {
            let waits = (0..<500).map { number in
                Task { () -> EventStoreError? in
                    do throws(EventStoreError) {
                        try await store.waitForEvents(after: LogPosition(UInt64(number / 4)))
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            let writer = Task {
                for number in 0..<60 { try await store.appendSample(number) }
            }
            for (number, wait) in waits.enumerated() where number % 3 == 0 { wait.cancel() }
            try await writer.value
            if let file = store as? FileEventStore { await file.close() }
            if let memory = store as? InMemoryEventStore { await memory.close() }
            for (number, wait) in waits.enumerated() {
                let error = await wait.value
                if number % 3 == 0 {
                    XCTAssertTrue([nil, .cancelled, .closed].contains(error), "\(error as Any)")
                } else if number / 4 < 60 {
                    XCTAssertNil(error, "an event came for it")
                } else {
                    XCTAssertEqual(error, .closed)
                }
            }
        }
    }

    func test_a_store_that_is_dropped_amid_appends_lets_them_end_first() async throws {
        for _ in 0..<10 {
            let path = try temporaryDirectory(self) + "/store"
            let done: [Task<Int, Never>]
            do {
                let store = try await FileEventStore(at: path)
                done = (0..<32).map { number in
                    Task {
                        (try? await store.appendSample(number, to: "\(number)")) == nil ? 0 : 1
                    }
                }
            }
            var acknowledged = 0
            for task in done { acknowledged += await task.value }
            XCTAssertEqual(acknowledged, 32)
            let again = try await openedOnceFree(path)
            XCTAssertEqual(again.report.eventCount, 32)
            await again.close()
        }
    }

    /// Opens a store that somebody may still be letting go of.
    private func openedOnceFree(_ path: String) async throws -> FileEventStore {
        while true {
            do {
                return try await FileEventStore(at: path)
            } catch {
                guard case .locked = error else { throw error }
                await Task.yield()
            }
        }
    }
}

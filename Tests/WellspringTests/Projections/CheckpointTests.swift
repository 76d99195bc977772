@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

final class CheckpointTests: XCTestCase {
    private let store = InMemoryEventStore()
    private let checkpoints = WatchedCheckpoints()

    func test_a_projection_resumes_where_it_was_saved() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        try await store.add(.filled(cents: 2), to: "ada")
        try await runOnce(
            ProjectionRunner(
                Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock()))
        try await store.add(.filled(cents: 4), to: "ada")

        let fromStart = Counter()
        let counted = InterferingStore(
            base: store,
            beforeReading: { read in
                if read.order == .forward(after: .start) { fromStart.increase() }
            })
        let next = ProjectionRunner(
            Contents.self, from: counted, checkpoints: checkpoints, clock: ManualClock())
        try await runOnce(next)
        XCTAssertEqual(next.snapshot().model.positions, [1, 2, 3], "nothing skipped or doubled")
        XCTAssertEqual(next.snapshot().model.cents, ["ada": 7])
        XCTAssertEqual(fromStart.count, 0)
    }

    func test_state_and_position_are_saved_as_one_when_the_run_ends() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        try await store.addNoise()
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
        try await runOnce(runner)
        let saved = try await checkpoints.load(Contents.name)
        XCTAssertEqual(saved?.position, LogPosition(2))
        XCTAssertEqual(saved?.revision, 1)
        XCTAssertEqual(
            saved.map { String(decoding: $0.state, as: UTF8.self) }?.contains("\"ada\":1"), true)
    }

    func test_small_change_is_saved_once_at_the_end_and_not_for_every_event() async throws {
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            for _ in 0..<200 {
                let position = try await store.add(.filled(cents: 1), to: "ada")
                _ = try await runner.ask(ContentOf(purse: "ada"), after: position)
            }
        }
        XCTAssertEqual(checkpoints.saves, 1)
    }

    func test_a_long_replay_is_saved_on_the_way() async throws {
        for _ in 0..<30 { try await store.addLong(payloadBytes: 20_000) }
        let notices = Notices()
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock(),
            onNotice: notices.add)
        let checkpoints = checkpoints
        try await withRunning(runner) {
            _ = try await runner.ask(ContentOf(purse: "long"))
            while checkpoints.saves == 0 { await Task.yield() }
        }
        XCTAssertEqual(notices.count(of: "saved"), checkpoints.saves)
        XCTAssertLessThanOrEqual(checkpoints.saves, 12)
    }

    func test_what_did_not_change_is_not_saved_again() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
        try await runOnce(runner)
        let next = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
        try await runOnce(next)
        try await runOnce(next)
        XCTAssertEqual(checkpoints.saves, 1)
    }

    func test_nothing_is_saved_of_nothing() async throws {
        try await runOnce(
            ProjectionRunner(
                Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock()))
        XCTAssertEqual(checkpoints.saves, 0)
    }

    func test_state_of_another_revision_is_discarded_reported_and_replayed() async throws {
        try await assertDiscarded(
            revision: 7, because: "it is of revision 7, the projection of 1")
    }

    func test_state_that_does_not_fit_is_discarded_reported_and_replayed() async throws {
        try await assertDiscarded(
            state: "[1,2", because: "its state does not fit the projection any more")
    }

    func test_state_from_beyond_the_end_of_the_log_is_discarded_reported_and_replayed() async throws
    {
        try await assertDiscarded(position: 3, because: "it is from position 3, the log ends at 2")
    }

    func test_state_from_beyond_the_end_is_not_believed_when_the_log_grows_while_it_is_loaded()
        async throws
    {
        let store = store
        checkpoints.afterLoading { _ = try? await store.add(.filled(cents: 3), to: "ada") }
        try await assertDiscarded(
            position: 3, because: "it is from position 3, the log ends at 2", endingAt: 3)
    }

    func test_a_file_of_state_from_beyond_the_end_is_not_believed() async throws {
        let disk = SimulatedDisk()
        var file = try await FileEventStore(on: disk)
        try await CommandBus(file).send(Fill(cents: 1), to: "ada")
        await file.close()
        let backup = disk.afterCrash(keeping: .everything, seed: 1)
        file = try await FileEventStore(on: disk)
        try await CommandBus(file).send(Fill(cents: 2), to: "ada")
        try await runOnce(
            ProjectionRunner(
                Contents.self, from: file, checkpoints: file.checkpoints, clock: ManualClock()))
        await file.close()
        let name = CheckpointFile.name(of: Contents.name)
        try backup.openStore(at: "store", create: false).makeDirectory(CheckpointFile.directory)
        backup.replaceContents(of: name, with: disk.contents(of: name))
        let restored = try await FileEventStore(on: backup)
        do {
            _ = try await restored.checkpoints.load(Contents.name)
            XCTFail("believed")
        } catch {
            guard case .damaged(let damage) = error else { return XCTFail("\(error)") }
            XCTAssertTrue(damage.reason.contains("no event at position 2"), damage.reason)
        }
        await restored.close()
    }

    func test_state_that_cannot_be_loaded_is_reported_and_replayed() async throws {
        let error = EventStoreError.io(call: "read", file: "contents.ckpt", code: 5)
        checkpoints.failLoading(with: error)
        try await assertDiscarded(because: "it cannot be read: \(error)")
    }

    func test_damaged_state_is_reported_without_the_advice_for_a_damaged_log() async throws {
        checkpoints.failLoading(
            with: .damaged(StoreDamage(file: "contents.ckpt", offset: 8, reason: "the end is cut")))
        try await assertDiscarded(
            because: "it cannot be read: contents.ckpt at byte 8: the end is cut")
    }

    func test_a_run_that_ended_before_it_looked_at_the_saved_state_leaves_that_to_the_next()
        async throws
    {
        try await store.add(.filled(cents: 1), to: "ada")
        try await runOnce(
            ProjectionRunner(
                Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock()))
        let fromStart = Counter()
        let counted = InterferingStore(
            base: store,
            beforeReading: { read in
                if read.order == .forward(after: .start) { fromStart.increase() }
            })
        let next = ProjectionRunner(
            Contents.self, from: counted, checkpoints: checkpoints, clock: ManualClock())
        checkpoints.failLoading(with: .cancelled)
        try await next.run()
        checkpoints.failLoading(with: nil)
        try await runOnce(next)
        XCTAssertEqual(next.snapshot().model.positions, [1])
        XCTAssertEqual(fromStart.count, 0, "replayed although there was something saved")
    }

    func test_a_failed_save_does_not_stop_the_projection_and_is_reported() async throws {
        checkpoints.failSaving(with: .storageFull(reason: "no space"))
        for _ in 0..<30 { try await store.addLong(payloadBytes: 20_000) }
        let notices = Notices()
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock(),
            onNotice: notices.add)
        try await withRunning(runner) {
            let cents = try await runner.ask(ContentOf(purse: "long"))
            XCTAssertEqual(cents, 30)
        }
        XCTAssertGreaterThan(notices.count(of: "notSaved"), 0)
        XCTAssertEqual(notices.count(of: "saved"), 0)

        checkpoints.failSaving(with: nil)
        try await runOnce(runner)
        XCTAssertEqual(checkpoints.saves, 1, "tried again")
    }

    func test_a_projection_that_stopped_is_saved_as_it_was_before_the_bad_append() async throws {
        try await store.add(.filled(cents: 5), to: "ada")
        try await store.add(.filled(cents: 1), .spent(cents: 50, on: "gin"), to: "ada")
        try await ProjectionRunner(
            Believer.self, from: store, checkpoints: checkpoints, clock: ManualClock()
        ).run()
        let saved = try await checkpoints.load(Believer.name)
        XCTAssertEqual(saved?.position, LogPosition(1))
        XCTAssertEqual(
            saved.map { String(decoding: $0.state, as: UTF8.self) }?.contains("\"sum\":5"), true)
    }

    func test_projections_of_a_file_survive_power_loss_with_what_was_durable() async throws {
        let disk = SimulatedDisk()
        let file = try await FileEventStore(on: disk)
        let bus = CommandBus(file)
        for cents in 1...10 { try await bus.send(Fill(cents: cents), to: "ada") }
        try await runOnce(
            ProjectionRunner(
                Contents.self, from: file, checkpoints: file.checkpoints, clock: ManualClock()))
        try await bus.send(Fill(cents: 100), to: "ada")
        disk.crash(keeping: .nothing)

        let again = try await FileEventStore(on: disk)
        let notices = Notices()
        let runner = ProjectionRunner(
            Contents.self, from: again, checkpoints: again.checkpoints, clock: ManualClock(),
            onNotice: notices.add)
        try await runOnce(runner)
        XCTAssertEqual(runner.snapshot().model.cents, ["ada": 155])
        XCTAssertEqual(runner.snapshot().model.positions, Array(1...11))
        XCTAssertEqual(notices.count(of: "checkpointDiscarded"), 0)
        await again.close()
    }

    func test_a_removal_that_rests_on_one_sync_is_not_reported() async throws {
        for first in 0..<6 {
            let disk = SimulatedDisk()
            let file = try await FileEventStore(on: disk)
            try await CommandBus(file).send(Fill(cents: 1), to: "ada")
            try await file.checkpoints.save(
                Checkpoint(
                    projection: "p", revision: 1, position: LogPosition(1),
                    state: EventPayload([1])))
            disk.inject(.abortedJournal(from: disk.operationCount + first))
            let isRemoved = (try? await file.checkpoints.remove("p")) != nil
            disk.crash(keeping: .nothing)
            let again = try await FileEventStore(on: disk)
            let found = try await again.checkpoints.load("p")
            if isRemoved { XCTAssertNil(found, "from operation \(first)") }
            await again.close()
        }
    }

    // MARK: - Helpers

    private func assertDiscarded(
        revision: Int = 1, position: UInt64 = 1, state: String = #"{"cents":{},"positions":[]}"#,
        because reason: String, endingAt end: UInt64 = 2, line: UInt = #line
    ) async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        try await store.add(.filled(cents: 2), to: "ada")
        try await checkpoints.put(
            Checkpoint(
                projection: Contents.name, revision: revision, position: LogPosition(position),
                state: EventPayload(utf8: state)))
        let notices = Notices()
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock(),
            onNotice: notices.add)
        try await runOnce(runner)
        guard case .checkpointDiscarded(let told)? = notices.all.first else {
            return XCTFail("\(notices.all)", line: line)
        }
        XCTAssertEqual(told, reason, line: line)
        XCTAssertEqual(runner.snapshot().model.positions, Array(1...end), line: line)

        checkpoints.failLoading(with: nil)
        let saved = try await checkpoints.load(Contents.name)
        XCTAssertEqual(saved?.position, LogPosition(end), "the good one is saved", line: line)
        XCTAssertEqual(checkpoints.removals, 1, line: line)
    }
}

/// Counts, fails on demand, and insists on being called outside of cancelled tasks.
private final class WatchedCheckpoints: CheckpointStore {
    private let base = InMemoryCheckpointStore()
    private let state = Guarded(State())

    private struct State {
        var saves = 0
        var removals = 0
        var loadError: EventStoreError?
        var saveError: EventStoreError?
        var afterLoading: (@Sendable () async -> Void)?
    }

    var saves: Int { state.withLock { $0.saves } }
    var removals: Int { state.withLock { $0.removals } }
    func failLoading(with error: EventStoreError?) { state.withLock { $0.loadError = error } }
    func failSaving(with error: EventStoreError?) { state.withLock { $0.saveError = error } }
    func put(_ checkpoint: Checkpoint) async throws { try await base.save(checkpoint) }
    /// Has something happen once, when state was loaded and before it is returned.
    func afterLoading(_ body: @escaping @Sendable () async -> Void) {
        state.withLock { $0.afterLoading = body }
    }

    func load(_ projection: ProjectionName) async throws(EventStoreError) -> Checkpoint? {
        if let error = state.withLock({ $0.loadError }) { throw error }
        let found = try await base.load(projection)
        let then = state.withLock { state in
            defer { state.afterLoading = nil }
            return state.afterLoading
        }
        await then?()
        return found
    }

    func save(_ checkpoint: Checkpoint) async throws(EventStoreError) {
        guard !Task.isCancelled else { throw .cancelled }
        if let error = state.withLock({ $0.saveError }) { throw error }
        state.withLock { $0.saves += 1 }
        try await base.save(checkpoint)
    }

    func remove(_ projection: ProjectionName) async throws(EventStoreError) {
        state.withLock { $0.removals += 1 }
        try await base.remove(projection)
    }
}

extension InMemoryEventStore {
    /// Appends an event whose content is long.
    fileprivate func addLong(payloadBytes: Int) async throws {
        let spaces = String(repeating: " ", count: payloadBytes)
        let long = EncodedEvent(
            name: "purse.filled", payload: EventPayload(utf8: "{\"cents\":1\(spaces)}"))
        _ = try await append(
            AppendRequest([NewEvent(long)], to: Purse.ID("long").stream, expecting: .any))
    }
}

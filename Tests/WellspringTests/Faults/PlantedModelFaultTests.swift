import Foundation
import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Shows of what projections and commands rest on that the tests notice when it gives way.
final class PlantedModelFaultTests: XCTestCase {
    override class func tearDown() { FaultTable.shared.printRows(of: Self.self) }

    // MARK: - Projections

    /// Runs a projection three times, with events in between, and compares it with all events.
    private func project(
        _ fault: CheckpointFault, test: String = #function, line: UInt = #line
    ) async {
        await assertNoticed(fault, test: test, line: line) {
            (isPlanted, _) in
            let store = InMemoryEventStore()
            let checkpoints = SpoiltCheckpoints(isPlanted ? fault : nil)
            for cents in [1, 2, 4] {
                for _ in 0..<3 { try await store.add(.filled(cents: cents), to: "ada") }
                let runner = ProjectionRunner(
                    Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
                try await runOnce(runner)
            }
            let runner = ProjectionRunner(
                Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
            try await store.add(.filled(cents: 8), to: "ada")
            try await runOnce(runner)
            let model = runner.snapshot().model
            return model.positions == Array(1...10) && model.cents == ["ada": 29]
                ? [] : ["the events are \(model.positions)"]
        }
    }

    func test_state_that_is_saved_too_late_is_noticed() async {
        await project(.savePositionTooLate)
    }

    func test_state_that_is_saved_too_early_is_noticed() async {
        await project(.savePositionTooEarly)
    }

    func test_old_state_at_a_new_position_is_noticed() async {
        await project(.saveOldState)
    }

    func test_state_of_another_revision_is_noticed() async {
        await assertNoticed(CheckpointFault.ignoreRevision) {
            (isPlanted, _) in
            let store = InMemoryEventStore()
            try await store.add(.filled(cents: 1), to: "ada")
            let checkpoints = SpoiltCheckpoints(isPlanted ? .ignoreRevision : nil)
            let log = try await store.wholeLog()
            let event = try XCTUnwrap(log.first)
            var old = Contents()
            for _ in 0..<2 { old.apply(try event.decoded(as: Purse.Event.self)) }
            try await checkpoints.save(
                Checkpoint(
                    projection: Contents.name, revision: 0, position: LogPosition(1),
                    state: EventPayload(try JSONEncoder().encode(old))))
            let runner = ProjectionRunner(
                Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
            try await runOnce(runner)
            let found = runner.snapshot().model.positions
            return found == [1] ? [] : ["the events are \(found)"]
        }
    }

    func test_pages_that_are_taken_in_as_they_are_decoded_are_noticed() async {
        await takeInBacklog(.applyOutOfOrder)
    }

    func test_a_failure_that_is_told_ahead_of_its_turn_is_noticed() async {
        await takeInBacklog(.failAhead)
    }

    private func takeInBacklog(
        _ fault: PlantedFault, test: String = #function, line: UInt = #line
    ) async {
        await assertNoticed(fault, seeds: 1...1_500, test: test, line: line) {
            (isPlanted, seed) in
            BacklogTrial(seed: seed, fault: isPlanted ? fault : nil).problems()
        }
    }

    // MARK: - Commands

    func test_a_refusal_that_rests_on_lost_events_is_noticed() async {
        await assertNoticed(QueueFault.settleAtOnce, seeds: 1...20) {
            (isPlanted, _) in
            let (disk, store) = try await filledPurse()
            let bus = CommandBus(
                SpoiltQueue(base: store, fault: isPlanted ? .settleAtOnce : nil))
            // Everything is spent, in an append that will fail.
            let spent = NewEvent(try Purse.Event.spent(cents: 100, on: "bread").encoded())
            let pending = try store.enqueue(
                AppendRequest([spent], to: Purse.ID("ada").stream, expecting: .any), basedOn: nil)
            let isOver = Guarded(false)
            let command = Task { () -> Bool in
                defer { isOver.withLock { $0 = true } }
                do {
                    try await bus.send(Spend(cents: 60), to: Purse.ID("ada"))
                    return true
                } catch {
                    return false
                }
            }
            for _ in 0..<2_000 where !isOver.withLock({ $0 }) { await Task.yield() }
            disk.inject(.init(.inputOutput, operations: [.write]))
            _ = try? await pending.receipt()
            let isSpent = await command.value
            await store.close()
            return isSpent ? [] : ["refused for want of money that was there"]
        }
    }

    func test_an_append_without_what_it_rests_on_is_noticed() async {
        await assertNoticed(QueueFault.forgetBasis) { (isPlanted, _) in
            let (disk, store) = try await filledPurse()
            let spoilt = SpoiltQueue(base: store, fault: isPlanted ? .forgetBasis : nil)
            let (_, mark) = try await spoilt.readQueued(StreamRead(Purse.ID("ada").stream))
            disk.inject(.init(.inputOutput, operations: [.write]))
            let spent = NewEvent(try Purse.Event.spent(cents: 100, on: "bread").encoded())
            let request = AppendRequest([spent], to: Purse.ID("ada").stream, expecting: .any)
            _ = try? await spoilt.append(request)
            let isAccepted = (try? spoilt.enqueue(request, basedOn: mark)) != nil
            return isAccepted ? ["decided on events that were taken back"] : []
        }
    }

    func test_a_kept_aggregate_whose_stream_was_truncated_is_noticed() async {
        await assertNoticed(QueueFault.keepCachedAggregate) { (isPlanted, _) in
            let (_, store) = try await filledPurse()
            let bus = CommandBus(
                SpoiltQueue(base: store, fault: isPlanted ? .keepCachedAggregate : nil))
            try await bus.send(Fill(cents: 7), to: "ada")
            try await store.truncate(Purse.ID("ada").stream, before: StreamVersion(2))
            let cents = try await bus.send(Fill(cents: 1), to: "ada").state.cents
            await store.close()
            return cents == 8 ? [] : ["decided on \(cents) cents, of which 8 are left"]
        }
    }

    private func filledPurse() async throws -> (disk: SimulatedDisk, store: FileEventStore) {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        let filled = NewEvent(try Purse.Event.filled(cents: 100).encoded())
        try await store.append(
            AppendRequest([filled], to: Purse.ID("ada").stream, expecting: .noStream))
        return (disk, store)
    }
}

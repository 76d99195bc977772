import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Deciding on events that are not durable yet, and answering only when they are.
final class QueuedHeadTests: XCTestCase {
    private let store = HeldStore()

    func test_the_next_command_decides_before_the_one_before_is_durable() async throws {
        let bus = CommandBus(store)
        let first = Task { try await bus.send(Fill(cents: 100), to: "ada") }
        await queued(1)
        let second = Task { try await bus.send(Spend(cents: 30), to: "ada") }
        await queued(2)
        store.commit()
        let versions = try await [first.value.version, second.value.version]
        XCTAssertEqual(versions, [StreamVersion(1), StreamVersion(2)])
        let cents = try await second.value.state.cents
        XCTAssertEqual(cents, 70)
    }

    func test_a_rejection_is_said_only_once_what_it_rests_on_is_durable() async throws {
        let answer = try await answer(
            to: Spend(cents: 200), restingOn: [Fill(cents: 100)], then: store.commit)
        XCTAssertEqual(answer.failure?.rejection, .tooLittle(missing: 100))
    }

    func test_nothing_to_do_is_said_only_once_what_it_rests_on_is_durable() async throws {
        let answer = try await answer(
            to: Fill(cents: 0), restingOn: [Fill(cents: 100)], then: store.commit)
        XCTAssertEqual(answer.receipt?.version, StreamVersion(1))
    }

    func test_a_stale_edit_is_said_only_once_what_it_rests_on_is_durable() async throws {
        let answer = try await answer(
            to: Fill(cents: 1), expecting: .noStream, restingOn: [Fill(cents: 100)],
            then: store.commit)
        XCTAssertEqual(
            answer.failure?.storeError,
            .conflict(
                StreamConflict(
                    stream: Purse.ID("ada").stream, expected: .noStream,
                    actual: StreamVersion(1))))
    }

    func test_a_rejection_that_rests_on_what_is_taken_back_is_decided_anew() async throws {
        let bus = CommandBus(store)
        let before = Task { try await bus.send(Fill(cents: 100), to: "ada") }
        await queued(1)
        store.commit()
        _ = try await before.value

        // The purse is empty in the queue, and full again when that is taken back.
        let spending = Task { try? await bus.send(Spend(cents: 100), to: "ada") }
        await queued(1)
        let rejected = Task { try await bus.send(Spend(cents: 60), to: "ada") }
        while store.waiting < 2 { await Task.yield() }
        store.takeBack()
        _ = await spending.value
        await queued(1)
        store.commit()
        let receipt = try await rejected.value
        XCTAssertEqual(receipt.state.cents, 40)
        XCTAssertEqual(receipt.version, StreamVersion(2))
    }

    func test_a_decision_on_what_was_taken_back_is_not_appended() async throws {
        let bus = CommandBus(store)
        let first = Task { try? await bus.send(Fill(cents: 100), to: "ada") }
        await queued(1)
        let decisions = Counter()
        let store = store
        let second = Task {
            try await bus.send(
                WatchedFill(cents: 5) {
                    // Between its look and its append, others bring the stream to the same version
                    // with another event.
                    guard decisions.increase() == 1 else { return }
                    store.takeBack()
                    do {
                        let other = NewEvent(try Purse.Event.filled(cents: 7).encoded())
                        _ = try store.enqueue(
                            AppendRequest([other], to: Purse.ID("ada").stream, expecting: .any),
                            basedOn: nil)
                    } catch { XCTFail("\(error)") }
                }, to: "ada")
        }
        _ = await first.value
        await queued(2)
        store.commit()
        let state = try await second.value.state
        XCTAssertEqual(decisions.count, 2)
        XCTAssertEqual(state.amounts, [7, 5])
    }

    func test_a_lost_append_is_reported_as_not_stored() async throws {
        let bus = CommandBus(store)
        let task = Task {
            await caught { () async throws(Fill.Failure) in
                try await bus.send(Fill(cents: 100), to: "ada")
            }
        }
        await queued(1)
        store.takeBack()
        let failure = await task.value
        XCTAssertEqual(failure?.storeError, .notStored(reason: "taken back"))
    }

    func test_the_last_conflict_is_said_only_once_what_it_rests_on_is_durable() async throws {
        let bus = CommandBus(store, conflictRetries: 0)
        let store = store
        let task = Task {
            await caught { () async throws(WatchedFill.Failure) in
                try await bus.send(
                    WatchedFill(cents: 5) {
                        do {
                            let other = NewEvent(try Purse.Event.filled(cents: 7).encoded())
                            _ = try store.enqueue(
                                AppendRequest([other], to: Purse.ID("ada").stream, expecting: .any),
                                basedOn: nil)
                        } catch { XCTFail("\(error)") }
                    }, to: "ada")
            }
        }
        await awaited()
        store.commit()
        let failure = await task.value
        guard case .conflict? = failure?.storeError else { return XCTFail("\(failure as Any)") }
    }

    func test_a_conflict_with_what_is_taken_back_is_not_said() async throws {
        let store = HeldStore(afterConflict: { $0.takeBack() })
        let bus = CommandBus(store, conflictRetries: 0)
        let failure = await caught { () async throws(WatchedFill.Failure) in
            try await bus.send(
                WatchedFill(cents: 5) {
                    do {
                        let other = NewEvent(try Purse.Event.filled(cents: 7).encoded())
                        _ = try store.enqueue(
                            AppendRequest([other], to: Purse.ID("ada").stream, expecting: .any),
                            basedOn: nil)
                    } catch { XCTFail("\(error)") }
                }, to: "ada")
        }
        guard case .notStored? = failure?.storeError else {
            return XCTFail("\(failure as Any)")
        }
    }

    func test_commands_survive_a_disk_that_is_full_for_a_while() async throws {
        let disk = SimulatedDisk()
        let file = try await FileEventStore(on: disk)
        let bus = CommandBus(file)
        try await bus.send(Fill(cents: 1), to: "ada")
        let results = await withTaskGroup(of: Int?.self) { group in
            for number in 2...200 {
                group.addTask {
                    if number.isMultiple(of: 20) {
                        disk.inject(.init(.noSpace, operations: [.write]))
                    }
                    let receipt = try? await bus.send(Fill(cents: number), to: "ada")
                    return receipt == nil ? nil : number
                }
            }
            return await group.reduce(into: [1]) { if let number = $1 { $0.append(number) } }
        }
        // The last failure may not have met anybody.
        disk.heal()
        let again = try await bus.send(Fill(cents: 999), to: "ada")
        XCTAssertEqual(Set(again.state.amounts), Set(results + [999]), "what was acknowledged")
        XCTAssertEqual(again.state.amounts.count, results.count + 1)
        XCTAssertEqual(again.version.rawValue, UInt64(results.count + 1))
        XCTAssertLessThan(results.count, 200, "else the disk was never full")
        await file.close()
    }

    // MARK: - Helpers

    private struct Answer<C: AggregateCommand> {
        var receipt: C.Receipt?
        var failure: C.Failure?
    }

    /// Sends `command` while others are queued, checks that it is not answered, and then lets
    /// `settle` decide about them.
    private func answer<C: AggregateCommand<Purse>>(
        to command: C, expecting expected: ExpectedVersion = .any, restingOn others: [Fill],
        then settle: () -> Void
    ) async throws -> Answer<C> {
        let bus = CommandBus(store)
        var tasks: [Task<Void, any Error>] = []
        for (index, other) in others.enumerated() {
            tasks.append(Task { _ = try await bus.send(other, to: "ada") })
            await queued(index + 1)
        }
        let isAnswered = Guarded(false)
        let task = Task { () -> Answer<C> in
            do throws(C.Failure) {
                let receipt = try await bus.send(command, to: "ada", expecting: expected)
                isAnswered.withLock { $0 = true }
                return Answer(receipt: receipt)
            } catch {
                isAnswered.withLock { $0 = true }
                return Answer(failure: error)
            }
        }
        while store.waiting <= others.count, !isAnswered.withLock({ $0 }) { await Task.yield() }
        XCTAssertFalse(isAnswered.withLock { $0 }, "answered too early")
        settle()
        for task in tasks { try await task.value }
        return await task.value
    }

    private func queued(_ count: Int) async {
        while store.queuedCount < count { await Task.yield() }
    }

    private func awaited() async {
        while store.waiting == 0 { await Task.yield() }
    }
}

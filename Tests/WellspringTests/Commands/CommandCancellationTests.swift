import WellspringLog
import XCTest

@testable import Wellspring

final class CommandCancellationTests: XCTestCase {
    func test_a_cancelled_task_decides_nothing() async throws {
        let bus = CommandBus(InMemoryEventStore())
        let decisions = Counter()
        let task = Task {
            await Signal.never()
            return await caught { () async throws(WatchedFill.Failure) in
                try await bus.send(WatchedFill(cents: 1) { decisions.increase() }, to: "ada")
            }
        }
        task.cancel()
        let failure = await task.value
        XCTAssertEqual(failure?.isCancellation, true)
        XCTAssertEqual(decisions.count, 0)
    }

    func test_a_task_that_is_cancelled_while_it_decides_appends_nothing() async throws {
        let store = InMemoryEventStore()
        let bus = CommandBus(store)
        let failure = await Task {
            await caught { () async throws(WatchedFill.Failure) in
                let command = WatchedFill(cents: 1) { withUnsafeCurrentTask { $0?.cancel() } }
                return try await bus.send(command, to: "ada")
            }
        }.value
        XCTAssertEqual(failure?.isCancellation, true)
        let head = try await store.read(LogRead()).head
        XCTAssertEqual(head, .start)
        try await bus.send(Fill(cents: 1), to: "ada")
    }

    func test_the_bus_keeps_to_that_with_a_store_that_takes_no_notice() async throws {
        let store = HeedlessStore()
        let bus = CommandBus(store)
        let failure = await Task {
            await caught { () async throws(WatchedFill.Failure) in
                let command = WatchedFill(cents: 1) { withUnsafeCurrentTask { $0?.cancel() } }
                return try await bus.send(command, to: "ada")
            }
        }.value
        XCTAssertEqual(failure?.isCancellation, true)
        let head = try await store.read(LogRead()).head
        XCTAssertEqual(head, .start)
    }

    func test_a_task_that_is_cancelled_in_the_queue_leaves_it_and_the_others_go_on() async throws {
        let (begun, go) = (Signal(), Signal())
        let store = InterferingStore { _, _ in
            begun.give()
            await go.wait()
        }
        let bus = CommandBus(store)
        let ada = Purse.ID("ada")
        let first = Task { try await bus.send(Fill(cents: 1), to: ada) }
        await begun.wait()
        let second = Task {
            await caught { () async throws(Fill.Failure) in
                try await bus.send(Fill(cents: 2), to: ada)
            }
        }
        while bus.turns.waiting(for: ada.stream) < 1 { await Task.yield() }
        let third = Task { try await bus.send(Fill(cents: 3), to: ada) }
        while bus.turns.waiting(for: ada.stream) < 2 { await Task.yield() }

        second.cancel()
        let failure = await second.value
        XCTAssertEqual(failure?.isCancellation, true, "while the first still holds its turn")
        go.give()
        _ = try await first.value
        let amounts = try await third.value.state.amounts
        XCTAssertEqual(amounts, [1, 3])
    }

    func test_the_queue_is_served_in_the_order_of_arrival() async throws {
        let (begun, go) = (Signal(), Signal())
        let store = InterferingStore { _, _ in
            begun.give()
            await go.wait()
        }
        let bus = CommandBus(store)
        let ada = Purse.ID("ada")
        var tasks = [Task { try await bus.send(Fill(cents: 1), to: ada) }]
        await begun.wait()
        for number in 2...50 {
            tasks.append(Task { try await bus.send(Fill(cents: number), to: ada) })
            while bus.turns.waiting(for: ada.stream) < number - 1 { await Task.yield() }
        }
        go.give()
        let amounts = try await tasks[49].value.state.amounts
        XCTAssertEqual(amounts, Array(1...50))
    }

    func test_nothing_is_kept_of_streams_that_nobody_writes_to() async throws {
        let bus = CommandBus(InMemoryEventStore())
        await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await bus.send(Fill(cents: 1), to: Purse.ID("\(number % 20)"))
                }
                if number.isMultiple(of: 7) { group.cancelAll() }
            }
            while await group.nextResult() != nil {}
        }
        XCTAssertEqual(bus.turns.count, 0)
    }
}

extension Signal {
    /// Returns when the task is cancelled.
    static func never() async {
        while !Task.isCancelled { await Task.yield() }
    }
}

/// A store that appends in a task of its own, which a cancellation does not reach.
private struct HeedlessStore: EventStore {
    private let base = InMemoryEventStore()

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        let base = base
        return try await Task.detached { () async -> Result<AppendReceipt, EventStoreError> in
            do throws(EventStoreError) {
                return .success(try await base.append(request))
            } catch {
                return .failure(error)
            }
        }.value.get()
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await base.read(request)
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        try await base.read(request)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.waitForEvents(after: position)
    }
}

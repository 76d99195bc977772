import WellspringLog
import XCTest

@testable import Wellspring

/// What a crowd of commands to one aggregate shares.
final class CommandCrowdTests: XCTestCase {
    private let ada = Purse.ID("ada")

    func test_the_crowd_folds_the_stream_once_and_then_only_what_is_new() async throws {
        let folds = Counter()
        var store = InterferingStore()
        for _ in 0..<50 { await store.base.fill(ada, cents: 1) }
        store.beforeReadingStream = { read in
            if read.order == .forward(after: .start) { folds.increase() }
        }
        let states = try await crowd(of: (0..<20).map { _ in Fill(cents: 1) }, in: store)
        XCTAssertEqual(states.map(\.cents), Array(51...70))
        XCTAssertEqual(folds.count, 1)
    }

    func test_what_others_append_in_between_is_not_missed() async throws {
        let ada = ada
        let rounds = Counter()
        let store = InterferingStore { base, _ in
            // Comes right after the first command of the crowd has looked.
            if rounds.increase() == 1 { await base.fill(ada, cents: 1_000) }
        }
        let states = try await crowd(of: (0..<5).map { _ in Fill(cents: 1) }, in: store)
        XCTAssertEqual(states.map(\.cents), [1, 2, 3, 4, 5].map { $0 + 1_000 })
    }

    func test_nothing_to_do_after_a_command_of_the_crowd_names_its_position() async throws {
        let (begun, go) = (Signal(), Signal())
        let store = InterferingStore { _, _ in
            begun.give()
            await go.wait()
        }
        for _ in 0..<3 { await store.base.fill("bob", cents: 1) }
        let bus = CommandBus(store)
        let ada = ada
        let first = Task { try await bus.send(Fill(cents: 1), to: ada) }
        await begun.wait()
        let second = Task { try await bus.send(Fill(cents: 0), to: ada) }
        while bus.turns.waiting(for: ada.stream) < 1 { await Task.yield() }
        go.give()
        _ = try await first.value
        let receipt = try await second.value
        XCTAssertEqual(receipt.position, LogPosition(4))
        XCTAssertEqual(receipt.version, StreamVersion(1))
    }

    func test_an_aggregate_of_another_type_on_the_same_stream_folds_for_itself() async throws {
        let (begun, go) = (Signal(), Signal())
        let store = InterferingStore { _, _ in
            begun.give()
            await go.wait()
        }
        let bus = CommandBus(store)
        let ada = ada
        let first = Task { try await bus.send(Fill(cents: 1), to: ada) }
        await begun.wait()
        let second = Task {
            try await bus.update("ada") { (count: FillCount) in
                [.filled(cents: count.fills * 100)]
            }
        }
        while bus.turns.waiting(for: ada.stream) < 1 { await Task.yield() }
        go.give()
        _ = try await first.value
        let state = try await second.value.state
        XCTAssertEqual(state.fills, 2)
    }

    /// Sends the commands so that each waits for the one before; returns the states in order.
    private func crowd(of commands: [Fill], in store: InterferingStore) async throws -> [Purse] {
        let (begun, go) = (Signal(), Signal())
        var store = store
        let interfere = store.interfere
        store.interfere = { base, request in
            begun.give()
            await go.wait()
            await interfere(base, request)
        }
        let bus = CommandBus(store)
        let ada = ada
        var tasks: [Task<Purse, any Error>] = []
        for command in commands {
            tasks.append(Task { try await bus.send(command, to: ada).state })
            await begun.wait()
            while bus.turns.waiting(for: ada.stream) < tasks.count - 1 { await Task.yield() }
        }
        go.give()
        var states: [Purse] = []
        for task in tasks { states.append(try await task.value) }
        return states.sorted { $0.cents < $1.cents }
    }
}

/// Another view of a purse.
private struct FillCount: Aggregate {
    static let category = Purse.category
    var fills = 0
    mutating func apply(_ event: Purse.Event) { fills += 1 }
}

import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Random histories: buses that keep aggregates decide what a bus decides that keeps none.
final class CommandCacheHistoryTests: XCTestCase {
    private static let purses = (0..<5).map { Purse.ID("\($0)") }

    func test_two_buses_over_one_store_decide_what_one_without_a_memory_decides() async throws {
        for seed in 0..<60 {
            var dice = SeededGenerator(seed: UInt64(seed))
            let (kept, plain) = (InMemoryEventStore(), InMemoryEventStore())
            let limit = Int.random(in: 1...6, using: &dice)
            let buses = [
                CommandBus(kept, cachedAggregates: limit), CommandBus(kept, cachedAggregates: 2),
            ]
            let reference = CommandBus(plain, cachedAggregates: 0)
            for step in 0..<120 {
                let purse = Self.purses.randomElement(using: &dice) ?? "0"
                let cents = Int.random(in: 0...20, using: &dice)
                let bus = buses[Int.random(in: 0...1, using: &dice)]
                switch Int.random(in: 0..<6, using: &dice) {
                case 0:
                    await kept.fill(purse, cents: cents)
                    await plain.fill(purse, cents: cents)
                case 1, 2:
                    let (a, b) = await (
                        answer(to: Fill(cents: cents), purse, bus),
                        answer(to: Fill(cents: cents), purse, reference)
                    )
                    XCTAssertEqual(a, b, "seed \(seed), step \(step)")
                default:
                    let (a, b) = await (
                        answer(to: Spend(cents: cents), purse, bus),
                        answer(to: Spend(cents: cents), purse, reference)
                    )
                    XCTAssertEqual(a, b, "seed \(seed), step \(step)")
                }
            }
            let (a, b) = try await (contents(of: kept), contents(of: plain))
            XCTAssertEqual(a, b, "seed \(seed)")
        }
    }

    func test_every_receipt_of_a_crowd_on_a_bad_disk_is_what_a_replay_gives() async throws {
        for seed in 0..<12 {
            let disk = SimulatedDisk()
            let store = try await FileEventStore(on: disk)
            let buses = [CommandBus(store, cachedAggregates: 3), CommandBus(store)]
            let receipts = await withTaskGroup(of: [CommandReceipt<Purse>].self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var dice = SeededGenerator(seed: UInt64(seed * 100 + worker))
                        var receipts: [CommandReceipt<Purse>] = []
                        for _ in 0..<30 {
                            let purse = Self.purses.randomElement(using: &dice) ?? "0"
                            let bus = buses[Int.random(in: 0...1, using: &dice)]
                            let cents = Int.random(in: 0...9, using: &dice)
                            if Int.random(in: 0..<12, using: &dice) == 0 {
                                disk.inject(.init(.noSpace, operations: [.write]))
                            }
                            let receipt =
                                Bool.random(using: &dice)
                                ? try? await bus.send(
                                    Fill(cents: cents), to: purse)
                                : try? await bus.send(Spend(cents: cents), to: purse)
                            if let receipt { receipts.append(receipt) }
                        }
                        return receipts
                    }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            var states: [LogPosition: Purse] = [:]
            for purse in Self.purses {
                var state = Purse()
                for event in try await store.events(of: purse) {
                    state.apply(try Purse.Event(decoding: event.event))
                    states[event.position] = state
                }
            }
            for receipt in receipts where receipt.version > .start {
                XCTAssertEqual(
                    receipt.state.amounts, states[receipt.position]?.amounts, "seed \(seed)")
                XCTAssertEqual(receipt.state.cents, states[receipt.position]?.cents)
            }
            XCTAssertGreaterThan(receipts.count, 0)
            await store.close()
        }
    }

    private struct Answer: Equatable {
        var amounts: [Int]?
        var cents: Int?
        var version: StreamVersion?
        var position: LogPosition?
        var rejection: Purse.Rejection?
    }

    private func answer<C: AggregateCommand<Purse>>(
        to command: C, _ purse: Purse.ID, _ bus: CommandBus
    ) async -> Answer {
        do throws(C.Failure) {
            let receipt = try await bus.send(command, to: purse)
            return Answer(
                amounts: receipt.state.amounts, cents: receipt.state.cents,
                version: receipt.version, position: receipt.position)
        } catch {
            return Answer(rejection: error.rejection as Purse.Rejection?)
        }
    }

    private func contents(of store: InMemoryEventStore) async throws -> [String] {
        try await store.read(LogRead(limit: ReadLimit(events: 10_000))).events.map {
            "\($0.stream) \($0.version) \($0.event.name) \($0.event.payload)"
        }
    }
}

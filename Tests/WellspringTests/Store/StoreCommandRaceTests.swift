import Wellspring
import WellspringLog
import XCTest

/// A crowd that wants the same thing at the same time, on a real disk and real threads.
final class StoreCommandRaceTests: XCTestCase {
    func test_64_tasks_on_one_aggregate_all_land_on_a_real_disk() async throws {
        for syncsOnCallingTask in [true, false] {
            var configuration = FileEventStore.Configuration()
            configuration.syncsOnCallingTask = syncsOnCallingTask
            let store = try await FileEventStore(
                at: try temporaryDirectory(self) + "/store", configuration: configuration)
            try await race(on: store)
            await store.close()
        }
    }

    func test_64_tasks_on_one_aggregate_all_land_in_memory() async throws {
        try await race(on: InMemoryEventStore())
    }

    /// Every task sends five commands; each must land once, at a version of its own.
    private func race(on store: some EventStore) async throws {
        let bus = CommandBus(store)
        let decisions = Guarded(0)
        let versions = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for task in 0..<64 {
                group.addTask {
                    var versions: [UInt64] = []
                    for number in 1...5 {
                        let cents = task * 100 + number
                        let receipt = try await bus.update(Purse.ID("ada")) {
                            (_: Purse) throws(Purse.Rejection) in
                            decisions.withLock { $0 += 1 }
                            return [.filled(cents: cents)]
                        }
                        XCTAssertEqual(receipt.state.amounts.last, cents)
                        versions.append(receipt.version.rawValue)
                    }
                    return versions
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        XCTAssertEqual(versions.sorted(), Array(1...320), "gapless, none doubled")
        XCTAssertLessThanOrEqual(decisions.withLock { $0 }, 480, "1.5 decisions a success")
        var amounts: Set<Int> = []
        for try await event in store.events(in: Purse.ID("ada").stream) {
            if case .filled(let cents) = try event.decoded(as: Purse.Event.self).event {
                XCTAssertTrue(amounts.insert(cents).inserted, "\(cents) twice")
            }
        }
        XCTAssertEqual(amounts.count, 320, "all land")
    }
}

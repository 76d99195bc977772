import Foundation
import Wellspring
import WellspringLog
import XCTest

/// Writers, readers and subscribers on real threads, and a judge who knows what is impossible.
///
/// `WELLSPRING_STRESS` multiplies the work.
final class StoreStressTests: XCTestCase {
    static let scale = Int(ProcessInfo.processInfo.environment["WELLSPRING_STRESS"] ?? "") ?? 1

    func test_concurrent_use_of_the_memory_store_is_linearizable() async throws {
        for seed in 1...UInt64(3 * Self.scale) {
            let store = InMemoryEventStore()
            try await stress(store, seed: seed)
        }
    }

    func test_concurrent_use_of_the_file_store_is_linearizable() async throws {
        for seed in 1...UInt64(2 * Self.scale) {
            for syncsOnCallingTask in [true, false] {
                let path = try temporaryDirectory(self) + "/store"
                var configuration = FileEventStore.Configuration()
                configuration.segmentBytes = 64 << 10
                configuration.syncsOnCallingTask = syncsOnCallingTask
                let store = try await FileEventStore(at: path, configuration: configuration)
                let before = try await stress(store, seed: seed)
                await store.close()
                let again = try await FileEventStore(at: path, configuration: configuration)
                XCTAssertTrue(again.report.wasClean)
                let after = try await again.wholeLog().map(StoreHistory.Fact.init)
                XCTAssertEqual(after, before.log)
                await again.close()
            }
        }
    }

    func test_concurrent_use_is_linearizable_when_syncs_come_later() async throws {
        for durability in [Durability.interval(time: .milliseconds(2), bytes: 20_000), .osManaged] {
            var configuration = FileEventStore.Configuration()
            configuration.durability = durability
            let store = try await FileEventStore(
                at: try temporaryDirectory(self) + "/store", configuration: configuration)
            try await stress(store, seed: 5)
            await store.close()
        }
    }

    /// Lets 64 writers, four readers and four subscribers loose on a store, and judges them.
    @discardableResult
    private func stress(_ store: any EventStore, seed: UInt64) async throws -> StoreHistory {
        let workload = StoreStressWorkload(store)
        let total = Guarded<Int?>(nil)
        let subscribers = (0..<4).map { number in
            Task {
                try await workload.subscribe(
                    until: total, limit: ReadLimit(events: 1 + number * 40))
            }
        }
        let readers = (0..<4).map { number in
            Task {
                if number < 2 {
                    try await workload.readLog(limit: ReadLimit(events: 3 + number * 60))
                } else {
                    try await workload.readStreams(seed: seed &* 31 &+ UInt64(number))
                }
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<64 {
                group.addTask { await workload.write(12, seed: seed &* 1_000 &+ UInt64(writer)) }
            }
        }
        workload.stopReaders()
        for reader in readers { try await reader.value }

        let count = try await store.read(LogRead(limit: ReadLimit(events: 1))).head.rawValue
        total.withLock { $0 = Int(count) + 1 }
        // One more event, so that those who wait at the end look at the number.
        await workload.append([(sampleStream("last"), .any, 1)])
        for subscriber in subscribers {
            let seen = try await subscriber.value
            XCTAssertEqual(seen, Array(1...count + 1), "each event once, in order")
        }
        let history = try await workload.history(endingWith: store)
        XCTAssertEqual(history.violations.prefix(5), [])
        XCTAssertGreaterThan(history.log.count, 700)
        return history
    }
}

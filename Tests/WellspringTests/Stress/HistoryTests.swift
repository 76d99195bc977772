import Foundation
import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Many tasks on real threads use one store, and a judge looks at all that they saw.
///
/// `WELLSPRING_HISTORIES` says how many histories there are, `WELLSPRING_HISTORY_CALLS` how long
/// each is.
final class HistoryTests: XCTestCase {
    private static let histories = Size("HISTORIES", debug: 6, release: 24)
    private static let calls = Size("HISTORY_CALLS", debug: 800, release: 5_000)

    func test_histories_of_real_threads_are_linearizable() async throws {
        let began = ContinuousClock.now
        var calls = 0
        var events = 0
        for number in 0..<Self.histories.value {
            let (store, close) = try await makeStore(number)
            let history = try await Self.history(of: store, seed: UInt64(Size.firstSeed + number))
            try await close()
            XCTAssertEqual(history.violations.prefix(3), [], "history \(number)")
            calls += history.count
            events += history.log.count
        }
        XCTAssertGreaterThan(calls, Self.histories.value * Self.calls.value / 2)
        Totals.print(
            "histories", since: began,
            "\(Self.histories.value) histories, \(calls) calls, \(events) events")
    }

    /// A store of one of the kinds there are, and how it is closed.
    private func makeStore(
        _ number: Int
    ) async throws -> (any EventStore, close: () async throws -> Void) {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        configuration.syncsOnCallingTask = number % 2 == 0
        let file: FileEventStore
        switch number % 6 {
        case 0, 1:
            let store = InMemoryEventStore()
            return (store, { await store.close() })
        case 2:
            file = try await FileEventStore(
                on: SimulatedDisk(seed: UInt64(number)), configuration: configuration)
        case 3:
            configuration.durability = .interval(time: .milliseconds(2), bytes: 20_000)
            fallthrough
        default:
            let path = try temporaryDirectory(self) + "/store"
            file = try await FileEventStore(at: path, configuration: configuration)
        }
        return (file, { await file.close() })
    }

    private static func history(of store: any EventStore, seed: UInt64) async throws -> StoreHistory
    {
        let workload = StoreStressWorkload(store)
        let share = calls.value / 16
        try await withThrowingTaskGroup(of: Void.self) { group in
            for reader in 0..<4 {
                group.addTask {
                    if reader < 2 {
                        try await workload.readLog(
                            limit: ReadLimit(events: 3 + reader * 60), most: share)
                    } else {
                        try await workload.readStreams(
                            seed: seed &* 31 &+ UInt64(reader), most: share)
                    }
                }
            }
            group.addTask {
                await withTaskGroup(of: Void.self) { writers in
                    for writer in 0..<32 {
                        writers.addTask {
                            await workload.write(
                                share * 4 / 32, seed: seed &* 1_000 &+ UInt64(writer))
                        }
                    }
                }
                workload.stopReaders()
            }
            try await group.waitForAll()
        }
        return try await workload.history(endingWith: store)
    }
}

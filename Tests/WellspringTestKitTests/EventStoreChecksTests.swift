import Foundation
import Wellspring
import WellspringTestKit
import XCTest

/// The stores of this library keep the promises that they ask of others.
final class EventStoreChecksTests: XCTestCase {
    func test_the_store_in_memory_passes_every_check() async throws {
        try await EventStoreChecks.run {
            InMemoryEventStore(clock: Self.erraticClock())
        } closing: { store in
            await store.close()
        }
    }

    func test_the_store_of_files_passes_every_check_on_a_simulated_disk() async throws {
        try await EventStoreChecks.run {
            try await FileEventStore(on: SimulatedDisk())
        } closing: { store in
            await store.close()
        }
    }

    func test_the_store_of_files_passes_every_check_on_a_real_disk() async throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("wellspring-checks-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try await EventStoreChecks.run {
            let path = directory.appendingPathComponent(UUID().uuidString).path
            return try await FileEventStore(at: path)
        } closing: { store in
            await store.close()
        }
    }

    /// A clock that jumps back every third time it is asked.
    private static func erraticClock() -> @Sendable () -> Timestamp {
        let clock = ManualClock()
        return {
            clock.advance(by: .seconds(1))
            let isBack = clock.now.offset.components.seconds.isMultiple(of: 3)
            return Timestamp(
                nanoseconds: clock.time.nanoseconds - (isBack ? 60_000_000_000 : 0))
        }
    }
}

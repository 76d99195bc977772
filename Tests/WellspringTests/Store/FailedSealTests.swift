@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A segment is sealed with all its names in its footer, or with none.
final class FailedSealTests: XCTestCase {
    private static let large = NewEvent(
        EncodedEvent(name: "large", payload: EventPayload([UInt8](repeating: 1, count: 2_000))))

    /// A closed store whose newest segment defines names, on a disk.
    private func storeWithNames() async throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        for number in 0..<6 { try await store.appendSample(number, to: "\(number)") }
        await store.close()
        return disk
    }

    /// Closes the store and opens it again: it is sound, and has so many events.
    private func assertHolds(
        _ count: Int, _ store: FileEventStore, _ disk: SimulatedDisk, _ what: String
    ) async throws {
        await store.close()
        let report = try await FileEventStore.verify(at: "store", in: disk)
        XCTAssertEqual(report.problems, [], what)
        let reopened = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        let log = try await reopened.wholeLog()
        XCTAssertEqual(log.count, count, what)
        await reopened.close()
    }

    func test_a_read_that_fails_while_a_segment_is_sealed_makes_no_damage() async throws {
        let made = try await storeWithNames()
        for number in 0..<60 {
            let disk = made.afterCrash(keeping: .everything, seed: UInt64(number))
            let store = try await FileEventStore(
                on: disk, configuration: MaintainedStore.configuration)
            disk.inject(
                .init(.inputOutput, operations: [.read], from: disk.operationCount + number, .once))
            var count = 6
            for _ in 0..<200 where disk.segments.count < 2 {
                let receipt = try? await store.append(
                    AppendRequest([Self.large], to: sampleStream("9"), expecting: .any))
                if receipt != nil { count += 1 }
            }
            disk.heal()
            XCTAssertEqual(disk.segments.count, 2)
            try await assertHolds(count, store, disk, "read \(number)")
        }
    }

    func test_a_segment_whose_beginning_cannot_be_read_is_sealed_without_its_names() async throws {
        let disk = try await storeWithNames()
        let store = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        let append = AppendRequest([Self.large], to: sampleStream("9"), expecting: .any)
        try await store.append(append)
        disk.inject(
            .init(.inputOutput, operations: [.read], from: disk.operationCount, .untilHealed))
        for _ in 1..<100 { try await store.append(append) }
        XCTAssertGreaterThan(disk.segments.count, 2)
        disk.heal()
        try await assertHolds(106, store, disk, "healed")
    }
}

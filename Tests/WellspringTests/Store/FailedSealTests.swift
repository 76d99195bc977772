@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A segment is sealed with all its names, or not yet.
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

    func test_a_segment_whose_beginning_cannot_be_read_grows_to_twice_its_size_and_no_further()
        async throws
    {
        let disk = try await storeWithNames()
        let store = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        let append = AppendRequest([Self.large], to: sampleStream("9"), expecting: .any)
        try await store.append(append)
        disk.inject(
            .init(.inputOutput, operations: [.read], from: disk.operationCount, .untilHealed))
        var count = 7
        var failure: EventStoreError?
        while failure == nil, count < 200 {
            do {
                try await store.append(append)
                count += 1
            } catch {
                failure = error
            }
        }
        guard case .notStored? = failure else { return XCTFail("\(failure as Any)") }
        XCTAssertEqual(disk.segments.count, 1)
        XCTAssertGreaterThan(count, 50)
        XCTAssertLessThan(count, 70)
        disk.heal()
        try await store.append(append)
        XCTAssertEqual(disk.segments.count, 2)
        try await assertHolds(count + 1, store, disk, "healed")
    }
}

@testable import Wellspring
import WellspringTestKit
import XCTest

/// A store that is only ever opened in the strict mode outlives the loss of power on a disk that
/// destroys the sector under its head, whatever maintenance wrote in between.
final class StrictMaintenanceTests: XCTestCase {
    private static let rounds = Size("STRICT_ROUNDS", debug: 60, release: 400)

    private static var configuration: FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.durability = .strict
        configuration.syncsOnCallingTask = true
        return configuration
    }

    /// A store of three events that was closed; the third asks for the content of the first to go.
    private func closedStore() async throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk, configuration: Self.configuration)
        for _ in 0..<2 { try await store.appendSample(1, to: "a") }
        _ = try await store.requestRedaction(of: [LogPosition(1)])
        await store.close()
        return disk
    }

    /// Cuts the power while a store is opened and appended to, and opens what is left.
    private func assertOutlivesPowerCuts(_ disk: SimulatedDisk, events: Int) async throws {
        disk.startRecording()
        let store = try await FileEventStore(on: disk, configuration: Self.configuration)
        try await store.appendSample(1, to: "a")
        await store.close()
        let moments = disk.takeRecording()
        XCTAssertGreaterThan(moments.count, 10)
        for (number, moment) in moments.enumerated() {
            for round in 0..<Self.rounds.value {
                let image = SimulatedDisk(
                    after: moment, keeping: .chance, seed: UInt64(number * 1_000 + round),
                    tearsSectors: true)
                let what = "after \(moment.operation), round \(round)"
                do {
                    let store = try await FileEventStore(
                        on: image, configuration: Self.configuration)
                    let log = try await store.wholeLog()
                    await store.close()
                    XCTAssertGreaterThanOrEqual(log.count, events, what)
                } catch {
                    return XCTFail("\(what): \(error)")
                }
            }
        }
    }

    func test_a_scavenge_leaves_no_page_that_the_next_writer_shares() async throws {
        let disk = try await closedStore()
        try await FileEventStore.scavenge(at: "store", in: disk)
        try await assertOutlivesPowerCuts(disk, events: 3)
    }

    func test_a_salvage_leaves_no_page_that_the_next_writer_shares() async throws {
        let disk = SimulatedDisk()
        _ = try await FileEventStore.salvage(
            from: "store", in: try await closedStore(), to: "store", in: disk)
        try await assertOutlivesPowerCuts(disk, events: 3)
    }

    func test_a_backup_leaves_no_page_that_the_next_writer_shares() async throws {
        let disk = SimulatedDisk()
        _ = try await FileEventStore.backup(
            at: "store", in: try await closedStore(), to: "store", in: disk)
        try await assertOutlivesPowerCuts(disk, events: 3)
    }
}

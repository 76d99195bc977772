@testable import Wellspring
import WellspringTestKit
import XCTest

/// A store that is only ever opened in the strict mode outlives the loss of power on a disk that
/// destroys the page under its head, whatever maintenance wrote in between, and though one recovery
/// after the other loses power.
final class StrictModeTests: XCTestCase {
    private static let rounds = Size("STRICT_ROUNDS", debug: 60, release: 400)
    private static let recoveryRounds = Size("STRICT_RECOVERY_ROUNDS", debug: 20, release: 80)

    private static var configuration: FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.durability = .strict
        configuration.syncsOnCallingTask = true
        return configuration
    }

    // MARK: - Maintenance

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

    // MARK: - Recovering

    /// The disks that power cuts leave which come while a store is opened and writes to its log.
    private func torn(opening disk: SimulatedDisk) async throws -> [SimulatedDisk] {
        disk.startRecording()
        _ = try await FileEventStore(on: disk, configuration: Self.configuration)
        let moments = disk.takeRecording().filter {
            [.write, .truncate].contains($0.operation.kind) && $0.operation.file.hasSuffix(".seg")
        }
        return moments.flatMap { moment in
            (0..<Self.recoveryRounds.value).map {
                SimulatedDisk(
                    after: moment, keeping: .chance, seed: UInt64($0), tearsSectors: true)
            }
        }
    }

    func test_two_recoveries_that_lose_power_destroy_nothing() async throws {
        let disk = SimulatedDisk()
        var store: FileEventStore? = try await FileEventStore(
            on: disk, configuration: Self.configuration)
        for _ in 0..<3 { try await store?.appendSample(1, to: "a") }
        // The process is killed.
        store = nil
        disk.crash(keeping: .everything)
        var images = 0
        for second in try await torn(opening: disk) {
            for third in try await torn(opening: second) {
                let opened = try await FileEventStore(on: third, configuration: Self.configuration)
                let log = try await opened.wholeLog()
                await opened.close()
                images += 1
                guard log.count == 3 else {
                    return XCTFail("\(log.count) of 3 events, image \(images), \(opened.report)")
                }
            }
        }
        XCTAssertGreaterThan(images, 0)
    }
}

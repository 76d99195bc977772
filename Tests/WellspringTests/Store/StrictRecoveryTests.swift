@testable import Wellspring
import WellspringTestKit
import XCTest

/// In the strict mode recoveries destroy nothing that was acknowledged, though one after the other
/// loses power on a disk that destroys the page under its head.
final class StrictRecoveryTests: XCTestCase {
    private static let rounds = Size("STRICT_ROUNDS", debug: 20, release: 80)

    private static var configuration: FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.durability = .strict
        configuration.syncsOnCallingTask = true
        return configuration
    }

    /// The disks that power cuts leave which come while a store is opened and writes to its log.
    private func torn(opening disk: SimulatedDisk) async throws -> [SimulatedDisk] {
        disk.startRecording()
        _ = try await FileEventStore(on: disk, configuration: Self.configuration)
        let moments = disk.takeRecording().filter {
            [.write, .truncate].contains($0.operation.kind) && $0.operation.file.hasSuffix(".seg")
        }
        return moments.flatMap { moment in
            (0..<Self.rounds.value).map {
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

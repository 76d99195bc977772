import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Recovery that is itself interrupted: by the power, three times over, and by errors at each of
/// its operations, while the index is made again too.
final class StoreRecoveryErrorTests: XCTestCase {
    private static let depth = Size("RECOVERY_CRASHES", debug: 12, release: 400)

    private var configuration: FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        return configuration
    }

    /// A store that lost power with a part of its index missing and a torn write at its end.
    private func interrupted() async throws -> (disk: SimulatedDisk, ledger: Ledger) {
        let disk = SimulatedDisk(seed: 5)
        var ledger = Ledger()
        for seed in 1...3 as ClosedRange<UInt64> {
            let store = try await FileEventStore(on: disk, configuration: configuration)
            try await ledger.append(40, to: store, seed: seed, streams: 9, padding: 900)
            if seed < 3 { await store.close() }
        }
        disk.crash(keeping: .everything)
        disk.replaceContents(of: disk.runs[0], with: nil)
        let newest = disk.segments.last ?? ""
        var bytes = disk.contents(of: newest) ?? []
        // Noise behind the last frame, as of a write that never ended.
        let end = (bytes.lastIndex { $0 != 0 } ?? 0) / 8 * 8 + 8
        bytes += [UInt8](repeating: 0, count: max(0, end + 64 - bytes.count))
        for offset in end..<end + 64 { bytes[offset] = UInt8(offset % 251) | 1 }
        disk.replaceContents(of: newest, with: bytes)
        return (disk, ledger)
    }

    private func complaints(
        _ disk: SimulatedDisk, _ ledger: Ledger
    ) async throws -> [String] {
        let store = try await FileEventStore(on: disk, configuration: configuration)
        let found = try await ledger.complaints(about: store)
        await store.close()
        return found
    }

    func test_crashes_of_recoveries_of_recoveries_lose_nothing() async throws {
        let (base, ledger) = try await interrupted()
        var images = 0
        let first = UInt64(Size.firstSeed)
        for seed in first..<first + UInt64(Self.depth.value) {
            var disk = base.afterCrash(keeping: .everything, seed: seed)
            for depth in 0..<3 as Range<UInt64> {
                disk.startRecording()
                do {
                    let found = try await complaints(disk, ledger)
                    XCTAssertEqual(found, [], "seed \(seed), depth \(depth)")
                }
                let moments = disk.takeRecording()
                let pick = Int((seed &* 7_919 &+ depth &* 104_729) % UInt64(moments.count))
                disk = SimulatedDisk(
                    after: moments[pick], keeping: .chance, seed: seed &* 31 &+ depth)
                images += 1
            }
            let found = try await complaints(disk, ledger)
            XCTAssertEqual(found, [], "seed \(seed)")
        }
        print("totals: crashes in recoveries of stores: \(images) at depth 1 to 3, 0 lost")
    }

    func test_an_error_at_any_operation_of_a_recovery_loses_nothing() async throws {
        let (base, ledger) = try await interrupted()
        let rehearsal = base.afterCrash(keeping: .everything, seed: 1)
        _ = try await complaints(rehearsal, ledger)
        let step = StoreCrashRun.isOptimized ? 1 : 53
        var errors = 0
        var refused = 0
        for index in stride(from: 0, to: rehearsal.operationCount, by: step) {
            for (failure, repetition) in [
                (SimulatedDisk.Fault.Failure.inputOutput, SimulatedDisk.Fault.Repetition.once),
                (.noSpace, .untilHealed),
            ] {
                let disk = base.afterCrash(keeping: .everything, seed: 1)
                disk.inject(.init(failure, from: index, repetition))
                errors += 1
                do {
                    let found = try await complaints(disk, ledger)
                    XCTAssertEqual(found, [], "error at \(index)")
                } catch let error as EventStoreError {
                    refused += 1
                    if case .damaged = error {
                        XCTFail("a failure of the machine is called damage: \(error) at \(index)")
                    }
                }
                disk.heal()
                disk.crash(keeping: .chance)
                let found = try await complaints(disk, ledger)
                XCTAssertEqual(found, [], "after an error at \(index)")
            }
        }
        print(
            "totals: errors in recoveries of stores: \(errors) at \(rehearsal.operationCount) "
                + "operations, \(refused) openings or reads refused, 0 lost")
    }
}

import WellspringLog
import XCTest

@testable import Wellspring
@testable import WellspringTestKit

/// The tools on a disk that fails: they say so, or do what they do; nothing half made is a store.
final class MaintenanceErrorTests: XCTestCase {
    private typealias Failure = SimulatedDisk.Fault.Failure

    /// Runs a tool once for each operation that it makes, with that one failing.
    ///
    /// - Returns: How often it failed, and how often it did its work in spite of it.
    private func failEach(
        _ failure: Failure, _ repetition: SimulatedDisk.Fault.Repetition = .once,
        on disk: SimulatedDisk, _ tool: () async throws -> Void
    ) async throws -> (failed: Int, done: Int) {
        let start = disk.operationCount
        try await tool()
        let count = disk.operationCount - start
        XCTAssertGreaterThan(count, 10)
        var results = (failed: 0, done: 0)
        for number in stride(from: 0, to: count, by: max(1, count / 150)) {
            disk.inject(.init(failure, from: disk.operationCount + number, repetition))
            do {
                try await tool()
                results.done += 1
            } catch let error as EventStoreError {
                switch error {
                case .io, .storageFull: results.failed += 1
                default: XCTFail("operation \(number): \(error)")
                }
            }
            disk.heal()
        }
        return results
    }

    func test_verifying_tells_of_a_file_that_cannot_be_read_or_ends_with_the_error() async throws {
        let store = try await MaintainedStore(appends: 60)
        let open = try await FileEventStore(on: store.disk)
        try await open.checkpoints.save(
            Checkpoint(projection: "p", revision: 1, position: LogPosition(9), state: [1]))
        await open.close()
        for repetition in [SimulatedDisk.Fault.Repetition.once, .untilHealed] {
            let results = try await failEach(.inputOutput, repetition, on: store.disk) {
                let report = try await store.verify()
                // What could not be read is told, and nothing else.
                for problem in report.problems {
                    XCTAssertTrue(
                        problem.reason.contains("failed") || problem.reason.contains("read"),
                        "\(problem)")
                }
            }
            XCTAssertGreaterThan(results.failed, 0)
            if repetition == .once { XCTAssertGreaterThan(results.done, 0) }
        }
        let report = try await store.verify()
        XCTAssertEqual(report.problems, [])
    }

    func test_a_wrong_part_is_not_passed_over_because_the_manifest_cannot_be_read_any_more()
        async throws
    {
        let store = try await MaintainedStore(appends: 60)
        let name = try XCTUnwrap(store.disk.fileNames.first { $0.hasPrefix("idx/") })
        try store.rewriteRun(name) { $0.removeFirst() }
        let start = store.disk.operationCount
        let whole = try await store.verify()
        XCTAssertFalse(whole.isSound)
        for number in 0..<store.disk.operationCount - start {
            var fault = SimulatedDisk.Fault(
                .inputOutput, operations: [.read], from: store.disk.operationCount + number,
                .untilHealed)
            fault.file = Manifest.fileName
            store.disk.inject(fault)
            let report = try? await store.verify()
            XCTAssertFalse(report?.isSound ?? false, "from read \(number) on")
            store.disk.heal()
        }
    }

    func test_a_process_with_too_many_files_is_no_damage() async throws {
        let store = try await MaintainedStore(appends: 60)
        _ = try await failEach(.tooManyFiles, on: store.disk) {
            let report = try await store.verify()
            XCTAssertTrue(report.isSound, "\(report.problems)")
        }
    }

    func test_salvage_saves_everything_from_a_disk_that_fails_once_or_ends_with_the_error()
        async throws
    {
        let store = try await MaintainedStore(appends: 40)
        let results = try await failEach(.inputOutput, on: store.disk) {
            let target = SimulatedDisk(seed: 8)
            let report = try await FileEventStore.salvage(
                from: "store", in: store.disk, to: "new", in: target)
            let copy = try await FileEventStore.verify(at: "new", in: target)
            XCTAssertEqual(copy.problems, [])
            XCTAssertEqual(copy.eventCount, report.eventCount)
        }
        XCTAssertGreaterThan(results.done, 0)
    }

    func test_a_backup_is_whole_or_no_store() async throws {
        let store = try await MaintainedStore(appends: 40)
        for failure in [Failure.inputOutput, .noSpace] {
            let target = SimulatedDisk(seed: 8)
            var attempts = 0
            let start = target.operationCount
            _ = try await FileEventStore.backup(
                at: "store", in: store.disk, to: "0", in: target)
            let count = target.operationCount - start
            for number in stride(from: 0, to: count, by: 3) {
                let target = SimulatedDisk(seed: 8)
                target.inject(.init(failure, from: number, .untilHealed))
                let error = await storeError {
                    _ = try await FileEventStore.backup(
                        at: "store", in: store.disk, to: "0", in: target)
                }
                switch error {
                case .io, .storageFull: attempts += 1
                default: XCTFail("operation \(number): \(error as Any)")
                }
                target.heal()
                // Only what came last may have failed when there is a store.
                guard target.contents(of: StoreIdentity.fileName) != nil else { continue }
                XCTAssertEqual(target.operations.last?.kind, .syncDirectory)
                let report = try await FileEventStore.verify(at: "0", in: target)
                XCTAssertEqual(report.problems, [], "operation \(number)")
                XCTAssertEqual(report.eventCount, UInt64(store.events.count))
            }
            XCTAssertGreaterThan(attempts, 10)
        }
    }

    func test_a_small_file_that_cannot_be_read_is_told_as_the_error_of_the_disk() async throws {
        let store = try await MaintainedStore(appends: 20)
        for name in [StoreIdentity.fileName, Manifest.fileName] {
            store.disk.inject(.badSectors(0..<512, of: name))
            let error = await storeError {
                _ = try await FileEventStore.backup(
                    at: "store", in: store.disk, to: "0", in: SimulatedDisk(seed: 8))
            }
            XCTAssertEqual(error, .io(call: "read", file: name, code: 5))
            store.disk.heal()
        }
    }

    func test_a_small_file_that_is_too_long_is_told_as_damage() async throws {
        let store = try await MaintainedStore(appends: 20)
        let contents = store.disk.contents(of: StoreIdentity.fileName) ?? []
        store.disk.replaceContents(of: StoreIdentity.fileName, with: contents + [0])
        let error = await storeError {
            _ = try await FileEventStore.backup(
                at: "store", in: store.disk, to: "0", in: SimulatedDisk(seed: 8))
        }
        guard case .damaged(let damage) = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.file, StoreIdentity.fileName)
    }

    func test_a_salvaged_store_that_cannot_be_written_is_whole_or_no_store() async throws {
        let store = try await MaintainedStore(appends: 40)
        let whole = SimulatedDisk(seed: 8)
        _ = try await FileEventStore.salvage(from: "store", in: store.disk, to: "n", in: whole)
        for number in stride(from: 0, to: whole.operationCount, by: 3) {
            let target = SimulatedDisk(seed: 8)
            target.inject(.init(.noSpace, from: number, .untilHealed))
            let error = await storeError {
                _ = try await FileEventStore.salvage(
                    from: "store", in: store.disk, to: "n", in: target)
            }
            switch error {
            case .io, .storageFull: break
            default: XCTFail("operation \(number): \(error as Any)")
            }
            target.heal()
            // When only the last sync failed it is all there, but may not stay.
            guard target.contents(of: StoreIdentity.fileName) != nil else { continue }
            let copy = try await FileEventStore.verify(at: "n", in: target)
            XCTAssertEqual(copy.eventCount, UInt64(store.events.count), "operation \(number)")
        }
    }

    func test_repair_on_a_disk_that_fails_can_be_tried_again() async throws {
        let store = try await MaintainedStore(appends: 40)
        store.disk.replaceContents(of: Manifest.fileName, with: nil)
        let broken = store.disk.allContents
        func reset() {
            for name in store.disk.fileNames { store.disk.replaceContents(of: name, with: nil) }
            for (name, contents) in broken { store.disk.replaceContents(of: name, with: contents) }
        }
        let start = store.disk.operationCount
        _ = try await FileEventStore.repair(at: "store", in: store.disk)
        let count = store.disk.operationCount - start
        for number in stride(from: 0, to: count, by: max(1, count / 60)) {
            reset()
            store.disk.inject(
                .init(.inputOutput, from: store.disk.operationCount + number, .untilHealed))
            _ = try? await FileEventStore.repair(at: "store", in: store.disk)
            store.disk.heal()
            _ = try await FileEventStore.repair(at: "store", in: store.disk)
            let report = try await store.verify()
            XCTAssertTrue(report.isSound, "operation \(number): \(report.problems)")
            XCTAssertEqual(report.eventCount, UInt64(store.events.count), "operation \(number)")
        }
    }

    func test_an_examination_ends_with_the_error_of_the_disk() async throws {
        let store = try await MaintainedStore(appends: 20)
        let results = try await failEach(.inputOutput, .untilHealed, on: store.disk) {
            do {
                var examination = try StoreExamination(at: "store", in: store.disk)
                try examination.read { _ in true }
            } catch {
                throw EventStoreError(maintenance: error, path: "store")
            }
        }
        XCTAssertGreaterThan(results.failed, 5)
    }
}

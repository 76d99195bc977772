import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// The report of an opening keeps nothing silent that was done.
final class RecoveryReportTests: XCTestCase {
    private func open(_ files: any FileSystem) async throws -> FileEventStore {
        try await FileEventStore(
            at: "store", in: files, configuration: MaintainedStore.configuration)
    }

    func test_a_store_that_was_closed_properly_needs_nothing() async throws {
        let disk = try await MaintainedStore().disk
        let store = try await open(disk)
        XCTAssertTrue(store.report.isOrdinary)
        XCTAssertEqual(store.report.removed, [])
        XCTAssertEqual(store.report.reindexedSegments, 0)
        XCTAssertEqual(store.report.removedIndexFiles, [])
        XCTAssertEqual(store.report.unreadIndexFiles, [])
        XCTAssertNil(store.report.tornPositions)
        XCTAssertEqual(store.report.duration, .zero)
        await store.close()
    }

    func test_each_thing_that_was_done_makes_an_opening_one_to_tell_of() {
        func isOrdinary(
            _ index: RecoveryReport.Index = .init(),
            _ change: (inout LogRecovery) -> Void = { _ in }
        ) -> Bool {
            var recovery = LogRecovery()
            recovery.wasClean = true
            change(&recovery)
            return RecoveryReport(recovery, index: index).isOrdinary
        }
        XCTAssertTrue(isOrdinary())
        XCTAssertFalse(isOrdinary { $0.wasClean = false })
        XCTAssertFalse(isOrdinary { $0.removed = ["a"] })
        XCTAssertFalse(isOrdinary(.init(reindexed: 1)))
        XCTAssertFalse(isOrdinary(.init(removed: ["a"])))
        XCTAssertFalse(isOrdinary(.init(unread: ["a"])))
    }

    func test_files_of_the_index_that_are_removed_are_told() async throws {
        let disk = try await MaintainedStore().disk
        let damaged = try XCTUnwrap(disk.runs.first)
        let leftover = IndexRunName.temporary(7)
        disk.flipBit(1, ofByte: 20, in: damaged)
        disk.replaceContents(of: leftover, with: [1, 2, 3])
        let store = try await open(disk)
        XCTAssertEqual(store.report.removedIndexFiles, [leftover, damaged])
        XCTAssertFalse(disk.fileNames.contains(leftover))
        XCTAssertFalse(store.report.isOrdinary)
        await store.close()
    }

    func test_a_file_of_the_index_that_cannot_be_removed_is_not_told_as_removed() async throws {
        let disk = try await MaintainedStore().disk
        let leftover = IndexRunName.temporary(7)
        disk.replaceContents(of: leftover, with: [1, 2, 3])
        let rehearsal = disk.afterCrash(keeping: .everything, seed: 1)
        await (try await open(rehearsal)).close()
        let removal = try XCTUnwrap(
            rehearsal.operations.first { $0.kind == .remove && $0.file == leftover })
        let failing = disk.afterCrash(keeping: .everything, seed: 1)
        failing.inject(.init(.accessDenied, operations: [.remove], from: removal.number))
        let store = try await open(failing)
        XCTAssertTrue(failing.fileNames.contains(leftover))
        XCTAssertEqual(store.report.removedIndexFiles, [])
        await store.close()
    }

    func test_files_of_the_index_that_cannot_be_read_are_told_and_stay() async throws {
        let disk = try await MaintainedStore().disk
        let runs = disk.runs
        var files = HookedFiles(disk)
        files.failure = { name, _ in name == runs[0] ? HookedFiles.unreadable(name) : nil }
        let store = try await open(files)
        XCTAssertEqual(store.report.unreadIndexFiles, [runs[0]])
        XCTAssertEqual(store.report.removedIndexFiles, [])
        XCTAssertGreaterThan(store.report.reindexedSegments, 0)
        XCTAssertFalse(store.report.isOrdinary)
        XCTAssertEqual(disk.operations.filter { $0.kind == .remove && runs.contains($0.file) }, [])
        await store.close()
    }

    func test_a_directory_of_the_index_that_cannot_be_listed_is_told() async throws {
        let disk = try await MaintainedStore().disk
        let rehearsal = disk.afterCrash(keeping: .everything, seed: 1)
        await (try await open(rehearsal)).close()
        let list = try XCTUnwrap(
            rehearsal.operations.first { $0.kind == .list && $0.file == IndexRunName.directory })
        let failing = disk.afterCrash(keeping: .everything, seed: 1)
        failing.inject(.init(.inputOutput, operations: [.list], from: list.number))
        let store = try await open(failing)
        XCTAssertEqual(store.report.unreadIndexFiles, [IndexRunName.directory])
        await store.close()
    }

    func test_every_segment_that_is_read_for_the_index_is_counted() async throws {
        let store = try await MaintainedStore()
        for name in store.disk.runs { store.disk.replaceContents(of: name, with: nil) }
        XCTAssertGreaterThan(store.segmentCount, 3)
        let closed = try await open(store.disk)
        XCTAssertEqual(closed.report.reindexedSegments, Int(store.segmentCount))
        await closed.close()

        // After a crash the newest one is read anyway.
        let left = try await MaintainedStore(closes: false)
        for name in left.disk.runs { left.disk.replaceContents(of: name, with: nil) }
        let crashed = try await open(left.disk)
        XCTAssertEqual(crashed.report.reindexedSegments, Int(left.segmentCount) - 1)
        await crashed.close()
    }

    func test_the_segment_that_was_to_come_next_is_told_when_it_is_removed() async throws {
        let disk = try await MaintainedStore().disk
        disk.replaceContents(of: LogLayout.nextSegment, with: [0])
        let store = try await open(disk)
        XCTAssertEqual(store.report.removed, [LogLayout.nextSegment])
        XCTAssertFalse(disk.fileNames.contains(LogLayout.nextSegment))
        await store.close()
    }

    func test_the_positions_of_what_was_cut_off_are_told_and_given_out_again() async throws {
        let disk = SimulatedDisk()
        let left = try await FileEventStore(on: disk)
        try await left.appendSample(1)
        let size = try XCTUnwrap(disk.contents(of: LogLayout.segment(1))?.lastIndex { $0 != 0 })
        try await left.append(
            AppendRequest([sampleEvent(2), sampleEvent(3)], to: sampleStream("1"), expecting: .any))
        disk.crash(keeping: .everything)
        // The last byte of the append never reached the disk.
        var bytes = try XCTUnwrap(disk.contents(of: LogLayout.segment(1)))
        let last = try XCTUnwrap(bytes.lastIndex { $0 != 0 })
        XCTAssertGreaterThan(last, size)
        bytes[last] = 0
        disk.replaceContents(of: LogLayout.segment(1), with: bytes)
        let store = try await FileEventStore(on: disk)
        XCTAssertEqual(store.report.tornPositions, 2..<4)
        let receipt = try await store.appendSample(4)
        XCTAssertEqual(receipt.position, LogPosition(2))
        await store.close()
    }

    func test_the_time_that_opening_took_is_told() async throws {
        let disk = try await MaintainedStore().disk
        let before = disk.operationCount
        disk.inject(.delay(nanoseconds: 1_000))
        let store = try await open(disk)
        let whole = Duration.microseconds(disk.operationCount - before)
        XCTAssertGreaterThan(store.report.duration, .zero)
        XCTAssertLessThanOrEqual(store.report.duration, whole)
        disk.heal()
        await store.close()
    }
}

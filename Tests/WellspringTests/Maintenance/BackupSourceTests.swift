@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A backup is of a store that is sound, for its copy gets a MANIFEST in which nothing would tell.
final class BackupSourceTests: XCTestCase {
    /// Appends large events until so many segments have begun.
    private func grow(_ store: FileEventStore, _ disk: SimulatedDisk, to count: Int) async throws {
        while disk.segments.count < count {
            let event = NewEvent(
                EncodedEvent(
                    name: "large", payload: EventPayload([UInt8](repeating: 1, count: 2_000))))
            try await store.append(
                AppendRequest([event], to: sampleStream("1"), expecting: .any))
        }
    }

    private func opened(_ disk: SimulatedDisk) async throws -> FileEventStore {
        try await FileEventStore(on: disk, configuration: MaintainedStore.configuration)
    }

    /// What a backup says, which must not make a store.
    private func refusal(_ disk: SimulatedDisk, line: UInt = #line) async -> EventStoreError? {
        let copy = SimulatedDisk(seed: 5)
        let error = await storeError(line: line) {
            try await FileEventStore.backup(at: "store", in: disk, to: "copy", in: copy)
        }
        XCTAssertNil(copy.contents(of: StoreIdentity.fileName), line: line)
        return error
    }

    func test_a_store_with_the_manifest_of_an_earlier_day_is_not_backed_up() async throws {
        for wasClosed in [true, false] {
            let disk = SimulatedDisk()
            let first = try await opened(disk)
            try await grow(first, disk, to: 3)
            if wasClosed { await first.close() }
            let earlier = try XCTUnwrap(disk.contents(of: Manifest.fileName))
            if !wasClosed { await first.close() }
            let second = try await opened(disk)
            try await grow(second, disk, to: 6)
            await second.close()
            disk.replaceContents(of: Manifest.fileName, with: earlier)
            let report = try await FileEventStore.verify(at: "store", in: disk)
            XCTAssertFalse(report.isSound)
            guard case .damaged? = await refusal(disk) else {
                return XCTFail("was closed: \(wasClosed)")
            }
        }
    }

    func test_commits_of_a_segment_that_the_manifest_does_not_list_are_not_left_out() async throws {
        let disk = SimulatedDisk()
        let store = try await opened(disk)
        try await grow(store, disk, to: 2)
        let earlier = try XCTUnwrap(disk.contents(of: Manifest.fileName))
        try await grow(store, disk, to: 3)
        for number in 1...5 { try await store.appendSample(number) }
        let killed = disk.afterCrash(keeping: .everything, seed: 3)
        await store.close()
        killed.replaceContents(of: Manifest.fileName, with: earlier)
        guard case .storage(let reason)? = await refusal(killed) else { return XCTFail("refused") }
        XCTAssertTrue(reason.contains(LogLayout.segment(3)), reason)
        // What the error says.
        let reopened = try await opened(killed)
        let count = try await reopened.wholeLog().count
        await reopened.close()
        let report = try await FileEventStore.backup(
            at: "store", in: killed, to: "copy", in: SimulatedDisk(seed: 5))
        XCTAssertEqual(report.eventCount, UInt64(count))
    }

    func test_a_segment_that_a_crash_kept_from_being_listed_is_no_reason_to_refuse() async throws {
        let disk = SimulatedDisk()
        let store = try await opened(disk)
        try await grow(store, disk, to: 2)
        let count = try await store.wholeLog().count
        disk.startRecording()
        try await grow(store, disk, to: 3)
        let moments = disk.takeRecording()
        await store.close()
        var unlisted = 0
        for moment in moments {
            disk.turn(to: moment)
            let killed = disk.afterCrash(keeping: .everything, seed: 3)
            if killed.segments.count == 3, try manifest(of: killed).segments.count == 2 {
                unlisted += 1
            }
            let report = try await FileEventStore.backup(
                at: "store", in: killed, to: "copy", in: SimulatedDisk(seed: 5))
            XCTAssertGreaterThanOrEqual(
                report.eventCount + report.unprovenEvents, UInt64(count))
        }
        XCTAssertGreaterThan(unlisted, 0)
    }

    private func manifest(of disk: SimulatedDisk) throws -> Manifest {
        let bytes = try XCTUnwrap(disk.contents(of: Manifest.fileName))
        return try bytes.withUnsafeBytes { try Manifest(decoding: $0) }
    }

    func test_a_newest_segment_of_another_history_is_not_backed_up() async throws {
        let disk = SimulatedDisk()
        let first = try await opened(disk)
        for number in 1...3 { try await first.appendSample(number) }
        await first.close()
        let fork = disk.afterCrash(keeping: .everything, seed: 9)
        for disk in [disk, fork] {
            let store = try await opened(disk)
            try await grow(store, disk, to: 2)
            for number in 1...5 { try await store.appendSample(number) }
            disk.crash(keeping: .everything)
            await store.close()
        }
        let name = LogLayout.segment(2)
        XCTAssertEqual(disk.contents(of: name)?.count, fork.contents(of: name)?.count)
        disk.replaceContents(of: name, with: fork.contents(of: name))
        let report = try await FileEventStore.verify(at: "store", in: disk)
        XCTAssertFalse(report.isSound)
        guard case .damaged? = await refusal(disk) else { return XCTFail("damaged") }
    }
}

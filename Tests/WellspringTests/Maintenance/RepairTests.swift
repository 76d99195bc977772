@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Repair makes the MANIFEST anew where that is safe, and nothing else.
final class RepairTests: XCTestCase {
    private func repair(_ store: MaintainedStore) async throws -> RepairReport {
        try await FileEventStore.repair(at: "store", in: store.disk)
    }

    private func assertOpens(_ store: MaintainedStore, line: UInt = #line) async throws {
        let report = try await store.verify()
        XCTAssertEqual(report.problems, [], line: line)
        let opened = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        let events = try await opened.wholeLog()
        XCTAssertTrue(events == store.events, line: line)
        try await opened.appendSample(1)
        await opened.close()
    }

    func test_a_missing_manifest_is_made_anew() async throws {
        for closes in [true, false] {
            let store = try await MaintainedStore(closes: closes)
            store.disk.replaceContents(of: Manifest.fileName, with: nil)
            let report = try await repair(store)
            XCTAssertTrue(report.isRepaired)
            XCTAssertNil(report.quarantined)
            XCTAssertEqual(report.eventCount, UInt64(store.events.count))
            XCTAssertEqual(report.segmentCount, Int(store.segmentCount))
            XCTAssertEqual(report.unproven.count, 2)
            try await assertOpens(store)
        }
    }

    func test_a_damaged_manifest_is_kept_aside() async throws {
        let store = try await MaintainedStore()
        store.disk.flipBit(1, ofByte: 70, in: Manifest.fileName)
        let damaged = store.disk.contents(of: Manifest.fileName)
        let report = try await repair(store)
        let kept = try XCTUnwrap(report.quarantined)
        XCTAssertEqual(store.disk.contents(of: kept), damaged)
        try await assertOpens(store)
    }

    func test_a_damaged_part_of_the_index_is_damage_until_it_is_repaired() async throws {
        let whole = try await MaintainedStore()
        let name = try XCTUnwrap(whole.disk.runs.first)
        let length = try XCTUnwrap(whole.disk.contents(of: name)).count
        // Header, entries, tables and trailer.
        for place in [3, 40, 140, length / 3, length / 2, length - 140, length - 3] {
            let store = whole.copy()
            store.disk.flipBit(2, ofByte: place, in: name)
            let found = try await store.verify()
            XCTAssertEqual(found.problems.map(\.kind), [.index], "byte \(place)")
            XCTAssertEqual(found.problems.map(\.file), [name], "byte \(place)")
            XCTAssertFalse(found.isSound, "byte \(place)")
            XCTAssertEqual(found.lostPositions, [], "byte \(place)")
            let report = try await repair(store)
            XCTAssertTrue(report.isRepaired)
            XCTAssertEqual(report.removedIndexFiles, [name])
            XCTAssertEqual(report.unproven, [])
            XCTAssertEqual(report.eventCount, UInt64(store.events.count))
            try await assertOpens(store)
            let mended = try await store.verify()
            XCTAssertEqual(mended.problems, [], "byte \(place)")
        }
    }

    func test_an_index_is_not_removed_when_the_log_cannot_make_it_anew() async throws {
        for isReadable in [true, false] {
            let store = try await MaintainedStore()
            let name = try XCTUnwrap(store.disk.runs.first)
            let length = try XCTUnwrap(store.disk.contents(of: name)).count
            store.disk.flipBit(2, ofByte: length / 2, in: name)
            if isReadable {
                _ = try store.forgeVersion(inSegment: 2, commit: 4)
            } else {
                let place = try store.places(in: 2)[4]
                store.disk.flipBit(2, ofByte: Int(place.bodyOffset) + 40, in: LogLayout.segment(2))
            }
            let before = store.disk.allContents
            let error = await storeError { _ = try await self.repair(store) }
            guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
            XCTAssertEqual(damage.file, LogLayout.segment(2))
            XCTAssertTrue(store.disk.allContents == before)
        }
    }

    func test_a_sound_store_is_not_touched() async throws {
        let store = try await MaintainedStore()
        let before = store.disk.allContents
        let report = try await repair(store)
        XCTAssertFalse(report.isRepaired)
        XCTAssertTrue(store.disk.allContents == before)
    }

    func test_a_store_with_more_damage_is_left_as_it_is() async throws {
        let store = try await MaintainedStore()
        store.disk.replaceContents(of: Manifest.fileName, with: nil)
        let place = try store.places(in: 2)[4]
        store.disk.flipBit(2, ofByte: Int(place.bodyOffset) + 40, in: LogLayout.segment(2))
        let before = store.disk.allContents
        let error = await storeError { _ = try await self.repair(store) }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.file, LogLayout.segment(2))
        XCTAssertTrue(store.disk.allContents == before)
    }

    func test_a_store_without_identity_or_first_segment_is_left_as_it_is() async throws {
        for file in [StoreIdentity.fileName, LogLayout.segment(1)] {
            let store = try await MaintainedStore()
            store.disk.replaceContents(of: Manifest.fileName, with: nil)
            store.disk.replaceContents(of: file, with: nil)
            let before = store.disk.allContents
            let error = await storeError { _ = try await self.repair(store) }
            guard case .damaged? = error else { return XCTFail("\(error as Any)") }
            XCTAssertTrue(store.disk.allContents == before)
        }
    }

    func test_a_repair_can_be_interrupted_anywhere_and_done_again() async throws {
        let store = try await MaintainedStore(appends: 40)
        store.disk.flipBit(1, ofByte: 70, in: Manifest.fileName)
        let run = store.disk.afterCrash(keeping: .everything, seed: 1)
        let first = run.operationCount
        try await FileEventStore.repair(at: "store", in: run)
        for cut in first..<run.operationCount {
            let disk = store.disk.afterCrash(keeping: .everything, seed: UInt64(cut))
            disk.inject(.powerCut(at: cut))
            _ = try? await FileEventStore.repair(at: "store", in: disk)
            disk.crash()
            try await FileEventStore.repair(at: "store", in: disk)
            let report = try await FileEventStore.verify(at: "store", in: disk)
            XCTAssertEqual(report.problems, [], "cut \(cut)")
            XCTAssertEqual(report.eventCount, UInt64(store.events.count), "cut \(cut)")
        }
    }

    /// A store without a MANIFEST, and its files as a disk gives them back that is wrong now and then.
    private func withoutManifest(
        _ change: (inout HookedFiles, _ segment: String, _ length: Int) -> Void
    ) async throws -> (store: MaintainedStore, files: HookedFiles) {
        let store = try await MaintainedStore()
        store.disk.replaceContents(of: Manifest.fileName, with: nil)
        let segment = LogLayout.segment(1)
        let length = try XCTUnwrap(store.disk.contents(of: segment)).count
        var files = HookedFiles(store.disk)
        change(&files, segment, length)
        return (store, files)
    }

    /// Changes a bit in the trailer of a segment in the first readings of it.
    private func flipTrailer(
        inReadings count: Int, _ files: inout HookedFiles, _ segment: String
    ) {
        let readings = Guarded(0)
        files.change = { name, bytes in
            let trailer = bytes.suffix(SegmentTrailer.length)
            guard name == segment, trailer.starts(with: FilePreamble.Magic.trailer.bytes) else {
                return
            }
            let reading = readings.withLock { readings in
                readings += 1
                return readings
            }
            if reading <= count { bytes[bytes.count - 5] ^= 1 }
        }
    }

    func test_a_trailer_that_is_read_wrong_once_is_in_the_manifest_that_is_made_anew() async throws
    {
        let (store, files) = try await withoutManifest {
            (files, segment, _) in flipTrailer(inReadings: 1, &files, segment)
        }
        let report = try await FileEventStore.repair(at: "store", in: files)
        XCTAssertTrue(report.isRepaired)
        try await assertOpens(store)
    }

    func test_a_trailer_that_cannot_be_read_once_is_in_the_manifest_that_is_made_anew() async throws
    {
        let (store, files) = try await withoutManifest { files, segment, length in
            let rest = Guarded([0, UInt64(length / 4_096 * 4_096)])
            files.failure = { name, offset in
                guard name == segment else { return nil }
                let fails = rest.withLock { rest in
                    guard rest.first == offset else { return false }
                    rest.removeFirst()
                    return true
                }
                return fails ? HookedFiles.unreadable(name) : nil
            }
        }
        let report = try await FileEventStore.repair(at: "store", in: files)
        XCTAssertTrue(report.isRepaired)
        try await assertOpens(store)
    }

    func test_no_manifest_is_made_of_segments_whose_ends_are_read_wrong_again_and_again()
        async throws
    {
        let (store, files) = try await withoutManifest {
            (files, segment, _) in flipTrailer(inReadings: 3, &files, segment)
        }
        let before = store.disk.allContents
        let error = await storeError {
            _ = try await FileEventStore.repair(at: "store", in: files)
        }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.file, LogLayout.segment(1))
        XCTAssertTrue(store.disk.allContents == before)
        // By now the disk gives back what it has.
        let report = try await FileEventStore.repair(at: "store", in: files)
        XCTAssertTrue(report.isRepaired)
        try await assertOpens(store)
    }

    func test_a_manifest_that_could_not_be_opened_is_not_written() async throws {
        let store = try await MaintainedStore()
        var manifest = try store.manifest()
        XCTAssertNoThrow(try StoreRepair.check(manifest))
        manifest.segments[1].seal = nil
        XCTAssertThrowsError(try StoreRepair.check(manifest)) {
            guard case .damaged(let damage)? = $0 as? EventStoreError else {
                return XCTFail("\($0)")
            }
            XCTAssertEqual(damage.file, Manifest.fileName)
        }
    }

    func test_an_open_store_is_not_repaired() async throws {
        let store = try await MaintainedStore(appends: 3)
        let open = try await FileEventStore(on: store.disk)
        store.disk.replaceContents(of: Manifest.fileName, with: nil)
        let error = await storeError { _ = try await self.repair(store) }
        guard case .locked? = error else { return XCTFail("\(error as Any)") }
        await open.close()
    }
}

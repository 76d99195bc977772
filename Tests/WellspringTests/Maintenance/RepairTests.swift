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

    func test_an_open_store_is_not_repaired() async throws {
        let store = try await MaintainedStore(appends: 3)
        let open = try await FileEventStore(on: store.disk)
        store.disk.replaceContents(of: Manifest.fileName, with: nil)
        let error = await storeError { _ = try await self.repair(store) }
        guard case .locked? = error else { return XCTFail("\(error as Any)") }
        await open.close()
    }
}

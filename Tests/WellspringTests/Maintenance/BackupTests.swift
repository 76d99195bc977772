@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A backup is the same store as of some moment, and never anything less.
final class BackupTests: XCTestCase {
    private func assertHolds(
        _ disk: SimulatedDisk, _ events: [RecordedEvent], line: UInt = #line
    ) async throws {
        let report = try await FileEventStore.verify(at: "copy", in: disk)
        XCTAssertEqual(report.problems, [], line: line)
        let opened = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        let found = try await opened.wholeLog()
        XCTAssertTrue(found == events, "\(found.count) of \(events.count)", line: line)
        XCTAssertEqual(opened.report.tornBytes, 0, line: line)
        try await opened.appendSample(1)
        await opened.close()
    }

    func test_a_closed_store_is_copied_whole_and_left_untouched() async throws {
        let store = try await MaintainedStore()
        let before = store.disk.allContents
        let copy = SimulatedDisk(seed: 5)
        let report = try await FileEventStore.backup(
            at: "store", in: store.disk, to: "copy", in: copy)
        XCTAssertEqual(report.eventCount, UInt64(store.events.count))
        XCTAssertEqual(report.lastPosition, store.events.last?.position)
        XCTAssertEqual(report.unprovenEvents, 0)
        XCTAssertTrue(store.disk.allContents == before)
        try await assertHolds(copy, store.events)
    }

    func test_an_open_store_is_copied_up_to_the_last_acknowledged_event() async throws {
        let store = try await MaintainedStore()
        let open = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        for number in 0..<50 {
            try await open.appendSample(number)
            guard number % 7 == 0 else { continue }
            let copy = SimulatedDisk(seed: UInt64(number))
            let report = try await open.backup(to: "copy", in: copy)
            XCTAssertEqual(report.lastPosition.rawValue, UInt64(store.events.count + number + 1))
            try await assertHolds(copy, try await open.wholeLog())
        }
        await open.close()
    }

    func test_a_store_that_was_killed_is_copied_as_far_as_it_is_proved() async throws {
        let store = try await MaintainedStore(appends: 5)
        let open = try await FileEventStore(on: store.disk)
        try await open.appendSample(1)
        try await open.appendSample(2)
        let killed = store.disk.afterCrash(keeping: .everything, seed: 3)
        await open.close()
        let copy = SimulatedDisk(seed: 5)
        let report = try await FileEventStore.backup(
            at: "store", in: killed, to: "copy", in: copy)
        XCTAssertEqual(report.unprovenEvents, 1)
        XCTAssertEqual(report.eventCount, UInt64(store.events.count + 1))
    }

    func test_saved_states_and_the_index_come_along() async throws {
        let store = try await MaintainedStore()
        let open = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        try await open.checkpoints.save(
            Checkpoint(
                projection: "kept", revision: 1, position: LogPosition(100), state: [1, 2, 3]))
        let copy = SimulatedDisk(seed: 5)
        try await open.backup(to: "copy", in: copy)
        await open.close()
        let restored = try await FileEventStore(on: copy)
        let state = try await restored.checkpoints.load("kept")
        XCTAssertEqual(state?.position, LogPosition(100))
        await restored.close()
        let runs = { (disk: SimulatedDisk) in disk.fileNames.filter { $0.hasSuffix(".run") } }
        XCTAssertFalse(runs(store.disk).isEmpty)
        XCTAssertFalse(runs(copy).isEmpty)
    }

    func test_a_copy_that_is_cut_short_is_noticed() async throws {
        let store = try await MaintainedStore()
        let copy = SimulatedDisk(seed: 5)
        try await FileEventStore.backup(at: "store", in: store.disk, to: "copy", in: copy)
        let name = LogLayout.segment(store.segmentCount)
        let bytes = try XCTUnwrap(copy.contents(of: name))
        copy.replaceContents(of: name, with: Array(bytes.dropLast(8)))
        let error = await storeError { _ = try await FileEventStore(on: copy) }
        guard case .damaged? = error else { return XCTFail("\(error as Any)") }
    }

    func test_a_damaged_store_is_not_backed_up() async throws {
        let store = try await MaintainedStore()
        let place = try store.places(in: 2)[4]
        store.disk.flipBit(2, ofByte: Int(place.bodyOffset) + 40, in: LogLayout.segment(2))
        let copy = SimulatedDisk(seed: 5)
        let error = await storeError {
            try await FileEventStore.backup(at: "store", in: store.disk, to: "copy", in: copy)
        }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.file, LogLayout.segment(2))
        XCTAssertNil(copy.contents(of: StoreIdentity.fileName))
    }

    func test_what_an_interrupted_backup_leaves_is_no_store() async throws {
        let store = try await MaintainedStore(appends: 60)
        let run = SimulatedDisk()
        try await FileEventStore.backup(at: "store", in: store.disk, to: "copy", in: run)
        for cut in 1..<run.operationCount {
            let copy = SimulatedDisk(seed: UInt64(cut))
            copy.inject(.powerCut(at: cut))
            let error = await storeError {
                try await FileEventStore.backup(at: "store", in: store.disk, to: "copy", in: copy)
            }
            XCTAssertNotNil(error)
            copy.crash()
            if copy.contents(of: StoreIdentity.fileName) != nil {
                let report = try await FileEventStore.verify(at: "copy", in: copy)
                XCTAssertEqual(report.problems, [], "cut \(cut)")
                XCTAssertEqual(report.eventCount, UInt64(store.events.count), "cut \(cut)")
                continue
            }
            var configuration = MaintainedStore.configuration
            configuration.createsStore = false
            do {
                _ = try await FileEventStore(on: copy, configuration: configuration)
                XCTFail("half a store opened, cut \(cut)")
            } catch {}
        }
    }

    func test_a_backup_while_appends_go_on_holds_a_beginning_of_the_log() async throws {
        let directory = try temporaryDirectory(self)
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        let store = try await FileEventStore(
            at: directory + "/store", configuration: configuration)
        let writing = Task {
            var number = 0
            // Copying takes longer the longer the log is, so it has to end somewhere.
            while !Task.isCancelled, number < 20_000 {
                number += 1
                try await store.appendSample(number, to: "\(number % 5)")
            }
            return number
        }
        for number in 0..<5 {
            try await store.waitForEvents(after: LogPosition(UInt64(number * 150)))
            let acknowledged = try await store.appendSample(-1, to: "marker").position
            let path = directory + "/copy-\(number)"
            let report = try await store.backup(to: path)
            XCTAssertGreaterThanOrEqual(report.lastPosition, acknowledged)
            let copy = try await FileEventStore(at: path)
            let events = try await copy.wholeLog()
            XCTAssertEqual(events.last?.position, report.lastPosition)
            var original: [RecordedEvent] = []
            var position = LogPosition.start
            while position < report.lastPosition {
                let page = try await store.read(
                    LogRead(.forward(after: position), limit: ReadLimit(events: 500)))
                original += page.events.filter { $0.position <= report.lastPosition }
                position = page.end
            }
            XCTAssertTrue(events == original)
            await copy.close()
        }
        writing.cancel()
        _ = await writing.result
        await store.close()
    }
}

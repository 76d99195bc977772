import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Numbers that were changed on purpose, with checksums that hold, are refused by whoever opens the
/// store: nothing is counted on from them.
final class ForgedNumbersTests: XCTestCase {
    private let limit = UInt64(Int64.max)

    /// What an opening calls damaged.
    private func damage(of store: MaintainedStore, line: UInt = #line) async -> StoreDamage? {
        let before = store.disk.allContents
        let error = await storeError(line: line) {
            _ = try await FileEventStore(
                on: store.disk, configuration: MaintainedStore.configuration)
        }
        XCTAssertTrue(store.disk.allContents == before, line: line)
        guard case .damaged(let damage)? = error else {
            XCTFail("\(error as Any)", line: line)
            return nil
        }
        return damage
    }

    func test_a_trailer_that_counts_more_than_the_segment_can_hold_is_refused() async throws {
        let whole = try await MaintainedStore()
        let name = LogLayout.segment(2)
        let length = try XCTUnwrap(whole.disk.contents(of: name)).count
        let (groups, events) = (56, 64)
        let most = try whole.manifest().segments[1]
        let seal = try XCTUnwrap(most.seal)
        let forgeries = [
            (groups, UInt64.max), (groups, limit),
            (groups, seal.lastSequence - most.baseSequence + 1),
            (events, UInt64.max), (events, limit),
            (events, seal.nextPosition - most.basePosition + 1),
        ]
        for (offset, number) in forgeries {
            let store = whole.copy()
            try store.forgeTrailer(of: 2, number, at: offset)
            let damage = await damage(of: store)
            XCTAssertEqual(damage?.file, name, "\(number) at \(offset)")
            XCTAssertEqual(damage?.offset, UInt64(length - SegmentTrailer.length))
            let report = try await store.verify()
            XCTAssertEqual(report.problems.map(\.kind), [.footer], "\(number) at \(offset)")
        }
    }

    func test_a_trailer_that_begins_elsewhere_than_its_segment_is_refused() async throws {
        let whole = try await MaintainedStore()
        // With a lower beginning there is room for a higher count.
        for (offset, number) in [(24, UInt64(1)), (40, 1)] {
            let store = whole.copy()
            try store.forgeTrailer(of: 2, number, at: offset)
            let damage = await damage(of: store)
            XCTAssertEqual(damage?.file, LogLayout.segment(2))
        }
    }

    func test_a_manifest_that_was_replaced_more_often_than_can_be_counted_is_refused() async throws
    {
        let store = try await MaintainedStore(appends: 3)
        try store.forgeManifest { $0.number = .max }
        let damage = await damage(of: store)
        XCTAssertEqual(damage?.file, Manifest.fileName)
    }

    func test_an_index_and_a_manifest_that_end_where_no_log_does_are_refused() async throws {
        let whole = try await MaintainedStore(appends: 100)
        let name = try XCTUnwrap(whole.disk.runs.first)
        let forgeries: [(inout LogEnd) -> Void] = [
            { $0.sequence = .max }, { $0.nextPosition = .max }, { $0.nextPosition = 0 },
        ]
        for forge in forgeries {
            let store = whole.copy()
            XCTAssertTrue(try store.forgeEnd(ofRun: name, forge))
            let damage = await damage(of: store)
            XCTAssertEqual(damage?.file, Manifest.fileName)
            let error = await storeError { _ = try await FileEventReader(on: store.disk) }
            guard case .damaged? = error else { return XCTFail("\(error as Any)") }
        }
    }

    func test_a_footer_that_leads_behind_an_event_makes_no_page_without_it() async throws {
        let store = try await MaintainedStore()
        let places = try store.places(in: 2)
        let first = try XCTUnwrap(places.first).firstPosition
        // Number and length, then position, sequence and offset of the first entry.
        try store.forgeFooter(of: 2, places[3].offset) { _ in 24 }
        let opened = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        let reader = try await FileEventReader(on: store.disk)
        for after in [first - 1, first, first + 1] {
            for source in [opened, reader] as [any EventSource] {
                let read = LogRead(.forward(after: LogPosition(after)), limit: ReadLimit(events: 2))
                let error = await storeError { _ = try await source.read(read) }
                guard case .damaged? = error else { return XCTFail("\(error as Any)") }
            }
        }
        await reader.close()
        await opened.close()
    }

    func test_files_that_are_longer_together_than_can_be_counted_are_refused() async throws {
        let store = try await MaintainedStore()
        // When nothing is to be done nobody looks at the files.
        try store.forgeManifest { manifest in
            for index in manifest.segments.indices {
                manifest.segments[index].seal?.fileLength = .max
            }
            manifest.knownEnd.nextPosition = 1
        }
        let error = await storeError {
            _ = try await FileEventStore.scavenge(at: "store", in: store.disk)
        }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.file, Manifest.fileName)
    }
}

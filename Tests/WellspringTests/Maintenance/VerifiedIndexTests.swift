@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Verifying compares the index with the log, and tells of nothing that no store would make use of.
final class VerifiedIndexTests: XCTestCase {
    func test_an_index_that_does_not_list_what_the_log_holds_is_told_and_can_be_made_anew()
        async throws
    {
        let changes:
            [(reason: String, change: (inout [(key: UInt64, entry: IndexEntry)]) -> Void)] =
                [
                    ("where the log holds", { $0.remove(at: $0.count / 2) }),
                    ("where the log holds", { $0.insert($0[7], at: 7) }),
                    ("are not what the log holds", { $0[20].entry.place.offset ^= 64 }),
                    ("are not what the log holds", { $0[20].entry.place.index ^= 1 }),
                    (
                        "are not what the log holds",
                        { entries in
                            let other = entries.firstIndex { $0.key != entries[0].key } ?? 0
                            (entries[0].entry, entries[other].entry) = (
                                entries[other].entry, entries[0].entry
                            )
                        }
                    ),
                ]
        for (reason, change) in changes {
            let store = try await MaintainedStore()
            for number in 0..<2 {
                let again = try await FileEventStore(
                    on: store.disk, configuration: MaintainedStore.configuration)
                try await again.appendSample(number)
                await again.close()
            }
            XCTAssertGreaterThan(store.disk.runs.count, 1)
            let name = try XCTUnwrap(store.disk.runs.first)
            try store.rewriteRun(name, change)
            let report = try await store.verify()
            XCTAssertEqual(report.problems.map(\.kind), [.indexEntries])
            XCTAssertEqual(report.problems.first?.file, name)
            XCTAssertEqual(report.problems.first?.reason.contains(reason), true)
            XCTAssertFalse(report.isSound)
            XCTAssertEqual(report.lostPositions, [])
            // What the advice says.
            store.disk.replaceContents(of: name, with: nil)
            let opened = try await FileEventStore(
                on: store.disk, configuration: MaintainedStore.configuration)
            XCTAssertGreaterThan(opened.report.reindexedSegments, 0)
            await opened.close()
            let mended = try await store.verify()
            XCTAssertEqual(mended.problems, [])
        }
    }

    func test_entries_in_another_order_than_the_log_has_are_told() async throws {
        let store = try await MaintainedStore()
        let name = try XCTUnwrap(store.disk.runs.first)
        try store.rewriteRun(name) { entries in
            // The keys of all lists stay in order.
            entries = Dictionary(grouping: entries, by: \.key).sorted { $0.key < $1.key }
                .flatMap { $0.value.reversed() }
        }
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.kind), [.indexEntries])
        XCTAssertEqual(report.problems.first?.reason.contains("another order"), true)
    }

    func test_an_index_is_named_as_the_cause_after_an_append_has_taken_a_version_twice()
        async throws
    {
        let store = try await MaintainedStore()
        let name = try XCTUnwrap(store.disk.runs.first)
        let identity = try XCTUnwrap(
            LogInspection(store.disk.openStore(at: "store", create: false)).identity)
        let key = LogIndex(hashKey: (identity.hashKey.first, identity.hashKey.second))
            .key(of: sampleStream("4"))
        try store.rewriteRun(name) { entries in
            if let last = entries.lastIndex(where: { $0.key == key }) { entries.remove(at: last) }
        }
        let opened = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        try await opened.appendSample(7, to: "4")
        await opened.close()
        let report = try await store.verify()
        XCTAssertEqual(Set(report.problems.map(\.kind)), [.versions, .indexEntries])
    }

    func test_a_backup_leaves_out_an_index_that_does_not_list_what_the_log_holds() async throws {
        let store = try await MaintainedStore()
        let name = try XCTUnwrap(store.disk.runs.first)
        try store.rewriteRun(name) { $0.remove(at: $0.count / 2) }
        let opened = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        let copy = SimulatedDisk(seed: 9)
        let report = try await opened.backup(to: "store", in: copy)
        await opened.close()
        XCTAssertEqual(report.eventCount, UInt64(store.events.count))
        XCTAssertFalse(copy.runs.contains(name))
        let found = try await FileEventStore.verify(at: "store", in: copy)
        XCTAssertEqual(found.problems, [])
    }

    func test_a_run_that_is_written_again_as_it_was_is_no_problem() async throws {
        let store = try await MaintainedStore()
        for name in store.disk.runs { try store.rewriteRun(name) { _ in } }
        let report = try await store.verify()
        XCTAssertEqual(report.problems, [])
    }

    func test_an_index_of_another_history_is_none_of_the_stores() async throws {
        let disk = SimulatedDisk()
        let first = try await FileEventStore(on: disk)
        try await first.appendSample(1)
        await first.close()
        // Two stores that were one once, with as many commits since.
        let other = disk.afterCrash(keeping: .everything, seed: 2)
        for (place, payload) in [(disk, 2), (other, 3)] {
            let store = try await FileEventStore(on: place)
            try await store.appendSample(payload, to: "\(payload)")
            await store.close()
        }
        XCTAssertEqual(disk.runs, other.runs)
        for name in disk.runs { disk.replaceContents(of: name, with: other.contents(of: name)) }
        let report = try await FileEventStore.verify(at: "store", in: disk)
        XCTAssertEqual(report.problems, [])
    }
}

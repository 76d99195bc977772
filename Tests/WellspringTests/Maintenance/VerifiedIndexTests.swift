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
        XCTAssertEqual(report.wrongIndexRuns, [name])
        XCTAssertEqual(report.fileCount, copy.fileNames.count { !Self.small.contains($0) })
        let found = try await FileEventStore.verify(at: "store", in: copy)
        XCTAssertEqual(found.problems, [])
    }

    /// What a backup makes and does not copy.
    private static let small: Set = ["STORE", "MANIFEST"]

    func test_a_wrong_part_that_is_merged_while_the_store_is_verified_is_told() async throws {
        let store = try await MaintainedStore()
        let name = try XCTUnwrap(store.disk.runs.first)
        try store.rewriteRun(name) { $0.remove(at: $0.count / 2) }
        store.disk.startRecording()
        for number in 0..<6 {
            let writer = try await FileEventStore(
                on: store.disk, configuration: MaintainedStore.configuration)
            try await writer.appendSample(number)
            await writer.close()
        }
        let moments = store.disk.takeRecording()
        XCTAssertFalse(store.disk.runs.contains(name))
        for pace in 1...40 {
            let turning = TurningDisk(SimulatedDisk(), through: moments, pace: pace)
            let report = try await FileEventStore.verify(at: "store", in: turning)
            XCTAssertEqual(
                report.problems.filter(\.kind.isDamage).map(\.kind), [.indexEntries], "at \(pace)")
        }
    }

    func test_commits_that_only_the_index_knows_of_are_lost() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        for number in 1...3 { try await store.appendSample(number) }
        disk.startRecording()
        await store.close()
        var judged = 0
        for moment in disk.takeRecording() {
            let killed = SimulatedDisk()
            killed.turn(to: moment)
            guard let name = killed.runs.first?.split(separator: "/").last,
                let run = IndexRunName.parse(name)
            else { continue }
            let directory = try killed.openStore(at: "store", create: false)
            var last: InspectedFrame?
            try LogInspection(directory).run { item in
                if case .frame(let frame) = item { last = frame }
                return true
            }
            guard let last, !last.isProven, last.header.sequence == run.last else { continue }
            judged += 1
            killed.flipBit(3, ofByte: Int(last.place.bodyOffset) + 30, in: LogLayout.segment(1))
            let report = try await FileEventStore.verify(at: "store", in: killed)
            XCTAssertEqual(report.problems.map(\.kind), [.commits])
            XCTAssertEqual(report.lostPositions, [3..<4])
        }
        XCTAssertGreaterThan(judged, 0)
    }

    func test_an_index_that_is_right_about_a_log_that_is_wrong_can_be_put_back() async throws {
        let store = try await MaintainedStore()
        _ = try store.forgeVersion(inSegment: 2, commit: 3)
        let report = try await store.verify()
        let wrong = Set(report.problems.filter { $0.kind == .indexEntries }.map(\.file))
        XCTAssertFalse(wrong.isEmpty)
        let kept = wrong.map { ($0, store.disk.contents(of: $0)) }
        for name in wrong { store.disk.replaceContents(of: name, with: nil) }
        do {
            _ = try await FileEventStore(
                on: store.disk, configuration: MaintainedStore.configuration)
            XCTFail("a wrong version was indexed")
        } catch {
            guard case .damaged = error else { return XCTFail("\(error)") }
        }
        for (name, contents) in kept { store.disk.replaceContents(of: name, with: contents) }
        let opened = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        await opened.close()
        for problem in report.problems where problem.kind == .indexEntries {
            XCTAssertTrue(problem.advice.contains("put it back"))
        }
    }

    func test_beside_a_store_that_merges_its_index_and_saves_states_nothing_is_called_damage()
        async throws
    {
        let disk = SimulatedDisk()
        func useStore(_ number: Int) async throws {
            let store = try await FileEventStore(on: disk)
            try await store.appendSample(number, to: "\(number % 3)")
            try await store.checkpoints.save(
                Checkpoint(
                    projection: "sample", revision: 1, position: LogPosition(UInt64(number)),
                    state: [1, 2, 3]))
            await store.close()
        }
        try await useStore(1)
        disk.startRecording()
        for number in 2...9 { try await useStore(number) }
        let moments = disk.takeRecording()
        XCTAssertLessThan(disk.runs.count, 9, "nothing was merged")
        for start in stride(from: 0, to: moments.count, by: 3) {
            for pace in [1, 2, 5] {
                let turning = TurningDisk(
                    SimulatedDisk(), through: Array(moments[start...]), pace: pace)
                let report = try await FileEventStore.verify(at: "store", in: turning)
                XCTAssertEqual(
                    report.problems.filter { $0.kind.isDamage || $0.file.hasPrefix("idx/") }, [],
                    "\(start) at \(pace)")
            }
        }
    }

    func test_a_backup_leaves_out_a_damaged_index_and_a_damaged_state() async throws {
        let store = try await MaintainedStore()
        let name = try XCTUnwrap(store.disk.runs.first)
        let opened = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        let state = CheckpointFile.name(of: "damaged")
        try await opened.checkpoints.save(
            Checkpoint(
                projection: "damaged", revision: 1, position: LogPosition(100),
                state: EventPayload([UInt8](repeating: 1, count: 100))))
        let length = try XCTUnwrap(store.disk.contents(of: name)).count
        store.disk.flipBit(2, ofByte: length / 2, in: name)
        store.disk.flipBit(2, ofByte: 120, in: state)
        let copy = SimulatedDisk(seed: 9)
        try await opened.backup(to: "store", in: copy)
        await opened.close()
        XCTAssertFalse(copy.fileNames.contains(name))
        XCTAssertFalse(copy.fileNames.contains(state))
        let found = try await FileEventStore.verify(at: "store", in: copy)
        XCTAssertEqual(found.problems, [])
    }

    func test_a_part_of_the_index_of_a_newer_version_is_of_no_use_and_no_damage() async throws {
        let store = try await MaintainedStore()
        let name = try XCTUnwrap(store.disk.runs.first)
        try store.disk.rewritePreamble(of: name) { $0[8] = 2 }
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.kind), [.unusable])
        XCTAssertTrue(report.isSound)
        let opened = try await FileEventStore(
            on: store.disk, configuration: MaintainedStore.configuration)
        XCTAssertGreaterThan(opened.report.reindexedSegments, 0)
        await opened.close()
    }

    func test_a_run_that_is_written_again_as_it_was_is_no_problem() async throws {
        let store = try await MaintainedStore()
        for name in store.disk.runs { try store.rewriteRun(name) { _ in } }
        let report = try await store.verify()
        XCTAssertEqual(report.problems, [])
    }

    /// Two disks with stores that were one once, each with one more commit, and the names of the runs
    /// that each of them has made since.
    private func parted(
        lastIn streams: (String, String)
    ) async throws -> (disk: SimulatedDisk, other: SimulatedDisk, runs: [String]) {
        let disk = SimulatedDisk()
        let first = try await FileEventStore(on: disk)
        try await first.appendSample(1)
        await first.close()
        let shared = disk.runs
        let other = disk.afterCrash(keeping: .everything, seed: 2)
        for (place, payload, stream) in [(disk, 2, streams.0), (other, 3, streams.1)] {
            let store = try await FileEventStore(on: place)
            try await store.appendSample(payload, to: stream)
            await store.close()
        }
        XCTAssertEqual(disk.runs, other.runs)
        return (disk, other, disk.runs.filter { !shared.contains($0) })
    }

    func test_a_part_of_the_index_of_another_history_is_told_and_is_no_damage() async throws {
        // With other entries than the log has, and with the same.
        for streams in [("2", "3"), ("2", "2")] {
            let (disk, other, runs) = try await parted(lastIn: streams)
            XCTAssertFalse(runs.isEmpty)
            for name in runs { disk.replaceContents(of: name, with: other.contents(of: name)) }
            let report = try await FileEventStore.verify(at: "store", in: disk)
            XCTAssertEqual(report.problems.map(\.kind), runs.map { _ in .unusable }, "\(streams)")
            XCTAssertEqual(report.problems.map(\.file), runs)
            let reason = report.problems.first?.reason ?? ""
            XCTAssertTrue(reason.hasSuffix("and the log holds another one"), reason)
            XCTAssertTrue(report.isSound)
            // Opening passes over it and removes it, as the advice says.
            let store = try await FileEventStore(on: disk)
            XCTAssertEqual(store.report.removedIndexFiles, runs)
            await store.close()
            let mended = try await FileEventStore.verify(at: "store", in: disk)
            XCTAssertEqual(mended.problems, [])
        }
    }

    func test_a_part_of_another_history_that_is_removed_meanwhile_is_not_told() async throws {
        let (disk, other, runs) = try await parted(lastIn: ("2", "3"))
        for name in runs { disk.replaceContents(of: name, with: other.contents(of: name)) }
        let openings = Guarded(0)
        var files = HookedFiles(disk)
        files.onOpen = { name, _ in
            // The MANIFEST is read again when the log has been read.
            guard name == Manifest.fileName else { return }
            openings.withLock { $0 += 1 }
            guard openings.withLock({ $0 }) == 2 else { return }
            for run in runs { disk.replaceContents(of: run, with: nil) }
        }
        let report = try await FileEventStore.verify(at: "store", in: files)
        XCTAssertEqual(disk.runs.filter(runs.contains), [])
        XCTAssertEqual(report.problems, [])
    }

    func test_a_newer_index_beside_an_older_log_is_told_and_is_no_damage() async throws {
        let disk = SimulatedDisk()
        let first = try await FileEventStore(on: disk)
        try await first.appendSample(1)
        await first.close()
        let older = disk.afterCrash(keeping: .everything, seed: 2)
        let second = try await FileEventStore(on: disk)
        try await second.appendSample(2)
        await second.close()
        let newer = disk.runs.filter { !older.runs.contains($0) }
        XCTAssertFalse(newer.isEmpty)
        for name in newer { older.replaceContents(of: name, with: disk.contents(of: name)) }
        let report = try await FileEventStore.verify(at: "store", in: older)
        XCTAssertEqual(report.problems.map(\.file), newer)
        XCTAssertEqual(Set(report.problems.map(\.kind)), [.unusable])
        let reason = report.problems.first?.reason ?? ""
        XCTAssertTrue(reason.hasSuffix("beyond the end of the log"), reason)
        XCTAssertTrue(report.isSound)

        // Nor is it damage while a writer opens the store and removes it.
        older.startRecording()
        let store = try await FileEventStore(on: older)
        try await store.appendSample(3)
        await store.close()
        let moments = older.takeRecording()
        for start in moments.indices {
            for pace in [1, 2, 5] {
                let turning = TurningDisk(
                    SimulatedDisk(), through: Array(moments[start...]), pace: pace)
                let found = try await FileEventStore.verify(at: "store", in: turning)
                XCTAssertEqual(found.problems.filter(\.kind.isDamage), [], "\(start) at \(pace)")
            }
        }
    }

    func test_where_a_run_ends_is_read_again_before_it_is_told_as_unknown() async throws {
        let store = try await MaintainedStore()
        let last = try XCTUnwrap(store.disk.runs.last)
        for (count, kind) in [
            (1, nil), (2, nil), (3, StoreProblem.Kind.index), (-1, nil), (-2, nil), (-3, .unusable),
        ] {
            // The MANIFEST is read again when the log has been read.
            let state = Guarded((manifests: 0, left: abs(count)))
            var files = HookedFiles(store.disk)
            files.onOpen = { name, _ in
                if name == Manifest.fileName { state.withLock { $0.manifests += 1 } }
            }
            let isNext = { @Sendable (name: String) in
                state.withLock { state in
                    guard name.hasPrefix("log/"), state.manifests > 1, state.left > 0 else {
                        return false
                    }
                    state.left -= 1
                    return true
                }
            }
            if count > 0 {
                files.failure = { name, _ in isNext(name) ? HookedFiles.unreadable(name) : nil }
            } else {
                files.change = { name, bytes in if isNext(name) { bytes[20] ^= 1 } }
            }
            let report = try await FileEventStore.verify(at: "store", in: files)
            XCTAssertEqual(state.withLock { $0.left }, 0)
            XCTAssertEqual(report.problems.map(\.kind), [kind].compactMap(\.self), "\(count)")
            XCTAssertEqual(report.problems.map(\.file), kind == nil ? [] : [last], "\(count)")
            XCTAssertEqual(report.isSound, kind != .index)
        }
    }
}

@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// The thread that keeps the index looks after its own files.
final class UnreadableRunTests: XCTestCase {
    private static var configuration: FileEventStore.Configuration {
        MaintainedStore.configuration
    }

    private func grow(
        _ store: FileEventStore, _ disk: SimulatedDisk, to count: Int, stream: String
    ) async throws {
        let event = NewEvent(
            EncodedEvent(
                name: "large", payload: EventPayload([UInt8](repeating: 1, count: 8_000))))
        while disk.segments.count < count {
            try await store.append(
                AppendRequest([event], to: sampleStream(stream), expecting: .any))
        }
    }

    func test_a_run_that_cannot_be_read_does_not_stop_merging() async throws {
        let disk = SimulatedDisk()
        let first = try await FileEventStore(on: disk, configuration: Self.configuration)
        try await grow(first, disk, to: 2, stream: "1")
        await first.close()
        let bad = try XCTUnwrap(disk.runs.first)
        let blocks = Guarded<Range<UInt64>>(0..<0)
        var files = HookedFiles(disk)
        files.failure = { name, offset in
            name == bad && blocks.withLock { $0 }.contains(offset)
                ? HookedFiles.unreadable(name) : nil
        }
        let notices = Guarded(0)
        var configuration = Self.configuration
        configuration.onNotice = {
            guard case .keptIndexInMemory = $0 else { return }
            notices.withLock { $0 += 1 }
        }
        let store = try await FileEventStore(at: "store", in: files, configuration: configuration)
        // Only what is not read before it is merged.
        let run = try IndexRun.open(
            disk.openStore(at: "store", create: false), name: bad, storeID: store.storeID)
        blocks.withLock { $0 = run.blockOffset(0)..<run.trailer.directoryOffset }
        try await grow(store, disk, to: 24, stream: "2")
        await store.close()
        XCTAssertLessThan(disk.runs.count, 12)
        XCTAssertEqual(notices.withLock { $0 }, 0)
        let report = try await FileEventStore.verify(at: "store", in: disk)
        XCTAssertEqual(report.problems, [])
    }

    func test_only_what_the_index_itself_left_over_is_removed() async throws {
        let store = try await MaintainedStore()
        let own = IndexRunName.temporary(7)
        let others = [
            "idx/notes.txt", "idx/7.tmp", "idx/" + String(repeating: "g", count: 16) + ".tmp",
            try XCTUnwrap(store.disk.runs.first) + ".bak",
        ]
        for name in others + [own] { store.disk.replaceContents(of: name, with: [1, 2, 3]) }
        for number in 0..<2 {
            let open = try await FileEventStore(
                on: store.disk, configuration: MaintainedStore.configuration)
            try await open.appendSample(number)
            await open.close()
        }
        XCTAssertFalse(store.disk.fileNames.contains(own))
        for name in others { XCTAssertTrue(store.disk.fileNames.contains(name), name) }
    }
}

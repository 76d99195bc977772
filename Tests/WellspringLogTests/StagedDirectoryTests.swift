import WellspringTestKit
import XCTest

@testable import WellspringLog

/// A store in the making has names that nobody takes for a store.
final class StagedDirectoryTests: XCTestCase {
    func test_only_the_names_by_which_a_store_is_known_are_others_until_it_is_published() throws {
        let disk = SimulatedDisk()
        let base = try disk.openStore(at: "store", create: true)
        let staged = StagedDirectory(base)
        try staged.makeDirectory(LogLayout.segments)
        for name in [StoreIdentity.fileName, Manifest.fileName, "notes.part", LogLayout.segment(1)]
        {
            staged.setClock(7)
            try staged.open(name, .create).close()
        }
        XCTAssertEqual(staged.path, base.path)
        XCTAssertEqual(staged.wallClock(), 7)
        XCTAssertEqual(
            try staged.list(nil).filter { $0 != LogLayout.segments }.sorted(),
            [Manifest.fileName, StoreIdentity.fileName, "notes.part"].sorted())
        XCTAssertNil(disk.contents(of: StoreIdentity.fileName))
        XCTAssertNil(disk.contents(of: LogLayout.segment(1)))
        try staged.publish()
        XCTAssertNotNil(disk.contents(of: StoreIdentity.fileName))
        XCTAssertNotNil(disk.contents(of: LogLayout.segment(1)))
        XCTAssertNotNil(disk.contents(of: "notes.part"))
    }

    func test_a_store_whose_name_rests_on_one_sync_is_not_called_published() throws {
        for first in 0..<8 {
            let disk = SimulatedDisk()
            let base = try disk.openStore(at: "store", create: true)
            try base.syncDirectory(nil)
            let staged = StagedDirectory(base)
            try staged.makeDirectory(LogLayout.segments)
            for name in [StoreIdentity.fileName, Manifest.fileName] {
                try staged.open(name, .create).close()
            }
            try staged.syncDirectory(nil)
            disk.inject(.abortedJournal(from: disk.operationCount + first))
            let isPublished = (try? staged.publish()) != nil
            disk.crash(keeping: .nothing)
            if isPublished { XCTAssertNotNil(disk.contents(of: StoreIdentity.fileName)) }
        }
    }

    func test_its_workers_are_those_of_the_directory() throws {
        let staged = StagedDirectory(try SimulatedDisk().openStore(at: "store", create: true))
        let count = Guarded(0)
        let worker = staged.makeWorker(named: "w") { _ in count.withLock { $0 += 1 } }
        worker.wake()
        XCTAssertEqual(count.withLock { $0 }, 1)
    }
}

import WellspringLog
import WellspringTestKit
import XCTest

final class AtomicFileTests: XCTestCase {
    func test_a_file_is_replaced_and_read_whole() throws {
        let directory = try SimulatedDisk().openStore(at: "/store", create: true)
        XCTAssertNil(try AtomicFile.read(directory, name: "a", limit: 100))
        try AtomicFile.replace(directory, name: "a", contents: [1, 2, 3])
        try AtomicFile.replace(directory, name: "a", contents: [4])
        XCTAssertEqual(try AtomicFile.read(directory, name: "a", limit: 100), [4])
    }

    func test_a_file_beyond_the_limit_is_not_read() throws {
        let directory = try SimulatedDisk().openStore(at: "/store", create: true)
        try AtomicFile.replace(directory, name: "a", contents: bytes(100))
        XCTAssertEqual(try AtomicFile.read(directory, name: "a", limit: 100), bytes(100))
        XCTAssertThrowsError(try AtomicFile.read(directory, name: "a", limit: 99))
    }

    func test_a_file_in_a_folder_is_durable_when_it_was_replaced() throws {
        let disk = SimulatedDisk()
        let directory = try disk.openStore(at: "/store", create: true)
        try directory.makeDirectory("views")
        try directory.syncDirectory(nil)
        try AtomicFile.replace(directory, name: "views/a", contents: [1])
        disk.crash(keeping: .nothing)
        XCTAssertEqual(disk.contents(of: "views/a"), [1])
    }

    func test_a_replacement_whose_name_rests_on_one_sync_is_not_reported() throws {
        for first in 0..<8 {
            let disk = SimulatedDisk()
            let directory = try disk.openStore(at: "/store", create: true)
            try AtomicFile.replace(directory, name: "a", contents: [1])
            disk.inject(.abortedJournal(from: disk.operationCount + first))
            let replaced = (try? AtomicFile.replace(directory, name: "a", contents: [2])) != nil
            disk.crash(keeping: .nothing)
            XCTAssertEqual(disk.contents(of: "a"), [replaced ? 2 : 1], "from operation \(first)")
        }
    }

    func test_a_crash_at_any_moment_leaves_all_of_the_old_content_or_all_of_the_new() throws {
        let (old, new) = (bytes(3000, seed: 1), bytes(2000, seed: 2))
        for cut in 0..<12 {
            for seed in 0..<8 {
                let disk = SimulatedDisk(seed: UInt64(seed))
                let directory = try disk.openStore(at: "/store", create: true)
                try AtomicFile.replace(directory, name: "a", contents: old)
                disk.inject(.powerCut(at: disk.operationCount + cut))
                let replaced = (try? AtomicFile.replace(directory, name: "a", contents: new)) != nil
                disk.crash()
                let found = disk.contents(of: "a")
                XCTAssertTrue(found == new || (found == old && !replaced), "cut at \(cut)")
                let again = try disk.openStore(at: "/store", create: true)
                try AtomicFile.replace(again, name: "a", contents: [5])
                XCTAssertEqual(disk.contents(of: "a"), [5])
            }
        }
    }
}

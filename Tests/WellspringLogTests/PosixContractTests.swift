import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

/// What the log relies on, asked of the real file system and of the simulated disk alike.
///
/// Where these tests pass, what was shown on the simulated disk says something about the real one.
final class PosixContractTests: XCTestCase {
    private var path = ""

    override func setUp() {
        path = NSTemporaryDirectory() + "wellspring-\(UUID().uuidString)"
    }

    override func tearDownWithError() throws {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Runs `script` on both, and holds what it wrote down against what is expected.
    private func assertBoth(
        _ expected: [String], line: UInt = #line,
        _ script: (any StoreDirectory, inout [String]) throws -> Void
    ) throws {
        let systems: [(String, any FileSystem)] = [
            ("real", PosixFileSystem()), ("simulated", SimulatedDisk()),
        ]
        for (name, system) in systems {
            let store = try system.openStore(at: path, create: true)
            var notes: [String] = []
            try script(store, &notes)
            XCTAssertEqual(notes, expected, name, line: line)
        }
    }

    private func kind<Result>(_ body: () throws -> Result) -> String {
        do {
            _ = try body()
            return "done"
        } catch let error as SystemError {
            return "\(error.kind)"
        } catch {
            return "\(error)"
        }
    }

    private func write(_ text: String, to file: any StoreFile, at offset: UInt64 = 0) throws {
        try Array(text.utf8).withUnsafeBytes { try file.write($0, at: offset) }
    }

    private func read(_ file: any StoreFile, at offset: UInt64 = 0) throws -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    func test_both_refuse_the_same_with_the_same_kind_of_error() throws {
        try assertBoth([
            "notFound", "notFound", "notFound", "done", "done", "done", "exists", "notFound",
            "notFound", "notFound", "notFound", "done",
        ]) { store, notes in
            notes.append(kind { try store.open("a", .read) })
            notes.append(kind { try store.open("log/1", .create) })
            notes.append(kind { try store.list("log") })
            notes.append(kind { try store.makeDirectory("log") })
            notes.append(kind { try store.makeDirectory("log") })
            notes.append(kind { try store.open("log/1", .create) })
            notes.append(kind { try store.open("log/1", .create) })
            notes.append(kind { try store.rename("log/2", to: "log/3") })
            notes.append(kind { try store.rename("log/1", to: "none/3") })
            notes.append(kind { try store.remove("log/2") })
            notes.append(kind { try store.syncDirectory("none") })
            notes.append(kind { try store.syncDirectory("log") })
        }
    }

    func test_both_read_and_write_cut_and_extend_alike() throws {
        try assertBoth(["abcdef", "cdef", "", "ab", "ab\0\0", "ab\0\0\0\0xyz", "9", ""]) {
            store, notes in
            let file = try store.open("a", .create)
            try write("abcdef", to: file)
            notes.append(try read(file))
            notes.append(try read(file, at: 2))
            notes.append(try read(file, at: 100))
            try file.truncate(to: 2)
            notes.append(try read(file))
            try file.truncate(to: 4)
            notes.append(try read(file))
            try write("xyz", to: file, at: 6)
            try file.sync()
            file.dropCache()
            notes.append(try read(file))
            notes.append("\(try file.size())")
            try write("", to: file, at: 50)
            notes.append(try read(file, at: 9))
        }
    }

    func test_both_keep_open_what_was_renamed_replaced_or_removed() throws {
        try assertBoth(["old", "new", "old", "0", "1", "b", "b c"]) { store, notes in
            let old = try store.open("a", .create)
            try write("old", to: old)
            try write("new", to: store.open("b", .create))
            notes.append(try read(store.open("a", .read)))
            try store.rename("b", to: "a")
            let new = try store.open("a", .read)
            notes.append(try read(new))
            notes.append(try read(old))
            notes.append("\(try old.linkCount())")
            notes.append("\(try new.linkCount())")
            try store.rename("a", to: "b")
            notes.append(try store.list(nil).sorted().joined(separator: " "))
            _ = try store.open("c", .create)
            try store.syncDirectory(nil)
            notes.append(try store.list(nil).sorted().joined(separator: " "))
        }
    }

    func test_both_refuse_writing_to_what_is_open_for_reading_and_any_use_of_what_is_closed() throws
    {
        try assertBoth(["other", "other", "other", "other"]) { store, notes in
            _ = try store.open("a", .create)
            let file = try store.open("a", .read)
            notes.append(kind { try write("x", to: file) })
            file.close()
            file.close()
            notes.append(kind { try file.size() })
            notes.append(kind { try file.sync() })
            notes.append(kind { try read(file) })
        }
    }

    func test_both_give_a_lock_to_one_at_a_time() throws {
        try assertBoth(["acquired", "held by one", "acquired"]) { store, notes in
            func lock(_ owner: String) throws -> (any LockToken)? {
                switch try store.lock("LOCK", owner: owner) {
                case .acquired(let token):
                    notes.append("acquired")
                    return token
                case .held(let owner):
                    notes.append("held by \(owner)")
                    return nil
                }
            }
            let first = try lock("one")
            _ = try lock("two")
            first?.release()
            _ = try lock("three")
        }
    }

    // MARK: - A log on the real one

    private func openLog(_ client: CollectingClient) throws -> CommitLog {
        var configuration = LogConfiguration()
        configuration.segmentBytes = 8_192
        return try CommitLog.open(
            try PosixFileSystem().openStore(at: path, create: true), configuration: configuration,
            client: client)
    }

    func test_a_log_on_the_real_file_system_keeps_what_was_committed_however_it_ended() throws {
        var bodies: [[UInt8]] = []
        for round in 0..<6 {
            let client = CollectingClient()
            let log = try openLog(client)
            XCTAssertEqual(client.frames.map(\.body), bodies)
            XCTAssertEqual(log.recovery.wasClean, round % 2 == 0 && round > 0)
            for size in [0, 900, 3_000] {
                let body = LogScenario.bytes(size, UInt64(bodies.count))
                bodies.append(body)
                _ = try log.commit(client: client, eventCount: 1, sizeHint: size) { _, writer in
                    body.withUnsafeBytes { writer.append($0) }
                }
            }
            // Every other time it is closed; otherwise the process ends, as far as files know.
            if round % 2 == 1 { try log.close() } else { log.abandon() }
        }
    }

    func test_a_log_on_the_real_file_system_reports_a_bit_that_rots() throws {
        let client = CollectingClient()
        let log = try openLog(client)
        for size in [900, 3_000, 3_000] {
            _ = try log.commit(client: client, eventCount: 1, sizeHint: size) { _, writer in
                LogScenario.bytes(size, 1).withUnsafeBytes { writer.append($0) }
            }
        }
        try log.close()
        let segments = try FileManager.default.contentsOfDirectory(atPath: path + "/log").sorted()
        let file = path + "/log/" + (try XCTUnwrap(segments.first))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        // The first frame lies at 4,096 and is 964 bytes long.
        bytes[5_000] ^= 4
        try bytes.write(to: URL(fileURLWithPath: file))
        XCTAssertThrowsError(try openLog(CollectingClient())) { error in
            guard case LogError.damaged(let damage)? = error as? LogError else {
                return XCTFail("\(error)")
            }
            XCTAssertEqual(damage.file, "log/" + segments[0])
            XCTAssertEqual(damage.offset, 4_096)
        }
        XCTAssertEqual(try Data(contentsOf: URL(fileURLWithPath: file)), bytes)
    }
}

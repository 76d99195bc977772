import Foundation
import WellspringLog
import XCTest

final class PosixFileSystemTests: XCTestCase {
    private var root = ""

    override func setUpWithError() throws {
        root = NSTemporaryDirectory() + "wellspring-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws {
        try FileManager.default.removeItem(atPath: root)
    }

    private func openStore(_ name: String = "store") throws -> any StoreDirectory {
        try PosixFileSystem().openStore(at: root + "/" + name, create: true)
    }

    private func write(_ text: String, to file: any StoreFile, at offset: UInt64 = 0) throws {
        var text = text
        try text.withUTF8 { try file.write(UnsafeRawBufferPointer($0), at: offset) }
    }

    private func read(_ count: Int, of file: any StoreFile, at offset: UInt64 = 0) throws -> String
    {
        var bytes = [UInt8](repeating: 0, count: count)
        let found = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
        return String(decoding: bytes[..<found], as: UTF8.self)
    }

    private func mode(of name: String) throws -> Int? {
        let attributes = try FileManager.default.attributesOfItem(atPath: root + "/" + name)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue
    }

    private func assertThrows<Result>(
        _ kind: SystemError.Kind, _ body: @autoclosure () throws -> Result,
        line: UInt = #line
    ) {
        XCTAssertThrowsError(try body(), line: line) {
            XCTAssertEqual(($0 as? SystemError)?.kind, kind, "\($0)", line: line)
        }
    }

    // MARK: - Directories

    func test_a_store_is_made_with_the_directories_above_it_for_its_owner_only() throws {
        _ = try openStore("a/b/store")
        XCTAssertEqual(try mode(of: "a/b/store"), 0o700)
    }

    func test_a_directory_above_a_name_that_begins_with_an_accent_is_made_too() throws {
        _ = try openStore("a/\u{301}b")
        XCTAssertEqual(try mode(of: "a"), 0o700)
    }

    func test_a_store_below_a_file_is_not_made() throws {
        XCTAssertTrue(FileManager.default.createFile(atPath: root + "/file", contents: nil))
        assertThrows(.other, try openStore("file/store"))
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: root), ["file"])
    }

    func test_slashes_too_many_in_a_path_are_one() throws {
        _ = try openStore("a//b///store//")
        XCTAssertEqual(try mode(of: "a/b/store"), 0o700)
    }

    func test_a_directory_inside_one_that_is_missing_is_not_made() throws {
        let store = try openStore()
        assertThrows(.notFound, try store.makeDirectory("none/log"))
        try store.makeDirectory("log")
        try store.makeDirectory("log")
        XCTAssertEqual(try store.list(nil), ["log"])
    }

    func test_a_path_with_a_zero_byte_is_not_taken_for_its_beginning() throws {
        assertThrows(.other, try openStore("store\0of mine"))
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: root), [])
    }

    func test_a_store_that_is_not_there_is_made_only_on_demand() {
        let path = root + "/none"
        assertThrows(.notFound, try PosixFileSystem().openStore(at: path, create: false))
        XCTAssertFalse(FileManager.default.fileExists(atPath: path))
    }

    func test_a_symbolic_link_to_a_store_is_refused() throws {
        _ = try openStore("real")
        try FileManager.default.createSymbolicLink(
            atPath: root + "/link", withDestinationPath: root + "/real")
        assertThrows(.accessDenied, try openStore("link"))
        assertThrows(.accessDenied, try openStore("link/"))
    }

    func test_a_symbolic_link_inside_a_store_is_refused() throws {
        let store = try openStore()
        try store.makeDirectory("log")
        _ = try store.open("log/1", .create)
        try FileManager.default.createSymbolicLink(
            atPath: root + "/store/file", withDestinationPath: root + "/store/log/1")
        try FileManager.default.createSymbolicLink(
            atPath: root + "/store/directory", withDestinationPath: root + "/store/log")
        XCTAssertThrowsError(try store.open("file", .readWrite))
        XCTAssertThrowsError(try store.open("directory/1", .readWrite))
        XCTAssertThrowsError(try store.list("directory"))
    }

    func test_a_pipe_in_the_place_of_a_file_is_refused_without_waiting() throws {
        let store = try openStore()
        XCTAssertEqual(mkfifo(root + "/store/STORE", 0o600), 0)
        XCTAssertThrowsError(try store.open("STORE", .read))
        XCTAssertThrowsError(try store.open("STORE", .readWrite))
    }

    func test_making_a_directory_twice_does_nothing() throws {
        let store = try openStore()
        try store.makeDirectory("log")
        try store.makeDirectory("log")
        XCTAssertEqual(try store.list(nil), ["log"])
        XCTAssertEqual(try store.list("log"), [])
        XCTAssertEqual(try mode(of: "store/log"), 0o700)
    }

    func test_files_are_found_renamed_and_removed_from_the_open_directory() throws {
        let store = try openStore()
        try store.makeDirectory("log")
        try write("new", to: store.open("next.tmp", .create))
        try write("old", to: store.open("log/1", .create))
        try store.rename("next.tmp", to: "log/1")
        try store.syncDirectory(nil)
        try store.syncDirectory("log")
        XCTAssertEqual(try read(9, of: store.open("log/1", .read)), "new")
        try FileManager.default.moveItem(atPath: root + "/store", toPath: root + "/moved")
        XCTAssertEqual(try store.list("log"), ["1"])
        try store.remove("log/1")
        assertThrows(.notFound, try store.open("log/1", .read))
        assertThrows(.notFound, try store.remove("log/1"))
    }

    // MARK: - Files

    func test_creating_a_file_is_exclusive_and_for_its_owner_only() throws {
        let store = try openStore()
        let before = umask(0)
        defer { umask(before) }
        _ = try store.open("a", .create)
        assertThrows(.exists, try store.open("a", .create))
        XCTAssertEqual(try mode(of: "store/a"), 0o600)
    }

    func test_bytes_are_written_and_read_at_their_offsets() throws {
        let file = try openStore().open("a", .create)
        try write("wellspring", to: file, at: 10)
        try file.sync()
        XCTAssertEqual(try file.size(), 20)
        XCTAssertEqual(try read(99, of: file, at: 14), "spring")
        XCTAssertEqual(try read(2, of: file, at: 8), "\0\0")
        XCTAssertEqual(try read(5, of: file, at: 20), "")
    }

    func test_a_file_is_cut_and_extended_with_zeros() throws {
        let file = try openStore().open("a", .create)
        try write("abcdef", to: file)
        try file.truncate(to: 2)
        try file.truncate(to: 4)
        file.dropCache()
        XCTAssertEqual(try read(9, of: file), "ab\0\0")
    }

    func test_a_file_opened_for_reading_cannot_be_written() throws {
        let store = try openStore()
        try write("a", to: store.open("a", .create))
        XCTAssertThrowsError(try write("b", to: store.open("a", .read)))
        XCTAssertEqual(try read(1, of: store.open("a", .read)), "a")
    }

    func test_a_removed_file_has_no_links_and_can_still_be_used() throws {
        let store = try openStore()
        let file = try store.open("a", .create)
        XCTAssertEqual(try file.linkCount(), 1)
        try store.remove("a")
        XCTAssertEqual(try file.linkCount(), 0)
        try write("x", to: file)
    }

    func test_an_offset_beyond_what_files_have_is_an_error() throws {
        let file = try openStore().open("a", .create)
        XCTAssertThrowsError(try write("x", to: file, at: .max))
        XCTAssertThrowsError(try read(1, of: file, at: .max))
        XCTAssertThrowsError(try file.truncate(to: .max))
    }

    func test_calls_after_close_fail_and_never_reach_another_file() throws {
        let store = try openStore()
        let first = try store.open("a", .create)
        first.close()
        first.close()
        let second = try store.open("b", .create)
        XCTAssertThrowsError(try write("x", to: first))
        XCTAssertThrowsError(try first.sync())
        XCTAssertEqual(try second.size(), 0)
    }

    func test_closing_beside_readers_harms_none_of_them() throws {
        let store = try openStore()
        try write("abcdefgh", to: store.open("a", .create))
        for _ in 0..<50 {
            let file = try store.open("a", .read)
            DispatchQueue.concurrentPerform(iterations: 8) { index in
                if index == 5 {
                    file.close()
                } else {
                    var bytes: [UInt8] = Array("........".utf8)
                    _ = try? bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
                    XCTAssertTrue(
                        ["abcdefgh", "........"].contains { bytes.elementsEqual($0.utf8) })
                }
            }
        }
    }

    // MARK: - The machine

    func test_the_machine_tells_time_process_and_random_numbers() throws {
        let store = try openStore()
        XCTAssertEqual(store.processID, ProcessInfo.processInfo.processIdentifier)
        XCTAssertFalse(store.isForked)
        let clock = Double(store.wallClock()) / 1e9
        XCTAssertEqual(clock, Date().timeIntervalSince1970, accuracy: 60)
        XCTAssertNotEqual(store.random(), store.random())
    }
}

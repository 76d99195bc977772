import Foundation
import WellspringLog
import XCTest

final class PosixLockTests: XCTestCase {
    private var path = ""

    override func setUp() {
        path = NSTemporaryDirectory() + "wellspring-\(UUID().uuidString)"
    }

    override func tearDownWithError() throws {
        try FileManager.default.removeItem(atPath: path)
    }

    private func openStore() throws -> any StoreDirectory {
        try PosixFileSystem().openStore(at: path, create: true)
    }

    private func token(_ outcome: LockOutcome) -> (any LockToken)? {
        guard case .acquired(let token) = outcome else { return nil }
        return token
    }

    private func holder(_ outcome: LockOutcome) -> String? {
        guard case .held(let owner) = outcome else { return nil }
        return owner
    }

    func test_a_second_opener_in_the_same_process_is_refused_and_told_who_holds_the_lock() throws {
        let first = token(try openStore().lock("LOCK", owner: "the first"))
        XCTAssertNotNil(first)
        XCTAssertEqual(holder(try openStore().lock("LOCK", owner: "the second")), "the first")
        withExtendedLifetime(first) {}
    }

    func test_a_refused_opener_does_not_take_the_holders_lock_away() throws {
        let first = token(try openStore().lock("LOCK", owner: "first"))
        for _ in 0..<2 {
            XCTAssertNotNil(holder(try openStore().lock("LOCK", owner: "second")))
        }
        XCTAssertEqual(try shellCanLock(), false)
        withExtendedLifetime(first) {}
    }

    func test_a_released_lock_can_be_taken_again() throws {
        let store = try openStore()
        let first = token(try store.lock("LOCK", owner: "first"))
        first?.release()
        first?.release()
        let second = token(try store.lock("LOCK", owner: "x"))
        XCTAssertNotNil(second)
        XCTAssertEqual(holder(try store.lock("LOCK", owner: "")), "x")
    }

    func test_a_forgotten_lock_is_given_up() throws {
        _ = try openStore().lock("LOCK", owner: "forgetful")
        XCTAssertNotNil(token(try openStore().lock("LOCK", owner: "next")))
    }

    func test_another_process_sees_the_lock_and_gets_it_once_it_is_released() throws {
        let mine = token(try openStore().lock("LOCK", owner: "mine"))
        XCTAssertEqual(try shellCanLock(), false)
        mine?.release()
        XCTAssertEqual(try shellCanLock(), true)
    }

    func test_a_lock_held_by_another_process_is_refused_until_that_is_killed() throws {
        let store = try openStore()
        _ = try store.lock("LOCK", owner: "earlier")
        let other = try process("exec 9<>LOCK; flock -n 9; echo held; exec sleep 600")
        let output = Pipe()
        other.standardOutput = output
        try other.run()
        _ = try output.fileHandleForReading.read(upToCount: 4)
        XCTAssertEqual(holder(try store.lock("LOCK", owner: "mine")), "earlier")
        kill(other.processIdentifier, SIGKILL)
        other.waitUntilExit()
        XCTAssertNotNil(token(try store.lock("LOCK", owner: "mine")))
    }

    // MARK: - Another process

    private func shellCanLock() throws -> Bool {
        let shell = try process("exec 9<>LOCK; flock -n 9")
        try shell.run()
        shell.waitUntilExit()
        return shell.terminationStatus == 0
    }

    private func process(_ script: String) throws -> Process {
        try XCTSkipUnless(
            ["/usr/bin/flock", "/bin/flock"].contains(where: FileManager.default.fileExists),
            "needs the flock command")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        return process
    }
}

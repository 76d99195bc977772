import Foundation
import WellspringLog
import XCTest

/// The log on the machine's own file system.
final class CommitLogOnDiskTests: XCTestCase {
    private func temporaryPath() -> String {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("wellspring-log-\(UUID().uuidString)").path
        addTeardownBlock { try? FileManager.default.removeItem(atPath: path) }
        return path
    }

    private func open(
        _ path: String, _ client: RecordingClient, durability: LogDurability = .everyCommit
    ) throws -> CommitLog {
        var configuration = LogConfiguration()
        configuration.segmentBytes = 64 << 10
        configuration.durability = durability
        let directory = try PosixFileSystem().openStore(at: path, create: true)
        return try CommitLog.open(directory, configuration: configuration, client: client)
    }

    func test_what_was_committed_is_there_with_and_without_a_close() throws {
        let path = temporaryPath()
        let client = RecordingClient()
        let log = try open(path, client, durability: .osManaged)
        for number in 0..<100 {
            _ = try log.commit(client: client, eventCount: 1, sizeHint: 3000) {
                $1.append(bytes(3000, seed: number))
            }
        }
        XCTAssertGreaterThan(client.segments.count, 4)
        log.abandon()

        let second = RecordingClient()
        let reopened = try open(path, second)
        XCTAssertFalse(reopened.recovery.wasClean)
        XCTAssertEqual(second.bodies, (0..<100).map { bytes(3000, seed: $0) })
        let place = try XCTUnwrap(second.places.first)
        XCTAssertEqual(
            try reopened.read(segment: place.segment, at: place.bodyOffset, count: 3000),
            bytes(3000, seed: 0))
        try reopened.close()

        let third = RecordingClient()
        let clean = try open(path, third)
        XCTAssertTrue(clean.recovery.wasClean)
        XCTAssertEqual(third.places, second.places)
        try clean.close()
    }

    func test_an_unfinished_write_is_set_aside_in_a_file() throws {
        let path = temporaryPath()
        let client = RecordingClient()
        let log = try open(path, client)
        _ = try log.commit(client: client, eventCount: 1, sizeHint: 1) { $1.append([1]) }
        let place = try log.commit(client: client, eventCount: 1, sizeHint: 500) {
            $1.append(bytes(500))
        }
        log.abandon()
        let file = path + "/" + LogLayout.segment(1)
        let handle = try XCTUnwrap(FileHandle(forUpdatingAtPath: file))
        try handle.seek(toOffset: place.bodyOffset + 100)
        try handle.write(contentsOf: Data(repeating: 0xEE, count: 9))
        try handle.close()

        let second = RecordingClient()
        let reopened = try open(path, second)
        XCTAssertEqual(second.bodies, [[1]])
        let kept = try XCTUnwrap(reopened.recovery.quarantined.first)
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + kept)
        XCTAssertEqual(attributes[.size] as? UInt64, reopened.recovery.tornBytes)
        try reopened.close()
    }

    func test_a_store_that_is_open_cannot_be_opened_a_second_time() throws {
        let path = temporaryPath()
        let log = try open(path, RecordingClient())
        XCTAssertThrowsError(try open(path, RecordingClient())) {
            guard case .locked(let owner)? = $0 as? LogError else { return XCTFail("\($0)") }
            XCTAssertEqual(owner, "pid \(ProcessInfo.processInfo.processIdentifier)")
        }
        try log.close()
        try open(path, RecordingClient()).close()
    }
}

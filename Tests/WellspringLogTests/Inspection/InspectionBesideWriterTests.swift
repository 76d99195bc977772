import Foundation
import WellspringLog
import XCTest

/// An inspection on the machine's own file system, while another thread writes.
final class InspectionBesideWriterTests: XCTestCase {
    func test_beside_a_busy_writer_nothing_is_called_damage_and_nothing_is_skipped() throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("wellspring-inspection-\(UUID().uuidString)").path
        addTeardownBlock { try? FileManager.default.removeItem(atPath: path) }
        // The first commit makes sure that there is a log to look at.
        let writer = try BusyWriter(path)
        try writer.commit()
        let end = DispatchSemaphore(value: 0)
        // The log has a last commit: looking at it takes longer the longer it is, so that a writer
        // who goes on until it was looked at often enough may never be told to end.
        let thread = Thread {
            writer.write(1500)
            end.signal()
        }
        thread.start()
        defer { end.wait() }

        var follower: LogEnd?
        var followed: UInt64 = 0
        var isLast = false
        repeat {
            isLast = writer.isDone
            let directory = try PosixFileSystem().openStore(at: path, create: false)
            var whole: UInt64 = 0
            try LogInspection(directory).run { item in
                whole = try XCTUnwrap(Self.follows(whole, item))
                return true
            }
            follower = try LogInspection(directory).run(after: follower) { item in
                if case .frame(let frame) = item, !frame.isProven { return true }
                followed = try XCTUnwrap(Self.follows(followed, item))
                return true
            }
        } while !isLast
        XCTAssertNil(writer.failure)
        XCTAssertGreaterThanOrEqual(followed, 1501)
    }

    /// The sequence after `item`, or `nil` if it is damage or does not follow `last`.
    private static func follows(_ last: UInt64, _ item: InspectedItem) -> UInt64? {
        switch item {
        case .frame(let frame):
            XCTAssertEqual(frame.header.sequence, last + 1)
            return frame.header.sequence
        case .damage(let damage):
            XCTFail("\(damage)")
            return nil
        case .segment, .remains, .unfinished: return last
        }
    }
}

/// A log to which one thread at a time writes.
private final class BusyWriter: @unchecked Sendable {
    // SAFETY: the log and the count are used by one thread at a time, the outcome is behind a lock.
    private let client = RecordingClient()
    private let log: CommitLog
    private let outcome = Guarded<(isDone: Bool, failure: (any Error)?)>((false, nil))
    private var count = 0

    init(_ path: String) throws {
        var configuration = LogConfiguration()
        configuration.segmentBytes = 128 << 10
        let directory = try PosixFileSystem().openStore(at: path, create: true)
        log = try CommitLog.open(directory, configuration: configuration, client: client)
    }

    var isDone: Bool { outcome.withLock { $0.isDone } }
    var failure: (any Error)? { outcome.withLock { $0.failure } }

    /// Commits so many times and closes the log.
    func write(_ commits: Int) {
        let result = Result {
            for _ in 0..<commits { try commit() }
            try log.close()
        }
        outcome.withLock {
            $0.isDone = true
            if case .failure(let error) = result { $0.failure = error }
        }
    }

    func commit() throws {
        count += 1
        let body = bytes(500 + count % 7 * 900, seed: count)
        _ = try log.commit(client: client, eventCount: 1, sizeHint: body.count) { _, writer in
            writer.append(body)
        }
        if count % 50 == 0 { try log.writeMark() }
    }
}

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
        let thread = Thread {
            while !writer.isDone { guard (try? writer.commit()) != nil else { return } }
            writer.close()
        }
        thread.start()

        var follower: LogEnd?
        var followed: UInt64 = 0
        for _ in 0..<200 {
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
        }
        writer.isDone = true
        writer.waitUntilClosed()
        XCTAssertGreaterThan(followed, 0)
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

/// A log to which one thread writes until it is told to end.
private final class BusyWriter: @unchecked Sendable {
    // SAFETY: the log is used by one thread, the flag is behind a lock.
    private let client = RecordingClient()
    private let log: CommitLog
    private let done = Guarded(false)
    private let closed = DispatchSemaphore(value: 0)
    private var count = 0

    init(_ path: String) throws {
        var configuration = LogConfiguration()
        configuration.segmentBytes = 128 << 10
        let directory = try PosixFileSystem().openStore(at: path, create: true)
        log = try CommitLog.open(directory, configuration: configuration, client: client)
    }

    var isDone: Bool {
        get { done.withLock { $0 } }
        set { done.withLock { $0 = newValue } }
    }

    func commit() throws {
        count += 1
        let body = bytes(500 + count % 7 * 900, seed: count)
        _ = try log.commit(client: client, eventCount: 1, sizeHint: body.count) { _, writer in
            writer.append(body)
        }
        if count % 50 == 0 { try log.writeMark() }
    }

    func close() {
        try? log.close()
        closed.signal()
    }

    func waitUntilClosed() { closed.wait() }
}

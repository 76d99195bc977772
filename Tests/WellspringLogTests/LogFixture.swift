import WellspringLog
import WellspringTestKit
import XCTest

/// A client that remembers what the log handed to it.
final class RecordingClient: LogClient {
    var segments: [UInt32] = []
    var places: [FramePlace] = []
    var bodies: [[UInt8]] = []
    var footer: [UInt8] = [1, 2, 3]
    /// Bodies that begin with this byte are refused.
    var refused: UInt8?

    func segmentBegan(_ segment: UInt32) { segments.append(segment) }

    func replay(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody) {
        if let refused, body.first == refused {
            throw MalformedBody(offset: 0, reason: "refused")
        }
        places.append(place)
        bodies.append(Array(body))
    }

    func footerContent(of segment: UInt32) -> [UInt8] { footer }
}

/// A log on a simulated disk, with the shortest ways to use it.
final class LogFixture {
    let disk: SimulatedDisk
    var configuration = LogConfiguration()
    private(set) var client = RecordingClient()
    private var opened: CommitLog?

    init(_ disk: SimulatedDisk = SimulatedDisk(), segmentBytes: UInt64 = 64 << 10) {
        self.disk = disk
        configuration.segmentBytes = segmentBytes
    }

    var log: CommitLog {
        get throws { try XCTUnwrap(opened) }
    }

    @discardableResult
    func open() throws -> LogRecovery {
        client = RecordingClient()
        let directory = try disk.openStore(at: "/store", create: true)
        let log = try CommitLog.open(directory, configuration: configuration, client: client)
        opened = log
        return log.recovery
    }

    @discardableResult
    func commit(_ body: [UInt8], events: UInt32 = 1) throws -> FramePlace {
        try log.commit(client: client, eventCount: events, sizeHint: body.count) { _, writer in
            writer.append(body)
        }
    }

    func close() throws {
        try log.close()
        opened = nil
    }

    /// Lets go of the log as a process does that is killed.
    func crash(keeping survival: SimulatedDisk.Survival = .nothing) throws {
        try log.abandon()
        opened = nil
        disk.crash(keeping: survival)
    }

    /// The name of the segment with the highest number.
    var newestSegment: String {
        get throws { try XCTUnwrap(disk.fileNames.last { $0.hasSuffix(".seg") }) }
    }

    /// Opens the log and returns the damage that must be reported.
    func damage(line: UInt = #line) throws -> LogDamage? {
        do {
            try open()
        } catch LogError.damaged(let damage) {
            return damage
        }
        XCTFail("the damage was not reported", line: line)
        return nil
    }
}

/// A body of `count` bytes that differ from place to place and from `seed` to `seed`.
func bytes(_ count: Int, seed: Int = 1) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed &* 101 &+ $0 >> 8) }
}

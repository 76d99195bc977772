import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// What files the frames of a followed log in its index.
final class FollowedLogClientTests: XCTestCase {
    func test_a_frame_of_which_a_name_could_not_be_read_is_taken_in_the_next_time() async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await FileEventStore(on: disk)
        let names = ["a", "b", "c"]
        for name in names { try await store.appendSample(1, to: name) }
        try await store.append(
            AppendRequest(
                names.map {
                    StreamWrite([sampleEvent(2)], to: sampleStream($0), expecting: .any)
                }))
        disk.fireTimers()
        let directory = try disk.openStore(at: "store", create: false)
        let frames = FrameCollector()
        let follower = try LogFollower.open(
            directory, includesUnproven: false, client: frames)
        let (place, body) = try XCTUnwrap(frames.frames.last)

        // The names of the last frame stand in those before it, which are not read.
        let client = FollowedLogClient(keyMask: .max)
        let source = FailingSegments(follower.segments)
        _ = client.coverage(of: try follower.outline(), in: source)
        client.segmentBegan(1, after: place.sequence - 1)
        source.failures.withLock { $0 = [false, true] }
        XCTAssertThrowsError(try body.withUnsafeBytes { try client.take(place, body: $0) })
        XCTAssertEqual(client.index.recentCount, 0)
        try body.withUnsafeBytes { try client.take(place, body: $0) }
        XCTAssertEqual(client.index.recentCount, 3)
        await store.close()
    }
}

/// Keeps what it is handed.
private final class FrameCollector: LogFollowerClient {
    private(set) var frames: [(place: FramePlace, body: [UInt8])] = []

    func coverage(of log: LogOutline, in segments: any LogSource) -> LogAnchor? { nil }
    func segmentBegan(_ segment: UInt32, after covered: UInt64) {}
    func segmentEnded(_ anchor: LogAnchor) {}
    func take(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody) {
        frames.append((place, Array(body)))
    }
}

/// Segments of which some cannot be had.
private final class FailingSegments: LogSource {
    private let base: FollowedSegments
    /// Whether the next calls fail.
    let failures = Guarded<[Bool]>([])

    init(_ base: FollowedSegments) {
        self.base = base
    }

    func segment(
        _ number: UInt32
    ) throws(LogError) -> (file: any StoreFile, place: SegmentPlace) {
        let fails = failures.withLock { $0.isEmpty ? false : $0.removeFirst() }
        guard !fails else {
            throw .system(SystemError(call: "read", file: "", code: 5, kind: .io))
        }
        return try base.segment(number)
    }

    func place(before position: UInt64) throws(LogError) -> (segment: UInt32, offset: UInt64) {
        try base.place(before: position)
    }
}

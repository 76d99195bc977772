@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A reader takes over what the writer has indexed, beside other threads that read.
final class AdoptedRunsTests: XCTestCase {
    func test_a_run_that_is_made_anew_while_runs_are_taken_over_is_not_there_twice() async throws {
        let disk = SimulatedDisk()
        let writer = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        var count = 0
        func write(segments: Int) async throws {
            while disk.fileNames.count(where: { $0.hasSuffix(".seg") }) < segments {
                try await writer.append(
                    AppendRequest(
                        [sampleEvent(bytes: 2_000)], to: sampleStream("1"), expecting: .any))
                count += 1
            }
        }
        try await write(segments: 5)
        let client = FollowedLogClient(keyMask: .max)
        let follower = try LogFollower.open(
            disk.openStore(at: "store", create: false), includesUnproven: false, client: client)
        let index = client.index
        let merged = try XCTUnwrap(index.runs.first { $0.range.first < $0.range.last })
        try await write(segments: 9)
        while try !follower.advance(upTo: .max) {}

        let adoption = try XCTUnwrap(index.adoption(of: try follower.outline()))
        // Somebody else's read has met damage in the run.
        let made = try IndexBuilder(log: follower.segments, index: index, names: NameCache())
            .build(after: nil, through: merged.range.last, endingAt: try merged.decodedAnchor())
        XCTAssertGreaterThan(made.count, 1)
        index.replace([merged.range], by: made)
        index.adopt(adoption)

        let entries = try index.entries(
            of: index.key(of: sampleStream("1")), numbers: 1...UInt64.max, through: .max)
        XCTAssertEqual(entries.map(\.number), Array(1...UInt64(entries.count)))
        XCTAssertGreaterThanOrEqual(entries.count, count - 1)
        // The next occasion finds the same runs, and then takes them over.
        let again = try XCTUnwrap(index.adoption(of: try follower.outline()))
        index.adopt(again)
        XCTAssertEqual(
            try index.entries(
                of: index.key(of: sampleStream("1")), numbers: 1...UInt64.max, through: .max
            ).count, entries.count)
        XCTAssertNil(index.adoption(of: try follower.outline()))
        follower.segments.close()
        await writer.close()
    }

    private func sampleEvent(bytes: Int) -> NewEvent {
        NewEvent(
            EncodedEvent(
                name: "sample.happened",
                payload: EventPayload(utf8: String(repeating: "x", count: bytes))))
    }
}

import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Somebody takes in new events with files that somebody else has opened anew, for they were
/// rewritten.
final class ReaderRenewalTests: XCTestCase {
    private let disk = SimulatedDisk(seed: 33)

    private func append(_ numbers: ClosedRange<Int>) async throws {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        let store = try await FileEventStore(on: disk, configuration: configuration)
        for number in numbers {
            let payload = EventPayload(utf8: String(repeating: "\(number % 10)", count: 3_000))
            let event = NewEvent(EncodedEvent(name: "big", payload: payload), tags: ["tag"])
            try await store.append(
                AppendRequest([event], to: sampleStream("1"), expecting: .any))
        }
        await store.close()
    }

    /// The store before its first segment was rewritten, after that, and three events later.
    private func moments() async throws -> [SimulatedDisk.Moment] {
        try await append(1...30)
        disk.startRecording()
        try disk.rewriteSegments(sealing: false, redacting: { $0 < 5 }, where: { $0 == 1 })
        let rewriting = disk.takeRecording()
        disk.startRecording()
        try await append(31...33)
        let appending = disk.takeRecording()
        return try [
            XCTUnwrap(rewriting.first), XCTUnwrap(rewriting.last), XCTUnwrap(appending.last),
        ]
    }

    func test_what_the_old_files_still_give_is_shown_when_the_new_ones_were_read_too() async throws
    {
        let moments = try await moments()
        let shown = SimulatedDisk(seed: 33)
        shown.turn(to: moments[0])
        let log = try FollowedLog.open(
            FollowedFiles(
                directory: try shown.openStore(at: "store", create: false),
                includesUnproven: false, keyMask: .max))
        // Somebody is about to look into these files, and comes to it late.
        let old = log.view
        shown.turn(to: moments[1])
        XCTAssertThrowsError(try log.read(LogRead(limit: ReadLimit(events: 1))))
        while try !log.advance(upTo: .max) {}
        shown.turn(to: moments[2])
        XCTAssertNil(try log.advance(old, upTo: .max))
        try assertReadsAllThatIsShown(of: log, upTo: 30)
        while try !log.advance(upTo: .max) {}
        try assertReadsAllThatIsShown(of: log, upTo: 33)
    }

    private func assertReadsAllThatIsShown(
        of log: FollowedLog, upTo last: UInt64, line: UInt = #line
    ) throws {
        XCTAssertEqual(log.visible, last, line: line)
        let tagged = try log.read(
            LogRead(filter: .tagged("tag"), limit: ReadLimit(events: 1_000, bytes: .max)))
        XCTAssertEqual(
            tagged.events.map(\.position.rawValue), Array(1...tagged.end.rawValue), line: line)
    }
}

import ExampleTestSupport
import Foundation
import Wellspring
import XCTest

final class OperatingTests: XCTestCase {
    private struct Unsound: Error {
        let positions: [Range<UInt64>]
    }

    private var lines: [String] = []
    private func log(_ line: String) { lines.append(line) }

    func test_scavenging() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path("store")
        let store = try await FileEventStore(at: path)
        let events = [NewEvent(try Account.Event.opened(owner: "Ada").encoded())]
        let ada = Account.ID("ada").stream
        try await store.append(AppendRequest(events, to: ada, expecting: .noStream))
        try await store.delete(ada)
        await store.close()

        // snippet: operating-scavenge
        let scavenged = try await FileEventStore.scavenge(at: path)
        log("\(scavenged.redactedCount) events lost their content")
        for file in scavenged.quarantined + scavenged.savedStates { log("look into \(file)") }
        // end
        XCTAssertEqual(lines, ["1 events lost their content"])
    }

    func test_backing_up_verifying_and_mending() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let (path, backups) = (directory.path("store"), directory.path("backups"))
        let target = directory.path("saved")
        let store = try await FileEventStore(at: path)
        let events = [NewEvent(try Account.Event.opened(owner: "Ada").encoded())]
        try await store.append(
            AppendRequest(events, to: Account.ID("ada").stream, expecting: .noStream))
        // snippet: operating-backup
        let copied = try await store.backup(to: backups + "/monday")
        log("\(copied.eventCount) events up to \(copied.lastPosition)")
        // end
        XCTAssertEqual(lines, ["1 events up to 1"])
        await store.close()

        // snippet: operating-verify
        let report = try await FileEventStore.verify(at: path)
        for problem in report.problems {
            log("\(problem). \(problem.advice)")
        }
        guard report.isSound else { throw Unsound(positions: report.lostPositions) }
        // end
        XCTAssertEqual(lines.count, 1)

        try FileManager.default.removeItem(atPath: path + "/MANIFEST")
        // snippet: operating-repair
        let repaired = try await FileEventStore.repair(at: path)
        for clause in repaired.unproven { log("nobody can prove \(clause)") }
        // end
        XCTAssertEqual(lines.count, 3)

        // snippet: operating-salvage
        let saved = try await FileEventStore.salvage(from: path, to: target)
        for hole in saved.holes { log("lost: positions \(hole)") }
        // end
        XCTAssertEqual(saved.eventCount, 1)
        XCTAssertEqual(lines.count, 3)
    }
}

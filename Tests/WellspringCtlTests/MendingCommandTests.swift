import ExampleTestSupport
import Foundation
import Wellspring
import WellspringLog
import XCTest

/// Verify, repair, salvage and backup as an operator calls them.
final class MendingCommandTests: XCTestCase {
    func test_verify_says_sound_or_ends_with_status_1_and_what_to_do() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        XCTAssertTrue(try fixture.run("verify", fixture.store).contains("sound: "))
        try fixture.overwrite(20_000..<20_010, of: LogLayout.segment(2))
        let outcome = try fixture.program.run("verify", fixture.store)
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.output.contains("DAMAGE  \(LogLayout.segment(2))"), outcome.output)
        XCTAssertTrue(outcome.output.contains("Restore a backup"), outcome.output)
        XCTAssertTrue(outcome.errors.contains("damaged in 1 place."), outcome.errors)
    }

    func test_verify_writes_json_for_programs() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        var document = try fixture.program.run("verify", fixture.store, "--json").json()
        XCTAssertEqual(document["isSound"] as? Bool, true)
        XCTAssertEqual(document["events"] as? Int, fixture.events.count)
        try FileManager.default.removeItem(atPath: fixture.store + "/" + LogLayout.segment(2))
        let outcome = try fixture.program.run("verify", fixture.store, "--json")
        XCTAssertEqual(outcome.status, 1)
        document = try outcome.json()
        XCTAssertEqual(document["isSound"] as? Bool, false)
        let problems = try XCTUnwrap(document["problems"] as? [[String: Any]])
        XCTAssertEqual(problems.compactMap { $0["kind"] as? String }, ["missingSegment"])
        let lost = try XCTUnwrap((document["lost"] as? [[String: Int]])?.first)
        XCTAssertGreaterThan(try XCTUnwrap(lost["last"]), try XCTUnwrap(lost["first"]))
    }

    func test_a_destroyed_segment_is_salvaged_around() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        try FileManager.default.removeItem(atPath: fixture.store + "/" + LogLayout.segment(2))
        let before = try fixture.files()
        let report = try await FileEventStore.verify(at: fixture.store)
        let lost = try XCTUnwrap(report.lostPositions.first)
        let output = try fixture.run("salvage", fixture.store, fixture.path("saved"))
        XCTAssertTrue(try fixture.files() == before)
        XCTAssertTrue(
            output.contains(
                "\(lost.count) events are lost, at positions \(lost.lowerBound) to "
                    + "\(lost.upperBound - 1)"), output)
        XCTAssertTrue(try fixture.run("verify", fixture.path("saved")).contains("sound: "))
        let saved = try await fixture.open(fixture.path("saved"))
        let events = try await StoreFixture.events(of: saved)
        await saved.close()
        XCTAssertTrue(events == fixture.events.filter { !lost.contains($0.position.rawValue) })
    }

    func test_a_lost_manifest_is_repaired() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        XCTAssertTrue(try fixture.run("repair", fixture.store).contains("nothing to repair"))
        XCTAssertTrue(
            try fixture.run("repair", fixture.store, "--allow-network-file-system")
                .contains("nothing to repair"))
        try fixture.overwrite(60..<80, of: Manifest.fileName)
        let output = try fixture.run("repair", fixture.store)
        XCTAssertTrue(output.contains("quarantine/MANIFEST-1.damaged"), output)
        XCTAssertTrue(output.contains("Nobody can prove that"), output)
        XCTAssertTrue(try fixture.run("verify", fixture.store).contains("sound: "))
        let store = try await fixture.open()
        let events = try await StoreFixture.events(of: store)
        XCTAssertTrue(events == fixture.events)
        await store.close()
    }

    func test_a_damaged_index_is_damage_that_repair_and_an_opening_make_good() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        let runs = try FileManager.default.contentsOfDirectory(atPath: fixture.store + "/idx")
        let run = "idx/" + (try XCTUnwrap(runs.first))
        let middle = try fixture.contents(fixture.store + "/" + run).count / 2
        try fixture.overwrite(middle..<middle + 4, of: run)
        let outcome = try fixture.program.run("verify", fixture.store, "--json")
        XCTAssertEqual(outcome.status, 1)
        XCTAssertEqual(try outcome.json()["isSound"] as? Bool, false)
        let problems = try XCTUnwrap(outcome.json()["problems"] as? [[String: Any]])
        XCTAssertEqual(problems.compactMap { $0["kind"] as? String }, ["index"])
        let advice = try XCTUnwrap(problems.first?["advice"] as? String)
        XCTAssertTrue(advice.hasPrefix("No event is lost"), advice)
        let repaired = try fixture.run("repair", fixture.store)
        XCTAssertTrue(repaired.contains("\(run) was removed"), repaired)
        let store = try await fixture.open()
        let events = try await StoreFixture.events(of: store)
        XCTAssertTrue(events == fixture.events)
        await store.close()
        XCTAssertTrue(try fixture.run("verify", fixture.store).contains("sound: "))
    }

    func test_what_repair_cannot_mend_is_left_alone() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        try fixture.overwrite(60..<80, of: Manifest.fileName)
        try fixture.overwrite(20_000..<20_010, of: LogLayout.segment(2))
        let before = try fixture.files()
        let outcome = try fixture.program.run("repair", fixture.store)
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("repair cannot make good"), outcome.errors)
        XCTAssertTrue(try fixture.files() == before)
    }

    func test_a_backup_opens_as_the_same_store() async throws {
        let fixture = try StoreFixture(self)
        try await fixture.makeStore()
        try fixture.run("backup", fixture.store, fixture.path("copy"))
        let first = try fixture.export(fixture.store, to: "first")
        let second = try fixture.export(fixture.path("copy"), to: "second")
        XCTAssertTrue(try fixture.contents(first) == fixture.contents(second))
        let outcome = try fixture.program.run("backup", fixture.store, fixture.path("copy"))
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.errors.contains("other files"), outcome.errors)
    }
}

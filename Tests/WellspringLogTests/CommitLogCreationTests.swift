import WellspringLog
import WellspringTestKit
import XCTest

final class CommitLogCreationTests: XCTestCase {
    func test_two_stores_have_different_identities() throws {
        let (first, second) = (LogFixture(), LogFixture(SimulatedDisk(seed: 2)))
        try first.open()
        try second.open()
        XCTAssertNotEqual(try first.log.storeID, try second.log.storeID)
        XCTAssertNotEqual(try first.log.hashKey.0, try second.log.hashKey.0)
    }

    func test_a_store_keeps_its_identity() throws {
        let fixture = LogFixture()
        fixture.disk.advanceClock(nanoseconds: 5000)
        try fixture.open()
        let (id, time, key) = (
            try fixture.log.storeID, try fixture.log.creationTime, try fixture.log.hashKey
        )
        try fixture.close()
        fixture.disk.advanceClock(nanoseconds: 5000)
        XCTAssertFalse(try fixture.open().created)
        XCTAssertEqual(try fixture.log.storeID, id)
        XCTAssertEqual(try fixture.log.creationTime, time)
        XCTAssertEqual(try fixture.log.hashKey.1, key.1)
    }

    func test_a_crash_at_any_step_of_making_a_store_leaves_none_or_an_empty_one() throws {
        let rehearsal = LogFixture()
        try rehearsal.open()
        let steps = rehearsal.disk.operationCount
        for step in 0..<steps {
            for seed in 0..<6 {
                let fixture = LogFixture(SimulatedDisk(seed: UInt64(seed)))
                fixture.disk.inject(.powerCut(at: step))
                XCTAssertThrowsError(try fixture.open())
                fixture.disk.crash(keeping: .chance)
                try fixture.open()
                try fixture.commit([1])
                try fixture.crash()
                try fixture.open()
                XCTAssertEqual(fixture.client.bodies, [[1]], "step \(step)")
            }
        }
    }

    func test_an_error_at_any_step_of_making_a_store_can_be_followed_by_another_try() throws {
        let rehearsal = LogFixture()
        try rehearsal.open()
        for step in 0..<rehearsal.disk.operationCount {
            let fixture = LogFixture()
            fixture.disk.inject(.init(.inputOutput, from: step))
            do {
                try fixture.open()
            } catch {
                guard case .system? = error as? LogError else { return XCTFail("\(error)") }
                try fixture.open()
            }
            XCTAssertEqual(try fixture.commit([1]).firstPosition, 1)
        }
    }

    func test_a_lost_identity_is_reported_as_soon_as_anything_may_have_been_stored() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        try fixture.crash()
        let before = fixture.disk.fileNames
        fixture.disk.replaceContents(of: StoreIdentity.fileName, with: nil)
        XCTAssertEqual(try fixture.damage()?.file, StoreIdentity.fileName)
        XCTAssertEqual(fixture.disk.fileNames, before.filter { $0 != StoreIdentity.fileName })
    }

    func test_a_lost_identity_is_reported_after_a_proper_close_of_an_empty_store() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.close()
        fixture.disk.replaceContents(of: StoreIdentity.fileName, with: nil)
        XCTAssertEqual(try fixture.damage()?.file, StoreIdentity.fileName)
    }

    func test_a_lost_identity_is_reported_when_there_are_several_segments() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.crash(keeping: .everything)
        let contents = fixture.disk.contents(of: LogLayout.segment(1))
        fixture.disk.replaceContents(of: LogLayout.segment(2), with: contents)
        fixture.disk.replaceContents(of: StoreIdentity.fileName, with: nil)
        XCTAssertEqual(try fixture.damage()?.file, StoreIdentity.fileName)
    }

    func test_a_lost_identity_is_reported_when_the_segments_are_lost_with_it() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        try fixture.close()
        fixture.disk.replaceContents(of: StoreIdentity.fileName, with: nil)
        fixture.disk.replaceContents(of: LogLayout.segment(1), with: nil)
        XCTAssertEqual(try fixture.damage()?.file, StoreIdentity.fileName)
    }

    func test_a_lost_manifest_or_segment_is_reported() throws {
        for name in [Manifest.fileName, LogLayout.segment(1)] {
            let fixture = LogFixture()
            try fixture.open()
            try fixture.crash()
            fixture.disk.replaceContents(of: name, with: nil)
            XCTAssertEqual(try fixture.damage()?.file, name)
        }
    }

    func test_files_that_are_not_ours_are_left_alone() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.close()
        fixture.disk.replaceContents(of: "notes.txt", with: [1, 2])
        fixture.disk.replaceContents(of: "log/readme", with: [3])
        try fixture.open()
        try fixture.commit([1])
        try fixture.close()
        try fixture.open()
        XCTAssertEqual(fixture.disk.contents(of: "notes.txt"), [1, 2])
        XCTAssertEqual(fixture.disk.contents(of: "log/readme"), [3])
    }

    func test_no_store_is_made_among_the_files_of_others() throws {
        for name in ["notes.txt", ".profile", "log/syslog", "views/a.ckpt"] {
            let fixture = LogFixture()
            let directory = try fixture.disk.openStore(at: "/store", create: true)
            if name.contains("/") {
                try directory.makeDirectory(String(name.prefix { $0 != "/" }))
                try directory.makeDirectory("lib")
            }
            fixture.disk.replaceContents(of: name, with: [1, 2])
            XCTAssertThrowsError(try fixture.open(), name) {
                XCTAssertEqual($0 as? LogError, .notEmpty(path: "/store"), name)
            }
            XCTAssertEqual(fixture.disk.fileNames, [name], "nothing may be left behind")
        }
    }

    func test_a_store_is_made_at_the_root_of_a_volume() throws {
        let fixture = LogFixture()
        try fixture.disk.openStore(at: "/store", create: true).makeDirectory("lost+found")
        XCTAssertTrue(try fixture.open().created)
    }

    func test_segments_that_lost_everything_else_are_damage_and_not_the_files_of_others() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        try fixture.crash()
        fixture.disk.replaceContents(of: "notes.txt", with: [1])
        fixture.disk.replaceContents(of: StoreIdentity.fileName, with: nil)
        fixture.disk.replaceContents(of: Manifest.fileName, with: nil)
        XCTAssertEqual(try fixture.damage()?.file, StoreIdentity.fileName)
    }
}

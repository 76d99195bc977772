import WellspringLog
import WellspringTestKit
import XCTest

final class CommitLogTests: XCTestCase {
    func test_an_empty_directory_becomes_a_store() throws {
        let fixture = LogFixture()
        let recovery = try fixture.open()
        XCTAssertTrue(recovery.created)
        XCTAssertEqual(recovery.segmentCount, 1)
        XCTAssertEqual(try fixture.log.durablePosition, 0)
        XCTAssertTrue(fixture.disk.fileNames.contains("STORE"))
    }

    func test_an_empty_directory_is_not_a_store_when_none_is_to_be_made() throws {
        let fixture = LogFixture()
        fixture.configuration.createsStore = false
        XCTAssertThrowsError(try fixture.open()) {
            XCTAssertEqual($0 as? LogError, .notAStore(path: "/store"))
        }
        XCTAssertEqual(fixture.disk.fileNames, [])
    }

    func test_what_was_committed_is_there_after_a_close() throws {
        let fixture = LogFixture()
        try fixture.open()
        for number in 0..<20 { try fixture.commit(bytes(number * 13, seed: number), events: 2) }
        XCTAssertEqual(try fixture.log.durablePosition, 40)
        try fixture.close()

        let recovery = try fixture.open()
        XCTAssertTrue(recovery.wasClean)
        XCTAssertEqual(recovery.frameCount, 20)
        XCTAssertEqual(recovery.eventCount, 40)
        XCTAssertEqual(fixture.client.bodies, (0..<20).map { bytes($0 * 13, seed: $0) })
        XCTAssertEqual(fixture.client.places.map(\.firstPosition), (0..<20).map { 1 + $0 * 2 })
        XCTAssertEqual(try fixture.log.durablePosition, 40)
    }

    func test_what_was_committed_is_there_after_a_crash_that_keeps_only_what_was_synced() throws {
        let fixture = LogFixture()
        try fixture.open()
        for number in 0..<20 { try fixture.commit(bytes(100, seed: number)) }
        try fixture.crash()

        let recovery = try fixture.open()
        XCTAssertFalse(recovery.wasClean)
        XCTAssertEqual(fixture.client.bodies, (0..<20).map { bytes(100, seed: $0) })
        XCTAssertEqual(try fixture.commit([1]).firstPosition, 21)
    }

    func test_segments_follow_each_other_without_gaps() throws {
        let fixture = LogFixture(segmentBytes: 16 << 10)
        try fixture.open()
        var places: [FramePlace] = []
        for number in 0..<50 { places.append(try fixture.commit(bytes(1000, seed: number))) }
        let segments = Set(places.map(\.segment)).sorted()
        XCTAssertEqual(segments, [1, 2, 3, 4, 5])
        XCTAssertEqual(fixture.client.segments, segments)
        try fixture.close()

        XCTAssertEqual(try fixture.open().segmentCount, 5)
        XCTAssertEqual(fixture.client.bodies, (0..<50).map { bytes(1000, seed: $0) })
        XCTAssertEqual(fixture.client.places, places)
    }
}

import WellspringLog
import WellspringTestKit
import XCTest

/// A hole takes positions and holds no events.
final class CommitLogHoleTests: XCTestCase {
    func test_what_follows_a_hole_has_the_positions_behind_it_also_after_opening_again() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        let tooMany = UInt64(UInt32.max) + 7
        try fixture.log.commitHole(client: fixture.client, count: tooMany)
        let behind = try fixture.commit([2])
        XCTAssertEqual(behind.firstPosition, 2 + tooMany)
        XCTAssertEqual(try fixture.log.writtenPosition, 2 + tooMany)
        try fixture.close()

        let recovery = try fixture.open()
        XCTAssertEqual(recovery.eventCount, 2)
        XCTAssertEqual(fixture.client.bodies, [[1], [2]])
        XCTAssertEqual(fixture.client.places.map(\.firstPosition), [1, 2 + tooMany])
        XCTAssertEqual(try fixture.commit([3]).firstPosition, 3 + tooMany)
    }

    func test_a_hole_at_the_end_keeps_its_positions_from_being_given_out() throws {
        let fixture = LogFixture()
        try fixture.open()
        try fixture.commit([1])
        try fixture.log.commitHole(client: fixture.client, count: 9)
        try fixture.crash()
        try fixture.open()
        XCTAssertEqual(try fixture.commit([2]).firstPosition, 11)
    }
}

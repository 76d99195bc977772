import XCTest

@testable import WellspringLog

/// How far the syncs of a store reach is remembered by the weakest of them.
final class SyncingTests: XCTestCase {
    func test_one_sync_that_ends_in_the_drive_is_remembered() {
        let syncs = SyncRecord()
        syncs.note(.medium)
        XCTAssertTrue(syncs.reachMedium)
        syncs.note(.drive)
        syncs.note(.medium)
        XCTAssertFalse(syncs.reachMedium)
    }
}

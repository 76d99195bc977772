import Foundation
import Wellspring
import XCTest

/// Data bugs that were found once, where no other test names them.
final class FoundBugTests: XCTestCase {
    func test_two_ids_that_differ_in_composed_letters_stay_two_in_saved_state() throws {
        let model = [Purse.ID("caf\u{E9}"): 1, Purse.ID("cafe\u{301}"): 2]
        XCTAssertEqual(model.count, 2)
        let saved = try JSONEncoder().encode(model)
        XCTAssertEqual(try JSONDecoder().decode([Purse.ID: Int].self, from: saved), model)
    }
}

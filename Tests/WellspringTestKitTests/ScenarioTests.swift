import Wellspring
import WellspringTestKit
import XCTest

final class ScenarioTests: XCTestCase {
    func test_a_scenario_that_holds_is_silent() throws {
        let opened = Scenario<Door>().given(.opened)
        try opened.when(Close()).then(.closed)
        try Scenario<Door>().when(Close()).thenNothing()
        try opened.given([.locked(key: "k")]).when(Close()).thenRejected(.isLocked)
    }

    func test_other_events_than_expected_are_reported_with_place_and_difference() {
        assertMismatch(
            "f:12: expected [WellspringTestKitTests.ScenarioTests.Door.Event.opened], got ["
        ) {
            try Scenario<Door>().given(.opened).when(Close()).then(.opened, file: "f", line: 12)
        }
    }

    func test_a_rejection_where_events_were_expected_is_reported() {
        assertMismatch("got rejection isLocked") {
            try Scenario<Door>().given(.opened, .locked(key: "k")).when(Close()).then(.closed)
        }
    }

    func test_no_rejection_where_one_was_expected_is_reported() {
        assertMismatch("expected rejection isLocked, got [") {
            try Scenario<Door>().given(.opened).when(Close()).thenRejected(.isLocked)
        }
    }

    func test_events_where_none_were_expected_are_reported() {
        assertMismatch("expected no events") {
            try Scenario<Door>().given(.opened).when(Close()).thenNothing()
        }
    }

    func test_nothing_where_events_were_expected_is_reported() {
        assertMismatch("got []") { try Scenario<Door>().when(Close()).then(.closed) }
    }

    func test_a_decided_event_that_changes_in_storage_is_reported() {
        assertMismatch("when written and read back") {
            try Scenario<Door>().when(Forget()).then(.forgotten(Forgetful(text: "all")))
        }
    }

    func test_a_given_event_that_changes_in_storage_is_reported() {
        assertMismatch("when written and read back") {
            try Scenario<Door>().given(.forgotten(Forgetful(text: "all"))).when(Close())
                .thenNothing()
        }
    }

    func test_an_event_that_cannot_be_written_is_reported() {
        assertMismatch("cannot be written and read back") {
            try Scenario<Door>().when(Weigh()).then(.weighed(kilos: .infinity))
        }
    }

    private func assertMismatch(
        _ text: String, line: UInt = #line, _ body: () throws -> Void
    ) {
        do {
            try body()
            XCTFail("nothing was reported", line: line)
        } catch {
            XCTAssertTrue(error is Mismatch, line: line)
            XCTAssertTrue("\(error)".contains(text), "\(error)", line: line)
        }
    }
}

extension ScenarioTests {
    struct Door: Aggregate {
        static let category: StreamCategory = "door"
        var isOpen = false
        var isLocked = false

        enum Rejection: Error { case isLocked }
        enum Event: DomainEvent, Equatable {
            case opened
            case closed
            case locked(key: String)
            case weighed(kilos: Double)
            case forgotten(_ what: Forgetful)

            enum CodingKeys: String, EventNames {
                case opened = "door.opened"
                case closed = "door.closed"
                case locked = "door.locked"
                case weighed = "door.weighed"
                case forgotten = "door.forgotten"
            }
        }

        mutating func apply(_ event: Event) {
            switch event {
            case .opened: isOpen = true
            case .closed: isOpen = false
            case .locked: isLocked = true
            case .weighed, .forgotten: break
            }
        }
    }

    /// Does not write what it holds.
    struct Forgetful: Codable, Equatable, Sendable {
        var text = ""
        enum CodingKeys: CodingKey {}
    }

    struct Close: AggregateCommand {
        func decide(given door: Door) throws(Door.Rejection) -> [Door.Event] {
            if door.isLocked { throw .isLocked }
            return door.isOpen ? [.closed] : []
        }
    }

    struct Forget: AggregateCommand {
        func decide(given door: Door) -> [Door.Event] { [.forgotten(Forgetful(text: "all"))] }
    }

    struct Weigh: AggregateCommand {
        func decide(given door: Door) -> [Door.Event] { [.weighed(kilos: .infinity)] }
    }
}

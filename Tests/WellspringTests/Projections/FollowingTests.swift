@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

final class FollowingTests: XCTestCase {
    private let store = InMemoryEventStore()

    func test_a_projection_takes_in_what_was_there_and_what_comes() async throws {
        for _ in 0..<3 { try await store.add(.filled(cents: 10), to: "ada") }
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let answers = try await withRunning(runner) { [store] in
            let first = try await runner.ask(ContentOf(purse: "ada"))
            let position = try await store.add(.filled(cents: 5), .filled(cents: 6), to: "ada")
            return (first, try await runner.ask(ContentOf(purse: "ada"), after: position))
        }
        XCTAssertEqual(answers.0, 30)
        XCTAssertEqual(answers.1, 41)
    }

    func test_every_event_is_taken_in_once_and_in_order_while_writers_write() async throws {
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let store = store
        let seen = try await withRunning(runner) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        for _ in 0..<50 {
                            try await store.add(.filled(cents: 1), to: Purse.ID("\(writer)"))
                        }
                    }
                }
                try await group.waitForAll()
            }
            return try await runner.ask(PositionsSeen(), after: LogPosition(200))
        }
        XCTAssertEqual(seen, Array(1...200), "the first and the last one included")
    }

    func test_the_first_answer_waits_until_the_log_was_replayed_once() async throws {
        for _ in 0..<2_000 { try await store.add(.filled(cents: 1), to: "ada") }
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        async let answer = runner.ask(ContentOf(purse: "ada"))
        await Task.yield()
        try await runOnce(runner)
        let cents = try await answer
        XCTAssertEqual(cents, 2_000)
    }

    func test_what_a_filter_leaves_out_still_moves_the_position() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        for _ in 0..<1_500 { try await store.addNoise() }
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let seen = try await withRunning(runner) {
            try await runner.ask(PositionsSeen(), after: LogPosition(1_501))
        }
        XCTAssertEqual(seen, [1])
        XCTAssertEqual(runner.position, LogPosition(1_501))
    }

    func test_a_projection_of_an_empty_log_is_live_at_once() async throws {
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let cents = try await withRunning(runner) { try await runner.ask(ContentOf(purse: "ada")) }
        XCTAssertEqual(cents, 0)
    }

    func test_states_follow_each_other() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        let notices = Notices()
        let runner = ProjectionRunner(
            Contents.self, from: store, clock: ManualClock(), onNotice: notices.add)
        let before = runner.state.kind
        let during = try await withRunning(runner) {
            _ = try await runner.ask(ContentOf(purse: "ada"))
            return runner.state.kind
        }
        let after = runner.state.kind
        XCTAssertEqual([before, during, after], ["starting", "live", "stopped"])
        XCTAssertEqual(notices.kinds, ["live", "stopped"])
    }

    func test_a_run_that_was_ended_can_be_begun_again() async throws {
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        for round in 1...3 {
            let position = try await store.add(.filled(cents: 1), to: "ada")
            let cents = try await withRunning(runner) {
                try await runner.ask(ContentOf(purse: "ada"), after: position)
            }
            XCTAssertEqual(cents, round)
        }
    }

    func test_a_question_just_before_the_next_run_waits_for_it() async throws {
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        _ = try await withRunning(runner) { try await runner.ask(ContentOf(purse: "ada")) }
        let position = try await store.add(.filled(cents: 1), to: "ada")
        // What `withRunning` does before its body begins; the run itself begins some time later.
        runner.prepareToRun()
        let readiness = runner.progress.withLock { $0.readiness(for: position) }
        guard case .notYet = readiness else { return XCTFail("\(readiness)") }
        let cents = try await withRunning(runner) {
            try await runner.ask(ContentOf(purse: "ada"), after: position)
        }
        XCTAssertEqual(cents, 1)
    }

    func test_a_second_run_at_the_same_time_is_refused() async throws {
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            _ = try await runner.ask(ContentOf(purse: "ada"))
            do {
                try await runner.run()
                XCTFail("two runs at once")
            } catch {
                guard case ProjectionFailure.busy = error else { return XCTFail("\(error)") }
            }
            // The first one goes on.
            let position = try await store.add(.filled(cents: 7), to: "ada")
            let cents = try await runner.ask(ContentOf(purse: "ada"), after: position)
            XCTAssertEqual(cents, 7)
        }
    }

    func test_a_closed_store_ends_the_run_with_an_error() async throws {
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let run = Task { try await runner.run() }
        _ = try await runner.ask(ContentOf(purse: "ada"))
        await store.close()
        let result = await run.result
        guard case .failure(let error) = result else { return XCTFail("it ended in peace") }
        XCTAssertEqual(error as? EventStoreError, .closed)
        let stop = runner.state.stop
        guard case .store(.closed)? = stop?.reason else { return XCTFail("\(stop as Any)") }
    }

    func test_pages_that_lead_nowhere_are_an_error_and_taken_in_by_nobody() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        let runner = ProjectionRunner(
            Contents.self, from: StuckStore(base: store), clock: ManualClock())
        do {
            try await runner.run()
            XCTFail("it ran on")
        } catch {
            XCTAssertEqual(
                error as? EventStoreError,
                .storage(reason: "a page after position 0 ends at 0"))
        }
        XCTAssertEqual(runner.snapshot().model.positions, [])
        let failure = await caught { () async throws(ProjectionFailure) in
            try await runner.rebuild()
        }
        guard case .store(.storage)? = failure else { return XCTFail("\(failure as Any)") }
    }

    func test_a_union_is_followed_in_the_order_of_the_log() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        try await store.append(
            AppendRequest(
                [NewEvent(try Shop.Event.opened(name: "x").encoded())],
                to: StreamID(category: "shop", key: "1"), expecting: .any))
        try await store.add(.spent(cents: 1, on: "milk"), to: "ada")
        let runner = ProjectionRunner(Town.self, from: store, clock: ManualClock())
        try await runOnce(runner)
        XCTAssertEqual(runner.snapshot().model.story, ["purse", "shop", "purse"])
    }
}

private struct Shop: Aggregate {
    static let category: StreamCategory = "shop"
    enum Event: DomainEvent {
        case opened(name: String)
        enum CodingKeys: String, EventNames { case opened = "shop.opened" }
    }
    mutating func apply(_ event: Event) {}
}

private struct Town: Projection {
    enum Event: EventUnion {
        case purse(Purse.Event)
        case shop(Shop.Event)
        static let members = EventMembers(Event.purse, Event.shop)
    }
    static let name: ProjectionName = "town"
    var story: [String] = []
    mutating func apply(_ recorded: Recorded<Event>) {
        switch recorded.event {
        case .purse: story.append("purse")
        case .shop: story.append("shop")
        }
    }
}

/// Hands out pages that end where they began.
private struct StuckStore: EventStore {
    let base: InMemoryEventStore

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await base.append(request)
    }
    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await base.read(request)
    }
    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        let page = try await base.read(request)
        guard case .forward(let after) = request.order else { return page }
        return LogPage(events: page.events, end: after, head: page.head)
    }
    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.waitForEvents(after: position)
    }
}

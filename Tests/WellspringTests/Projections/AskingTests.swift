import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

final class AskingTests: XCTestCase {
    private let store = InMemoryEventStore()

    func test_a_question_that_waits_in_vain_says_how_far_the_model_was() async throws {
        let clock = ManualClock()
        try await store.add(.filled(cents: 1), to: "ada")
        let runner = ProjectionRunner(Contents.self, from: store, clock: clock)
        try await withRunning(runner) {
            _ = try await runner.ask(ContentOf(purse: "ada"), after: LogPosition(1))
            let question = Task {
                await caught { () async throws(QueryFailure) in
                    try await runner.ask(
                        ContentOf(purse: "ada"), after: LogPosition(7), timeout: .seconds(3))
                }
            }
            await clock.waitForSleepers()
            clock.advance(by: .milliseconds(2_999))
            clock.advance(by: .milliseconds(1))
            let failure = await question.value
            guard case .timedOut(LogPosition(1), wanted: LogPosition(7))? = failure else {
                return XCTFail("\(failure as Any)")
            }
        }
    }

    func test_a_question_to_a_runner_that_does_not_run_times_out() async throws {
        let clock = ManualClock()
        try await store.add(.filled(cents: 1), to: "ada")
        let runner = ProjectionRunner(Contents.self, from: store, clock: clock)
        let question = Task {
            await caught { () async throws(QueryFailure) in
                try await runner.ask(ContentOf(purse: "ada"))
            }
        }
        await clock.waitForSleepers()
        clock.advance(by: .seconds(5))
        let failure = await question.value
        guard case .timedOut? = failure else { return XCTFail("\(failure as Any)") }
    }

    func test_a_question_that_got_its_answer_leaves_no_timer_behind() async throws {
        let clock = ManualClock()
        let runner = ProjectionRunner(Contents.self, from: store, clock: clock)
        let store = store
        try await withRunning(runner) {
            let question = Task {
                try await runner.ask(ContentOf(purse: "ada"), after: LogPosition(1))
            }
            await clock.waitForSleepers()
            await runner.waitForQuestion()
            try await store.add(.filled(cents: 1), to: "ada")
            let cents = try await question.value
            XCTAssertEqual(cents, 1)
        }
        XCTAssertEqual(clock.sleepers, 0)
    }

    func test_a_cancelled_question_ends() async throws {
        let clock = ManualClock()
        let runner = ProjectionRunner(Contents.self, from: store, clock: clock)
        let question = Task {
            await caught { () async throws(QueryFailure) in
                try await runner.ask(ContentOf(purse: "ada"), after: LogPosition(1))
            }
        }
        await clock.waitForSleepers()
        question.cancel()
        let failure = await question.value
        guard case .cancelled? = failure else { return XCTFail("\(failure as Any)") }
    }

    func test_a_question_may_wait_as_long_as_a_duration_can_say() async throws {
        let runner = ProjectionRunner(Contents.self, from: store)
        for timeout in [Duration.seconds(Int64.max), Duration(attoseconds: .max)] {
            let question = Task {
                await caught { () async throws(QueryFailure) in
                    try await runner.ask(ContentOf(purse: "ada"), timeout: timeout)
                }
            }
            await runner.waitForQuestion()
            question.cancel()
            let failure = await question.value
            guard case .cancelled? = failure else { return XCTFail("\(failure as Any)") }
        }
    }

    func test_a_question_without_time_to_wait_times_out_at_once() async throws {
        let runner = ProjectionRunner(Contents.self, from: store)
        for timeout in [Duration.zero, .seconds(-1), Duration(attoseconds: .min)] {
            let failure = await caught { () async throws(QueryFailure) in
                try await runner.ask(ContentOf(purse: "ada"), timeout: timeout)
            }
            guard case .timedOut? = failure else { return XCTFail("\(failure as Any)") }
        }
    }

    func test_many_questions_for_different_positions_are_answered_in_their_time() async throws {
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for position: UInt64 in 1...100 {
                    group.addTask {
                        let seen = try await runner.ask(
                            PositionsSeen(), after: LogPosition(position))
                        XCTAssertGreaterThanOrEqual(seen.count, Int(position))
                    }
                }
                for _ in 1...100 { try await store.add(.filled(cents: 1), to: "ada") }
                try await group.waitForAll()
            }
        }
    }

    func test_the_bus_finds_the_model_by_the_question() async throws {
        try await store.add(.filled(cents: 5), to: "ada")
        let contents = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let believer = ProjectionRunner(Believer.self, from: store, clock: ManualClock())
        let queries = QueryBus(contents, believer)
        try await withRunning(contents, believer) {
            let cents = try await queries.ask(ContentOf(purse: "ada"), after: LogPosition(1))
            let sum = try await queries.ask(SumBelieved(), after: LogPosition(1))
            XCTAssertEqual([cents, sum], [5, 5])
        }
    }

    func test_the_bus_says_which_model_it_does_not_have() async throws {
        let queries = QueryBus(ProjectionRunner(Contents.self, from: store, clock: ManualClock()))
        let failure = await caught { () async throws(QueryFailure) in
            try await queries.ask(SumBelieved())
        }
        guard case .noModel("believer")? = failure else { return XCTFail("\(failure as Any)") }
    }

    // MARK: - Status

    func test_lag_is_counted_from_the_end_of_the_log_and_not_from_what_was_heard() async throws {
        let clock = ManualClock()
        let store = InMemoryEventStore(clock: { clock.time })
        let runner = ProjectionRunner(
            Contents.self, from: store, clock: ManualClock(), now: { clock.time })
        try await store.add(.filled(cents: 1), to: "ada")
        try await runOnce(runner)
        let before = await runner.status
        XCTAssertEqual(before.lagEvents, 0)
        XCTAssertEqual(before.lagTime, .zero)

        // Nobody follows any more, and the status knows all the same.
        clock.advance(by: .seconds(10))
        try await store.addNoise()
        clock.advance(by: .seconds(10))
        try await store.add(.filled(cents: 1), .filled(cents: 1), to: "ada")
        clock.advance(by: .seconds(30))
        let after = await runner.status
        XCTAssertEqual(after.position, LogPosition(1))
        XCTAssertEqual(after.head, LogPosition(4))
        XCTAssertEqual(after.lagEvents, 3)
        XCTAssertEqual(after.lagTime, .seconds(30), "since the first event that it wants")
    }

    func test_no_recorded_time_is_too_old_to_be_measured() async throws {
        let runner = ProjectionRunner(
            Contents.self, from: store, clock: ManualClock(), now: { Timestamp(nanoseconds: .max) })
        var ancient = NewEvent(try Purse.Event.filled(cents: 1).encoded())
        ancient.recordedAt = Timestamp(nanoseconds: .min)
        _ = try await store.append(
            AppendRequest([ancient], to: Purse.ID("ada").stream, expecting: .any))
        let status = await runner.status
        XCTAssertEqual(status.lagTime, .nanoseconds(Int64.max) - .nanoseconds(Int64.min))
    }

    func test_a_model_that_wants_nothing_of_the_rest_is_not_late() async throws {
        let clock = ManualClock()
        let store = InMemoryEventStore(clock: { clock.time })
        let runner = ProjectionRunner(
            Contents.self, from: store, clock: ManualClock(), now: { clock.time })
        for _ in 0..<20_000 { try await store.addNoise() }
        clock.advance(by: .seconds(10))
        let status = await runner.status
        XCTAssertEqual(status.lagEvents, 20_000)
        XCTAssertEqual(status.lagTime, .zero)
    }
}

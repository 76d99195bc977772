import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// What happens when a projection cannot take an event in.
final class StoppedProjectionTests: XCTestCase {
    private let store = InMemoryEventStore()

    func test_a_projection_that_throws_stops_right_before_the_append() async throws {
        try await store.add(.filled(cents: 10), to: "ada")
        try await store.add(.filled(cents: 10), to: "bob")
        // One append: the first of its events would fit.
        try await store.add(.filled(cents: 1), .spent(cents: 50, on: "gin"), to: "ada")
        try await store.add(.filled(cents: 10), to: "eve")
        let runner = ProjectionRunner(Believer.self, from: store, clock: ManualClock())

        try await runner.run()

        let (model, position) = runner.snapshot()
        XCTAssertEqual(position, LogPosition(2))
        XCTAssertEqual(model.sum, 20, "nothing of the append is seen")
        XCTAssertEqual(model.count, 2)
        let stop = runner.state.stop
        XCTAssertEqual(stop?.projection, Believer.name)
        XCTAssertEqual(stop?.position, LogPosition(2))
        guard case .event(let event)? = stop?.reason else { return XCTFail("\(stop as Any)") }
        XCTAssertEqual(event.position, LogPosition(4))
        XCTAssertEqual(event.stream, Purse.ID("ada").stream)
        XCTAssertEqual(event.version, StreamVersion(3))
        XCTAssertEqual(event.name, "purse.spent")
        XCTAssertTrue(event.error is Believer.Debt)
    }

    func test_a_projection_that_meets_an_event_it_cannot_read_stops_right_before_the_append()
        async throws
    {
        try await store.add(.filled(cents: 10), to: "ada")
        let good = NewEvent(try Purse.Event.filled(cents: 5).encoded())
        let bad = NewEvent(EncodedEvent(name: "purse.spent", payload: EventPayload(utf8: "{}")))
        try await store.append(
            AppendRequest([good, bad], to: Purse.ID("ada").stream, expecting: .any))
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())

        try await runner.run()

        let (model, position) = runner.snapshot()
        XCTAssertEqual(position, LogPosition(1))
        XCTAssertEqual(model.positions, [1])
        let stop = runner.state.stop
        guard case .event(let event)? = stop?.reason else { return XCTFail("\(stop as Any)") }
        XCTAssertEqual(event.position, LogPosition(3))
        XCTAssertTrue(event.error is EventCodingError)
    }

    func test_others_go_on() async throws {
        let believer = ProjectionRunner(Believer.self, from: store, clock: ManualClock())
        let contents = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let store = store
        let cents = try await withRunning(believer, contents) {
            try await store.add(.spent(cents: 50, on: "gin"), to: "ada")
            while believer.state.stop == nil { await Task.yield() }
            let position = try await store.add(.filled(cents: 20), to: "ada")
            return try await contents.ask(ContentOf(purse: "ada"), after: position)
        }
        XCTAssertEqual(cents, -30)
    }

    func test_a_question_to_a_stopped_projection_fails_at_once_with_the_reason() async throws {
        try await store.add(.spent(cents: 50, on: "gin"), to: "ada")
        let runner = ProjectionRunner(Believer.self, from: store, clock: ManualClock())
        try await runner.run()
        for position in [LogPosition.start, LogPosition(1), LogPosition(9)] {
            let failure = await caught { () async throws(QueryFailure) in
                try await runner.ask(SumBelieved(), after: position)
            }
            guard case .stopped(let stop)? = failure, case .event(let event) = stop.reason else {
                return XCTFail("\(failure as Any)")
            }
            XCTAssertEqual(event.position, LogPosition(1))
        }
    }

    func test_those_who_wait_hear_of_the_stop() async throws {
        let runner = ProjectionRunner(Believer.self, from: store, clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            _ = try await runner.ask(SumBelieved())
            let question = Task {
                await caught { () async throws(QueryFailure) in
                    try await runner.ask(SumBelieved(), after: LogPosition(2))
                }
            }
            await runner.waitForQuestion()
            try await store.add(.spent(cents: 50, on: "gin"), to: "ada")
            let failure = await question.value
            guard case .stopped? = failure else { return XCTFail("\(failure as Any)") }
        }
    }

    func test_a_question_to_a_projection_that_was_ended_is_answered_from_what_it_knows()
        async throws
    {
        try await store.add(.filled(cents: 50), to: "ada")
        let runner = ProjectionRunner(Believer.self, from: store, clock: ManualClock())
        try await runOnce(runner)
        let sum = try await runner.ask(SumBelieved(), after: LogPosition(1))
        XCTAssertEqual(sum, 50)
        let failure = await caught { () async throws(QueryFailure) in
            try await runner.ask(SumBelieved(), after: LogPosition(2))
        }
        guard case .stopped(let stop)? = failure, case .cancelled = stop.reason else {
            return XCTFail("\(failure as Any)")
        }
    }

    func test_running_again_tries_the_same_event_again() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        try await store.add(.spent(cents: 50, on: "gin"), to: "ada")
        let runner = ProjectionRunner(Believer.self, from: store, clock: ManualClock())
        for _ in 0..<2 {
            try await runner.run()
            let position = runner.state.stop?.position
            XCTAssertEqual(position, LogPosition(1))
            XCTAssertEqual(runner.snapshot().model.count, 1)
        }
    }

    func test_a_failed_model_answers_nothing_while_it_is_run_again() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        let isAgain = Guarded(false)
        let (reached, goOn) = (Signal(), Signal())
        let slow = InterferingStore(
            base: store,
            beforeReading: { _ in
                guard isAgain.withLock({ $0 }) else { return }
                reached.give()
                await goOn.wait()
            })
        let runner = ProjectionRunner(Believer.self, from: slow, clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            _ = try await runner.ask(SumBelieved(), after: LogPosition(1))
            try await store.add(.spent(cents: 50, on: "gin"), to: "ada")
            while runner.state.stop == nil { await Task.yield() }
        }
        isAgain.withLock { $0 = true }
        try await withRunning(runner) {
            await reached.wait()
            let isAnswered = Guarded(false)
            let question = Task {
                defer { isAnswered.withLock { $0 = true } }
                return await caught { () async throws(QueryFailure) in
                    try await runner.ask(SumBelieved())
                }
            }
            while !runner.hasQuestion, !isAnswered.withLock({ $0 }) { await Task.yield() }
            goOn.give()
            let failure = await question.value
            guard case .stopped? = failure else { return XCTFail("\(failure as Any)") }
        }
    }

    func test_the_stop_is_announced_once() async throws {
        try await store.add(.spent(cents: 50, on: "gin"), to: "ada")
        let notices = Notices()
        let runner = ProjectionRunner(
            Believer.self, from: store, clock: ManualClock(), onNotice: notices.add)
        try await runner.run()
        XCTAssertEqual(notices.kinds, ["stopped"])
        XCTAssertEqual(
            runner.state.stop?.description,
            "Projection believer stopped after position 0: event purse.spent at position 1 "
                + "(purse/ada, version 1) failed: Debt(). Correct the projection or the event type. "
                + "Then run it again.")
    }
}

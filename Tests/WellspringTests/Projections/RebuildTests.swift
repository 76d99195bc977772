import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

final class RebuildTests: XCTestCase {
    private let store = InMemoryEventStore()

    func test_a_rebuild_leaves_nothing_that_the_log_does_not_say() async throws {
        try await store.add(.filled(cents: 5), to: "ada")
        let checkpoints = try await ghostly(at: 1)
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
        try await withRunning(runner) {
            let ghosts = try await runner.ask(ContentOf(purse: "ghost"))
            XCTAssertEqual(ghosts, 9, "else this test shows nothing")
            let position = try await runner.rebuild()
            XCTAssertEqual(position, LogPosition(1))
            let model = runner.snapshot().model
            XCTAssertEqual(model.cents, ["ada": 5])
        }
    }

    func test_a_rebuild_is_saved() async throws {
        try await store.add(.filled(cents: 5), to: "ada")
        let checkpoints = try await ghostly(at: 1)
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
        try await runner.rebuild()
        let next = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock())
        try await runOnce(next)
        XCTAssertEqual(next.snapshot().model.cents, ["ada": 5])
        XCTAssertEqual(next.snapshot().model.positions, [1])
    }

    func test_a_rebuild_that_is_cancelled_behind_its_swap_is_saved() async throws {
        let store = InMemoryEventStore()
        try await store.add(.filled(cents: 1), to: "ada")
        let checkpoints = InMemoryCheckpointStore()
        let rebuild = Guarded<Task<LogPosition, any Error>?>(nil)
        let runner = ProjectionRunner(
            Contents.self, from: store, checkpoints: checkpoints, clock: ManualClock(),
            onNotice: { if case .rebuilt = $0 { rebuild.withLock { $0 }?.cancel() } })
        let task = Task { () async throws -> LogPosition in
            while rebuild.withLock({ $0 == nil }) { await Task.yield() }
            return try await runner.rebuild()
        }
        rebuild.withLock { $0 = task }
        let position = try await task.value
        XCTAssertTrue(task.isCancelled)
        let saved = try await checkpoints.load(Contents.name)
        XCTAssertEqual(saved?.position, position)
    }

    func test_until_the_swap_the_old_model_answers() async throws {
        for _ in 0..<2_500 { try await store.add(.filled(cents: 1), to: "ada") }
        let (reached, go) = (Signal(), Signal())
        let rebuilding = Guarded(false)
        let paced = InterferingStore(
            base: store,
            beforeReading: { read in
                guard rebuilding.withLock({ $0 }), case .forward(let after) = read.order,
                    after >= LogPosition(1_000), after < LogPosition(2_500)
                else { return }
                reached.give()
                await go.wait()
            })
        let runner = ProjectionRunner(
            Contents.self, from: paced,
            plan: DecodingPlan(tasks: 2, pageLimit: ReadLimit(events: 100), leastEvents: 50),
            checkpoints: InMemoryCheckpointStore(), clock: ManualClock())
        try await withRunning(runner) {
            _ = try await runner.ask(ContentOf(purse: "ada"))
            rebuilding.withLock { $0 = true }
            let rebuild = Task { try await runner.rebuild() }
            await reached.wait()

            guard case .rebuilding(let progress) = runner.state else {
                return XCTFail("\(runner.state)")
            }
            XCTAssertGreaterThan(progress.position, .start)
            XCTAssertEqual(progress.target, LogPosition(2_500))
            let cents = try await runner.ask(ContentOf(purse: "ada"))
            XCTAssertEqual(cents, 2_500, "no half of a model is ever seen")

            go.give()
            _ = try await rebuild.value
            XCTAssertEqual(runner.state.kind, "live")
            XCTAssertEqual(runner.snapshot().model.positions, Array(1...2_500))
        }
    }

    func test_a_rebuild_catches_up_with_what_is_written_meanwhile() async throws {
        for _ in 0..<2_100 { try await store.add(.filled(cents: 1), to: "ada") }
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            let writing = Task {
                for _ in 0..<300 { try await store.add(.filled(cents: 1), to: "bob") }
            }
            for _ in 0..<3 { try await runner.rebuild() }
            try await writing.value
            let seen = try await runner.ask(PositionsSeen(), after: LogPosition(2_400))
            XCTAssertEqual(seen, Array(1...2_400), "nothing twice and nothing left out")
        }
    }

    func test_a_page_that_was_read_before_the_swap_is_not_taken_in_after_it() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        let (reached, go) = (Signal(), Signal())
        let paced = InterferingStore(
            base: store,
            beforeReading: { read in
                guard read.order == .forward(after: LogPosition(1)) else { return }
                reached.give()
                await go.wait()
            })
        let runner = ProjectionRunner(Contents.self, from: paced, clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            _ = try await runner.ask(ContentOf(purse: "ada"))
            try await store.add(.filled(cents: 1), to: "ada")
            await reached.wait()
            try await runner.rebuild()
            go.give()
            let last = try await store.add(.filled(cents: 1), to: "ada")
            let seen = try await runner.ask(PositionsSeen(), after: last)
            XCTAssertEqual(seen, [1, 2, 3])
        }
    }

    func test_a_swap_never_takes_back_what_the_model_in_use_has_taken_in() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        let (reached, go) = (Signal(), Signal())
        let isRebuilding = Guarded(false)
        let paced = InterferingStore(
            base: store,
            afterReading: { read in
                guard read.order == .forward(after: .start), isRebuilding.withLock({ $0 }) else {
                    return
                }
                reached.give()
                await go.wait()
            })
        let runner = ProjectionRunner(Contents.self, from: paced, clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            _ = try await runner.ask(ContentOf(purse: "ada"))
            isRebuilding.withLock { $0 = true }
            let rebuild = Task { try await runner.rebuild() }
            await reached.wait()
            // The rebuild has read all there was, and now there is more.
            let last = try await store.add(.filled(cents: 1), to: "ada")
            _ = try await runner.ask(PositionsSeen(), after: last)
            go.give()
            let swappedAt = try await rebuild.value
            XCTAssertEqual(swappedAt, last)
            XCTAssertEqual(runner.snapshot().model.positions, [1, 2])
        }
    }

    func test_a_rebuild_works_without_a_run_and_answers_those_who_wait() async throws {
        for _ in 0..<10 { try await store.add(.filled(cents: 1), to: "ada") }
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let question = Task {
            try await runner.ask(ContentOf(purse: "ada"), after: LogPosition(10))
        }
        await runner.waitForQuestion()
        let position = try await runner.rebuild()
        let cents = try await question.value
        XCTAssertEqual(position, LogPosition(10))
        XCTAssertEqual(cents, 10)
    }

    func test_a_question_waits_across_the_swap() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            _ = try await runner.ask(ContentOf(purse: "ada"))
            let question = Task {
                try await runner.ask(ContentOf(purse: "ada"), after: LogPosition(2))
            }
            await runner.waitForQuestion()
            try await runner.rebuild()
            try await store.add(.filled(cents: 1), to: "ada")
            let cents = try await question.value
            XCTAssertEqual(cents, 2)
        }
    }

    func test_every_rebuild_replays_even_when_nothing_has_changed() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        let replays = Counter()
        let counted = InterferingStore(
            base: store,
            beforeReading: { read in
                if read.order == .forward(after: .start) { replays.increase() }
            })
        let runner = ProjectionRunner(Contents.self, from: counted, clock: ManualClock())
        for round in 1...3 {
            let position = try await runner.rebuild()
            XCTAssertEqual(position, LogPosition(1))
            XCTAssertEqual(replays.count, round)
            XCTAssertEqual(runner.snapshot().model.positions, [1])
        }
    }

    func test_a_cancelled_rebuild_changes_nothing_and_can_be_begun_again() async throws {
        for _ in 0..<2_500 { try await store.add(.filled(cents: 1), to: "ada") }
        let (reached, go) = (Signal(), Signal())
        let paced = InterferingStore(
            base: store,
            beforeReading: { read in
                guard case .forward(let after) = read.order, after > LogPosition(1_000) else {
                    return
                }
                reached.give()
                await go.wait()
            })
        let runner = ProjectionRunner(Contents.self, from: paced, clock: ManualClock())
        let rebuild = Task {
            await caught { () async throws(ProjectionFailure) in try await runner.rebuild() }
        }
        await reached.wait()
        rebuild.cancel()
        go.give()
        let failure = await rebuild.value
        guard case .cancelled? = failure else { return XCTFail("\(failure as Any)") }
        XCTAssertEqual(runner.position, .start)
        XCTAssertEqual(runner.state.kind, "starting")
        let position = try await runner.rebuild()
        XCTAssertEqual(position, LogPosition(2_500))
    }

    func test_a_second_rebuild_at_the_same_time_is_refused() async throws {
        try await store.add(.filled(cents: 1), to: "ada")
        let (reached, go) = (Signal(), Signal())
        let paced = InterferingStore(
            base: store,
            beforeReading: { _ in
                reached.give()
                await go.wait()
            })
        let runner = ProjectionRunner(Contents.self, from: paced, clock: ManualClock())
        let first = Task { try await runner.rebuild() }
        await reached.wait()
        let failure = await caught { () async throws(ProjectionFailure) in
            try await runner.rebuild()
        }
        guard case .busy? = failure else { return XCTFail("\(failure as Any)") }
        go.give()
        let position = try await first.value
        XCTAssertEqual(position, LogPosition(1))
    }

    func test_a_rebuild_that_fails_leaves_the_model_in_use_alone() async throws {
        // A state that was saved by a program which believed in debts.
        try await store.add(.spent(cents: 5, on: "gin"), to: "ada")
        let checkpoints = InMemoryCheckpointStore()
        try await checkpoints.save(
            Checkpoint(
                projection: Believer.name, revision: 1, position: LogPosition(1),
                state: EventPayload(utf8: #"{"sum":100,"count":1}"#)))
        let runner = ProjectionRunner(
            Believer.self, from: store, checkpoints: checkpoints, clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            _ = try await runner.ask(SumBelieved())
            let failure = await caught { () async throws(ProjectionFailure) in
                try await runner.rebuild()
            }
            guard case .stopped(let stop)? = failure, case .event(let event) = stop.reason else {
                return XCTFail("\(failure as Any)")
            }
            XCTAssertEqual(event.position, LogPosition(1))
            let position = try await store.add(.filled(cents: 1), to: "ada")
            let sum = try await runner.ask(SumBelieved(), after: position)
            XCTAssertEqual(sum, 101)
        }
    }

    func test_a_rebuild_brings_a_stopped_projection_back() async throws {
        try await store.add(.filled(cents: 50), to: "ada")
        let checkpoints = InMemoryCheckpointStore()
        try await checkpoints.save(
            Checkpoint(
                projection: Believer.name, revision: 1, position: LogPosition(1),
                state: EventPayload(utf8: #"{"sum":0,"count":1}"#)))
        try await store.add(.spent(cents: 20, on: "gin"), to: "ada")
        let runner = ProjectionRunner(
            Believer.self, from: store, checkpoints: checkpoints, clock: ManualClock())
        try await runner.run()
        XCTAssertEqual(runner.state.kind, "stopped")

        try await runner.rebuild()
        let sum = try await runner.ask(SumBelieved(), after: LogPosition(2))
        XCTAssertEqual(sum, 30)
        let store = store
        try await withRunning(runner) {
            let position = try await store.add(.filled(cents: 1), to: "ada")
            let sum = try await runner.ask(SumBelieved(), after: position)
            XCTAssertEqual(sum, 31)
        }
    }

    func test_no_answer_ever_shows_half_an_append() async throws {
        let runner = ProjectionRunner(Contents.self, from: store, clock: ManualClock())
        let store = store
        let total = try await store.add(.filled(cents: 1_000), to: "ada")
        try await withRunning(runner) {
            _ = try await runner.ask(PositionsSeen(), after: total)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<300 { try await store.transfer(cents: 1, from: "ada", to: "bob") }
                }
                group.addTask { for _ in 0..<10 { try await runner.rebuild() } }
                for _ in 0..<4 {
                    group.addTask {
                        while runner.position < LogPosition(601) {
                            let cents = runner.snapshot().model.cents.values.reduce(0, +)
                            XCTAssertEqual(cents, 1_000)
                            await Task.yield()
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// A checkpoint store with a state that the log cannot explain.
    private func ghostly(at position: UInt64) async throws -> InMemoryCheckpointStore {
        let checkpoints = InMemoryCheckpointStore()
        try await checkpoints.save(
            Checkpoint(
                projection: Contents.name, revision: 1, position: LogPosition(position),
                state: EventPayload(utf8: #"{"cents":{"ghost":9},"positions":[]}"#)))
        return checkpoints
    }
}

extension InMemoryEventStore {
    fileprivate func transfer(cents: Int, from: Purse.ID, to: Purse.ID) async throws {
        let spent = NewEvent(try Purse.Event.spent(cents: cents, on: "gift").encoded())
        let filled = NewEvent(try Purse.Event.filled(cents: cents).encoded())
        try await append(
            AppendRequest([
                StreamWrite([spent], to: from.stream, expecting: .any),
                StreamWrite([filled], to: to.stream, expecting: .any),
            ]))
    }
}

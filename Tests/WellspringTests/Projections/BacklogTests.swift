import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// How a projection takes in what is there already, decoded by several tasks at once.
final class BacklogTests: XCTestCase {
    private static let seeds = Size("BACKLOG_SEEDS", debug: 150, release: 3_000)

    private let store = InMemoryEventStore()

    func test_no_order_in_which_tasks_go_on_changes_what_is_taken_in_or_where_it_stops() async {
        let began = ContinuousClock.now
        let (first, count) = (Size.firstSeed, Self.seeds.value)
        let found = await onThreads(first..<first + count) { seed in
            (seed, BacklogTrial(seed: UInt64(seed)).problems())
        }
        for (seed, problems) in found.filter({ !$0.1.isEmpty }).prefix(3) {
            XCTFail("seed \(seed): \(problems.prefix(3))")
        }
        Totals.print("backlogs decoded by several tasks", since: began, "\(count) seeds")
    }

    func test_one_task_takes_in_the_same_as_several() async {
        for seed in 1...UInt64(20) {
            XCTAssertEqual(BacklogTrial(seed: seed, tasks: 1).problems(), [], "seed \(seed)")
        }
    }

    func test_what_is_saved_on_the_way_holds_all_up_to_its_position_and_nothing_beyond() async {
        for seed in 1...UInt64(6) {
            let trial = BacklogTrial(seed: seed, mayFail: false, padding: 30_000)
            XCTAssertEqual(trial.problems(), [], "seed \(seed)")
        }
    }

    // MARK: - Bounds

    func test_no_more_pages_are_read_ahead_than_the_plan_allows() async throws {
        for _ in 0..<200 { try await store.add(.filled(cents: 1), to: "ada") }
        for tasks in [1, 2, 5] {
            let reads = Counter()
            let counted = InterferingStore(base: store, beforeReading: { _ in reads.increase() })
            let plan = DecodingPlan(tasks: tasks, pageLimit: ReadLimit(events: 4), leastEvents: 1)
            let reader = PageReader<Purse.Event>(store: counted, plan: plan)
            var (taken, most) = (0, 0)
            try await reader.forEachPage(after: .start) { page in
                most = max(most, reads.count - taken)
                taken += 1
                return true
            }
            XCTAssertEqual(taken, 50)
            XCTAssertLessThanOrEqual(most, tasks)
        }
    }

    func test_whoever_has_enough_gets_no_further_page() async throws {
        for _ in 0..<40 { try await store.add(.filled(cents: 1), to: "ada") }
        let plan = DecodingPlan(tasks: 3, pageLimit: ReadLimit(events: 4), leastEvents: 1)
        let reader = PageReader<Purse.Event>(store: store, plan: plan)
        var ends: [LogPosition] = []
        try await reader.forEachPage(after: LogPosition(2)) { page in
            ends.append(page.page.end)
            return ends.count < 3
        }
        XCTAssertEqual(ends, [LogPosition(6), LogPosition(10), LogPosition(14)])
    }

    // MARK: - Who decodes

    func test_a_backlog_is_decoded_by_other_tasks() async throws {
        let foreign = try await decodedElsewhere(by: .init(backlog: 600, live: 0), tasks: 4)
        XCTAssertGreaterThan(foreign, 0)
        XCTAssertLessThanOrEqual(foreign, 500, "the first page shows that there is a backlog")
    }

    func test_one_task_decodes_everything_itself() async throws {
        let foreign = try await decodedElsewhere(by: .init(backlog: 600, live: 20), tasks: 1)
        XCTAssertEqual(foreign, 0)
    }

    func test_what_comes_in_while_the_projection_is_live_is_decoded_where_it_is_read() async throws
    {
        let foreign = try await decodedElsewhere(by: .init(backlog: 30, live: 300), tasks: 4)
        XCTAssertEqual(foreign, 0)
    }

    private struct Course {
        let backlog: Int
        let live: Int
    }

    /// How many events were decoded by another task than the one that takes them in.
    private func decodedElsewhere(by course: Course, tasks: Int) async throws -> Int {
        for _ in 0..<course.backlog { try await store.add(.filled(cents: 1), to: "ada") }
        let plan = DecodingPlan(tasks: tasks, pageLimit: ReadLimit(events: 100), leastEvents: 50)
        let runner = ProjectionRunner(
            NotedCount.self, from: store, plan: plan, checkpoints: InMemoryCheckpointStore(),
            clock: ManualClock())
        let store = store
        try await withRunning(runner) {
            while runner.state.kind != "live" { await Task.yield() }
            for _ in 0..<course.live {
                let position = try await store.add(.filled(cents: 1), to: "ada")
                while runner.position < position { await Task.yield() }
            }
        }
        XCTAssertEqual(runner.snapshot().model.count, course.backlog + course.live)
        return runner.snapshot().model.foreign
    }
}

/// An event that knows which task has decoded it.
private struct NotedFill: ReadableEvent {
    static let names: Set<EventName> = ["purse.filled"]
    let decoder: Int?

    init(decoding encoded: EncodedEvent) { decoder = currentTask }
}

private struct NotedCount: Projection, Codable {
    static let name: ProjectionName = "noted"
    private(set) var count = 0
    private(set) var foreign = 0

    mutating func apply(_ recorded: Recorded<NotedFill>) {
        count += 1
        if recorded.event.decoder != currentTask { foreign += 1 }
    }
}

private var currentTask: Int? { withUnsafeCurrentTask { $0?.hashValue } }

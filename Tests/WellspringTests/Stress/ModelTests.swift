import Foundation
import Wellspring
import WellspringTestKit
import XCTest

/// Random steps on a store and on a list of events, which must come to the same.
///
/// `WELLSPRING_MODEL_RUNS` says how many runs there are, `WELLSPRING_MODEL_STEPS` how long each is,
/// and `WELLSPRING_FIRST_SEED` where the seeds begin. A failure prints steps that can be copied into
/// `test_cases_that_were_found_before`.
final class ModelTests: XCTestCase {
    private static let runs = Size("MODEL_RUNS", debug: 24, release: 400)
    private static let steps = Size("MODEL_STEPS", debug: 100, release: 200)

    private static let kinds: [ModelRun.Kind] = [
        .memory, .file(.everyCommit), .file(.strict), .file(.everyCommit), .file(.osManaged),
        .file(.interval(time: .milliseconds(50), bytes: 20_000)),
    ]

    func test_a_store_does_what_a_list_of_events_does() async {
        let began = ContinuousClock.now
        let first = Size.firstSeed
        let outcomes = await inParallel(first..<first + Self.runs.value) { seed in
            let kind = Self.kinds[seed % Self.kinds.count]
            let steps = ModelStep.random(
                Self.steps.value, seed: UInt64(seed), files: kind != .memory)
            let run = ModelRun(kind, seed: UInt64(seed))
            let problem = await run.run(steps)
            return (seed: seed, kind: kind, problem: problem, events: run.eventCount)
        }
        for failed in outcomes where failed.problem != nil {
            await report(failed.seed, failed.kind, failed.problem ?? "")
            break
        }
        XCTAssertEqual(outcomes.count { $0.problem != nil }, 0, "runs that went wrong")
        Totals.print(
            "model", since: began,
            "\(outcomes.count) runs of \(Self.steps.value) steps, "
                + "\(outcomes.reduce(0) { $0 + $1.events }) events left in the end")
    }

    func test_cases_that_were_found_before() async {
        let cases: [(ModelRun.Kind, seed: UInt64, [ModelStep])] = [
            // A sync that fails while the store is closed: what the mode does not promise may go.
            (.file(.osManaged), 586, [.append([.init(2, .any, [0])]), .failSync, .restart]),
            // An append that would overfill a page in bytes, larger than one event.
            (
                .memory, 6,
                [
                    .append([.init(0, .any, [9, 9])]), .append([.init(1, .any, [9])]),
                    .log(.forward(0), bytes: 15_000), .log(.backward(nil), bytes: 15_000),
                ]
            ),
        ]
        for (kind, seed, steps) in cases {
            let problem = await ModelRun(kind, seed: seed).run(steps)
            XCTAssertNil(problem)
        }
    }

    func test_spoilt_stores_are_found_out_by_a_few_steps() async {
        for defect in SpoiltStore.Defect.allCases {
            let spoil: ModelRun.Spoiler = { SpoiltStore($0, defect) }
            var found: [ModelStep]?
            for seed in 1...200 where found == nil {
                let steps = ModelStep.random(100, seed: UInt64(seed), files: true)
                let run = ModelRun(.file(.everyCommit), seed: UInt64(seed), spoiling: spoil)
                if await run.run(steps) != nil {
                    found = await Self.shrink(
                        Array(steps.prefix(run.stepsTaken)), .file(.everyCommit),
                        seed: UInt64(seed), spoiling: spoil)
                }
            }
            guard let found else {
                XCTFail("nobody notices that the store \(defect)")
                continue
            }
            XCTAssertLessThanOrEqual(found.count, 10, "\(defect): \(found)")
        }
    }

    func test_steps_are_written_as_they_can_be_read() {
        let steps: [ModelStep] = [
            .append([.init(2, .wrong(by: -1), [17, 0]), .init(3, .right, [])]),
            .stream(1, .backward(nil), events: 3),
            .log(.forward(7), .init(names: ["red"], tags: ["warm"]), bytes: 40),
            .crash(.oneSector), .truncate(1, keeping: 2), .truncate(0, keeping: 0, .right),
        ]
        XCTAssertEqual(
            "\(steps)",
            """
            [.append([.init(2, .wrong(by: -1), [17, 0]), .init(3, .right, [])]), \
            .stream(1, .backward(nil), events: 3), \
            .log(.forward(7), .init(names: ["red"], tags: ["warm"]), bytes: 40), \
            .crash(.oneSector), .truncate(1, keeping: 2), .truncate(0, keeping: 0, .right)]
            """)
    }

    /// Shrinks a failing run and says how to see it again.
    private func report(_ seed: Int, _ kind: ModelRun.Kind, _ problem: String) async {
        let steps = ModelStep.random(Self.steps.value, seed: UInt64(seed), files: kind != .memory)
        let few = await Self.shrink(steps, kind, seed: UInt64(seed))
        let now = await ModelRun(kind, seed: UInt64(seed)).run(few) ?? problem
        XCTFail(
            """
            seed \(seed): \(now)
                let problem = await ModelRun(\(kind), seed: \(seed)).run([
                    \(few.map { "\($0)," }.joined(separator: "\n        "))
                ])
                XCTAssertNil(problem)
            """)
    }

    private static func shrink(
        _ steps: [ModelStep], _ kind: ModelRun.Kind, seed: UInt64,
        spoiling spoil: @escaping ModelRun.Spoiler = { $0 }
    ) async -> [ModelStep] {
        await Shrinking.smallest(steps, simpler: \.simpler) { candidate in
            await ModelRun(kind, seed: seed, spoiling: spoil).run(candidate) != nil
        }
    }
}

/// A store with a defect that takes a certain history to show.
private struct SpoiltStore: EventStore {
    enum Defect: CaseIterable {
        case losesTheLastTagOfLateEvents
        case skipsAnEventBackward
        case checksOnlyTheFirstStream
        case forgetsTheLimitInBytes
        case endsFilteredPagesEarly
        case mixesUpComposedLetters
    }

    let base: any EventStore
    let defect: Defect

    init(_ base: any EventStore, _ defect: Defect) {
        self.base = base
        self.defect = defect
    }

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        var request = request
        if defect == .checksOnlyTheFirstStream {
            for index in request.writes.indices.dropFirst() {
                request.writes[index].expected = .any
            }
        }
        return try await base.append(request)
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        var request = request
        if defect == .mixesUpComposedLetters, request.stream == ModelEvents.streams[4] {
            request.stream = ModelEvents.streams[3]
        }
        let page = try await base.read(request)
        if defect == .losesTheLastTagOfLateEvents {
            return StreamPage(
                events: page.events.map { $0.version.rawValue > 2 ? $0.withFewerTags : $0 },
                version: page.version, firstVersion: page.firstVersion)
        }
        guard defect == .skipsAnEventBackward, case .backward(.some) = request.order else {
            return page
        }
        return StreamPage(
            events: page.events.filter { $0.version != StreamVersion(2) }, version: page.version,
            firstVersion: page.firstVersion)
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        var request = request
        if defect == .forgetsTheLimitInBytes { request.limit.bytes = .max }
        let page = try await base.read(request)
        guard defect == .endsFilteredPagesEarly, request.filter != .all,
            case .forward = request.order, let last = page.events.last
        else { return page }
        return LogPage(events: page.events, end: last.position, head: page.head)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.waitForEvents(after: position)
    }
}

extension RecordedEvent {
    fileprivate var withFewerTags: RecordedEvent {
        RecordedEvent(
            event: event, id: id, stream: stream, version: version, position: position,
            recordedAt: recordedAt, occurredAt: occurredAt, tags: tags.dropLast(),
            metadata: metadata)
    }
}

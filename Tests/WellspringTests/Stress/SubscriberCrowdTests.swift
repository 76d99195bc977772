import Wellspring
import XCTest

/// A thousand subscribers that have stopped asking cost next to nothing, and nobody misses anything.
///
/// `WELLSPRING_SUBSCRIBED_EVENTS` says how many events there are, `WELLSPRING_STALLED` how many
/// subscribers have stopped. The memory that a process holds says little once other tests have run in
/// it, so the figures that count are those of one test alone, as in `.ci/run subscribers`.
final class SubscriberCrowdTests: XCTestCase {
    private static let events = Size("SUBSCRIBED_EVENTS", debug: 4_000, release: 50_000)
    private static let stalled = Size("STALLED", debug: 200, release: 1_000)
    /// For each subscriber, the growth of the store itself included.
    private static let mostBytes = 64 << 10

    func test_stalled_subscribers_cost_little_and_nobody_skips_or_doubles_an_event() async throws {
        let began = ContinuousClock.now
        let crowd = SubscriberCrowd(
            events: Self.events.value, stalled: Self.stalled.value, live: 10)
        let outcome = try await run(crowd)
        XCTAssertEqual(outcome.problems, [])
        if let growth = outcome.growth, Size.isAsked("STALLED") {
            XCTAssertLessThanOrEqual(growth / crowd.stalled, Self.mostBytes)
        }
        let growth = outcome.growth.map { "\($0 >> 10) KiB more memory" } ?? "memory not measured"
        Totals.print(
            "subscribers", since: began,
            "\(crowd.stalled) stalled and \(crowd.live) live over \(crowd.events) events, \(growth)"
        )
    }

    func test_a_subscriber_that_keeps_what_it_has_not_handled_is_noticed() async throws {
        try XCTSkipUnless(Size.isAsked("STALLED"), "takes a process of its own")
        let crowd = SubscriberCrowd(events: 6_000, stalled: 200, live: 1, hoards: true)
        guard let growth = try await run(crowd).growth else { return }
        XCTAssertGreaterThan(growth / crowd.stalled, Self.mostBytes)
    }

    func test_an_event_that_is_skipped_or_doubled_is_noticed() async throws {
        for defect in [SpoiltPages.Defect.skips, .doubles] {
            let crowd = SubscriberCrowd(
                events: 1_000, stalled: 5, live: 2, spoil: { SpoiltPages(base: $0, defect: defect) }
            )
            let problems = try await run(crowd).problems
            XCTAssertTrue(problems.contains { $0.contains("live") }, "\(defect): \(problems)")
            XCTAssertTrue(problems.contains { $0.contains("stalled") }, "\(defect): \(problems)")
        }
    }

    private func run(_ crowd: SubscriberCrowd) async throws -> SubscriberCrowd.Outcome {
        let path = try temporaryDirectory(self) + "/store"
        var configuration = FileEventStore.Configuration()
        configuration.durability = .interval()
        let store = try await FileEventStore(at: path, configuration: configuration)
        let outcome = try await crowd.run(on: store)
        await store.close()
        return outcome
    }
}

/// A source that leaves out the fourth event of longer pages, or hands it over twice.
private struct SpoiltPages: EventSource {
    enum Defect {
        case skips
        case doubles
    }

    let base: any EventSource
    let defect: Defect

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await base.read(request)
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        let page = try await base.read(request)
        guard page.events.count > 4 else { return page }
        var events = page.events
        switch defect {
        case .skips: events.remove(at: 3)
        case .doubles: events.insert(events[3], at: 3)
        }
        return LogPage(events: events, end: page.end, head: page.head)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.waitForEvents(after: position)
    }
}

import Wellspring
import XCTest

/// The checker that needs no search and a search through every order come to the same verdict.
///
/// `WELLSPRING_SMALL_HISTORIES` says on how many histories.
final class HistorySearchTests: XCTestCase {
    private static let histories = Size("SMALL_HISTORIES", debug: 1_500, release: 60_000)

    func test_the_checker_and_an_exhaustive_search_agree() async {
        let began = ContinuousClock.now
        let first = Size.firstSeed
        let verdicts = await inParallel(first..<first + Self.histories.value) { seed in
            var dice = SmallDice(seed: UInt64(seed) ^ 0xFACE)
            var history = StoreHistory.random(seed: UInt64(seed))
            for _ in 0..<seed % 3 { history = history.spoilt(&dice) }
            let violations = history.violations
            let isExplained = HistorySearch.explains(history)
            let agrees = violations.isEmpty == isExplained
            return (isExplained, agrees ? nil : "seed \(seed): \(violations) of \(history)")
        }
        let differences = verdicts.compactMap(\.1)
        XCTAssertEqual(differences.first, nil, "one of \(differences.count)")
        let good = verdicts.count { $0.0 }
        XCTAssertGreaterThan(good, verdicts.count / 3)
        XCTAssertGreaterThan(verdicts.count - good, verdicts.count / 3)
        Totals.print(
            "small histories", since: began,
            "\(verdicts.count) histories, \(good) of them possible, judged twice")
    }

    func test_what_one_reader_has_seen_the_next_one_sees_before_its_append_is_answered() {
        let stream = sampleStream("1")
        var history = StoreHistory()
        history.log = [.init(position: 1, stream: stream, version: 1, append: 1, place: 0)]
        history.appends = [
            .init(
                span: .init(began: 1, ended: 9), number: 1,
                writes: [.init(stream: stream, expected: .any, count: 1)],
                outcome: .stored(positions: 1..<2, versions: [StreamVersion(1)]))
        ]
        history.logReads = [
            .init(span: .init(began: 2, ended: 3), after: 0, end: 1, head: 1, events: history.log)
        ]
        XCTAssertEqual(history.violations, [])
        history.streamReads = [
            .init(span: .init(began: 4, ended: 5), stream: stream, after: 0, version: 0, events: [])
        ]
        XCTAssertNotEqual(history.violations, [], "seen in the log, and gone from its stream")
    }
}

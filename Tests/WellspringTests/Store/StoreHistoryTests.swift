import Wellspring
import XCTest

/// The checker of histories must reject every history that no correct store can have.
final class StoreHistoryTests: XCTestCase {
    private typealias Span = StoreHistory.Span
    private typealias Fact = StoreHistory.Fact

    private let a = StreamID(category: "sample", key: "a")
    private let b = StreamID(category: "sample", key: "b")

    /// Three appends, the second of two events in two streams, one conflict, one failure, one that
    /// nobody knows, and two readers.
    private var good: StoreHistory {
        var history = StoreHistory()
        history.appends = [
            append(1, 1...4, [(a, .noStream, 1)], stored: 1..<2, [1]),
            append(
                2, 5...9, [(a, .exactly(StreamVersion(1)), 1), (b, .noStream, 1)],
                stored: 2..<4, [2, 1]),
            append(3, 6...10, [(b, .any, 1)], stored: 4..<5, [2]),
            .init(
                span: Span(began: 7, ended: 11), number: 4,
                writes: [.init(stream: a, expected: .noStream, count: 1)],
                outcome: .conflict(
                    StreamConflict(stream: a, expected: .noStream, actual: StreamVersion(2)))),
            .init(
                span: Span(began: 12, ended: 13), number: 5,
                writes: [.init(stream: a, expected: .any, count: 1)], outcome: .notStored),
            .init(
                span: Span(began: 14, ended: 19), number: 6,
                writes: [.init(stream: b, expected: .exists, count: 1)], outcome: .unknown),
        ]
        history.log = [
            Fact(position: 1, stream: a, version: 1, append: 1, place: 0),
            Fact(position: 2, stream: a, version: 2, append: 2, place: 0),
            Fact(position: 3, stream: b, version: 1, append: 2, place: 1),
            Fact(position: 4, stream: b, version: 2, append: 3, place: 0),
            Fact(position: 5, stream: b, version: 3, append: 6, place: 0),
        ]
        history.logReads = [
            read(2...3, after: 0, end: 0, head: 0, []),
            read(5...8, after: 0, end: 3, head: 3, Array(history.log[0..<3])),
            read(20...21, after: 3, end: 5, head: 5, Array(history.log[3...])),
        ]
        history.streamReads = [
            .init(
                span: Span(began: 5, ended: 8), stream: b, after: 0, version: 1,
                events: [history.log[2]]),
            .init(
                span: Span(began: 20, ended: 22), stream: a, after: 1, version: 2,
                events: [history.log[1]]),
        ]
        return history
    }

    func test_a_good_history_is_accepted() {
        XCTAssertEqual(good.violations, [])
        var without = good
        without.log.removeLast()
        without.logReads.removeLast()
        XCTAssertEqual(without.violations, [], "what nobody knows may be absent")
    }

    func test_wrong_histories_are_rejected() {
        let wrong: [(String, (inout StoreHistory) -> Void)] = [
            ("an acknowledged append is lost", { $0.log.remove(at: 3) }),
            ("the last append is lost", { $0.log.removeLast(2) }),
            ("half of an append is lost", { $0.log[2].append = 3 }),
            ("an append is there twice", { $0.log.append($0.log[3]) }),
            (
                "an event was never appended",
                {
                    $0.log[4].append = 77
                }
            ),
            ("a position is skipped", { $0.log[4].position = 6 }),
            ("a version is skipped", { $0.log[4].version = 4 }),
            ("a version is doubled", { $0.log[4].version = 2 }),
            ("an event is in another stream", { [a] in $0.log[4].stream = a }),
            ("a failed append is there", { $0.appends[5].outcome = .notStored }),
            (
                "a refused append is there",
                { [b] in
                    $0.appends[5].outcome = .conflict(
                        StreamConflict(stream: b, expected: .noStream, actual: StreamVersion(2)))
                }
            ),
            (
                "an append is torn apart",
                { history in
                    history.log.swapAt(2, 3)
                    for index in 2...3 {
                        history.log[index].position = UInt64(index + 1)
                        history.log[index].version = UInt64(index - 1)
                    }
                }
            ),
            (
                "a receipt names other positions",
                {
                    $0.appends[2].outcome = .stored(positions: 5..<6, versions: [StreamVersion(2)])
                }
            ),
            (
                "a receipt names another version",
                {
                    $0.appends[2].outcome = .stored(positions: 4..<5, versions: [StreamVersion(3)])
                }
            ),
            ("a later append comes first", { $0.appends[0].span = Span(began: 10, ended: 12) }),
            ("an expected version did not hold", { $0.appends[1].writes[0].expected = .noStream }),
            ("a stream was expected to exist", { $0.appends[0].writes[0].expected = .exists }),
            (
                "a conflict that cannot have been",
                { [a] in
                    $0.appends[3].outcome = .conflict(
                        StreamConflict(stream: a, expected: .noStream, actual: StreamVersion(3)))
                }
            ),
            ("a conflict from before", { $0.appends[3].span = Span(began: 2, ended: 3) }),
            (
                "a conflict with what was expected",
                { [a] in
                    $0.appends[3].outcome = .conflict(
                        StreamConflict(stream: a, expected: .exists, actual: StreamVersion(2)))
                }
            ),
            (
                "a reader misses what was acknowledged",
                {
                    $0.logReads[2].span = Span(began: 20, ended: 21)
                    $0.logReads[2].head = 3
                    $0.logReads[2].end = 3
                    $0.logReads[2].events = []
                }
            ),
            (
                "a reader sees what is not asked for yet",
                {
                    $0.logReads[1].span = Span(began: 2, ended: 4)
                }
            ),
            ("a page skips an event", { $0.logReads[1].events.remove(at: 1) }),
            ("a page doubles an event", { $0.logReads[1].events.append($0.log[2]) }),
            (
                "a page splits an append",
                {
                    $0.logReads[1].end = 2
                    $0.logReads[1].events.removeLast()
                }
            ),
            (
                "the head goes back",
                { [self] in
                    $0.logReads.append(read(9...12, after: 0, end: 0, head: 4, []))
                    $0.logReads.append(read(13...15, after: 0, end: 0, head: 3, []))
                    $0.appends[2].span.ended = 16
                }
            ),
            ("a stream is read too short", { $0.streamReads[1].version = 1 }),
            ("a stream is read before its time", { $0.streamReads[1].version = 3 }),
            (
                "a page of a stream skips an event",
                {
                    $0.streamReads[1].after = 0
                }
            ),
            ("a page of a stream is empty for no reason", { $0.streamReads[1].events = [] }),
        ]
        for (name, spoil) in wrong {
            var history = good
            spoil(&history)
            XCTAssertNotEqual(history.violations, [], name)
        }
    }

    private func append(
        _ number: Int, _ span: ClosedRange<UInt64>, _ writes: [(StreamID, ExpectedVersion, Int)],
        stored positions: Range<UInt64>, _ versions: [UInt64]
    ) -> StoreHistory.Append {
        .init(
            span: Span(began: span.lowerBound, ended: span.upperBound), number: number,
            writes: writes.map { .init(stream: $0, expected: $1, count: $2) },
            outcome: .stored(positions: positions, versions: versions.map { StreamVersion($0) }))
    }

    private func read(
        _ span: ClosedRange<UInt64>, after: UInt64, end: UInt64, head: UInt64, _ events: [Fact]
    ) -> StoreHistory.LogRead {
        .init(
            span: Span(began: span.lowerBound, ended: span.upperBound), after: after, end: end,
            head: head, events: events)
    }
}

import Wellspring
import XCTest

/// The checker of histories must reject what no correct store does with a stream that is truncated.
final class TruncatedHistoryTests: XCTestCase {
    private typealias Span = StoreHistory.Span
    private typealias Fact = StoreHistory.Fact

    private let stream = StreamID(category: "sample", key: "a")
    private let requests = StreamID(category: "$truncation", key: "sample/a")

    /// Two events, a request to begin at the second one, another event, the same request once more, and
    /// a reader before and after.
    private var good: StoreHistory {
        var history = StoreHistory()
        history.appends = [
            append(1, 1, stream, 2, .stored(positions: 1..<3, versions: [StreamVersion(2)])),
            append(2, 10, requests, 1, .truncated(first: 2, position: 3)),
            append(3, 20, stream, 1, .stored(positions: 4..<5, versions: [StreamVersion(3)])),
            append(4, 30, requests, 1, .truncated(first: 2, position: 3)),
        ]
        history.log = [
            Fact(position: 1, stream: stream, version: 1, append: 1, place: 0),
            Fact(position: 2, stream: stream, version: 2, append: 1, place: 1),
            Fact(position: 3, stream: requests, version: 1, append: 2, place: 0),
            Fact(position: 4, stream: stream, version: 3, append: 3, place: 0),
        ]
        history.truncations = [.init(position: 3, stream: stream, before: 2)]
        history.streamReads = [
            read(5, version: 2, Array(history.log[..<2]), first: 1),
            read(40, version: 3, [history.log[1], history.log[3]], first: 2),
        ]
        return history
    }

    func test_a_good_history_is_accepted() {
        XCTAssertEqual(good.violations, [])
    }

    func test_wrong_histories_are_rejected() {
        let wrong: [(String, (inout StoreHistory) -> Void)] = [
            (
                "a stream begins elsewhere than the caller was told",
                { $0.truncations[0].before = 1 }
            ),
            (
                "a stream begins beyond its end",
                { history in
                    history.truncations[0].before = 4
                    for number in [1, 3] {
                        history.appends[number].outcome = .truncated(first: 4, position: 3)
                    }
                    history.streamReads.removeLast()
                }
            ),
            (
                "a receipt names another position",
                { $0.appends[1].outcome = .truncated(first: 2, position: 4) }
            ),
            (
                "a request that was not needed names none before it",
                { $0.appends[3].outcome = .truncated(first: 2, position: 0) }
            ),
            (
                "what was cut off is read",
                { history in
                    let facts = history.log.filter { $0.stream == self.stream }
                    history.streamReads[1] = self.read(40, version: 3, facts, first: 1)
                }
            ),
            (
                "a stream begins later before anybody asked for it",
                { $0.streamReads[0] = self.read(5, version: 2, [$0.log[1]], first: 2) }
            ),
            (
                "a page begins before the stream does",
                { $0.streamReads[1].events.insert($0.log[0], at: 0) }
            ),
        ]
        for (name, spoil) in wrong {
            var history = good
            spoil(&history)
            XCTAssertNotEqual(history.violations, [], name)
        }
    }

    private func append(
        _ number: Int, _ time: UInt64, _ written: StreamID, _ count: Int,
        _ outcome: StoreHistory.Outcome
    ) -> StoreHistory.Append {
        // A request is about the stream, and written to one of its own.
        let about = StoreHistory.Write(stream: stream, expected: .any, count: 0)
        let write = StoreHistory.Write(stream: written, expected: .any, count: count)
        return .init(
            span: Span(began: time, ended: time + 1), number: number,
            writes: written == stream ? [write] : [about, write], outcome: outcome)
    }

    private func read(
        _ time: UInt64, version: UInt64, _ events: [Fact], first: UInt64
    ) -> StoreHistory.StreamRead {
        .init(
            span: Span(began: time, ended: time + 1), stream: stream, after: 0, version: version,
            events: events, first: first)
    }
}

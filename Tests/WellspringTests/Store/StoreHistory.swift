import Wellspring

/// What clients of a store saw, each on its own: which call began and ended when, with what result.
///
/// `began` and `ended` are readings of one counter that is drawn from at every begin and every end,
/// so two calls followed each other if and only if the numbers say so.
struct StoreHistory: Sendable {
    struct Span: Hashable, Sendable {
        var began: UInt64
        var ended: UInt64
    }

    /// One attempt to append.
    struct Append: Sendable {
        var span: Span
        /// Which append it is; its events carry the number and their place in it.
        var number: Int
        var writes: [Write]
        var outcome: Outcome
    }

    struct Write: Hashable, Sendable {
        var stream: StreamID
        var expected: ExpectedVersion
        var count: Int
    }

    enum Outcome: Hashable, Sendable {
        case stored(positions: Range<UInt64>, versions: [StreamVersion])
        case conflict(StreamConflict)
        /// The store said that nothing was stored.
        case notStored
        /// Only the final log can tell.
        case unknown
    }

    /// One page of the log that somebody read.
    struct LogRead: Sendable {
        var span: Span
        var after: UInt64
        var end: UInt64
        var head: UInt64
        var events: [Fact]
    }

    /// One page of a stream that somebody read.
    struct StreamRead: Sendable {
        var span: Span
        var stream: StreamID
        var after: UInt64
        var version: UInt64
        var events: [Fact]
    }

    /// One event, by where it is and which append it came from.
    struct Fact: Hashable, Sendable {
        var position: UInt64
        var stream: StreamID
        var version: UInt64
        var append: Int
        var place: Int
    }

    var appends: [Append] = []
    var logReads: [LogRead] = []
    var streamReads: [StreamRead] = []
    /// The whole log as it was in the end.
    var log: [Fact] = []
}

extension StoreHistory.Fact {
    /// Reads what `event(_:_:)` wrote.
    init(_ event: RecordedEvent) {
        self.init(
            position: event.position.rawValue, stream: event.stream,
            version: event.version.rawValue, append: Int(truncatingIfNeeded: event.id.high),
            place: Int(truncatingIfNeeded: event.id.low))
    }

    /// An event that says in its id which append it belongs to.
    static func event(append: Int, place: Int) -> NewEvent {
        NewEvent(
            EncodedEvent(name: "fact", payload: EventPayload(utf8: "\(append)/\(place)")),
            id: MessageID(high: UInt64(append), low: UInt64(place)))
    }
}

// MARK: - The checker

extension StoreHistory {
    /// Everything that a correct store cannot have done; empty for a good history.
    ///
    /// No search for an order is needed, because the store says in which order it did things.
    var violations: [String] {
        violationsOfLog + violationsOfOrder + violationsOfExpectations + violationsOfReads
    }

    /// The final log is without gaps, and made of whole appends that somebody asked for.
    private var violationsOfLog: [String] {
        var found: [String] = []
        var versions: [StreamID: UInt64] = [:]
        for (index, fact) in log.enumerated() {
            if fact.position != UInt64(index + 1) {
                found.append("position \(fact.position) in place \(index + 1)")
            }
            versions[fact.stream, default: 0] += 1
            if fact.version != versions[fact.stream] {
                found.append("version \(fact.version) of \(fact.stream) out of order")
            }
        }
        let held = Dictionary(grouping: log, by: \.append)
        var known: Set<Int> = []
        for append in appends {
            known.insert(append.number)
            found += violations(of: append, holding: held[append.number] ?? [])
        }
        for number in held.keys where !known.contains(number) {
            found.append("append \(number) was never asked for")
        }
        return found
    }

    private func violations(of append: Append, holding facts: [Fact]) -> [String] {
        let count = append.writes.reduce(0) { $0 + $1.count }
        switch append.outcome {
        case .conflict, .notStored:
            return facts.isEmpty ? [] : ["append \(append.number) failed and is there"]
        case .unknown where facts.isEmpty:
            return []
        case .stored, .unknown:
            break
        }
        let streams = append.writes.flatMap { Array(repeating: $0.stream, count: $0.count) }
        guard facts.map(\.stream) == streams, facts.map(\.place) == Array(0..<count) else {
            return ["append \(append.number) is not there, or not whole"]
        }
        let first = facts.first?.position ?? 0
        guard facts.map(\.position) == Array(first..<first + UInt64(count)) else {
            return ["append \(append.number) was torn apart"]
        }
        guard case .stored(let positions, let versions) = append.outcome, count > 0 else {
            return []
        }
        let last = append.writes.map { write in
            facts.last { $0.stream == write.stream }.map { StreamVersion($0.version) }
        }
        guard positions == first..<first + UInt64(count),
            zip(last, versions).allSatisfy({ $0 == nil || $0 == $1 }), last.count == versions.count
        else { return ["append \(append.number) got a wrong receipt"] }
        return []
    }

    /// What had ended before another began comes first.
    private var violationsOfOrder: [String] {
        var found: [String] = []
        var earliestEnd = UInt64.max
        for append in stored.reversed() {
            if earliestEnd < append.span.began {
                found.append("append \(append.number) comes before one that had ended earlier")
            }
            earliestEnd = min(earliestEnd, append.span.ended)
        }
        return found
    }

    /// Appends with events that are acknowledged, in the order of the log.
    private var stored: [Append] {
        appends.filter { append in
            guard case .stored(let positions, _) = append.outcome else { return false }
            return !positions.isEmpty
        }.sorted { $0.firstPosition < $1.firstPosition }
    }

    /// Every expectation held at the place that the append got, or failed at some moment of it.
    private var violationsOfExpectations: [String] {
        let facts = Dictionary(grouping: log, by: \.stream)
        let timelines = streamTimelines
        var firsts: [Int: UInt64] = [:]
        for fact in log where firsts[fact.append] == nil { firsts[fact.append] = fact.position }
        var found: [String] = []
        for append in appends {
            if case .conflict(let conflict) = append.outcome {
                let possible = (timelines[conflict.stream] ?? Timeline())
                    .range(during: append.span)
                if !possible.contains(conflict.actual.rawValue)
                    || conflict.expected.allows(conflict.actual)
                {
                    found.append(
                        "append \(append.number) was told of version \(conflict.actual), "
                            + "where \(possible) were possible")
                }
            } else if let first = firsts[append.number] {
                for write in append.writes {
                    let before = Self.version(of: facts[write.stream] ?? [], before: first)
                    guard !write.expected.allows(StreamVersion(before)) else { continue }
                    found.append("append \(append.number) met version \(before)")
                }
            }
        }
        return found
    }

    /// The version of a stream just before a position.
    private static func version(of facts: [Fact], before position: UInt64) -> UInt64 {
        var low = 0
        var high = facts.count
        while low < high {
            let middle = (low + high) / 2
            if facts[middle].position < position { low = middle + 1 } else { high = middle }
        }
        return UInt64(low)
    }

    private var spans: [Int: Span] {
        Dictionary(appends.map { ($0.number, $0.span) }, uniquingKeysWith: { first, _ in first })
    }

    private var streamTimelines: [StreamID: Timeline] {
        let spans = spans
        return Dictionary(grouping: log, by: \.stream).mapValues { facts in
            Timeline(facts.map { ($0.version, $0.append) }, spans)
        }
    }

    // MARK: - Reads

    private var violationsOfReads: [String] {
        let streams = Dictionary(grouping: log, by: \.stream)
        let streamTimelines = streamTimelines
        let timeline = Timeline(log.map { ($0.position, $0.append) }, spans)
        var found: [String] = []
        for read in logReads {
            let end = min(read.end, UInt64(log.count))
            let expected = read.after < end ? Array(log[Int(read.after)..<Int(end)]) : []
            if read.events != expected { found.append("a page after \(read.after) differs") }
            let possible = timeline.range(during: read.span)
            if !possible.contains(read.head) || read.end > max(read.head, read.after) {
                found.append("the head was read at \(read.head), possible \(possible)")
            }
            let splits =
                !expected.isEmpty && end < log.count
                && log[Int(end)].append == log[Int(end) - 1].append
            if splits { found.append("the page to \(read.end) splits an append") }
        }
        for read in streamReads {
            let facts = streams[read.stream] ?? []
            let possible = (streamTimelines[read.stream] ?? Timeline()).range(during: read.span)
            if !possible.contains(read.version) {
                found.append("\(read.stream) read at \(read.version), possible \(possible)")
            }
            let rest = facts.prefix(Int(read.version)).dropFirst(Int(read.after))
            if Array(rest.prefix(read.events.count)) != read.events {
                found.append("a page of \(read.stream) differs")
            }
            if read.events.isEmpty, !rest.isEmpty { found.append("an empty page") }
        }
        return found + violationsOfProgress
    }

    /// The head of the log never goes back from one read to a later one.
    private var violationsOfProgress: [String] {
        var ends = logReads.sorted { $0.span.ended < $1.span.ended }[...]
        var seen: UInt64 = 0
        var found: [String] = []
        for read in logReads.sorted(by: { $0.span.began < $1.span.began }) {
            while let first = ends.first, first.span.ended < read.span.began {
                seen = max(seen, first.head)
                ends.removeFirst()
            }
            if read.head < seen { found.append("the head went back from \(seen)") }
        }
        return found
    }
}

/// How far the log, or a stream, had got when.
private struct Timeline {
    private var ends: [(time: UInt64, place: UInt64)] = []
    private var begins: [(time: UInt64, place: UInt64)] = []

    init() {}

    init(_ facts: [(place: UInt64, append: Int)], _ spans: [Int: StoreHistory.Span]) {
        for fact in facts {
            guard let span = spans[fact.append] else { continue }
            ends.append((span.ended, fact.place))
            begins.append((span.began, fact.place))
        }
        ends = Self.highest(ends)
        begins = Self.highest(begins)
    }

    /// At least what was acknowledged before `span`, at most what was asked for before its end.
    func range(during span: StoreHistory.Span) -> ClosedRange<UInt64> {
        let least = Self.last(of: ends, before: span.began)
        return least...max(least, Self.last(of: begins, before: span.ended))
    }

    /// By time, with the highest place until then.
    private static func highest(
        _ moments: [(time: UInt64, place: UInt64)]
    ) -> [(time: UInt64, place: UInt64)] {
        var most: UInt64 = 0
        return moments.sorted { $0.time < $1.time }.map { moment in
            most = max(most, moment.place)
            return (moment.time, most)
        }
    }

    private static func last(
        of moments: [(time: UInt64, place: UInt64)], before time: UInt64
    ) -> UInt64 {
        var low = 0
        var high = moments.count
        while low < high {
            let middle = (low + high) / 2
            if moments[middle].time < time { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : moments[low - 1].place
    }
}

extension StoreHistory.Append {
    fileprivate var firstPosition: UInt64 {
        guard case .stored(let positions, _) = outcome else { return 0 }
        return positions.lowerBound
    }
}

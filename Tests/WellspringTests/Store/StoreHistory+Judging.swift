import Wellspring

// No search for an order is needed, because the store says in which order it did things: the log.
// Everything that a caller saw is a beginning of the log, so each call tells how far the log had got
// when it took effect, exactly or between two places. A history is linearizable if and only if these
// places can be chosen so that no call which began after another had ended is placed before it; and
// choosing the earliest possible place for each leaves the most room for the others.

extension StoreHistory {
    /// Everything that a correct store cannot have done; empty for a good history.
    var violations: [String] {
        let places = LogPlaces(log, truncations)
        return violationsOfLog + violationsOfTruncations(places)
            + violationsOfExpectations(places) + violationsOfPages(places)
            + violationsOfTime(places)
    }

    // MARK: - The log

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
        switch append.outcome {
        case .conflict, .notStored:
            return facts.isEmpty ? [] : ["append \(append.number) failed and is there"]
        case .unknown where facts.isEmpty:
            return []
        case .truncated(let first, let position):
            // Without an event of its own, an earlier request had gone as far.
            let isOwn = facts.isEmpty || facts.map(\.position) == [position]
            let isThere = truncations.contains {
                $0.position == position && $0.before == first
                    && $0.stream == append.writes.first?.stream
            }
            let isNothing = facts.isEmpty && position == 0 && first == 1
            if isOwn, isThere || isNothing { return [] }
            return ["append \(append.number) got a wrong receipt"]
        case .stored, .unknown:
            break
        }
        let count = append.count
        let streams = append.writes.flatMap { Array(repeating: $0.stream, count: $0.count) }
        guard facts.map(\.stream) == streams, facts.map(\.place) == Array(0..<count) else {
            return ["append \(append.number) is not there, or not whole"]
        }
        let first = facts.first?.position ?? 0
        guard facts.map(\.position) == Array(first..<first + UInt64(count)) else {
            return ["append \(append.number) was torn apart"]
        }
        guard case .stored(let positions, let versions) = append.outcome else { return [] }
        let last = append.writes.map { write in
            facts.last { $0.stream == write.stream }.map { StreamVersion($0.version) }
        }
        let isRight =
            (count == 0 ? positions.isEmpty : positions == first..<first + UInt64(count))
            && last.count == versions.count
            && zip(last, versions).allSatisfy { $0 == nil || $0 == $1 }
        return isRight ? [] : ["append \(append.number) got a wrong receipt"]
    }

    /// A stream begins later each time, and not beyond its end.
    private func violationsOfTruncations(_ places: LogPlaces) -> [String] {
        truncations.compactMap { truncation in
            let (stream, position) = (truncation.stream, truncation.position)
            let first = places.first(of: stream, at: position - 1)
            let end = places.version(of: stream, before: position) + 1
            let isRight = truncation.before > first && truncation.before <= end
            return isRight ? nil : "\(stream) was truncated to \(truncation.before) of \(end)"
        }
    }

    /// Every expectation held at the place that the append got, or failed as it was said to.
    private func violationsOfExpectations(_ places: LogPlaces) -> [String] {
        var found: [String] = []
        for append in appends {
            switch append.outcome {
            case .conflict(let conflict):
                let isAsked = append.writes.contains {
                    $0.stream == conflict.stream && $0.expected == conflict.expected
                }
                if !isAsked || conflict.expected.holds(at: conflict.actual) {
                    found.append("append \(append.number) met no conflict: \(conflict)")
                }
            case .stored(_, let versions) where append.count == 0:
                for (write, version) in zip(append.writes, versions)
                where !write.expected.holds(at: version) {
                    found.append("append \(append.number) met version \(version)")
                }
            default:
                guard let first = places.firsts[append.number] else { continue }
                for write in append.writes {
                    let before = places.version(of: write.stream, before: first)
                    guard !write.expected.holds(at: StreamVersion(before)) else { continue }
                    found.append("append \(append.number) met version \(before)")
                }
            }
        }
        return found
    }

    // MARK: - Pages

    /// Every page holds what the log holds there.
    private func violationsOfPages(_ places: LogPlaces) -> [String] {
        var found: [String] = []
        for read in logReads {
            let end = min(read.end, UInt64(log.count))
            let expected = read.after < end ? Array(log[Int(read.after)..<Int(end)]) : []
            if read.events != expected { found.append("a page after \(read.after) differs") }
            if read.end < read.after || read.end > max(read.head, read.after) {
                found.append("a page after \(read.after) ends at \(read.end) of \(read.head)")
            }
            if read.end < read.head, !places.isBoundary(read.end), !expected.isEmpty {
                found.append("the page to \(read.end) splits an append")
            }
            if read.end == read.after, read.head > read.after { found.append("an empty page") }
        }
        for read in streamReads {
            let facts = places.streams[read.stream] ?? []
            let start = max(read.after, read.first - 1)
            let rest = facts.prefix(Int(read.version)).dropFirst(Int(start))
            if Array(rest.prefix(read.events.count)) != read.events {
                found.append("a page of \(read.stream) differs")
            }
            if read.events.isEmpty, !rest.isEmpty { found.append("an empty page of a stream") }
        }
        return found
    }

    // MARK: - Time

    /// No call sees less than one that had ended before it began.
    private func violationsOfTime(_ places: LogPlaces) -> [String] {
        var found: [String] = []
        var moments: [(time: UInt64, call: Int, isEnd: Bool)] = []
        let calls = calls(places)
        for (index, call) in calls.enumerated() {
            moments.append((call.span.began, index, false))
            moments.append((call.span.ended, index, true))
        }
        moments.sort { ($0.time, $0.isEnd ? 1 : 0) < ($1.time, $1.isEnd ? 1 : 0) }

        /// How far the log had got, at least.
        var floor: UInt64 = 0
        var after: [UInt64] = Array(repeating: 0, count: calls.count)
        for moment in moments {
            let call = calls[moment.call]
            if moment.isEnd {
                floor = max(floor, after[moment.call])
                continue
            }
            guard let range = call.range, max(floor, range.lowerBound) <= range.upperBound else {
                found.append("\(call.name) cannot be, when the log had come to \(floor) before it")
                continue
            }
            after[moment.call] = call.adds ?? max(floor, range.lowerBound)
        }
        return found
    }

    /// A call, with where the log may have been when it took effect.
    private struct Call {
        let name: String
        let span: Span
        /// Before the call had its effect; `nil` when no place of the log fits.
        let range: ClosedRange<UInt64>?
        /// Where the log was after it, for an append.
        var adds: UInt64?
    }

    private func calls(_ places: LogPlaces) -> [Call] {
        var calls: [Call] = []
        for append in appends {
            let name = "append \(append.number)"
            switch append.outcome {
            case .conflict(let conflict):
                let range = places.range(of: conflict.stream, at: conflict.actual.rawValue)
                calls.append(Call(name: name, span: append.span, range: range))
            case .stored(_, let versions) where append.count == 0:
                var range: ClosedRange<UInt64>? = 0...UInt64(log.count)
                for (write, version) in zip(append.writes, versions) {
                    range = range?.common(
                        with: places.range(of: write.stream, at: version.rawValue))
                }
                calls.append(Call(name: name, span: append.span, range: range))
            case .stored, .truncated, .unknown:
                guard let first = places.firsts[append.number] else { continue }
                var span = append.span
                // What nobody knew may have come to be at any later time.
                if append.outcome == .unknown { span.ended = .max }
                calls.append(
                    Call(
                        name: name, span: span, range: first - 1...first - 1,
                        adds: first - 1 + UInt64(append.count)))
            case .notStored: break
            }
        }
        for read in logReads {
            let isPlace = read.head <= UInt64(log.count) && places.isBoundary(read.head)
            calls.append(
                Call(
                    name: "a head of \(read.head)", span: read.span,
                    range: isPlace ? read.head...read.head : nil))
        }
        for read in streamReads {
            calls.append(
                Call(
                    name: "\(read.stream) at \(read.version)", span: read.span,
                    range: places.range(of: read.stream, at: read.version)?
                        .common(with: places.range(of: read.stream, beginningAt: read.first))))
        }
        return calls
    }
}

/// What is where in a log.
private struct LogPlaces {
    let log: [StoreHistory.Fact]
    let streams: [StreamID: [StoreHistory.Fact]]
    /// The first position of each append.
    private(set) var firsts: [Int: UInt64] = [:]
    private let truncations: [StreamID: [StoreHistory.Truncation]]

    init(_ log: [StoreHistory.Fact], _ truncations: [StoreHistory.Truncation]) {
        self.log = log
        self.truncations = Dictionary(grouping: truncations, by: \.stream)
        streams = Dictionary(grouping: log, by: \.stream)
        for fact in log where firsts[fact.append] == nil { firsts[fact.append] = fact.position }
    }

    /// Whether no append lies on both sides of the gap after `position`.
    func isBoundary(_ position: UInt64) -> Bool {
        guard position > 0, position < UInt64(log.count) else { return true }
        return log[Int(position) - 1].append != log[Int(position)].append
    }

    /// The version of a stream just before a position.
    func version(of stream: StreamID, before position: UInt64) -> UInt64 {
        let facts = streams[stream] ?? []
        var low = 0
        var high = facts.count
        while low < high {
            let middle = (low + high) / 2
            if facts[middle].position < position { low = middle + 1 } else { high = middle }
        }
        return UInt64(low)
    }

    /// The first version that can be read of a stream when the log has come to `position`.
    func first(of stream: StreamID, at position: UInt64) -> UInt64 {
        truncations[stream]?.last { $0.position <= position }?.before ?? 1
    }

    /// Where the log can be cut so that the stream begins at version `first`; `nil` for nowhere.
    func range(of stream: StreamID, beginningAt first: UInt64) -> ClosedRange<UInt64>? {
        let changes = truncations[stream] ?? []
        let next = changes.first { $0.before > first }?.position ?? UInt64(log.count) + 1
        let start = first == 1 ? 0 : changes.first { $0.before == first }?.position
        return start.flatMap { $0 < next ? $0...next - 1 : nil }
    }

    /// Where the log can be cut so that the stream is at `version`; `nil` for nowhere.
    func range(of stream: StreamID, at version: UInt64) -> ClosedRange<UInt64>? {
        let facts = streams[stream] ?? []
        guard version <= UInt64(facts.count) else { return nil }
        var low = version == 0 ? 0 : facts[Int(version) - 1].position
        guard low <= UInt64(log.count) else { return nil }
        while !isBoundary(low) { low += 1 }
        var high = UInt64(log.count)
        if version < UInt64(facts.count) {
            let next = facts[Int(version)].append
            high = (firsts[next] ?? 1) - 1
        }
        return low <= high ? low...high : nil
    }
}

extension StoreHistory.Append {
    var count: Int { writes.reduce(0) { $0 + $1.count } }
}

extension ClosedRange where Bound == UInt64 {
    fileprivate func common(with other: ClosedRange?) -> ClosedRange? {
        guard let other, lowerBound <= other.upperBound, other.lowerBound <= upperBound else {
            return nil
        }
        return clamped(to: other)
    }
}

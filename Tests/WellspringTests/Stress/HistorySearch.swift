import Wellspring

/// Decides by trying every order whether a history is one that a correct store can have, for
/// histories of a dozen calls at most.
///
/// It knows what each call does to a list of events and nothing of positions as evidence, so it
/// checks the checker that does without a search.
struct HistorySearch {
    private let history: StoreHistory
    private let calls: [Call]
    private var dead: Set<State> = []

    private enum Call {
        case append(StoreHistory.Append)
        case log(StoreHistory.LogRead)
        case stream(StoreHistory.StreamRead)

        var span: StoreHistory.Span {
            switch self {
            case .append(let append): append.span
            case .log(let read): read.span
            case .stream(let read): read.span
            }
        }
    }

    /// Which calls have taken effect, and what the log is then.
    private struct State: Hashable {
        var done: Set<Int> = []
        var log: [StoreHistory.Fact] = []
    }

    init(_ history: StoreHistory) {
        self.history = history
        calls =
            history.appends.map(Call.append) + history.logReads.map(Call.log)
            + history.streamReads.map(Call.stream)
    }

    /// Whether some order of the calls explains all that was seen.
    static func explains(_ history: StoreHistory) -> Bool {
        var search = HistorySearch(history)
        return search.goOn(from: State())
    }

    private mutating func goOn(from state: State) -> Bool {
        guard history.log.starts(with: state.log) else { return false }
        if state.done.count == calls.count { return state.log == history.log }
        guard !dead.contains(state) else { return false }
        for index in calls.indices where !state.done.contains(index) && mayComeNext(index, state) {
            for log in effects(of: calls[index], on: state.log) {
                var next = State(done: state.done, log: log)
                next.done.insert(index)
                if goOn(from: next) { return true }
            }
        }
        dead.insert(state)
        return false
    }

    /// Whether every call that had ended before this one began is done.
    private func mayComeNext(_ index: Int, _ state: State) -> Bool {
        calls.indices.allSatisfy { other in
            if state.done.contains(other) || other == index { return true }
            if case .append(let append) = calls[other], append.outcome == .unknown { return true }
            return calls[other].span.ended >= calls[index].span.began
        }
    }

    /// What the log can be after a call, when what was seen fits; nothing when it does not.
    private func effects(
        of call: Call, on log: [StoreHistory.Fact]
    ) -> [[StoreHistory.Fact]] {
        switch call {
        case .append(let append): effects(of: append, on: log)
        case .log(let read): fits(read, log) ? [log] : []
        case .stream(let read): fits(read, log) ? [log] : []
        }
    }

    private func effects(
        of append: StoreHistory.Append, on log: [StoreHistory.Fact]
    ) -> [[StoreHistory.Fact]] {
        func version(_ stream: StreamID) -> StreamVersion {
            StreamVersion(UInt64(log.count { $0.stream == stream }))
        }
        let conflicts = append.writes.filter { !$0.expected.holds(at: version($0.stream)) }
        var after = log
        var versions: [StreamVersion] = []
        var place = 0
        for write in append.writes {
            var last = version(write.stream).rawValue
            for _ in 0..<write.count {
                last += 1
                after.append(
                    .init(
                        position: UInt64(after.count + 1), stream: write.stream, version: last,
                        append: append.number, place: place))
                place += 1
            }
            versions.append(StreamVersion(last))
        }
        switch append.outcome {
        case .stored(let positions, let told):
            let right = UInt64(log.count + 1)..<UInt64(after.count + 1)
            let fits = right.isEmpty ? positions.isEmpty : positions == right
            return conflicts.isEmpty && fits && told == versions ? [after] : []
        case .conflict(let conflict):
            let isOne = conflicts.contains {
                $0.stream == conflict.stream && $0.expected == conflict.expected
            }
            return isOne && version(conflict.stream) == conflict.actual ? [log] : []
        case .truncated(_, let position):
            guard conflicts.isEmpty else { return [] }
            return position > UInt64(log.count) ? [after] : [log]
        case .notStored: return [log]
        case .unknown: return conflicts.isEmpty && place > 0 ? [log, after] : [log]
        }
    }

    private func fits(_ read: StoreHistory.LogRead, _ log: [StoreHistory.Fact]) -> Bool {
        guard read.head == UInt64(log.count), read.end >= read.after else { return false }
        guard read.after < read.head else { return read.end == read.after && read.events.isEmpty }
        guard read.end > read.after, read.end <= read.head else { return false }
        let splits =
            read.end < read.head
            && log[Int(read.end)].append == log[Int(read.end) - 1].append
        return !splits && read.events == Array(log[Int(read.after)..<Int(read.end)])
    }

    private func fits(_ read: StoreHistory.StreamRead, _ log: [StoreHistory.Fact]) -> Bool {
        let facts = log.filter { $0.stream == read.stream }
        guard read.version == UInt64(facts.count) else { return false }
        let rest = facts.dropFirst(Int(read.after))
        return rest.starts(with: read.events) && (rest.isEmpty || !read.events.isEmpty)
    }
}

// MARK: - Small histories by chance

extension StoreHistory {
    /// A small history that some correct store could have, with calls that overlap.
    static func random(seed: UInt64) -> StoreHistory {
        var dice = SmallDice(seed: seed)
        var maker = HistoryMaker()
        for number in 1...3 + dice.below(7) { maker.call(number, &dice) }
        return maker.history(&dice)
    }

    /// Changes one thing, mostly for the worse.
    func spoilt(_ dice: inout SmallDice) -> StoreHistory {
        var history = self
        history.spoil(&dice)
        return history
    }

    private mutating func spoil(_ dice: inout SmallDice) {
        switch dice.below(10) {
        case 0 where !appends.isEmpty:
            appends[dice.below(appends.count)].span.move(&dice)
        case 1 where !logReads.isEmpty:
            logReads[dice.below(logReads.count)].span.move(&dice)
        case 2 where !streamReads.isEmpty:
            streamReads[dice.below(streamReads.count)].span.move(&dice)
        case 3 where !logReads.isEmpty:
            let index = dice.below(logReads.count)
            logReads[index].head = UInt64(dice.below(log.count + 1))
        case 4 where !streamReads.isEmpty:
            let index = dice.below(streamReads.count)
            streamReads[index].version = UInt64(dice.below(4))
        case 5 where !log.isEmpty: log.remove(at: dice.below(log.count))
        case 6 where log.count > 1: log.swapAt(dice.below(log.count), dice.below(log.count))
        case 7 where !appends.isEmpty:
            let index = dice.below(appends.count)
            appends[index].outcome = [.notStored, .unknown][dice.below(2)]
        case 8 where !appends.isEmpty:
            let index = dice.below(appends.count)
            let write = dice.below(appends[index].writes.count)
            appends[index].writes[write].expected = HistoryMaker.expectation(
                StreamVersion(UInt64(dice.below(3))), &dice)
        case 9 where !logReads.isEmpty:
            let index = dice.below(logReads.count)
            logReads[index].end = UInt64(dice.below(log.count + 2))
            if !logReads[index].events.isEmpty, dice.below(2) == 0 {
                logReads[index].events.removeLast()
            }
        default: break
        }
    }
}

extension StoreHistory.Span {
    fileprivate mutating func move(_ dice: inout SmallDice) {
        let start = UInt64(dice.below(4_000))
        self = .init(began: start, ended: start + 1 + UInt64(dice.below(800)))
    }
}

/// Does calls one after the other on a list, and lets them overlap afterwards.
private struct HistoryMaker {
    private var made = StoreHistory()
    private var order: [(Kind, Int)] = []

    private enum Kind {
        case append, log, stream
    }

    static func expectation(_ version: StreamVersion, _ dice: inout SmallDice) -> ExpectedVersion {
        [.any, .noStream, .exists, .exactly(version), .exactly(version)][dice.below(5)]
    }

    mutating func call(_ number: Int, _ dice: inout SmallDice) {
        switch dice.below(5) {
        case 0: readLog(&dice)
        case 1: readStream(&dice)
        default: append(number, &dice)
        }
    }

    private func version(_ stream: StreamID) -> UInt64 {
        UInt64(made.log.count { $0.stream == stream })
    }

    private mutating func append(_ number: Int, _ dice: inout SmallDice) {
        let first = dice.below(2)
        let streams = dice.below(3) == 0 ? [first, 1 - first] : [first]
        let writes = streams.map { key in
            let stream = sampleStream("\(key)")
            return StoreHistory.Write(
                stream: stream,
                expected: Self.expectation(StreamVersion(version(stream)), &dice),
                count: dice.below(5) == 0 ? 0 : 1 + dice.below(2))
        }
        let conflict = writes.first { !$0.expected.holds(at: StreamVersion(version($0.stream))) }
        var outcome = StoreHistory.Outcome.notStored
        if let conflict {
            outcome = .conflict(
                StreamConflict(
                    stream: conflict.stream, expected: conflict.expected,
                    actual: StreamVersion(version(conflict.stream))))
        } else if dice.below(8) > 0 {
            outcome = store(writes, number)
            if dice.below(6) == 0 { outcome = .unknown }
        } else if dice.below(2) == 0 {
            outcome = .unknown
        }
        order.append((.append, made.appends.count))
        made.appends.append(
            .init(span: .init(began: 0, ended: 0), number: number, writes: writes, outcome: outcome)
        )
    }

    private mutating func store(
        _ writes: [StoreHistory.Write], _ number: Int
    ) -> StoreHistory.Outcome {
        let first = UInt64(made.log.count + 1)
        var place = 0
        for write in writes {
            for _ in 0..<write.count {
                made.log.append(
                    .init(
                        position: UInt64(made.log.count + 1), stream: write.stream,
                        version: version(write.stream) + 1, append: number, place: place))
                place += 1
            }
        }
        return .stored(
            positions: first..<UInt64(made.log.count + 1),
            versions: writes.map { StreamVersion(version($0.stream)) })
    }

    private mutating func readLog(_ dice: inout SmallDice) {
        let head = UInt64(made.log.count)
        let after = UInt64(dice.below(made.log.count + 2))
        var end = max(after, head)
        if after < head {
            end = after + 1 + UInt64(dice.below(Int(head - after)))
            while end < head, made.log[Int(end)].append == made.log[Int(end) - 1].append {
                end += 1
            }
        }
        let events = after < end && after < head ? Array(made.log[Int(after)..<Int(end)]) : []
        order.append((.log, made.logReads.count))
        made.logReads.append(
            .init(
                span: .init(began: 0, ended: 0), after: after, end: end, head: head,
                events: events))
    }

    private mutating func readStream(_ dice: inout SmallDice) {
        let stream = sampleStream("\(dice.below(2))")
        let facts = made.log.filter { $0.stream == stream }
        let after = UInt64(dice.below(3))
        order.append((.stream, made.streamReads.count))
        made.streamReads.append(
            .init(
                span: .init(began: 0, ended: 0), stream: stream, after: after,
                version: UInt64(facts.count), events: Array(facts.dropFirst(Int(after)))))
    }

    /// Gives each call a stretch of time around the moment at which it took effect.
    func history(_ dice: inout SmallDice) -> StoreHistory {
        var history = made
        for (index, (kind, number)) in order.enumerated() {
            let moment = UInt64(400 * (index + 1))
            // Odd and even, so that no two readings of the clock are one.
            let span = StoreHistory.Span(
                began: moment - UInt64(dice.below(900) % Int(moment)) / 2 * 2,
                ended: moment + 1 + UInt64(dice.below(900)) / 2 * 2)
            switch kind {
            case .append: history.appends[number].span = span
            case .log: history.logReads[number].span = span
            case .stream: history.streamReads[number].span = span
            }
        }
        return history
    }
}

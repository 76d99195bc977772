/// Which events of the log a page may hold, decided under the lock; the events themselves are read
/// outside it.
struct LogPlan {
    /// An event that passed the part of the filter which the index can answer.
    struct Candidate {
        let position: UInt64
        /// The last position of the append it belongs to, in the direction of the read.
        let appendEnd: UInt64
    }

    var candidates: [Candidate] = []
    /// The last position looked at.
    var end: UInt64
    let head: UInt64
}

extension CoreState {
    /// The most positions that one page looks at, so that a rare event does not hold the lock.
    private static var scanLimit: Int { 16_384 }

    /// The positions of a page of one stream.
    func positions(for read: StreamRead) -> (positions: [UInt64], version: UInt64) {
        guard let number = number(of: read.stream) else { return ([], 0) }
        let all = streams[number].positions
        let version = UInt64(all.count)
        switch read.order {
        case .forward(let after):
            let rest = all.dropFirst(Int(min(after.rawValue, version)))
            return (Array(rest.prefix(read.limit.events)), version)
        case .backward(let before):
            let most = before.map { $0.rawValue == 0 ? 0 : min($0.rawValue - 1, version) }
            let rest = all.prefix(Int(most ?? version))
            return (rest.suffix(read.limit.events).reversed(), version)
        }
    }

    /// The visible positions after a version, and every queued event behind them.
    func queuedPositions(
        for stream: StreamID, after: StreamVersion, limit: Int
    ) -> (positions: [UInt64], queued: ArraySlice<RecordedEvent>, version: UInt64) {
        guard let number = number(of: stream) else { return ([], [], 0) }
        let head = streams[number]
        let rest = head.positions.dropFirst(Int(min(after.rawValue, head.visibleVersion)))
        let positions = Array(rest.prefix(limit))
        guard positions.count == rest.count else { return (positions, [], head.queuedVersion) }
        let skipped =
            after.rawValue > head.visibleVersion ? after.rawValue - head.visibleVersion : 0
        let queued = head.queued
        return (
            positions, queued.dropFirst(Int(min(skipped, UInt64(queued.count)))),
            head.queuedVersion
        )
    }

    /// Plans a page of the log.
    ///
    /// Whole appends only, at least one where there is one.
    func plan(for read: LogRead) -> LogPlan {
        let matches = indexFilter(for: read.filter)
        switch read.order {
        case .forward(let after):
            return planForward(after: after.rawValue, limit: read.limit.events, matches)
        case .backward(let before):
            let start = before.map { min($0.rawValue, visible + 1) } ?? visible + 1
            return planBackward(
                before: start, from: before?.rawValue ?? visible, limit: read.limit.events, matches)
        }
    }

    private func planForward(
        after: UInt64, limit: Int, _ matches: (UInt64) -> Bool
    ) -> LogPlan {
        var plan = LogPlan(end: after, head: visible)
        var start = after
        while start < visible, plan.candidates.count < limit,
            start - after < UInt64(Self.scanLimit)
        {
            var last = start + 1
            while events.isJoinedToNext(last) { last += 1 }
            for position in start + 1...last where matches(position) {
                plan.candidates.append(.init(position: position, appendEnd: last))
            }
            start = last
            plan.end = last
        }
        return plan
    }

    private func planBackward(
        before: UInt64, from: UInt64, limit: Int, _ matches: (UInt64) -> Bool
    ) -> LogPlan {
        var plan = LogPlan(end: from, head: visible)
        var start = before
        while start > 1, plan.candidates.count < limit, before - start < UInt64(Self.scanLimit) {
            var first = start - 1
            while events.isJoinedToNext(first - 1) { first -= 1 }
            for position in (first..<start).reversed() where matches(position) {
                plan.candidates.append(.init(position: position, appendEnd: first))
            }
            start = first
            plan.end = first
        }
        return plan
    }

    /// The part of a filter that the index can answer: names and categories.
    ///
    /// Tags are compared when the event has been read.
    private func indexFilter(for filter: EventFilter) -> (UInt64) -> Bool {
        let names = filter.names.map { Set($0.compactMap(events.number(of:))) }
        let categories = filter.categories.map { Set($0.compactMap(number(of:))) }
        if names == nil, categories == nil { return { _ in true } }
        return { [events, streams] position in
            let index = Int(position - 1)
            if let names, !names.contains(events.names[index]) { return false }
            guard let categories else { return true }
            return categories.contains(streams[Int(events.streams[index])].category)
        }
    }
}

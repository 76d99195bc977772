import Wellspring
import WellspringLog

/// Many tasks at work on one store, whose every call is written down.
final class StoreStressWorkload: Sendable {
    let store: any EventStore
    private let written = Guarded(StoreHistory())
    private let clock = Guarded<UInt64>(0)
    private let numbers = Guarded<Int>(0)
    private let isOver = Guarded(false)

    init(_ store: any EventStore) {
        self.store = store
    }

    /// The next reading of the clock that orders begins and ends.
    private func tick() -> UInt64 {
        clock.withLock { time in
            time += 1
            return time
        }
    }

    func stopReaders() { isOver.withLock { $0 = true } }

    // MARK: - Writers

    /// Appends `count` times, to a few hot streams and many cold ones, with every kind of
    /// expectation, and tries again after a conflict.
    func write(_ count: Int, seed: UInt64) async {
        var dice = SmallDice(seed: seed)
        var known: [StreamID: StreamVersion] = [:]
        for _ in 0..<count {
            let streams = Self.chosenStreams(&dice)
            var requests: [(StreamID, ExpectedVersion, Int)] = []
            for stream in streams {
                requests.append(
                    (stream, expectation(known[stream], &dice), 1 + dice.below(3)))
            }
            for _ in 0..<20 {
                let outcome = await append(requests)
                guard case .conflict(let conflict) = outcome else { break }
                known[conflict.stream] = conflict.actual
                requests = requests.map { stream, expected, count in
                    guard stream == conflict.stream else { return (stream, expected, count) }
                    return (stream, .exactly(conflict.actual), count)
                }
            }
        }
    }

    private static func chosenStreams(_ dice: inout SmallDice) -> [StreamID] {
        let first = dice.below(3) == 0 ? dice.below(40) : dice.below(3)
        guard dice.below(4) == 0 else { return [sampleStream("\(first)")] }
        return [sampleStream("\(first)"), sampleStream("\(first + 1 + dice.below(5))")]
    }

    private func expectation(
        _ known: StreamVersion?, _ dice: inout SmallDice
    ) -> ExpectedVersion {
        switch dice.below(8) {
        case 0: .any
        case 1: .exists
        case 2: .noStream
        default: .exactly(known ?? .start)
        }
    }

    /// A call that has begun.
    struct Begun {
        let number: Int
        let began: UInt64
    }

    func begin() -> Begun {
        let number = numbers.withLock { number in
            number += 1
            return number
        }
        return Begun(number: number, began: tick())
    }

    func end(_ call: Begun, writes: [StoreHistory.Write], outcome: StoreHistory.Outcome) {
        let span = StoreHistory.Span(began: call.began, ended: tick())
        written.withLock {
            $0.appends.append(
                .init(span: span, number: call.number, writes: writes, outcome: outcome))
        }
    }

    /// Appends once, and writes down what came of it.
    @discardableResult
    func append(_ writes: [(StreamID, ExpectedVersion, Int)]) async -> StoreHistory.Outcome {
        let number = numbers.withLock { number in
            number += 1
            return number
        }
        var place = 0
        var request = AppendRequest([])
        for (stream, expected, count) in writes {
            let events = (place..<place + count).map {
                StoreHistory.Fact.event(append: number, place: $0)
            }
            place += count
            request.writes.append(StreamWrite(events, to: stream, expecting: expected))
        }
        let began = tick()
        let outcome = await outcome(of: request)
        let span = StoreHistory.Span(began: began, ended: tick())
        written.withLock { history in
            history.appends.append(
                .init(
                    span: span, number: number,
                    writes: writes.map { .init(stream: $0.0, expected: $0.1, count: $0.2) },
                    outcome: outcome))
        }
        return outcome
    }

    private func outcome(of request: AppendRequest) async -> StoreHistory.Outcome {
        do {
            let receipt = try await store.append(request)
            return .stored(positions: receipt.positions, versions: receipt.versions)
        } catch {
            switch error {
            case .conflict(let conflict): return .conflict(conflict)
            case .outcomeUnknown: return .unknown
            default: return .notStored
            }
        }
    }

    // MARK: - Readers

    /// Follows the log by pages until the writers are done, or `most` pages are read.
    func readLog(limit: ReadLimit, most: Int = .max) async throws {
        var after = LogPosition.start
        var count = 0
        while count < most {
            count += 1
            let isLast = isOver.withLock { $0 }
            let began = tick()
            let page = try await store.read(LogRead(.forward(after: after), limit: limit))
            let span = StoreHistory.Span(began: began, ended: tick())
            note(page, after: after, span)
            guard page.end > after else {
                if isLast { return }
                await Task.yield()
                continue
            }
            after = page.end
        }
    }

    private func note(_ page: LogPage, after: LogPosition, _ span: StoreHistory.Span) {
        written.withLock { history in
            history.logReads.append(
                .init(
                    span: span, after: after.rawValue, end: page.end.rawValue,
                    head: page.head.rawValue, events: page.events.map(StoreHistory.Fact.init)))
        }
    }

    /// Reads single streams from any version until the writers are done, or `most` pages are read.
    func readStreams(seed: UInt64, most: Int = .max) async throws {
        var dice = SmallDice(seed: seed)
        var count = 0
        while !isOver.withLock({ $0 }), count < most {
            count += 1
            let stream = sampleStream("\(dice.below(8))")
            let after = UInt64(dice.below(30))
            let began = tick()
            let page = try await store.read(
                StreamRead(
                    stream, .forward(after: StreamVersion(after)),
                    limit: ReadLimit(events: 1 + dice.below(9))))
            let span = StoreHistory.Span(began: began, ended: tick())
            written.withLock { history in
                history.streamReads.append(
                    .init(
                        span: span, stream: stream, after: after, version: page.version.rawValue,
                        events: page.events.map(StoreHistory.Fact.init),
                        first: page.firstVersion.rawValue))
            }
            await Task.yield()
        }
    }

    /// Follows the log until `count` events have come, and returns their positions.
    func subscribe(until count: Guarded<Int?>, limit: ReadLimit) async throws -> [UInt64] {
        var seen: [UInt64] = []
        for try await page in store.subscribe(limit: limit) {
            seen += page.events.map(\.position.rawValue)
            if let count = count.withLock({ $0 }), seen.count >= count { break }
        }
        return seen
    }

    // MARK: - The end

    /// The history with the log as it is in `store`.
    func history(endingWith store: any EventStore) async throws -> StoreHistory {
        try history(endingWith: try await store.wholeLog())
    }

    /// The history with `log` as its end.
    func history(endingWith log: [RecordedEvent]) throws -> StoreHistory {
        let truncations = try StoreHistory.Truncation.all(in: log)
        return written.withLock { history in
            history.log = log.map(StoreHistory.Fact.init)
            history.truncations = truncations
            return history
        }
    }
}

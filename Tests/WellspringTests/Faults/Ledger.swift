import Wellspring
import WellspringLog
import WellspringTestKit

/// What was appended to a store, to be compared with everything that it can be asked.
struct Ledger: Sendable {
    private(set) var events: [(stream: StreamID, tags: Set<Tag>, payload: EventPayload)] = []
    private(set) var streams: [StreamID: [Int]] = [:]

    /// Appends `count` times one to three events to streams and with tags drawn by lot.
    mutating func append(
        _ count: Int, to store: some EventStore, seed: UInt64, streams: Int = 23,
        padding: Int = 600
    ) async throws {
        var dice = SmallDice(seed: seed)
        for _ in 0..<count {
            let stream = sampleStream("\(dice.below(streams))")
            var new: [NewEvent] = []
            for _ in 0...dice.below(3) {
                let tags: [Tag] = dice.below(3) == 0 ? [Tag("t\(dice.below(9))"), "all"] : []
                let payload = CrashEvent.bytes(dice.below(padding), seed: dice.next())
                let event = EncodedEvent(name: "sample.happened", payload: payload)
                new.append(NewEvent(event, tags: tags))
            }
            let version = StreamVersion(UInt64(self.streams[stream]?.count ?? 0))
            try await store.append(
                AppendRequest(new, to: stream, expecting: .exactly(version)))
            for event in new {
                self.streams[stream, default: []].append(events.count)
                events.append((stream, Set(event.tags), event.event.payload))
            }
        }
    }

    /// Asks for everything, each way, and returns what is wrong with the answers.
    ///
    /// - Throws: What the store says instead of answering.
    func complaints(about store: some EventStore) async throws -> [String] {
        var found: [String] = []
        for isForward in [true, false] {
            let log = try await read(store, .all, forward: isForward)
            if !matches(isForward ? log : log.reversed(), Array(events.indices)) {
                found.append("the log read \(isForward ? "forward" : "backward") is wrong")
            }
        }
        for tag in ["all", "t1", "t8", "none"] as [Tag] {
            let expected = events.indices.filter { events[$0].tags.contains(tag) }
            for isForward in [true, false] {
                let tagged = try await read(store, .tagged(tag), forward: isForward)
                if !matches(isForward ? tagged : tagged.reversed(), expected) {
                    found.append("events tagged \(tag) are wrong, forward \(isForward)")
                }
            }
        }
        for (stream, numbers) in streams.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            found += try await complaints(about: stream, numbers, store)
        }
        let missing = try await store.read(StreamRead(sampleStream("missing")))
        if missing.version != .start { found.append("a stream that was never written is there") }
        return found
    }

    private func complaints(
        about stream: StreamID, _ numbers: [Int], _ store: some EventStore
    ) async throws -> [String] {
        var read: [RecordedEvent] = []
        let limit = ReadLimit(events: 11)
        for try await event in store.events(in: stream, limit: limit) {
            read.append(event)
            guard read.count <= numbers.count else { break }
        }
        let last = try await store.read(StreamRead(stream, .backward(before: nil), limit: limit))
        guard matches(read, numbers), last.version.rawValue == UInt64(numbers.count),
            read.map(\.version.rawValue) == numbers.indices.map({ UInt64($0 + 1) }),
            matches(last.events.reversed(), numbers.suffix(11))
        else { return ["the stream \(stream) is wrong"] }
        return []
    }

    private func matches(_ found: [RecordedEvent], _ numbers: some Collection<Int>) -> Bool {
        guard found.count == numbers.count else { return false }
        return zip(found, numbers).allSatisfy { event, number in
            let (stream, tags, payload) = events[number]
            return event.position.rawValue == UInt64(number + 1) && event.stream == stream
                && Set(event.tags) == tags && event.event.payload == payload
        }
    }

    private func read(
        _ store: some EventStore, _ filter: EventFilter, forward: Bool
    ) async throws -> [RecordedEvent] {
        var found: [RecordedEvent] = []
        var order: ReadOrder<LogPosition> =
            forward ? .forward(after: .start) : .backward(before: nil)
        while true {
            let page = try await store.read(
                LogRead(order, filter: filter, limit: ReadLimit(events: 25)))
            found += page.events
            guard found.count <= events.count else { return found }
            if forward ? page.end >= page.head : page.end.rawValue <= 1 { return found }
            if page.events.isEmpty, filter == .all { return found }
            order = forward ? .forward(after: page.end) : .backward(before: page.end)
        }
    }
}

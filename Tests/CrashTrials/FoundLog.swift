import Wellspring

/// What lies in the log after a crash, read from its beginning.
///
/// Finds by itself what is wrong whatever was acknowledged: gaps, parts of an append, other bytes,
/// versions that do not follow, and what nobody appended.
struct FoundLog {
    /// The appends, in the order of the log.
    private(set) var order: [Deed] = []
    /// The first positions of the appends, in the same order.
    private(set) var places: [UInt64] = []
    /// How many appends of each client there are.
    private(set) var counts = [Int](repeating: 0, count: Deed.clientCount)
    /// The end of the log.
    private(set) var position: UInt64 = 0
    private(set) var versions: [StreamID: UInt64] = [:]
    /// How many events there are that pass.
    private var passed = 0
    private var expected: ArraySlice<(stream: StreamID, event: EncodedEvent)> = []

    /// Reads the whole log, and every stream by itself.
    init(readingFrom store: FileEventStore) async throws {
        var place = LogPosition.start
        while true {
            let page = try await store.read(LogRead(.forward(after: place)))
            for event in page.events { try add(event) }
            guard page.end > place else { break }
            place = page.end
        }
        guard expected.isEmpty else {
            throw Wrong("the log ends inside \(order.last.map { "\($0)" } ?? "")")
        }
        for (stream, version) in versions where stream.category != "passing" {
            try await readAlone(stream, version, from: store)
        }
    }

    private mutating func add(_ event: RecordedEvent) throws {
        if expected.isEmpty, try isBeside(event) {
            try follow(event)
            return
        }
        if expected.isEmpty { try begin(event) }
        let deed = order[order.count - 1]
        guard let part = expected.popFirst(), part.stream == event.stream,
            part.event == event.event
        else {
            throw Wrong("at position \(event.position) is not what belongs to \(deed)")
        }
        try follow(event)
    }

    /// Whether an event belongs to no append of a client: it passes, or is the store's own.
    private mutating func isBeside(_ event: RecordedEvent) throws -> Bool {
        if event.stream.category.rawValue.hasPrefix("$") { return true }
        guard event.stream.category == "passing" else { return false }
        guard PassingEvent(number: passed).matches(event) else {
            throw Wrong("at position \(event.position) is not passing event \(passed)")
        }
        passed += 1
        return true
    }

    private mutating func follow(_ event: RecordedEvent) throws {
        guard event.position.rawValue == position + 1 else {
            throw Wrong("position \(event.position) follows \(position)")
        }
        let version = versions[event.stream, default: 0]
        guard event.version.rawValue == version + 1 else {
            throw Wrong("\(event.stream) has version \(event.version) after \(version)")
        }
        position += 1
        versions[event.stream] = version + 1
    }

    private mutating func begin(_ event: RecordedEvent) throws {
        guard let deed = Deed(event.event) else {
            throw Wrong("nobody appended what is at position \(event.position)")
        }
        guard deed.number == counts[deed.client] else {
            throw Wrong("\(deed) follows append \(counts[deed.client] - 1) of that client")
        }
        counts[deed.client] += 1
        order.append(deed)
        places.append(event.position.rawValue)
        expected = deed.parts[...]
    }

    /// Reads a stream by way of the index, which has to say what the log says.
    private func readAlone(
        _ stream: StreamID, _ version: UInt64, from store: FileEventStore
    ) async throws {
        var count: UInt64 = 0
        for try await event in store.events(in: stream) {
            count += 1
            guard event.version.rawValue == count, event.stream == stream else {
                throw Wrong("read alone, \(stream) has version \(event.version) after \(count - 1)")
            }
        }
        guard count == version else {
            throw Wrong("read alone, \(stream) has \(count) events; in the log it has \(version)")
        }
    }
}

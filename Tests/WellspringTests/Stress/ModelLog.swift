import Wellspring

/// What a store has to do, in the simplest form: a list of events, looked through from its
/// beginning for every question.
///
/// It shares no code with the stores. What the library leaves to a store (where exactly a filtered
/// page ends) is taken from the store's answer, and the rest is held against it.
struct ModelLog {
    /// An event, with what only the store can say of it filled in when it is seen first.
    struct Entry {
        let stream: Int
        let version: UInt64
        var new: NewEvent
        /// Whether its content was taken away.
        var isRedacted = false
        let append: Int
        /// Where another stream begins from here on.
        var truncates: UInt64?
        var id: MessageID?
        var recordedAt: Timestamp?
    }

    private(set) var entries: [Entry] = []
    private var appends = 0

    var head: UInt64 { UInt64(entries.count) }

    func version(of stream: Int) -> UInt64 {
        entries.reduce(0) { $0 + ($1.stream == stream ? 1 : 0) }
    }

    /// The first version that is read of a stream.
    func first(of stream: Int) -> UInt64 {
        let requests = ModelEvents.requests(about: stream)
        return entries.last { $0.stream == requests }?.truncates ?? 1
    }

    mutating func truncate(_ stream: Int, before version: UInt64) {
        append([(ModelEvents.requests(about: stream), [ModelEvents.request(stream, version)])])
        entries[entries.count - 1].truncates = version
    }

    /// Takes the content of everything away that reads of streams do not show any more.
    mutating func scavenge() {
        for stream in ModelEvents.streams.indices {
            let first = first(of: stream)
            for index in entries.indices
            where entries[index].stream == stream && entries[index].version < first {
                entries[index].isRedacted = true
                entries[index].new.event.payload = []
                entries[index].new.metadata.headers = [:]
            }
        }
    }

    mutating func append(_ writes: [(stream: Int, events: [NewEvent])]) {
        appends += 1
        for write in writes {
            var version = version(of: write.stream)
            for event in write.events {
                version += 1
                entries.append(
                    Entry(
                        stream: write.stream, version: version, new: event, append: appends,
                        id: event.id, recordedAt: event.recordedAt))
            }
        }
    }

    /// Forgets everything after `head`, unless that would leave half an append.
    mutating func cut(to head: UInt64) -> Bool {
        guard head <= self.head, isBoundary(head) else { return false }
        entries.removeLast(entries.count - Int(head))
        return true
    }

    /// Whether no append lies on both sides of the gap after `position`.
    private func isBoundary(_ position: UInt64) -> Bool {
        guard position > 0, position < head else { return true }
        return entries[Int(position) - 1].append != entries[Int(position)].append
    }

    // MARK: - Pages

    /// What is wrong with a page of a stream; `nil` for nothing.
    mutating func complaint(about page: StreamPage, of stream: Int, _ request: StreamRead)
        -> String?
    {
        let all = entries.indices.filter { entries[$0].stream == stream }
        guard page.version.rawValue == UInt64(all.count) else {
            return "the stream is said to be at \(page.version), it is at \(all.count)"
        }
        let first = first(of: stream)
        guard page.firstVersion.rawValue == first else {
            return "the stream is said to begin at \(page.firstVersion), it begins at \(first)"
        }
        let left = all.filter { entries[$0].version >= first }
        let wanted: [Int]
        switch request.order {
        case .forward(let after): wanted = left.filter { entries[$0].version > after.rawValue }
        case .backward(let before):
            wanted = left.reversed().filter { entries[$0].version < before?.rawValue ?? .max }
        }
        guard page.events.count <= wanted.count, page.events.count <= request.limit.events else {
            return "\(page.events.count) events, where at most \(wanted.count) are to be had"
        }
        let bytes = page.events.map(\.event.payload.count)
        guard bytes.dropLast().reduce(0, +) < request.limit.bytes else {
            return "the page goes on after it is full"
        }
        let isFull =
            page.events.count == request.limit.events
            || bytes.reduce(0, +) >= request.limit.bytes
        guard isFull || page.events.count == wanted.count else {
            return "\(page.events.count) events, and the page is not full: \(wanted.count) wanted"
        }
        return complaint(about: page.events, being: wanted.prefix(page.events.count))
    }

    /// What is wrong with a page of the log; `nil` for nothing.
    mutating func complaint(about page: LogPage, _ request: LogRead) -> String? {
        guard page.head.rawValue == head else {
            return "the log is said to end at \(page.head), it ends at \(head)"
        }
        let seen: [Int]
        let isAtEnd: Bool
        switch request.order {
        case .forward(let after):
            let start = after.rawValue
            guard start < head else {
                return page.end == after && page.events.isEmpty
                    ? nil : "a page from the end or beyond leads to \(page.end)"
            }
            guard page.end.rawValue > start, page.end.rawValue <= head,
                isBoundary(page.end.rawValue)
            else { return "the page after \(start) ends at \(page.end)" }
            seen = Array(Int(start)..<Int(page.end.rawValue))
            isAtEnd = page.end.rawValue == head
        case .backward(let before):
            let start = min(before?.rawValue ?? .max, head + 1)
            guard start > 1 else {
                let end = before ?? .start
                return page.end == end && page.events.isEmpty
                    ? nil : "a page from before everything leads to \(page.end)"
            }
            guard page.end.rawValue >= 1, page.end.rawValue < start,
                isBoundary(page.end.rawValue - 1)
            else { return "the page before \(start) ends at \(page.end)" }
            seen = (Int(page.end.rawValue) - 1..<Int(start) - 1).reversed()
            isAtEnd = page.end.rawValue == 1
        }
        let wanted = seen.filter { passes(entries[$0], request.filter) }
        if let complaint = complaint(about: page.events, being: wanted[...]) { return complaint }
        return complaint(
            aboutSizeOf: wanted, seen: seen, isAtEnd: isAtEnd, request)
    }

    /// A page ends with the append that fills it, not before and not after.
    private func complaint(
        aboutSizeOf wanted: [Int], seen: [Int], isAtEnd: Bool, _ request: LogRead
    ) -> String? {
        let last = wanted.last.map { entries[$0].append }
        let rest = wanted.filter { entries[$0].append != last }
        func bytes(_ indices: [Int]) -> Int {
            indices.reduce(0) { $0 + entries[$1].new.event.payload.count }
        }
        guard rest.count < request.limit.events, bytes(rest) < request.limit.bytes else {
            return "the page of \(wanted.count) events goes on after it is full"
        }
        // A store may leave the append that would overfill the page in bytes to the next one.
        let next = nextAppend(after: seen.last, request.order)
        let isFull =
            wanted.count >= request.limit.events
            || bytes(wanted) + bytes(next) >= request.limit.bytes
        // How far a filtered page looks is up to the store.
        guard isFull || isAtEnd || request.filter != .all else {
            return "the page of \(wanted.count) events ends before it is full"
        }
        return nil
    }

    private func nextAppend(after last: Int?, _ order: ReadOrder<LogPosition>) -> [Int] {
        guard let last else { return [] }
        var next = last + 1
        if case .backward = order { next = last - 1 }
        guard entries.indices.contains(next) else { return [] }
        return entries.indices.filter { entries[$0].append == entries[next].append }
    }

    private func passes(_ entry: Entry, _ filter: EventFilter) -> Bool {
        let category = ModelEvents.name(of: entry.stream).category
        if let names = filter.names, !names.contains(entry.new.event.name) { return false }
        if let categories = filter.categories, !categories.contains(category) { return false }
        return filter.tags.isSubset(of: entry.new.tags)
    }

    // MARK: - Events

    private mutating func complaint(
        about events: [RecordedEvent], being wanted: ArraySlice<Int>
    ) -> String? {
        guard events.count == wanted.count else {
            return "\(events.count) events where \(wanted.count) belong"
        }
        for (event, index) in zip(events, wanted) {
            if let what = difference(event, at: index) {
                return "the event at \(index + 1) has another \(what)"
            }
        }
        return nil
    }

    private mutating func difference(_ event: RecordedEvent, at index: Int) -> String? {
        let entry = entries[index]
        entries[index].id = entry.id ?? event.id
        entries[index].recordedAt = entry.recordedAt ?? event.recordedAt
        let checks: [(String, Bool)] = [
            ("position", event.position == LogPosition(UInt64(index + 1))),
            ("stream", event.stream == ModelEvents.name(of: entry.stream)),
            ("version", event.version == StreamVersion(entry.version)),
            ("name", event.event.name == entry.new.event.name),
            ("payload", event.event.payload == entry.new.event.payload),
            ("codec", event.event.codec == entry.new.event.codec),
            ("schema version", event.event.schemaVersion == entry.new.event.schemaVersion),
            ("id", event.id == entries[index].id),
            ("recorded time", event.recordedAt == entries[index].recordedAt),
            ("occurred time", event.occurredAt == entry.new.occurredAt ?? event.recordedAt),
            ("list of tags", event.tags == entry.new.tags),
            ("metadata", event.metadata == entry.new.metadata),
            ("mark", event.isRedacted == entry.isRedacted),
        ]
        return checks.first { !$0.1 }?.0
    }

    /// What is wrong with the ids and times that the store gave, once all have been seen.
    var complaintAboutGifts: String? {
        let ids = entries.compactMap(\.id)
        guard ids.count == entries.count, Set(ids).count == ids.count else {
            return "two events have one id"
        }
        let times = entries.filter { $0.new.recordedAt == nil }.compactMap(\.recordedAt)
        return zip(times, times.dropFirst()).allSatisfy { $0 <= $1 } ? nil : "time went back"
    }
}

/// The streams and events that random tests are about.
enum ModelEvents {
    /// Names that differ in what a careless comparison overlooks.
    static let streams: [StreamID] = [
        StreamID(category: "a", key: "1"), StreamID(category: "a", key: "1/2"),
        StreamID(category: "ab", key: "1"), StreamID(category: "b", key: "caf\u{E9}"),
        StreamID(category: "b", key: "cafe\u{301}"),
        StreamID(category: "b", key: String(repeating: "long ", count: 40)),
    ]

    /// The number of the stream with the requests about a stream.
    static func requests(about stream: Int) -> Int { stream + streams.count }

    static func name(of stream: Int) -> StreamID {
        if stream < streams.count { return streams[stream] }
        return StreamID(category: "$truncation", key: "\(streams[stream - streams.count])")
    }

    /// What a store writes down about a truncation.
    static func request(_ stream: Int, _ before: UInt64) -> NewEvent {
        let payload = "{\"before\":\(before),\"stream\":\"\(streams[stream])\"}"
        return NewEvent(
            EncodedEvent(name: "$stream.truncated", payload: EventPayload(utf8: payload)),
            tags: ["$scavenge"])
    }

    /// How many forms there are.
    static let forms = 3 * 4 * 4 * 2 * 2 * 4 * 2 * 2

    private static let paddings = [0, 30, 300, 9_000].map { String(repeating: "x", count: $0) }

    /// The event of form `form`, the `number`th of all.
    static func event(_ form: Int, number: Int) -> NewEvent {
        var form = form
        func choice(_ count: Int) -> Int {
            defer { form /= count }
            return form % count
        }
        let name = ["red", "green", "blue"][choice(3)]
        let padding = paddings[choice(4)]
        let tags: [Tag] = [[], ["warm"], ["cold", "light"], ["light", "warm"]][choice(4)]
        let hasID = choice(2) == 1
        let hasOccurred = choice(2) == 1
        let hasRecorded = choice(4) == 3
        let hasMetadata = choice(2) == 1
        let isOther = choice(2) == 1
        let text = padding.isEmpty ? "" : "\(number) " + padding
        let time = 1_600_000_000_000_000_000 + Int64(number)
        return NewEvent(
            EncodedEvent(
                name: EventName(name), payload: EventPayload(utf8: text),
                codec: isOther ? PayloadCodec(rawValue: 200) : .json,
                schemaVersion: isOther ? 3 : 1),
            id: hasID ? MessageID(high: 0xABCD, low: UInt64(number)) : nil,
            occurredAt: hasOccurred ? Timestamp(nanoseconds: -time) : nil,
            recordedAt: hasRecorded ? Timestamp(nanoseconds: time) : nil, tags: tags,
            metadata: hasMetadata
                ? EventMetadata(
                    correlation: MessageID(high: 1, low: UInt64(number)),
                    causation: MessageID(high: 2, low: UInt64(number)),
                    headers: ["user": "\(number)", "": "nobody"])
                : EventMetadata())
    }
}

@testable import Wellspring

/// What a life knows about its store: what was acknowledged, in the order of the log.
struct LifeLedger {
    /// An event, with what only the store can say of it filled in when it is seen first.
    struct Entry {
        let stream: StreamID
        let version: UInt64
        let new: NewEvent
        /// Which append it is a part of.
        let append: Int
        /// The stream that begins with a later version from here on.
        var truncates: (stream: StreamID, before: UInt64)?
        /// The position of the event whose content is to go.
        var redacts: UInt64?
        /// Whether somebody asked that the content goes, and whether it must have gone.
        var mayBeRedacted = false
        var isRedacted = false
        var seen: RecordedEvent?
    }

    private(set) var entries: [Entry] = []
    /// Appends with an unknown outcome, which follow the entries if they are there.
    private(set) var doubtful: [Entry] = []
    /// So many events outlive everything.
    var durable = 0
    private var appends = 0

    static let streams = [
        StreamID(category: "a", key: "1"), StreamID(category: "a", key: "1/2"),
        StreamID(category: "ab", key: "1"), StreamID(category: "b", key: "caf\u{E9}"),
    ]

    var head: Int { entries.count }

    func version(of stream: StreamID, behind more: [Entry] = []) -> UInt64 {
        (entries + more).reduce(0) { $0 + ($1.stream == stream ? 1 : 0) }
    }

    /// The first version that reads of a stream show.
    func first(of stream: StreamID) -> UInt64 {
        entries.last { $0.truncates?.stream == stream }?.truncates?.before ?? 1
    }

    // MARK: - Writing

    /// The events of a request as they are in the log, if the store accepts it behind `more`.
    mutating func entries(of request: AppendRequest, behind more: [Entry] = []) -> [Entry] {
        appends += 1
        return request.writes.flatMap { write in
            let version = version(of: write.stream, behind: more)
            return write.events.enumerated().map { offset, event in
                Entry(
                    stream: write.stream, version: version + UInt64(offset) + 1, new: event,
                    append: appends)
            }
        }
    }

    /// The error with which a request behind `more` is refused; `nil` when it must be accepted.
    func refusal(of request: AppendRequest, behind more: [Entry] = []) -> EventStoreError? {
        for write in request.writes {
            let actual = StreamVersion(version(of: write.stream, behind: more))
            guard write.expected.allows(actual) else {
                return .conflict(
                    StreamConflict(stream: write.stream, expected: write.expected, actual: actual))
            }
        }
        return nil
    }

    mutating func store(_ new: [Entry]) {
        mark(new)
        entries += new
    }

    mutating func doubt(_ new: [Entry]) {
        mark(new)
        doubtful += new
    }

    /// The request to have a stream begin at a version, as the store writes it down.
    mutating func truncation(of stream: StreamID, before version: UInt64) -> [Entry] {
        let payload = "{\"before\":\(version),\"stream\":\"\(stream)\"}"
        var new = request(
            "$stream.truncated", payload, in: StreamID(category: "$truncation", key: "\(stream)"))
        new[0].truncates = (stream, version)
        return new
    }

    /// The request to take the content of an event away.
    mutating func redaction(of position: UInt64) -> [Entry] {
        var new = request(
            "$redaction.requested", "{\"positions\":[\(position)]}",
            in: StreamID(category: "$redaction", key: "log"))
        new[0].redacts = position
        return new
    }

    private mutating func request(
        _ name: EventName, _ payload: String, in stream: StreamID
    ) -> [Entry] {
        let event = NewEvent(
            EncodedEvent(name: name, payload: EventPayload(utf8: payload)), tags: ["$scavenge"])
        return entries(of: AppendRequest([event], to: stream, expecting: .any))
    }

    // MARK: - Redacting

    /// Notes whose content may be gone from now on.
    private mutating func mark(_ new: [Entry]) {
        for request in new {
            for index in entries.indices where isAsked(request, about: index) {
                entries[index].mayBeRedacted = true
            }
        }
    }

    private func isAsked(_ request: Entry, about index: Int) -> Bool {
        let entry = entries[index]
        if entry.stream.isReserved { return false }
        if let (stream, before) = request.truncates {
            return entry.stream == stream && entry.version < before
        }
        return request.redacts == UInt64(index + 1)
    }

    /// A scavenge has done all that it is asked for.
    mutating func scavenged() {
        for request in entries where request.truncates != nil || request.redacts != nil {
            for index in entries.indices where isAsked(request, about: index) {
                entries[index].isRedacted = true
            }
        }
    }

    // MARK: - Opening

    /// What was found when a store was opened again is what there is from now on.
    ///
    /// - Parameter mayHaveLost: Whether that may be gone which the mode does not promise to keep.
    /// - Returns: What came of appends with an unknown outcome, and of those that may be lost.
    mutating func adopt(
        _ log: [RecordedEvent], mayHaveLost: Bool
    ) throws -> Set<LifeFuzzing.Deed> {
        let all = entries + doubtful
        let least = max(durable, mayHaveLost ? 0 : entries.count)
        guard (least...all.count).contains(log.count) else {
            throw LifeFuzzing.Problem(
                "\(log.count) events were found, \(least) to \(all.count) belong there")
        }
        if log.count > 0, log.count < all.count,
            all[log.count - 1].append == all[log.count].append
        {
            throw LifeFuzzing.Problem("the append at \(log.count) is torn")
        }
        var deeds: Set<LifeFuzzing.Deed> = log.count < entries.count ? [.lost] : []
        if !doubtful.isEmpty {
            deeds.insert(log.count > entries.count ? .foundStored : .foundMissing)
        }
        entries = Array(all.prefix(log.count))
        doubtful = []
        durable = log.count
        try check(log, being: Array(entries.indices))
        return deeds
    }

    // MARK: - Reading

    /// Compares events with the entries that they must be.
    mutating func check(_ events: [RecordedEvent], being wanted: [Int]) throws {
        guard events.count == wanted.count else {
            throw LifeFuzzing.Problem("\(events.count) events where \(wanted.count) belong")
        }
        for (event, index) in zip(events, wanted) {
            if let what = difference(event, at: index) {
                throw LifeFuzzing.Problem("the event at \(index + 1) has another \(what)")
            }
        }
    }

    private mutating func difference(_ event: RecordedEvent, at index: Int) -> String? {
        let entry = entries[index]
        var payload = entry.new.event.payload
        var metadata = entry.new.metadata
        if event.isRedacted {
            payload = []
            metadata.headers = [:]
        }
        let seen = entry.seen ?? event
        let checks: [(String, Bool)] = [
            ("position", event.position.rawValue == UInt64(index + 1)),
            ("stream", event.stream == entry.stream),
            ("version", event.version.rawValue == entry.version),
            ("mark", event.isRedacted ? entry.mayBeRedacted : !entry.isRedacted),
            ("name", event.event.name == entry.new.event.name),
            ("payload", event.event.payload == payload),
            ("metadata", event.metadata == metadata),
            ("list of tags", event.tags == entry.new.tags),
            ("id", event.id == entry.new.id ?? seen.id && event.id == seen.id),
            ("time", event.recordedAt == seen.recordedAt),
            ("time in the world", event.occurredAt == seen.occurredAt),
        ]
        entries[index].seen = seen
        if event.isRedacted { entries[index].isRedacted = true }
        return checks.first { !$0.1 }?.0
    }
}

import WellspringLog

/// Which events are to lose their content: what was asked for, and not done yet.
///
/// Requests that were honoured before are not looked at again, and neither are the events that they
/// were about. What is found now will count as honoured too, and then be forgotten: so the log says
/// what is asked for, and the index only where most of it is to be done.
struct ScavengePlan {
    /// What was asked for about each stream.
    private var truncations: [StreamID: Truncation] = [:]
    private var redacted: Set<UInt64> = []
    /// The segments that hold an event which still has its content and is to lose it.
    private(set) var segments: Set<UInt32> = []

    private struct Truncation {
        /// What the last request says, and where in the log it is.
        var before: UInt64
        var position: UInt64
        /// The version of the first request that is new, in the stream of the requests.
        var firstNew: StreamVersion
    }

    /// Whether nobody has asked for anything new.
    var isEmpty: Bool { truncations.isEmpty && redacted.isEmpty }

    /// Nothing is asked for.
    init() {}

    /// Reads what was asked for, and looks at every event that it is about.
    ///
    /// - Parameter honoured: All requests up to this position have been honoured.
    init(
        of log: FollowedLog, _ listed: [Manifest.Segment], honoured: UInt64,
        _ tracker: ProgressTracker
    ) throws {
        try Self.forEachPage(of: log, after: LogPosition(honoured), tracker) { page in
            for event in page where event.tags.contains(.scavenge) { try take(event) }
        }
        try lookAtStreams(in: log, listed, tracker)
        for position in redacted.sorted() {
            guard let segment = Self.segment(of: position, in: listed), !segments.contains(segment)
            else { continue }
            try tracker.check()
            let request = LogRead(
                .forward(after: LogPosition(position - 1)), limit: ReadLimit(events: 1))
            note(try log.read(request).events.filter { $0.position.rawValue == position }, listed)
        }
    }

    /// Whether an event is one of those that are to lose their content.
    func isToGo(_ event: BodyRewriting.Candidate) -> Bool {
        // Without the content of a request nobody would know what was asked for.
        guard !event.stream.isReserved else { return false }
        if redacted.contains(event.position) { return true }
        guard let truncation = truncations[event.stream] else { return false }
        // A request is about what was there when it was made.
        return event.version < truncation.before && event.position < truncation.position
    }

    // MARK: - Requests

    private mutating func take(_ event: RecordedEvent) throws {
        let position = event.position.rawValue
        switch try ScavengeRequest(event) {
        case .truncation(let request):
            let firstNew = truncations[request.stream]?.firstNew ?? event.version
            truncations[request.stream] = Truncation(
                before: request.before.rawValue, position: position, firstNew: firstNew)
        case .redaction(let request):
            // Like a truncation, a redaction is about what was there when it was asked for.
            redacted.formUnion(
                request.positions.map(\.rawValue).filter { $0 > 0 && $0 < position })
        case nil: break
        }
    }

    // MARK: - Events

    /// How much is looked at in one go.
    private static let pageLimit = ReadLimit(events: 1_024, bytes: 1 << 20)

    private mutating func lookAtStreams(
        in log: FollowedLog, _ listed: [Manifest.Segment], _ tracker: ProgressTracker
    ) throws {
        var isComplete = true
        for (stream, truncation) in truncations.sorted(by: { $0.value.position < $1.value.position }
        ) {
            guard try !look(at: stream, truncation, in: log, listed, tracker) else { continue }
            isComplete = false
        }
        guard !isComplete else { return }
        // Something is wrong with the index, or a salvage has lost events: only the log knows.
        try Self.forEachPage(of: log, after: .start, tracker) { note($0, listed) }
    }

    /// Looks at the events that a truncation is about; false when some of their versions are missing.
    private mutating func look(
        at stream: StreamID, _ truncation: Truncation, in log: FollowedLog,
        _ listed: [Manifest.Segment], _ tracker: ProgressTracker
    ) throws -> Bool {
        var last = try Self.honoured(of: stream, beforeRequest: truncation.firstNew, in: log)
        while last.rawValue + 1 < truncation.before {
            try tracker.check()
            let page = try log.readUntruncated(
                StreamRead(stream, .forward(after: last), limit: Self.pageLimit))
            for event in page.prefix(while: { $0.version.rawValue < truncation.before }) {
                guard event.version.rawValue == last.rawValue + 1 else { return false }
                last = event.version
            }
            note(page, listed)
            guard let end = page.last?.version else { return false }
            last = end
        }
        return true
    }

    /// Hands over the log itself from a place on, page by page.
    private static func forEachPage(
        of log: FollowedLog, after first: LogPosition, _ tracker: ProgressTracker,
        _ visit: ([RecordedEvent]) throws -> Void
    ) throws {
        var last = first
        while true {
            try tracker.check()
            let page = try log.read(LogRead(.forward(after: last), limit: pageLimit))
            try visit(page.events)
            guard page.end > last, page.end < page.head else { return }
            last = page.end
        }
    }

    /// The last version of a stream that lost its content because of an earlier request.
    private static func honoured(
        of stream: StreamID, beforeRequest version: StreamVersion, in log: FollowedLog
    ) throws -> StreamVersion {
        let requests = StreamTruncation.requests(about: stream)
        guard let recorded = try last(of: requests, before: version, in: log) else { return .start }
        let earlier = try StreamTruncation(recorded)
        // In a store that was salvaged, events may have come after the request with versions that it
        // cuts off: nobody has looked at these.
        guard let cutOff = try last(of: stream, before: earlier.before, in: log),
            cutOff.position < recorded.position
        else { return .start }
        return cutOff.version
    }

    private static func last(
        of stream: StreamID, before version: StreamVersion, in log: FollowedLog
    ) throws -> RecordedEvent? {
        try log.readUntruncated(
            StreamRead(stream, .backward(before: version), limit: ReadLimit(events: 1))
        ).first
    }

    private mutating func note(_ events: [RecordedEvent], _ listed: [Manifest.Segment]) {
        for event in events where !event.isRedacted {
            let candidate = BodyRewriting.Candidate(
                stream: event.stream, version: event.version.rawValue,
                position: event.position.rawValue)
            guard isToGo(candidate),
                let segment = Self.segment(of: candidate.position, in: listed)
            else { continue }
            segments.insert(segment)
        }
    }

    /// The segment that holds a position.
    private static func segment(of position: UInt64, in listed: [Manifest.Segment]) -> UInt32? {
        var low = 0
        var high = listed.count
        while low < high {
            let middle = (low + high) / 2
            if listed[middle].basePosition <= position { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : listed[low - 1].number
    }
}

import WellspringLog

/// Which events are to lose their content: what was asked for, and not done yet.
struct ScavengePlan {
    /// What was asked for last about each stream, and where in the log.
    private var truncations: [StreamID: (before: UInt64, position: UInt64)] = [:]
    private var redacted: Set<UInt64> = []
    /// The segments that hold an event which still has its content and is to lose it.
    private(set) var segments: Set<UInt32> = []

    /// Whether anybody ever asked for anything.
    var isEmpty: Bool { truncations.isEmpty && redacted.isEmpty }

    /// Reads what was asked for, and looks at every event that it is about.
    init(
        of log: FollowedLog, _ listed: [Manifest.Segment], _ tracker: ProgressTracker
    ) throws {
        try readRequests(of: log, tracker)
        for (stream, truncation) in truncations.sorted(by: { $0.value.position < $1.value.position }
        ) {
            try look(at: stream, before: truncation.before, in: log, listed, tracker)
        }
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

    private mutating func readRequests(of log: FollowedLog, _ tracker: ProgressTracker) throws {
        var last = LogPosition.start
        while true {
            try tracker.check()
            let page = try log.read(LogRead(.forward(after: last), filter: .tagged(.scavenge)))
            for event in page.events { try take(event) }
            guard page.end > last, page.end < page.head else { return }
            last = page.end
        }
    }

    private mutating func take(_ event: RecordedEvent) throws {
        let position = event.position.rawValue
        switch try ScavengeRequest(event) {
        case .truncation(let request):
            truncations[request.stream] = (request.before.rawValue, position)
        case .redaction(let request):
            // Like a truncation, a redaction is about what was there when it was asked for.
            redacted.formUnion(
                request.positions.map(\.rawValue).filter { $0 > 0 && $0 < position })
        case nil: break
        }
    }

    // MARK: - Events

    /// How much of a stream is looked at in one go.
    private static let pageLimit = ReadLimit(events: 1_024, bytes: 1 << 20)

    private mutating func look(
        at stream: StreamID, before version: UInt64, in log: FollowedLog,
        _ listed: [Manifest.Segment], _ tracker: ProgressTracker
    ) throws {
        var last = StreamVersion.start
        while last.rawValue + 1 < version {
            try tracker.check()
            let page = try log.readUntruncated(
                StreamRead(stream, .forward(after: last), limit: Self.pageLimit))
            guard let end = page.last?.version else { return }
            note(page, listed)
            last = end
        }
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

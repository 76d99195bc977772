import WellspringLog

/// What the durable log calls back: it knows records and names where the log knows frames.
final class FileLogClient: LogClient, @unchecked Sendable {
    // SAFETY: the log calls from one thread at a time, during `open` and then from whoever
    // commits, and only then are the variables touched. What others read is behind locks.
    var writer = RecordWriter()
    /// In the interval mode: the time of the oldest frame that is not synced, and whether the
    /// timer runs that will sync it.
    var firstUnsyncedAt: Int64?
    var hasTimer = false
    /// The index, once the log was found to be one.
    private(set) var index = LogIndex(hashKey: (0, 0))
    private let keyMask: UInt64
    private let fault: PlantedFault?
    let names = NameCache()
    /// The part of the index that was found on disk.
    private(set) var chain = LogIndex.Chain()
    /// The sequence behind which frames were replayed; `nil` while none were.
    private(set) var replayedAfter: UInt64?

    private var outline: LogOutline?
    private var frames: FrameIndexing?
    /// What was defined in the active segment since it was begun or opened.
    private var defined: [(reference: UInt32, definition: Definition)] = []
    /// Frames of the active segment before this offset were there when it was opened.
    private var definedBefore: UInt64 = 0
    private weak var log: CommitLog?
    /// Whether a part of the index has ended that nobody was told of to write it.
    private var hasEndedPart = false

    init(keyMask: UInt64, fault: PlantedFault? = nil) {
        self.fault = fault
        self.keyMask = keyMask
    }

    // MARK: - Opening

    func coverage(of log: LogOutline) -> LogCoverage? {
        outline = log
        index = LogIndex(hashKey: log.hashKey, mask: keyMask, fault: fault)
        chain = index.open(of: log)
        frames = FrameIndexing(index, OutlinedSegments(log), names)
        let isInNewest = chain.end?.end.segment == log.segments.last?.number
        if fault == .indexTwice { return LogCoverage(anchor: nil) }
        if fault == .anchorOffByOne { chain.end?.end.sequence += 1 }
        return LogCoverage(anchor: isInNewest ? chain.end : nil)
    }

    func replay(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody) {
        guard let items = try frames?.items(of: place, body: body) else { return }
        index.add(items)
        definedBefore = place.bodyOffset + UInt64(place.bodyLength)
    }

    func segmentBegan(_ segment: UInt32) {
        writer.segmentBegan()
        defined = []
        definedBefore = 0
        guard let outline else { return }
        frames?.begin(segment)
        guard replayedAfter == nil else { return }
        // The first segment that is replayed: what comes before it is on disk, or will be made.
        let base = outline.segments.first { $0.number == segment }?.baseSequence
        let isChained = chain.end?.end.segment == segment
        let after = isChained ? chain.covered : (base ?? chain.covered + 1) - 1
        replayedAfter = after
        if isChained { definedBefore = chain.end?.end.offset ?? 0 }
        index.begin(after: after)
    }

    func segmentEnded(_ anchor: LogAnchor) { endPart(at: anchor) }

    /// Ends the part of the index that is in memory: all of it is durable up to `anchor`.
    func endPart(at anchor: LogAnchor) {
        index.freeze(at: anchor)
        hasEndedPart = true
    }

    /// Whether a part has ended since the last call.
    func takeEndedPart() -> Bool {
        defer { hasEndedPart = false }
        return hasEndedPart
    }

    /// Forgets what only opening needs.
    func finishOpening(of log: CommitLog) {
        self.log = log
        outline = nil
        frames = nil
    }

    // MARK: - Committing

    /// Takes in the last body, which is part of the log now.
    func add(_ group: [QueuedAppend], at frame: FramePlace) {
        defined += writer.definitions
        names.learn(writer.definitions, in: frame.segment)
        index.add(indexItems(of: group, at: frame))
    }

    /// What the last body adds to the index.
    private func indexItems(
        of group: [QueuedAppend], at frame: FramePlace
    ) -> [(key: UInt64, item: MemoryIndex.Item)] {
        var items: [(key: UInt64, item: MemoryIndex.Item)] = []
        items.reserveCapacity(writer.places.count)
        var places = writer.places.makeIterator()
        for append in group {
            for event in append.events {
                guard let place = places.next() else { return items }
                let position = frame.firstPosition + UInt64(place.index)
                let version = event.recorded.version.rawValue
                let entry = IndexEntry(number: version, place: place)
                items.append((key(of: event.stream), .init(entry: entry, position: position)))
                for tag in event.recorded.tags {
                    let entry = IndexEntry(number: position, place: place)
                    items.append((index.key(of: tag), .init(entry: entry, position: position)))
                }
            }
        }
        return items
    }

    private func key(of stream: StreamHead) -> UInt64 {
        if let key = stream.name.key { return key }
        let key = index.key(of: stream.id)
        stream.name.key = key
        return key
    }

    // MARK: - Sealing

    /// Where the names that were there before the segment was opened cannot be read, nothing is
    /// repeated in the footer: it says all of them or nothing.
    ///
    /// They still stand in their frames, and no append has to wait for a bad sector that only the
    /// footer asks for.
    func footerContent(of segment: UInt32) -> [UInt8] {
        for _ in 0..<LogFollower.readings {
            if let earlier = try? readDefinitions(in: segment) {
                return SegmentNames(earlier + defined).footer
            }
        }
        return []
    }

    /// What was defined in the segment before it was opened.
    private func readDefinitions(
        in segment: UInt32
    ) throws(LogError) -> [(reference: UInt32, definition: Definition)] {
        guard definedBefore > 0 else { return [] }
        var found: [(reference: UInt32, definition: Definition)] = []
        try log?.forEachFrame(
            from: (segment, UInt64(SegmentHeader.length)), throughSequence: .max
        ) { (place, body) throws(MalformedBody) in
            guard place.segment == segment, place.offset < definedBefore else { return false }
            var reader = BodyReader(body, at: place.bodyOffset)
            while let item = try reader.next() {
                switch item {
                case .definition(let reference, let definition):
                    found.append((reference, definition))
                case .entry(let count):
                    for _ in 0..<count { try reader.skipRecord() }
                }
            }
            return true
        }
        return found
    }
}

/// The segments of a log that is being opened, for the names in them.
private final class OutlinedSegments: LogSource {
    private let log: LogOutline
    private let open = Guarded<(file: any StoreFile, place: SegmentPlace)?>(nil)

    init(_ log: LogOutline) {
        self.log = log
    }

    func segment(
        _ number: UInt32
    ) throws(LogError) -> (file: any StoreFile, place: SegmentPlace) {
        try open.withLock { (open) throws(LogError) in
            if let open, open.place.number == number { return open }
            let found = try log.openSegment(number)
            open = found
            return found
        }
    }

    func place(before position: UInt64) throws(LogError) -> (segment: UInt32, offset: UInt64) {
        throw .closed
    }
}

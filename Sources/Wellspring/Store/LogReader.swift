import WellspringLog

/// Reads events from the segments of a log, with the help of an index.
///
/// From any thread, beside whoever commits. Every byte is checked when it is read; what the index
/// says is compared with the records that it names.
final class LogReader: Sendable, StreamSource {
    let source: any LogSource
    let index: LogIndex
    let names: NameCache
    /// Where pages of the log ended lately, so that the next one need not be searched for.
    let resumes = Guarded(ResumePoints())
    /// The frames of events that were read lately.
    let frames = Guarded(FrameTable())
    /// Makes the part of the index anew that holds a damaged run.
    private let heal: @Sendable (IndexError) throws(EventStoreError) -> Void
    let fault: PlantedFault?

    /// How far apart two records may lie and still be read in one go.
    static let gapBytes: UInt32 = 4 << 10
    private static let readBytes: UInt32 = 256 << 10
    /// How much is read for a record, whose length only the record itself knows.
    static let recordBytes = 1 << 10

    init(
        _ source: any LogSource, _ index: LogIndex, _ names: NameCache,
        fault: PlantedFault? = nil,
        heal: @escaping @Sendable (IndexError) throws(EventStoreError) -> Void
    ) {
        self.source = source
        self.index = index
        self.names = names
        self.fault = fault
        self.heal = heal
    }

    // MARK: - Streams

    func version(
        of stream: StreamID, through visible: UInt64
    ) throws(EventStoreError) -> UInt64 {
        let key = index.key(of: stream)
        let all: ClosedRange<UInt64> = 1...UInt64.max
        let last = try find(key, numbers: all, limit: 1, newestFirst: true, through: visible)
        guard let last = last.first else { return 0 }
        if let event = try event(at: last, of: stream) { return event.version.rawValue }
        // Another name has the same key.
        for entry in try find(key, numbers: all, newestFirst: true, through: visible) {
            if let event = try event(at: entry, of: stream) { return event.version.rawValue }
        }
        return 0
    }

    func events(
        _ read: StreamRead, in extent: StreamExtent
    ) throws(EventStoreError) -> [RecordedEvent] {
        guard let versions = read.versions(in: extent) else { return [] }
        let key = index.key(of: read.stream)
        let entries = try find(
            key, numbers: versions, limit: read.limit.events, newestFirst: !read.isForward)
        let first = read.isForward ? versions.lowerBound : versions.upperBound
        let expected = min(versions.count, read.limit.events)
        if entries.count == expected, entries.follow(from: first, ascending: read.isForward) {
            let events = try page(entries, read)
            // Fewer only where the limit in bytes ended it.
            if events.count == entries.count || events.payloadBytes >= read.limit.bytes {
                return events
            }
        }
        // Two names with the same key, or a stream with a gap.
        var all = try find(key, numbers: versions, newestFirst: !read.isForward)
        if read.isForward {
            all.sort { $0.number < $1.number }
        } else {
            all.sort { $0.number > $1.number }
        }
        return try page(all, read)
    }

    private func event(
        at entry: IndexEntry, of stream: StreamID
    ) throws(EventStoreError) -> RecordedEvent? {
        try RecordRun([entry], self).event(at: entry, of: stream)
    }

    /// Reads entries in their order until a limit is reached.
    private func page(
        _ entries: [IndexEntry], _ read: StreamRead
    ) throws(EventStoreError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        events.reserveCapacity(min(entries.count, read.limit.events))
        var bytes = 0
        var next = entries.startIndex
        var names: RecordNames?
        while next < entries.count {
            let end = Self.run(in: entries, from: next, ascending: read.isForward)
            let run = try RecordRun(entries[next..<end], self, names: names)
            names = run.names
            while next < end {
                if let event = try run.event(at: entries[next], of: read.stream) {
                    events.append(event)
                    bytes += event.event.payload.count
                    let isFull = bytes >= read.limit.bytes || events.count == read.limit.events
                    if isFull { return events }
                }
                next += 1
            }
        }
        return events
    }

    /// The end of the stretch of entries, from `start` on, that one read brings in.
    private static func run(in entries: [IndexEntry], from start: Int, ascending: Bool) -> Int {
        let first = entries[start].place
        var end = start + 1
        while end < entries.count {
            let (a, b) = (entries[end - 1].place, entries[end].place)
            let (low, high) = ascending ? (a, b) : (b, a)
            let far = max(first.offset, high.offset) - min(first.offset, low.offset)
            guard a.segment == b.segment, high.offset > low.offset,
                high.offset - low.offset <= gapBytes, far <= readBytes
            else { break }
            end += 1
        }
        return end
    }

    func find(
        _ key: UInt64, numbers: ClosedRange<UInt64>, limit: Int = .max, newestFirst: Bool = false,
        through visible: UInt64 = .max
    ) throws(EventStoreError) -> [IndexEntry] {
        var tries = 3
        while true {
            do throws(IndexError) {
                return try index.entries(
                    of: key, numbers: numbers, limit: limit, newestFirst: newestFirst,
                    through: visible)
            } catch {
                if fault == .takeIndexDamageForNothing { return [] }
                tries -= 1
                guard case .damaged = error, tries > 0 else { throw EventStoreError(error) }
                try heal(error)
            }
        }
    }

    // MARK: - Records

    /// The header of the frame at `offset`, from the chunk or from the file.
    func header(at offset: UInt64, _ chunk: FrameChunk) throws(EventStoreError) -> FrameHeader {
        var chunk = chunk
        if !chunk.holds(offset, FrameHeader.length) {
            chunk = try FrameChunk.read(
                source, segment: chunk.segment.number, at: offset, count: FrameHeader.length)
        }
        guard chunk.holds(offset, FrameHeader.length), let header = chunk.header(at: offset) else {
            throw chunk.damage(at: offset, "the bytes are not the header of a frame")
        }
        return header
    }
}

extension [IndexEntry] {
    /// Whether the numbers begin with `first` and follow each other without gaps.
    fileprivate func follow(from first: UInt64, ascending: Bool) -> Bool {
        for (index, entry) in enumerated() {
            let expected = ascending ? first + UInt64(index) : first - UInt64(index)
            guard entry.number == expected else { return false }
        }
        return true
    }
}

extension [RecordedEvent] {
    fileprivate var payloadBytes: Int { reduce(0) { $0 + $1.event.payload.count } }
}

extension RecordedEvent {
    /// A record with what its references mean.
    init(_ found: FoundRecord, stream: StreamID, type: StoredType) {
        self.init(
            found.record, position: found.position, frameTime: found.frameTime,
            payload: found.payload, stream: stream, type: type)
    }

    /// - Parameter frameTime: When the frame of the record was written.
    @inline(__always)
    init(
        _ raw: consuming RawRecord, position: UInt64, frameTime: Int64,
        payload: consuming EventPayload, stream: consuming StreamID, type: StoredType
    ) {
        let isRedacted = raw.isRedacted
        self.init(
            event: EncodedEvent(
                name: type.name, payload: payload, codec: type.codec,
                schemaVersion: type.schemaVersion),
            id: raw.id, stream: stream, version: StreamVersion(raw.version),
            position: LogPosition(position),
            recordedAt: raw.recordedAt ?? Timestamp(nanoseconds: frameTime),
            occurredAt: raw.occurredAt, tags: raw.tags, metadata: raw.metadata)
        if isRedacted { self = redacted() }
    }
}

extension EventStoreError {
    init(_ error: IndexError) {
        switch error {
        case .damaged(let file, let offset, let reason),
            .misplaced(let file, let offset, let reason):
            self = .damaged(StoreDamage(file: file, offset: offset, reason: reason))
        case .unsupported(let file, let reason):
            self = .unsupportedFormat(file: file, reason: reason)
        case .system(let error): self.init(error)
        }
    }
}

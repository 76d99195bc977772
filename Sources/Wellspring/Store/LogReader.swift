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
    private let frames = Guarded(FrameTable())
    /// Makes the part of the index anew that holds a damaged run.
    private let heal: @Sendable (IndexError) throws(EventStoreError) -> Void
    let fault: PlantedFault?

    /// How far apart two records may lie and still be read in one go.
    private static let gapBytes: UInt32 = 4 << 10
    private static let readBytes: UInt32 = 256 << 10
    /// How much is read for a record, whose length only the record itself knows.
    private static let recordBytes = 1 << 10

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
        if let event = try records(at: [last], of: stream).first { return event.version.rawValue }
        // Another name has the same key.
        for entry in try find(key, numbers: all, newestFirst: true, through: visible) {
            if let event = try records(at: [entry], of: stream).first {
                return event.version.rawValue
            }
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

    /// Reads entries in their order until a limit is reached.
    private func page(
        _ entries: [IndexEntry], _ read: StreamRead
    ) throws(EventStoreError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        events.reserveCapacity(min(entries.count, read.limit.events))
        var bytes = 0
        var next = entries.startIndex
        while next < entries.count {
            let run = Self.run(in: entries, from: next, ascending: read.isForward)
            let stretch = Array(entries[next..<run])
            let found = try records(
                at: read.isForward ? stretch : stretch.reversed(), of: read.stream)
            for event in read.isForward ? found : found.reversed() {
                events.append(event)
                bytes += event.event.payload.count
                if bytes >= read.limit.bytes || events.count == read.limit.events { return events }
            }
            next = run
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

    /// Reads the records at ascending places of one segment, and leaves out those that belong to
    /// another stream, or to another version of it than the index says.
    private func records(
        at entries: [IndexEntry], of stream: StreamID
    ) throws(EventStoreError) -> [RecordedEvent] {
        guard let first = entries.first?.place, let last = entries.last?.place else { return [] }
        let isNear = first.frame < first.offset && first.offset - first.frame <= Self.gapBytes
        let start = isNear ? first.frame : first.offset
        var chunk = try FrameChunk.read(
            source, segment: first.segment, at: UInt64(start),
            count: Int(last.offset - start) + Self.recordBytes)
        var found: [FoundRecord] = []
        found.reserveCapacity(entries.count)
        for entry in entries {
            let offset = UInt64(entry.place.offset)
            let record = try record(at: offset, in: &chunk)
            let frame = try frame(at: entry.place, chunk)
            guard entry.place.index < frame.eventCount else {
                throw chunk.damage(at: offset, "a record that its frame does not know")
            }
            let isMeant = record.version == entry.number || fault == .believeIndexKey
            guard isMeant else { continue }
            found.append(
                FoundRecord(
                    record: record, position: frame.firstPosition + UInt64(entry.place.index),
                    frameTime: frame.recordedAt, payload: chunk.payload(of: record, at: offset)))
        }
        var events: [RecordedEvent] = []
        events.reserveCapacity(found.count)
        try resolve(found, in: first.segment) { record, owner, type in
            guard owner == stream || fault == .believeIndexKey else { return }
            events.append(RecordedEvent(record, stream: stream, type: type))
        }
        return events
    }

    /// What is known of the frame of an event.
    private func frame(
        at place: EventPlace, _ chunk: FrameChunk
    ) throws(EventStoreError) -> FrameTable.Frame {
        if let known = frames.withLock({ $0.find(place.segment, place.frame) }) { return known }
        let frame = FrameTable.Frame(try header(at: UInt64(place.frame), chunk))
        // What lies beside the record costs nothing to read again.
        if place.offset - min(place.frame, place.offset) > Self.gapBytes {
            frames.withLock { $0.keep(frame, place.segment, place.frame) }
        }
        return frame
    }

    /// Parses a record, after reading the rest of it if it is longer than what was read.
    private func record(
        at offset: UInt64, in chunk: inout FrameChunk
    ) throws(EventStoreError) -> RawRecord {
        if !chunk.holds(offset, RecordFormat.recordPrefix) {
            chunk = try FrameChunk.read(
                source, segment: chunk.segment.number, at: offset, count: Self.recordBytes)
        }
        let length = chunk.recordLength(at: offset)
        if !chunk.holds(offset, length) {
            guard length <= FrameHeader.bodyLengthLimit else {
                throw chunk.damage(at: offset, "a record longer than any frame")
            }
            chunk = try FrameChunk.read(
                source, segment: chunk.segment.number, at: offset, count: length)
        }
        do {
            return try chunk.withBytes(from: offset) { (rest) throws(MalformedBody) in
                try RawRecord(rest, at: offset, isChecked: fault == .ignoreRecordChecksum)
            }
        } catch {
            throw chunk.damage(at: offset, error.reason)
        }
    }

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

    // MARK: - Names

    private func fileName(of segment: UInt32) -> String {
        (try? source.segment(segment))?.place.fileName ?? LogLayout.segment(segment)
    }

    /// Replaces the references of records by what they mean.
    func resolve(
        _ found: [FoundRecord], in segment: UInt32,
        _ take: (FoundRecord, StreamID, StoredType) -> Void
    ) throws(EventStoreError) {
        var next = 0
        while next < found.count {
            let unknown = names.withNames(of: segment) {
                known -> (reference: UInt32, kind: UInt8)? in
                while next < found.count {
                    guard let stream = known.streams[found[next].record.stream] else {
                        return (found[next].record.stream, RecordFormat.streamDefinition)
                    }
                    guard let type = known.types[found[next].record.type] else {
                        return (found[next].record.type, RecordFormat.typeDefinition)
                    }
                    take(found[next], stream, type)
                    next += 1
                }
                return nil
            }
            guard let unknown else { return }
            let definition = try FrameChunk.definition(
                unknown.reference, in: segment, of: source)
            guard definition.kind == unknown.kind else {
                throw .damaged(
                    StoreDamage(
                        file: fileName(of: segment), offset: UInt64(unknown.reference) * 8,
                        reason: "a record whose names are not defined"))
            }
            names.learn([(unknown.reference, definition)], in: segment)
        }
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

extension Definition {
    fileprivate var kind: UInt8 {
        switch self {
        case .stream: RecordFormat.streamDefinition
        case .type: RecordFormat.typeDefinition
        }
    }
}

extension RecordedEvent {
    /// A record with what its references mean.
    init(_ found: FoundRecord, stream: StreamID, type: StoredType) {
        let raw = found.record
        self.init(
            event: EncodedEvent(
                name: type.name, payload: found.payload, codec: type.codec,
                schemaVersion: type.schemaVersion),
            id: raw.id, stream: stream, version: StreamVersion(raw.version),
            position: LogPosition(found.position),
            recordedAt: raw.recordedAt ?? Timestamp(nanoseconds: found.frameTime),
            occurredAt: raw.occurredAt, tags: raw.tags, metadata: raw.metadata)
        if raw.isRedacted { self = redacted() }
    }
}

extension EventStoreError {
    init(_ error: IndexError) {
        switch error {
        case .damaged(let file, let offset, let reason):
            self = .damaged(StoreDamage(file: file, offset: offset, reason: reason))
        case .system(let error): self.init(error)
        }
    }
}

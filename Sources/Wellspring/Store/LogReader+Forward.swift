import WellspringLog

extension LogReader {
    /// The most positions that one page looks at, so that a rare event does not hold its reader.
    static let scanLimit: UInt64 = 16_384
    /// How much of a file is read at once.
    private static let chunkBytes = 256 << 10
    private static let smallestChunk = 4 << 10

    /// Reads a page of the log, oldest first.
    func page(
        after: UInt64, _ read: LogRead, through visible: UInt64
    ) throws(EventStoreError) -> LogPage {
        guard after < visible else {
            return LogPage(events: [], end: LogPosition(after), head: LogPosition(visible))
        }
        var walk = ForwardWalk(after: after, read, visible: visible)
        if let known = resumes.withLock({ $0.find(after) }) {
            walk.place = known
        } else {
            walk.place = try beginning(after + 1)
        }
        while !walk.isDone, try jumpToTag(&walk) {
            let chunk = try chunk(for: walk)
            try take(chunk, &walk)
        }
        let end = walk.position
        let after = fault == .resumeOffByOne ? end - 1 : end
        if walk.isAtPlace { resumes.withLock { $0.note(walk.place, after: after) } }
        return LogPage(events: walk.events, end: LogPosition(end), head: LogPosition(visible))
    }

    private func beginning(_ position: UInt64) throws(EventStoreError) -> ResumePoint {
        do {
            let place = try source.place(before: position)
            return ResumePoint(segment: place.segment, offset: place.offset)
        } catch {
            throw EventStoreError(error, path: "")
        }
    }

    /// Where events with a tag are wanted: goes to the frame that holds the next one.
    ///
    /// Returns false when there are no more.
    private func jumpToTag(_ walk: inout ForwardWalk) throws(EventStoreError) -> Bool {
        guard let tag = walk.filter.tags.min(), walk.place.inside == nil else { return true }
        while true {
            walk.tagged = walk.tagged.drop { $0.number <= walk.position }
            if let next = walk.tagged.first?.place {
                guard next.segment >= walk.place.segment else {
                    // Going back for it would never end.
                    throw .damaged(
                        StoreDamage(
                            file: LogLayout.segment(next.segment), offset: UInt64(next.offset),
                            reason: "the log has passed the event that the index names"))
                }
                walk.place.advance(to: next)
                return true
            }
            if fault == .jumpOverTag { walk.position = min(walk.position + 1, walk.visible - 1) }
            let found = try find(
                index.key(of: tag), numbers: walk.position + 1...walk.visible,
                limit: 256, through: walk.visible)
            guard !found.isEmpty else {
                walk.position = walk.visible
                walk.isAtPlace = false
                return false
            }
            walk.tagged = found[...]
        }
    }

    private func chunk(for walk: ForwardWalk) throws(EventStoreError) -> FrameChunk {
        var count = walk.needed
        if walk.filter == .all {
            let wanted = walk.read.limit.events &* 512
            count = max(count, min(Self.chunkBytes, max(Self.smallestChunk, wanted)))
        } else {
            count = max(count, walk.filter.tags.isEmpty ? Self.chunkBytes : Self.smallestChunk)
        }
        if let known = resumes.withLock({ $0.bytesWritten(behind: walk.place) }) {
            count = max(walk.needed, min(count, known))
        }
        let chunk = try FrameChunk.read(
            source, segment: walk.place.segment, at: walk.place.offset, count: count)
        guard chunk.bytes.count >= walk.needed else {
            throw chunk.damage(at: chunk.end, "the file ends before the log does")
        }
        return chunk
    }

    /// Goes through the frames in a chunk, until it ends or the page is full.
    private func take(
        _ chunk: FrameChunk, _ walk: inout ForwardWalk
    ) throws(EventStoreError) {
        // What was found intact was read from the file once more since.
        walk.intactFrame = nil
        while !walk.isDone {
            if let inside = walk.place.inside {
                guard walk.hasWhole(chunk, Int(inside.end - walk.place.offset)) else { return }
                try takeBody(inside, chunk, &walk)
            } else {
                guard walk.isWanted, try takeFrame(chunk, &walk) else { return }
            }
        }
    }

    /// Looks at the frame at `walk.place`; false when another chunk is needed for it.
    private func takeFrame(
        _ chunk: FrameChunk, _ walk: inout ForwardWalk
    ) throws(EventStoreError) -> Bool {
        guard walk.hasWhole(chunk, FrameHeader.length) else { return false }
        let offset = walk.place.offset
        guard let header = chunk.header(at: offset) else {
            throw chunk.damage(at: offset, "the bytes are not the header of a frame")
        }
        if header.kind == .seal {
            guard chunk.segment.number < .max else {
                throw chunk.damage(at: offset, "no segment can follow this one")
            }
            walk.place = ResumePoint(
                segment: chunk.segment.number + 1, offset: UInt64(SegmentHeader.length))
            return false
        }
        guard header.kind == .group, header.nextPosition > walk.position + 1 else {
            // A hole is passed over like what was seen already.
            if header.kind == .hole {
                walk.position = max(walk.position, header.nextPosition - 1)
            }
            walk.place.offset += UInt64(header.frameLength)
            return true
        }
        guard walk.hasWhole(chunk, header.frameLength) else { return false }
        guard chunk.isIntact(header) || fault == .believeFramesWhenReading else {
            throw chunk.damage(at: offset, "the checksum of the frame's body is wrong")
        }
        walk.place = ResumePoint(inside: header, in: chunk.segment.number)
        walk.intactFrame = offset
        return true
    }

    /// Goes through the appends of a frame from `walk.place` on.
    private func takeBody(
        _ inside: ResumePoint.Inside, _ chunk: FrameChunk, _ walk: inout ForwardWalk
    ) throws(EventStoreError) {
        let header = inside.header
        let start = walk.place.offset
        var batch = RecordBatch(walk, inside, chunk)
        do {
            try chunk.withBytes(from: start) { (all) throws(MalformedBody) in
                let body = UnsafeRawBufferPointer(rebasing: all[..<Int(inside.end - start)])
                var reader = BodyReader(body, at: start)
                while !batch.isFull, let item = try reader.next() {
                    try batch.take(item, from: &reader)
                    walk.place.offset = reader.offset
                }
                if !batch.isFull { walk.place.offset = inside.end }
            }
        } catch {
            throw chunk.damage(at: start + UInt64(max(0, error.offset)), error.reason)
        }
        names.learn(batch.definitions, in: chunk.segment.number)
        try resolve(batch.found, in: chunk.segment.number) { record, stream, type in
            guard walk.filter.includes(record.record, stream, type) else { return }
            walk.events.append(RecordedEvent(record, stream: stream, type: type))
            walk.bytes += record.payload.count
        }
        walk.position = batch.position
        if walk.place.offset < inside.end {
            walk.place.inside = batch.inside
            return
        }
        guard batch.inside.index == header.eventCount else {
            throw chunk.damage(
                at: header.offset,
                "\(batch.inside.index) events in a frame of \(header.eventCount)")
        }
        walk.place = ResumePoint(
            segment: chunk.segment.number, offset: header.offset + UInt64(header.frameLength))
    }
}

extension EventFilter {
    /// Whether the event of a record passes.
    func includes(_ record: RawRecord, _ stream: StreamID, _ type: StoredType) -> Bool {
        if let names, !names.contains(type.name) { return false }
        if let categories, !categories.contains(stream.category) { return false }
        return tags.allSatisfy { record.tags.contains($0) }
    }
}

/// A page of the log that is being put together, oldest first.
private struct ForwardWalk {
    let read: LogRead
    let visible: UInt64
    private let start: UInt64
    /// The last position looked at.
    var position: UInt64
    var place = ResumePoint(segment: 0, offset: 0)
    /// How many bytes a frame turned out to need.
    private var wanted = FrameHeader.length
    var events: [RecordedEvent] = []
    var bytes = 0
    /// The frame whose body was found intact in the chunk at hand.
    var intactFrame: UInt64?
    /// Whether `place` is where `position` ends.
    var isAtPlace = true
    /// Events with the tag that is wanted, where it is.
    var tagged: ArraySlice<IndexEntry> = []

    var filter: EventFilter { read.filter }

    /// How many bytes the next chunk must have.
    ///
    /// Behind the last append of a log there may be less than a header.
    var needed: Int { place.inside.map { Int($0.end - place.offset) } ?? wanted }

    init(after: UInt64, _ read: LogRead, visible: UInt64) {
        self.read = read
        self.visible = visible
        start = after
        position = after
    }

    var isDone: Bool {
        position >= visible || events.count >= read.limit.events || bytes >= read.limit.bytes
            || position - start >= LogReader.scanLimit
    }

    /// Whether the frame at the place may hold what is wanted.
    var isWanted: Bool {
        guard !filter.tags.isEmpty else { return true }
        guard let next = tagged.first(where: { $0.number > position })?.place else { return false }
        return next.segment == place.segment && UInt64(next.frame) <= place.offset
    }

    /// Whether `count` bytes from the place on are in the chunk; if not, the next one has them.
    mutating func hasWhole(_ chunk: FrameChunk, _ count: Int) -> Bool {
        if chunk.segment.number == place.segment, chunk.holds(place.offset, count) {
            wanted = FrameHeader.length
            return true
        }
        wanted = count
        return false
    }
}

/// The records of a frame that a page looks at in one go.
///
/// Whether they pass the filter is known only once their names are.
private struct RecordBatch {
    private(set) var inside: ResumePoint.Inside
    private(set) var found: [FoundRecord] = []
    private(set) var definitions: [(reference: UInt32, definition: Definition)] = []
    private(set) var position: UInt64
    private let isChecked: Bool
    private let chunk: FrameChunk
    private var events: Int
    private var bytes: Int

    init(_ walk: ForwardWalk, _ inside: ResumePoint.Inside, _ chunk: FrameChunk) {
        self.inside = inside
        self.chunk = chunk
        position = walk.position
        isChecked = walk.intactFrame == inside.header.offset
        events = walk.read.limit.events - walk.events.count
        bytes = walk.read.limit.bytes - walk.bytes
        let most = UInt64(inside.header.eventCount - min(inside.header.eventCount, inside.index))
        found.reserveCapacity(Int(clamping: min(most, UInt64(max(0, events)))))
    }

    var isFull: Bool { events <= 0 || bytes <= 0 }

    mutating func take(
        _ item: BodyReader.Item, from reader: inout BodyReader
    ) throws(MalformedBody) {
        switch item {
        case .definition(let reference, let definition):
            definitions.append((reference, definition))
        case .entry(let count):
            for _ in 0..<count { try takeRecord(from: &reader) }
            position = max(position, inside.header.firstPosition + UInt64(inside.index) - 1)
        }
    }

    private mutating func takeRecord(from reader: inout BodyReader) throws(MalformedBody) {
        let next = inside.header.firstPosition + UInt64(inside.index)
        inside.index += 1
        guard next > position else { return try reader.skipRecord() }
        let offset = reader.offset
        let record = try reader.nextRecord(isChecked: isChecked)
        found.append(
            FoundRecord(
                record: record, position: next, frameTime: inside.header.recordedAt,
                payload: chunk.payload(of: record, at: offset)))
        events -= 1
        bytes -= record.payload.count
    }
}

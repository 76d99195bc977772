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
        if walk.wantsAll {
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
        guard !walk.isPassedOver(by: header) else {
            throw chunk.damage(
                at: offset, "the event at position \(walk.position + 1) is not before this frame")
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
        let names = walk.names(of: chunk.segment.number, self)
        walk.makeRoom(forFrameOf: header.eventCount)
        var inside = inside
        try chunk.withBytes(from: start) { (all) throws(EventStoreError) in
            let body = UnsafeRawBufferPointer(rebasing: all[..<Int(inside.end - start)])
            var reader = BodyReader(body, at: start, knowing: names.known)
            while !walk.isDone {
                switch try chunk.nextItem(of: &reader) {
                case .definition(let reference, let definition)?:
                    names.learn(definition, as: reference)
                case .entry(let count)?:
                    try walk.takeAppend(of: count, from: &reader, chunk, &inside, names)
                case nil:
                    walk.place.offset = inside.end
                    return
                }
                walk.place.offset = reader.offset
            }
        }
        if walk.place.offset < inside.end {
            walk.place.inside = inside
            return
        }
        guard inside.index == header.eventCount else {
            throw chunk.damage(
                at: header.offset,
                "\(inside.index) events in a frame of \(header.eventCount)")
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
    /// For how many events room is made at once.
    private static let roomLimit = 4_096

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
    let wantsAll: Bool
    private var names: RecordNames?

    /// How many bytes the next chunk must have.
    ///
    /// Behind the last append of a log there may be less than a header.
    var needed: Int { place.inside.map { Int($0.end - place.offset) } ?? wanted }

    init(after: UInt64, _ read: LogRead, visible: UInt64) {
        self.read = read
        self.visible = visible
        start = after
        position = after
        wantsAll = read.filter == .all
    }

    /// What the records of a segment refer to.
    mutating func names(of segment: UInt32, _ reader: LogReader) -> RecordNames {
        if let names, names.segment == segment { return names }
        let names = RecordNames(of: segment, reader)
        self.names = names
        return names
    }

    /// Makes room for the events of a frame, where all of them are wanted.
    mutating func makeRoom(forFrameOf count: UInt32) {
        guard wantsAll else { return }
        // No more than the limit lets in, and in steps that get larger with every frame.
        let most = min(read.limit.events, Self.roomLimit)
        let wanted = min(events.count + Int(count), most)
        guard wanted > events.capacity else { return }
        events.reserveCapacity(max(wanted, min(2 * events.capacity, most)))
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

    /// Whether a frame comes too late: where tags are wanted only the index says what comes next.
    func isPassedOver(by header: FrameHeader) -> Bool {
        filter.tags.isEmpty && header.firstPosition > position + 1
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

extension ForwardWalk {
    /// Takes the records of an append, all of them.
    mutating func takeAppend(
        of count: UInt32, from reader: inout BodyReader, _ chunk: FrameChunk,
        _ inside: inout ResumePoint.Inside, _ names: RecordNames
    ) throws(EventStoreError) {
        let isChecked = intactFrame == inside.header.offset
        for _ in 0..<count {
            let position = inside.header.firstPosition + UInt64(inside.index)
            inside.index += 1
            let offset = reader.offset
            let record: RawRecord
            do {
                guard position > self.position else {
                    try reader.skipRecord()
                    continue
                }
                record = try reader.nextRecord(isChecked: isChecked)
            } catch {
                throw chunk.damage(error, inBodyAt: reader.start)
            }
            let stream = try names.stream(record.stream)
            let type = try names.type(record.type)
            guard wantsAll || filter.includes(record, stream, type) else { continue }
            let payload = chunk.payload(of: record, at: offset)
            bytes += payload.count
            events.append(
                RecordedEvent(
                    record, position: position, frameTime: inside.header.recordedAt,
                    payload: payload, stream: stream, type: type))
        }
        position = max(position, inside.header.firstPosition + UInt64(inside.index) - 1)
    }
}

import WellspringLog

extension LogReader {
    /// Reads a page of the log, newest first.
    func page(
        before: UInt64?, _ read: LogRead, through visible: UInt64
    ) throws(EventStoreError) -> LogPage {
        let newest = fault == .missNewestBackward ? visible : visible + 1
        let start = min(before ?? .max, newest)
        var walk = BackwardWalk(before: start, read)
        while !walk.isDone {
            guard let place = try lastPlace(before: &walk, through: visible) else { break }
            let end = walk.end
            for frame in try frames(from: place, upTo: end - 1).reversed() {
                guard !walk.isDone else { break }
                try take(frame, &walk)
            }
            guard walk.end < end else {
                // Looking again would find the same.
                throw .damaged(
                    StoreDamage(
                        file: LogLayout.segment(place.segment), offset: place.offset,
                        reason: "the event at position \(end - 1) is not where it should be"))
            }
        }
        // Nothing was looked at: the page ends where it began.
        let end = walk.end == start ? before ?? visible : walk.end
        return LogPage(events: walk.events, end: LogPosition(end), head: LogPosition(visible))
    }

    /// A frame at or before the one that holds the newest event which may be wanted; `nil` when
    /// there is none.
    private func lastPlace(
        before walk: inout BackwardWalk, through visible: UInt64
    ) throws(EventStoreError) -> (segment: UInt32, offset: UInt64)? {
        guard let tag = walk.read.filter.tags.min() else {
            do {
                return try source.place(before: walk.end - 1)
            } catch {
                throw EventStoreError(error, path: "")
            }
        }
        let tagged = try find(
            index.key(of: tag), numbers: 1...walk.end - 1, limit: 1, newestFirst: true,
            through: visible)
        guard let last = tagged.first else {
            walk.end = 1
            return nil
        }
        // What is not tagged need not be looked at.
        walk.skip(to: last.number)
        return (last.place.segment, UInt64(last.place.frame))
    }

    /// The frames from a place on, in the order of the log, up to the one that holds `position`.
    private func frames(
        from place: (segment: UInt32, offset: UInt64), upTo position: UInt64
    ) throws(EventStoreError) -> [(segment: UInt32, header: FrameHeader)] {
        var found: [(segment: UInt32, header: FrameHeader)] = []
        var offset = place.offset
        var chunk = try FrameChunk.read(
            source, segment: place.segment, at: offset, count: PositionTable.chunkBytes)
        while true {
            if !chunk.holds(offset, FrameHeader.length) {
                chunk = try FrameChunk.read(
                    source, segment: place.segment, at: offset, count: PositionTable.chunkBytes)
            }
            let header = try header(at: offset, chunk)
            guard header.kind != .seal else {
                throw chunk.damage(
                    at: offset, "the segment ends before the event at position \(position)")
            }
            if header.kind == .group || header.kind == .hole, header.eventCount > 0 {
                found.append((place.segment, header))
            }
            if header.nextPosition > position { return found }
            offset += UInt64(header.frameLength)
        }
    }

    /// Takes the events of a frame, newest first.
    private func take(
        _ frame: (segment: UInt32, header: FrameHeader), _ walk: inout BackwardWalk
    ) throws(EventStoreError) {
        let header = frame.header
        guard header.kind == .group else { return walk.skip(to: header.firstPosition - 1) }
        let chunk = try FrameChunk.read(
            source, segment: frame.segment, at: header.offset, count: header.frameLength)
        guard chunk.bytes.count == header.frameLength, chunk.isIntact(header) else {
            throw chunk.damage(at: header.offset, "the checksum of the frame's body is wrong")
        }
        let names = RecordNames(of: frame.segment, self)
        let found = try appends(of: header, in: chunk, before: walk.end, names)
        for append in found.reversed() {
            guard !walk.isDone else { return }
            for found in append.reversed() {
                let stream = try names.stream(found.record.stream)
                let type = try names.type(found.record.type)
                guard walk.read.filter.includes(found.record, stream, type) else { continue }
                walk.events.append(RecordedEvent(found, stream: stream, type: type))
                walk.bytes += found.payload.count
            }
            walk.end = min(walk.end, append.first?.position ?? walk.end)
        }
    }

    /// The records of a frame before a position, by the appends that they came with.
    private func appends(
        of header: FrameHeader, in chunk: FrameChunk, before end: UInt64,
        _ names: RecordNames
    ) throws(EventStoreError) -> [[FoundRecord]] {
        let start = header.offset + UInt64(FrameHeader.length)
        var appends: [[FoundRecord]] = []
        var next = header.firstPosition
        do {
            try chunk.withBytes(from: start) { (all) throws(MalformedBody) in
                let body = UnsafeRawBufferPointer(rebasing: all[..<Int(header.bodyLength)])
                var reader = BodyReader(body, at: start, knowing: names.known)
                while let item = try reader.next() {
                    guard case .entry(let count) = item else {
                        if case .definition(let reference, let definition) = item {
                            names.learn(definition, as: reference)
                        }
                        continue
                    }
                    var records: [FoundRecord] = []
                    for _ in 0..<count {
                        let offset = reader.offset
                        let record = try reader.nextRecord(isChecked: true)
                        if next < end {
                            records.append(
                                FoundRecord(
                                    record: record, position: next,
                                    frameTime: header.recordedAt,
                                    payload: chunk.payload(of: record, at: offset)))
                        }
                        next += 1
                    }
                    if !records.isEmpty { appends.append(records) }
                }
            }
        } catch {
            throw chunk.damage(error, inBodyAt: start)
        }
        guard next == header.nextPosition else {
            throw chunk.damage(at: header.offset, "the frame does not hold what it says")
        }
        return appends
    }
}

extension PositionTable {
    /// Enough to hold the frames between two entries, most of the time.
    fileprivate static var chunkBytes: Int { Int(spacing) + (16 << 10) }
}

/// A page of the log that is being put together, newest first.
private struct BackwardWalk {
    let read: LogRead
    private let start: UInt64
    /// The position before which the next event is looked for: the last one looked at.
    var end: UInt64
    var events: [RecordedEvent] = []
    var bytes = 0

    init(before: UInt64, _ read: LogRead) {
        self.read = read
        start = before
        end = before
    }

    var isDone: Bool {
        end <= 1 || events.count >= read.limit.events || bytes >= read.limit.bytes
            || start - end >= LogReader.scanLimit
    }

    /// Passes over everything behind `position`.
    mutating func skip(to position: UInt64) {
        end = min(end, position + 1)
    }
}

import WellspringLog

/// The records of one stream that lie near each other, and are read in one go.
struct RecordRun {
    private let reader: LogReader
    /// What was read for all of them; only the last may be longer.
    private let chunk: FrameChunk
    let names: RecordNames

    /// Reads what holds the records at the places of `entries`: of one segment, in either order.
    ///
    /// - Parameter names: Those of the run before, which may be of the same segment.
    init(
        _ entries: ArraySlice<IndexEntry>, _ reader: LogReader, names: RecordNames? = nil
    ) throws(EventStoreError) {
        self.reader = reader
        var first = entries[entries.startIndex].place
        var last = entries[entries.endIndex - 1].place
        if last.offset < first.offset { swap(&first, &last) }
        let isNear = first.frame < first.offset && first.offset - first.frame <= LogReader.gapBytes
        let start = isNear ? first.frame : first.offset
        chunk = try FrameChunk.read(
            reader.source, segment: first.segment, at: UInt64(start),
            count: Int(last.offset - start) + LogReader.recordBytes)
        if let names, names.segment == first.segment {
            self.names = names
        } else {
            self.names = RecordNames(of: first.segment, reader)
        }
    }

    /// Reads the record at the place of `entry`; `nil` when it belongs to another stream, or to
    /// another version of it than the index says.
    func event(
        at entry: IndexEntry, of stream: StreamID
    ) throws(EventStoreError) -> RecordedEvent? {
        let offset = UInt64(entry.place.offset)
        let held = try holder(ofRecordAt: offset)
        let record = try record(at: offset, in: held)
        let frame = try frame(at: entry.place)
        guard entry.place.index < frame.eventCount else {
            throw chunk.damage(at: offset, "a record that its frame does not know")
        }
        let believesIndex = reader.fault == .believeIndexKey
        guard record.version == entry.number || believesIndex else { return nil }
        let owner = try names.stream(record.stream)
        let type = try names.type(record.type)
        guard owner == stream || believesIndex else { return nil }
        return RecordedEvent(
            record, position: frame.firstPosition + UInt64(entry.place.index),
            frameTime: frame.recordedAt, payload: held.payload(of: record, at: offset),
            stream: stream, type: type)
    }

    /// What is known of the frame of an event.
    private func frame(at place: EventPlace) throws(EventStoreError) -> FrameTable.Frame {
        let isBeside = place.offset - min(place.frame, place.offset) <= LogReader.gapBytes
        // What lies beside the record costs nothing to read again.
        if isBeside, chunk.holds(UInt64(place.frame), FrameHeader.length) {
            return FrameTable.Frame(try reader.header(at: UInt64(place.frame), chunk))
        }
        let known = reader.frames.withLock { $0.find(place.segment, place.frame) }
        if let known { return known }
        let frame = FrameTable.Frame(try reader.header(at: UInt64(place.frame), chunk))
        if !isBeside { reader.frames.withLock { $0.keep(frame, place.segment, place.frame) } }
        return frame
    }

    /// The chunk, or another one where the record is longer than what was read.
    ///
    /// The chunk stays: whoever reads backward needs it for all records but the first.
    private func holder(ofRecordAt offset: UInt64) throws(EventStoreError) -> FrameChunk {
        var held = chunk
        if !held.holds(offset, RecordFormat.recordPrefix) {
            held = try read(LogReader.recordBytes, at: offset)
        }
        let length = held.recordLength(at: offset)
        guard !held.holds(offset, length) else { return held }
        guard length <= FrameHeader.bodyLengthLimit else {
            throw held.damage(at: offset, "a record longer than any frame")
        }
        return try read(length, at: offset)
    }

    private func record(
        at offset: UInt64, in chunk: FrameChunk
    ) throws(EventStoreError) -> RawRecord {
        do {
            return try chunk.withBytes(from: offset) { (rest) throws(MalformedBody) in
                try RawRecord(
                    rest, at: offset, isChecked: reader.fault == .ignoreRecordChecksum)
            }
        } catch {
            throw chunk.damage(at: offset, error.reason)
        }
    }

    private func read(_ count: Int, at offset: UInt64) throws(EventStoreError) -> FrameChunk {
        try FrameChunk.read(
            reader.source, segment: chunk.segment.number, at: offset, count: count)
    }
}

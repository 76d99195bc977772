import WellspringLog

/// Where every visible record lies, and what the names are that records refer to.
///
/// Read by everybody, added to by whoever commits.
final class RecordShelf: Sendable {
    private let contents = Guarded(Contents())

    fileprivate struct Contents {
        /// By position - 1.
        var places: [RecordPlace] = []
        /// The recorded times, one entry a frame, ordered by its first position.
        var frames: [(first: UInt64, recordedAt: Int64)] = []
        var segments: [UInt32: SegmentNames] = [:]
    }

    fileprivate struct SegmentNames {
        var streams: [UInt32: StreamID] = [:]
        var types: [UInt32: StoredType] = [:]
    }

    /// Adds what a frame brought.
    func add(
        places: [RecordPlace], definitions: [(reference: UInt32, definition: Definition)],
        frame: FramePlace
    ) {
        contents.withLock { contents in
            contents.places.append(contentsOf: places)
            contents.frames.append((frame.firstPosition, frame.recordedAt))
            for (reference, definition) in definitions {
                contents.segments[frame.segment, default: SegmentNames()]
                    .add(definition, reference)
            }
        }
    }

    /// Finds records by their positions.
    func places(
        of positions: some Collection<UInt64>
    ) throws(EventStoreError) -> [ShelvedRecord] {
        try contents.withLock { contents throws(EventStoreError) in
            var records: [ShelvedRecord] = []
            records.reserveCapacity(positions.count)
            var frame = contents.frames.startIndex
            for position in positions {
                guard position > 0, position <= UInt64(contents.places.count) else {
                    throw .storage(reason: "position \(position) is not in the log")
                }
                frame = contents.frame(of: position, startingAt: frame)
                records.append(
                    ShelvedRecord(
                        place: contents.places[Int(position - 1)], position: position,
                        recordedAt: contents.frames[frame].recordedAt))
            }
            return records
        }
    }

    /// Replaces the references of records by what they mean.
    func resolve(
        _ raw: [RawRecord], _ records: ArraySlice<ShelvedRecord>, in bytes: [UInt8]
    ) throws(EventStoreError) -> [RecordedEvent] {
        try contents.withLock { contents throws(EventStoreError) in
            var events: [RecordedEvent] = []
            events.reserveCapacity(raw.count)
            let start = Int(records.first?.place.offset ?? 0)
            for (raw, record) in zip(raw, records) {
                guard let names = contents.segments[record.place.segment],
                    let stream = names.streams[raw.stream], let type = names.types[raw.type]
                else {
                    throw .damaged(
                        StoreDamage(
                            file: LogLayout.segment(record.place.segment),
                            offset: UInt64(record.place.offset),
                            reason: "a record whose names are not defined"))
                }
                let payload = raw.payload.shifted(by: Int(record.place.offset) - start)
                events.append(
                    RecordedEvent(raw, record, stream, type, EventPayload(sharing: bytes[payload])))
            }
            return events
        }
    }

    /// The names that a segment defines, for its footer.
    func names(in segment: UInt32) -> [(reference: UInt32, definition: Definition)] {
        contents.withLock { $0.segments[segment]?.all ?? [] }
    }
}

/// A record with what is known of it without reading it.
struct ShelvedRecord {
    let place: RecordPlace
    let position: UInt64
    let recordedAt: Int64
}

extension RecordShelf.Contents {
    /// The frame that holds `position`: the guess or the one after it, or else by halving.
    fileprivate func frame(of position: UInt64, startingAt guess: Int) -> Int {
        for index in guess..<min(guess + 2, frames.count) where holds(position, frame: index) {
            return index
        }
        var low = 0
        var high = frames.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if frames[middle].first <= position { low = middle } else { high = middle - 1 }
        }
        return low
    }

    private func holds(_ position: UInt64, frame: Int) -> Bool {
        guard frames[frame].first <= position else { return false }
        return frame + 1 == frames.count || position < frames[frame + 1].first
    }
}

extension RecordShelf.SegmentNames {
    fileprivate mutating func add(_ definition: Definition, _ reference: UInt32) {
        switch definition {
        case .stream(let stream): streams[reference] = stream
        case .type(let type): types[reference] = type
        }
    }

    fileprivate var all: [(reference: UInt32, definition: Definition)] {
        let all =
            streams.map { ($0.key, Definition.stream($0.value)) }
            + types.map { ($0.key, Definition.type($0.value)) }
        return all.sorted { $0.0 < $1.0 }
    }
}

extension RecordedEvent {
    fileprivate init(
        _ raw: RawRecord, _ record: ShelvedRecord, _ stream: StreamID, _ type: StoredType,
        _ payload: EventPayload
    ) {
        self.init(
            event: EncodedEvent(
                name: type.name, payload: payload, codec: type.codec,
                schemaVersion: type.schemaVersion),
            id: raw.id, stream: stream, version: StreamVersion(raw.version),
            position: LogPosition(record.position),
            recordedAt: raw.recordedAt ?? Timestamp(nanoseconds: record.recordedAt),
            occurredAt: raw.occurredAt, tags: raw.tags, metadata: raw.metadata)
    }
}

extension Range<Int> {
    fileprivate func shifted(by distance: Int) -> Range<Int> {
        lowerBound + distance..<upperBound + distance
    }
}

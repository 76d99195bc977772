import WellspringLog

/// Files the events of frames that are read from the log in an index.
///
/// Used when a store is opened, and when a part of its index has to be made again.
struct FrameIndexing {
    private let index: LogIndex
    /// Where names are read that were defined before the part of the segment that is read.
    private let source: any LogSource
    private let names: NameCache
    private var segment: UInt32 = 0
    /// The position behind the last frame, if that was in the same segment.
    private var nextPosition: UInt64?
    /// What is known of the streams of the segment, by how records refer to them.
    private var streams: [UInt32: KnownStream] = [:]

    private struct KnownStream {
        let key: UInt64
        var version: UInt64?
    }

    init(_ index: LogIndex, _ source: any LogSource, _ names: NameCache) {
        self.index = index
        self.source = source
        self.names = names
    }

    /// Starts anew: the frames that follow are in `segment`.
    mutating func begin(_ segment: UInt32) {
        self.segment = segment
        nextPosition = nil
        streams = [:]
    }

    /// What a frame adds to the index.
    ///
    /// - Throws: ``MalformedBody`` when the checksums hold and the content still makes no sense.
    mutating func items(
        of place: FramePlace, body: UnsafeRawBufferPointer
    ) throws(MalformedBody) -> [(key: UInt64, item: MemoryIndex.Item)] {
        if place.segment != segment { begin(place.segment) }
        // Behind a hole a stream may go on with a later version: those between are lost.
        if let nextPosition, place.firstPosition != nextPosition { streams = [:] }
        nextPosition = place.firstPosition + UInt64(place.eventCount)
        var reader = BodyReader(body, at: place.bodyOffset)
        var definitions: [(reference: UInt32, definition: Definition)] = []
        var items: [(key: UInt64, item: MemoryIndex.Item)] = []
        items.reserveCapacity(Int(min(place.eventCount, 1 << 16)))
        var count: UInt32 = 0
        while let item = try reader.next() {
            switch item {
            case .definition(let reference, let definition):
                definitions.append((reference, definition))
                if case .stream(let stream) = definition {
                    streams[reference] = KnownStream(key: index.key(of: stream))
                }
            case .entry(let records):
                for _ in 0..<records {
                    try add(from: &reader, place, index: count, to: &items)
                    count += 1
                }
            }
        }
        guard count == place.eventCount else {
            throw MalformedBody(
                offset: 0, reason: "\(count) events in a frame of \(place.eventCount)")
        }
        names.learn(definitions, in: place.segment)
        return items
    }

    private mutating func add(
        from reader: inout BodyReader, _ place: FramePlace, index number: UInt32,
        to items: inout [(key: UInt64, item: MemoryIndex.Item)]
    ) throws(MalformedBody) {
        let offset = reader.offset
        let record = try reader.nextRecord(isChecked: true)
        let position = place.firstPosition + UInt64(number)
        let event = EventPlace(
            segment: place.segment, offset: UInt32(truncatingIfNeeded: offset),
            frame: UInt32(truncatingIfNeeded: place.offset), index: number)
        let key = try key(of: record, at: Int(offset - place.bodyOffset))
        items.append(
            (
                key,
                MemoryIndex.Item(
                    entry: IndexEntry(number: record.version, place: event), position: position)
            ))
        for tag in record.tags {
            items.append(
                (
                    index.key(of: tag),
                    MemoryIndex.Item(
                        entry: IndexEntry(number: position, place: event), position: position)
                ))
        }
    }

    private mutating func key(
        of record: RawRecord, at offset: Int
    ) throws(MalformedBody) -> UInt64 {
        var known: KnownStream
        if let found = streams[record.stream] {
            known = found
        } else {
            known = KnownStream(key: index.key(of: try earlierName(record.stream, at: offset)))
        }
        if let version = known.version, record.version != version + 1 {
            throw MalformedBody(
                offset: offset,
                reason: "version \(record.version) of a stream where \(version + 1) follows")
        }
        known.version = record.version
        streams[record.stream] = known
        return known.key
    }

    /// A name that was defined in a part of the segment that is not read.
    private func earlierName(
        _ reference: UInt32, at offset: Int
    ) throws(MalformedBody) -> StreamID {
        if let known = names.names(of: segment).stream(reference) { return known }
        let definition: Definition
        do {
            definition = try FrameChunk.definition(reference, in: segment, of: source)
        } catch {
            throw MalformedBody(
                offset: offset, reason: "a record whose names cannot be read", cause: error)
        }
        guard case .stream(let stream) = definition else {
            throw MalformedBody(offset: offset, reason: "a record whose names are not defined")
        }
        names.learn([(reference, .stream(stream))], in: segment)
        return stream
    }
}

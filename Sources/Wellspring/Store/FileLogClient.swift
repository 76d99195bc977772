import WellspringLog

/// What the durable log calls back: it knows records and names where the log knows frames.
final class FileLogClient: LogClient, @unchecked Sendable {
    // SAFETY: the log calls from one thread at a time, during `open` and then from whoever
    // commits, and only then are the variables touched. What others read is behind the shelf's lock.
    var writer = RecordWriter()
    /// In the interval mode: the time of the oldest frame that is not synced, and whether the
    /// timer runs that will sync it.
    var firstUnsyncedAt: Int64?
    var hasTimer = false
    let shelf = RecordShelf()

    /// The state that the replayed events amount to, until it is taken.
    private var rebuilt = CoreState()
    /// The names of the segment being replayed.
    private var streams: [UInt32: Int] = [:]
    private var types: [UInt32: StoredType] = [:]

    func takeRebuilt() -> CoreState {
        defer {
            rebuilt = CoreState()
            streams = [:]
            types = [:]
        }
        return rebuilt
    }

    func segmentBegan(_ segment: UInt32) {
        writer.segmentBegan()
        streams = [:]
        types = [:]
    }

    func replay(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody) {
        var reader = BodyReader(body, at: place.bodyOffset)
        var definitions: [(reference: UInt32, definition: Definition)] = []
        var places: [RecordPlace] = []
        while let item = try reader.next() {
            switch item {
            case .definition(let reference, let definition):
                definitions.append((reference, definition))
                learn(definition, reference)
            case .entry(let count):
                for index in 0..<count {
                    let offset = reader.offset
                    let record = try reader.nextRecord()
                    try add(record, isLast: index + 1 == count, at: offset, place)
                    places.append(
                        RecordPlace(
                            segment: place.segment, offset: UInt32(truncatingIfNeeded: offset),
                            length: UInt32(truncatingIfNeeded: record.length)))
                }
            }
        }
        guard places.count == Int(place.eventCount) else {
            throw MalformedBody(
                offset: 0, reason: "\(places.count) events in a frame of \(place.eventCount)")
        }
        shelf.add(places: places, definitions: definitions, frame: place)
    }

    private func learn(_ definition: Definition, _ reference: UInt32) {
        switch definition {
        case .stream(let stream):
            let number = rebuilt.numberMakingRoom(for: stream)
            streams[reference] = number
            writer.learn(stream: number, reference: reference)
        case .type(let type):
            types[reference] = type
            writer.learn(type: type, reference: reference)
        }
    }

    private func add(
        _ record: RawRecord, isLast: Bool, at offset: UInt64, _ frame: FramePlace
    ) throws(MalformedBody) {
        let at = Int(offset - frame.bodyOffset)
        guard let stream = streams[record.stream], let type = types[record.type] else {
            throw MalformedBody(offset: at, reason: "a record whose names are not defined")
        }
        let expected = rebuilt.streams[stream].visibleVersion + 1
        guard record.version == expected else {
            throw MalformedBody(
                offset: at,
                reason: "version \(record.version) of a stream where \(expected) follows")
        }
        rebuilt.replay(stream: stream, name: type.name, isLastOfAppend: isLast)
    }

    func footerContent(of segment: UInt32) -> [UInt8] {
        let names = shelf.names(in: segment)
        var footer = ByteWriter()
        footer.append(UInt32(truncatingIfNeeded: names.count))
        for (reference, definition) in names {
            footer.append(reference)
            footer.append(definition)
        }
        return footer.bytes
    }
}

extension ByteWriter {
    /// A definition as a footer repeats it: kind, codec, schema version, length, name.
    fileprivate mutating func append(_ definition: Definition) {
        let name: String
        switch definition {
        case .stream(let stream):
            name = stream.exact.value
            append(RecordFormat.streamDefinition)
            append(0 as UInt8)
            append(0 as UInt16)
        case .type(let type):
            name = type.name.rawValue
            append(RecordFormat.typeDefinition)
            append(type.codec.rawValue)
            append(type.schemaVersion)
        }
        append(UInt16(truncatingIfNeeded: name.utf8.count))
        append(utf8: name)
    }
}

import WellspringLog

/// Builds the bodies of frames.
///
/// Used by whoever commits, one at a time. Remembers which names the current segment already
/// defines, and forgets those of a body that was not stored.
struct RecordWriter {
    private var typeReferences: [StoredType: UInt32] = [:]
    /// The type that was asked for last, which the next event most often has too.
    private var lastType: (type: StoredType, reference: UInt32)?
    private var segment: UInt32 = 0

    /// Where the records of the last body lie, in their order.
    private(set) var places: [EventPlace] = []
    /// What the last body defined.
    private(set) var definitions: [(reference: UInt32, definition: Definition)] = []
    private var definedStreams: [StreamHead] = []
    private var definedTypes: [StoredType] = []
    /// How the records of one append refer to their types.
    private var types: [UInt32] = []

    /// Starts anew: a segment defines its own names.
    mutating func segmentBegan() {
        typeReferences = [:]
        lastType = nil
    }

    /// Forgets the names that the last body defined, because it was not stored.
    mutating func takeBack() {
        for stream in definedStreams { stream.name.segment = 0 }
        for type in definedTypes { typeReferences[type] = nil }
        lastType = nil
    }

    /// Writes the body of a group.
    ///
    /// The writer's bytes so far belong to the frame's header.
    mutating func write(
        _ group: [QueuedAppend], context: FrameContext, to writer: inout ByteWriter
    ) {
        places.removeAll(keepingCapacity: true)
        definitions.removeAll(keepingCapacity: true)
        definedStreams.removeAll(keepingCapacity: true)
        definedTypes.removeAll(keepingCapacity: true)
        segment = context.segment
        let body = FrameBody(context: context, start: writer.count)
        for append in group {
            types.removeAll(keepingCapacity: true)
            for event in append.events { define(event.stream, in: body, &writer) }
            for event in append.events {
                types.append(reference(to: event.recorded.event, in: body, &writer))
            }
            body.writeEntry(count: append.events.count, to: &writer)
            for (event, type) in zip(append.events, types) {
                let offset = body.write(
                    event, stream: event.stream.name.reference, type: type, to: &writer)
                places.append(
                    EventPlace(
                        segment: context.segment, offset: offset,
                        frame: UInt32(truncatingIfNeeded: context.frameOffset),
                        index: UInt32(truncatingIfNeeded: places.count)))
            }
        }
    }

    private mutating func define(
        _ stream: StreamHead, in body: FrameBody, _ writer: inout ByteWriter
    ) {
        guard stream.name.segment != segment else { return }
        let definition = Definition.stream(stream.id)
        stream.name.reference = body.write(definition, to: &writer)
        stream.name.segment = segment
        definedStreams.append(stream)
        definitions.append((stream.name.reference, definition))
    }

    private mutating func reference(
        to event: EncodedEvent, in body: FrameBody, _ writer: inout ByteWriter
    ) -> UInt32 {
        let type = StoredType(event)
        if let lastType, lastType.type == type { return lastType.reference }
        if let known = typeReferences[type] {
            lastType = (type, known)
            return known
        }
        let reference = body.write(.type(type), to: &writer)
        typeReferences[type] = reference
        definedTypes.append(type)
        definitions.append((reference, .type(type)))
        return reference
    }
}

/// The body of one frame while it is written.
struct FrameBody {
    let context: FrameContext
    /// Where in the writer the body begins.
    let start: Int

    /// The place in the file of the next byte.
    func offset(_ writer: ByteWriter) -> UInt64 {
        context.bodyOffset + UInt64(writer.count - start)
    }

    /// Writes a definition and returns the reference to it.
    func write(_ definition: Definition, to writer: inout ByteWriter) -> UInt32 {
        writer.appendZeros(Int((8 - offset(writer) % 8) % 8))
        let at = offset(writer)
        let begin = writer.count
        switch definition {
        case .stream(let stream):
            writeDefinition(
                RecordFormat.streamDefinition, codec: 0, schemaVersion: 0,
                name: stream.exact.value, to: &writer)
        case .type(let type):
            writeDefinition(
                RecordFormat.typeDefinition, codec: type.codec.rawValue,
                schemaVersion: type.schemaVersion, name: type.name.rawValue, to: &writer)
        }
        let checksum = writer.withUnsafeBytes { bytes in
            definitionChecksum(
                UnsafeRawBufferPointer(rebasing: bytes[begin...]), at: at)
        }
        writer.patch(checksum, at: begin + 8)
        return UInt32(truncatingIfNeeded: at / 8)
    }

    private func writeDefinition(
        _ kind: UInt8, codec: UInt8, schemaVersion: UInt16, name: String,
        to writer: inout ByteWriter
    ) {
        writer.append(kind)
        writer.append(codec)
        writer.append(schemaVersion)
        writer.append(UInt16(truncatingIfNeeded: name.utf8.count))
        writer.append(0 as UInt16)
        writer.append(0 as UInt32)
        writer.append(utf8: name)
    }

    func writeEntry(count: Int, to writer: inout ByteWriter) {
        writer.append(RecordFormat.entry)
        writer.append(0 as UInt8)
        writer.append(0 as UInt16)
        writer.append(UInt32(truncatingIfNeeded: count))
    }

    /// Writes a record and returns its offset in the file.
    func write(
        _ event: QueuedEvent, stream: UInt32, type: UInt32, to writer: inout ByteWriter
    ) -> UInt32 {
        write(
            event.recorded, occurredAt: event.occurredAt, recordedAt: event.recordedAt,
            stream: stream, type: type, to: &writer)
    }

    /// Writes a record and returns its offset in the file.
    ///
    /// - Parameters:
    ///   - occurredAt: When it happened, where that is not when it was recorded.
    ///   - recordedAt: When it was recorded, where that is not the time of the frame.
    func write(
        _ recorded: RecordedEvent, occurredAt: Timestamp?, recordedAt: Timestamp?,
        stream: UInt32, type: UInt32, to writer: inout ByteWriter
    ) -> UInt32 {
        let at = offset(writer)
        let begin = writer.count
        let flags = RecordFlags(recorded, occurredAt: occurredAt, recordedAt: recordedAt)
        writer.append(0 as UInt64)
        writer.append(flags.rawValue)
        writer.append(stream)
        writer.append(type)
        if flags.contains(.wideVersion) {
            writer.append(recorded.version.rawValue)
        } else {
            writer.append(UInt32(truncatingIfNeeded: recorded.version.rawValue))
        }
        writer.append(recorded.id)
        if let correlation = recorded.metadata.correlation { writer.append(correlation) }
        if let causation = recorded.metadata.causation,
            !flags.contains(.causationIsCorrelation)
        {
            writer.append(causation)
        }
        if let occurredAt { writer.append(occurredAt.nanoseconds) }
        if let recordedAt { writer.append(recordedAt.nanoseconds) }
        writer.append(tags: recorded.tags)
        writer.append(headers: recorded.metadata.headers)
        recorded.event.payload.withUnsafeBytes { writer.append($0) }

        let length = UInt32(truncatingIfNeeded: writer.count - begin)
        writer.patch(length, at: begin)
        let checksum = writer.withUnsafeBytes { bytes in
            crc32c(
                RecordFormat.seed(at: at),
                UnsafeRawBufferPointer(rebasing: bytes[(begin + RecordFormat.recordPrefix)...]))
        }
        writer.patch(checksum, at: begin + 4)
        return UInt32(truncatingIfNeeded: at)
    }
}

/// The checksum of a definition: everything but the checksum itself.
func definitionChecksum(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) -> UInt32 {
    let head = UnsafeRawBufferPointer(rebasing: bytes[..<8])
    let name = UnsafeRawBufferPointer(rebasing: bytes[RecordFormat.definitionHeader...])
    return crc32c(crc32c(RecordFormat.seed(at: offset), head), name)
}

extension RecordFlags {
    fileprivate init(_ recorded: RecordedEvent, occurredAt: Timestamp?, recordedAt: Timestamp?) {
        self = []
        let metadata = recorded.metadata
        if metadata.correlation != nil { insert(.correlation) }
        if let causation = metadata.causation {
            insert(causation == metadata.correlation ? .causationIsCorrelation : .causation)
        }
        if occurredAt != nil { insert(.occurredAt) }
        if recordedAt != nil { insert(.recordedAt) }
        if !recorded.tags.isEmpty { insert(.tags) }
        if !metadata.headers.isEmpty { insert(.headers) }
        if recorded.version.rawValue > UInt64(UInt32.max) { insert(.wideVersion) }
        if recorded.isRedacted { insert(.redacted) }
    }
}

extension ByteWriter {
    fileprivate mutating func append(_ id: MessageID) {
        append(id.high.byteSwapped)
        append(id.low.byteSwapped)
    }

    fileprivate mutating func append(tags: [Tag]) {
        guard !tags.isEmpty else { return }
        append(UInt8(truncatingIfNeeded: tags.count))
        for tag in tags {
            append(UInt16(truncatingIfNeeded: tag.rawValue.utf8.count))
            append(utf8: tag.rawValue)
        }
    }

    fileprivate mutating func append(headers: [String: String]) {
        guard !headers.isEmpty else { return }
        append(UInt32(truncatingIfNeeded: headers.count))
        for (key, value) in headers.sorted(by: { ExactString($0.key) < ExactString($1.key) }) {
            append(UInt32(truncatingIfNeeded: key.utf8.count))
            append(UInt32(truncatingIfNeeded: value.utf8.count))
            append(utf8: key)
            append(utf8: value)
        }
    }
}

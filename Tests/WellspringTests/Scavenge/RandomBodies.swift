@testable import Wellspring
@testable import WellspringLog

/// Frames of one segment with appends of all shapes, drawn from a seed.
struct RandomBodies {
    struct Frame {
        var place: FramePlace
        var body: [UInt8]
    }

    /// What a body holds, whatever the places at which it holds it.
    struct Read: Hashable {
        struct Append: Hashable {
            /// The entry: its flags, its key, its number of records.
            var head: [UInt8]
            var events: [RecordedEvent]
        }
        var appends: [Append] = []
        var names = SegmentNames()
    }

    private(set) var frames: [Frame] = []
    private var dice: SmallDice
    private var versions: [String: UInt64] = [:]
    private var references: [Definition: UInt32] = [:]
    private var offset = UInt64(SegmentHeader.length)
    private var position: UInt64 = 1

    static let segment: UInt32 = 3
    /// Between these a payload or header is unique in the segment.
    static func mark(_ position: UInt64) -> String { "<secret \(position)>" }

    init(seed: UInt64) {
        dice = SmallDice(seed: seed)
        position = UInt64(dice.below(1_000)) + 1
        for number in 0..<2 + dice.below(6) { addFrame(UInt64(number) + 1) }
    }

    private mutating func addFrame(_ sequence: UInt64) {
        let context = FrameContext(
            segment: Self.segment, bodyOffset: offset + 64, firstPosition: position,
            recordedAt: Int64(sequence) * 100)
        let body = FrameBody(context: context, start: 0)
        var writer = ByteWriter()
        let first = position
        for _ in 0..<dice.below(4) { addAppend(to: body, &writer) }
        if dice.below(5) == 0 { writer.appendZeros(dice.below(30)) }
        let place = FramePlace(
            segment: Self.segment, offset: offset, bodyLength: writer.count, sequence: sequence,
            firstPosition: first, eventCount: UInt32(position - first),
            recordedAt: context.recordedAt)
        frames.append(Frame(place: place, body: writer.bytes))
        offset += 64 + (UInt64(writer.count) + 7) & ~7
    }

    private mutating func addAppend(to body: FrameBody, _ writer: inout ByteWriter) {
        let events = (0..<dice.below(5)).map { _ in event() }
        let places = events.map { event in
            (
                reference(to: .stream(event.stream), in: body, &writer),
                reference(to: .type(StoredType(event.event)), in: body, &writer)
            )
        }
        if dice.below(3) == 0 { writer.appendZeros(dice.below(20)) }
        let hasKey = dice.below(3) == 0
        let key = hasKey ? Array("key-\(dice.next())".utf8.prefix(1 + dice.below(9))) : []
        writer.append([3, hasKey ? 1 : 0, UInt8(key.count), 0, UInt8(events.count), 0, 0, 0])
        if hasKey { writer.append((0..<16).map { _ in UInt8(dice.below(256)) } + key) }
        for (event, (stream, type)) in zip(events, places) {
            _ = body.write(
                event, occurredAt: dice.below(3) == 0 ? event.occurredAt : nil,
                recordedAt: dice.below(3) == 0 ? event.recordedAt : nil, stream: stream, type: type,
                to: &writer)
        }
    }

    /// A name is defined once, or again, as a program does that does not know that it was.
    private mutating func reference(
        to definition: Definition, in body: FrameBody, _ writer: inout ByteWriter
    ) -> UInt32 {
        if let known = references[definition], dice.below(10) > 0 { return known }
        let reference = body.write(definition, to: &writer)
        references[definition] = reference
        return reference
    }

    private mutating func event() -> RecordedEvent {
        let stream = StreamID(
            category: dice.below(2) == 0 ? "a" : "bücher",
            key: String(repeating: "k", count: dice.below(9)) + "\(dice.below(3))")
        // Beyond what four bytes hold, now and then.
        let start: UInt64 = dice.below(4) == 0 ? UInt64(UInt32.max) - 2 : 0
        let version = (versions[stream.description] ?? start) + 1
        versions[stream.description] = version
        defer { position += 1 }
        let secret = Self.mark(position)
        let event = RecordedEvent(
            event: EncodedEvent(
                name: EventName("name\(dice.below(4))"),
                payload: dice.below(6) == 0
                    ? []
                    : EventPayload(utf8: secret + String(repeating: "x", count: dice.below(90))),
                codec: dice.below(2) == 0 ? .json : .opaque,
                schemaVersion: UInt16(1 + dice.below(2))),
            id: MessageID(high: dice.next(), low: dice.next()), stream: stream,
            version: StreamVersion(version), position: LogPosition(position),
            recordedAt: Timestamp(nanoseconds: Int64(dice.below(1_000))),
            occurredAt: Timestamp(nanoseconds: -Int64(dice.below(1_000))),
            tags: (0..<dice.below(3)).map { Tag("tag:\($0)") },
            metadata: EventMetadata(
                correlation: dice.below(2) == 0 ? MessageID(high: 1, low: dice.next()) : nil,
                causation: dice.below(2) == 0 ? MessageID(high: 2, low: dice.next()) : nil,
                headers: dice.below(3) == 0 ? ["h": secret, "": ""] : [:]))
        return dice.below(8) == 0 ? event.redacted() : event
    }

    /// Reads frames one after the other, with nothing but what is in them.
    static func read(_ frames: [Frame]) throws -> Read {
        var read = Read()
        for frame in frames {
            try frame.body.withUnsafeBytes { bytes in
                var reader = BodyReader(bytes, at: frame.place.bodyOffset)
                var position = frame.place.firstPosition
                while true {
                    let before = Int(reader.offset - frame.place.bodyOffset)
                    guard let item = try reader.next() else { break }
                    let after = Int(reader.offset - frame.place.bodyOffset)
                    switch item {
                    case .definition(let reference, let definition):
                        read.names.add(definition, reference)
                    case .entry(let count):
                        let head = bytes[before..<after].drop { $0 == 0 }
                        var append = Read.Append(head: Array(head), events: [])
                        for _ in 0..<count {
                            let at = Int(reader.offset - frame.place.bodyOffset)
                            let raw = try reader.nextRecord()
                            append.events.append(
                                try event(raw, Array(bytes[at..<at + raw.length]), position, read))
                            position += 1
                        }
                        read.appends.append(append)
                    }
                }
                guard position == frame.place.firstPosition + UInt64(frame.place.eventCount) else {
                    throw MalformedBody(offset: 0, reason: "another number of events")
                }
            }
        }
        return read
    }

    private static func event(
        _ raw: RawRecord, _ bytes: [UInt8], _ position: UInt64, _ read: Read
    ) throws -> RecordedEvent {
        guard let stream = read.names.streams[raw.stream], let type = read.names.types[raw.type]
        else { throw MalformedBody(offset: 0, reason: "names that are not defined") }
        return RecordedEvent(
            FoundRecord(
                record: raw, position: position, frameTime: 0,
                payload: EventPayload(bytes[raw.payload])), stream: stream, type: type)
    }
}

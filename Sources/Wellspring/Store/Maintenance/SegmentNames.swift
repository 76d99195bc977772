import WellspringLog

/// The names that the records of one segment refer to.
struct SegmentNames: Hashable {
    private(set) var streams: [UInt32: StreamID] = [:]
    private(set) var types: [UInt32: StoredType] = [:]

    init() {}

    init(_ definitions: [(reference: UInt32, definition: Definition)]) {
        for (reference, definition) in definitions { add(definition, reference) }
    }

    mutating func add(_ definition: Definition, _ reference: UInt32) {
        switch definition {
        case .stream(let stream): streams[reference] = stream
        case .type(let type): types[reference] = type
        }
    }

    /// Reads what the footer of a sealed segment repeats of all its definitions.
    init(footer content: [UInt8]) throws(MalformedBody) {
        try content.withUnsafeBufferPointer { (bytes) throws(MalformedBody) in
            var reader = ByteReader(UnsafeRawBufferPointer(bytes))
            for _ in 0..<(try reader.readUInt32()) {
                let reference = try reader.readUInt32()
                let kind = try reader.readUInt8()
                let codec = try reader.readUInt8()
                let schemaVersion = try reader.readUInt16()
                let start = reader.offset
                let name = try reader.readString(try reader.readUInt16())
                switch kind {
                case RecordFormat.streamDefinition:
                    guard let stream = StreamID(name) else {
                        throw MalformedBody(
                            offset: start, reason: "a stream name without a category")
                    }
                    streams[reference] = stream
                case RecordFormat.typeDefinition:
                    types[reference] = StoredType(
                        name: EventName(name), codec: PayloadCodec(rawValue: codec),
                        schemaVersion: schemaVersion)
                default:
                    throw MalformedBody(offset: start, reason: "a name of kind \(kind)")
                }
            }
            guard reader.isAtEnd else {
                throw MalformedBody(offset: reader.offset, reason: "more bytes than names")
            }
        }
    }
}

extension SegmentNames {
    /// What the footer of the segment repeats: every definition by its reference, in order.
    var footer: [UInt8] {
        let all =
            streams.map { ($0.key, Definition.stream($0.value)) }
            + types.map { ($0.key, Definition.type($0.value)) }
        var footer = ByteWriter()
        footer.append(UInt32(truncatingIfNeeded: all.count))
        for (reference, definition) in all.sorted(by: { $0.0 < $1.0 }) {
            footer.append(reference)
            Self.append(definition, to: &footer)
        }
        return footer.bytes
    }

    private static func append(_ definition: Definition, to footer: inout ByteWriter) {
        let name: String
        switch definition {
        case .stream(let stream):
            name = stream.exact.value
            footer.append(RecordFormat.streamDefinition)
            footer.append(0 as UInt8)
            footer.append(0 as UInt16)
        case .type(let type):
            name = type.name.rawValue
            footer.append(RecordFormat.typeDefinition)
            footer.append(type.codec.rawValue)
            footer.append(type.schemaVersion)
        }
        footer.append(UInt16(truncatingIfNeeded: name.utf8.count))
        footer.append(utf8: name)
    }
}

import WellspringLog

/// The names that the records of one segment refer to.
struct SegmentNames: Hashable {
    private(set) var streams: [UInt32: StreamID] = [:]
    private(set) var types: [UInt32: StoredType] = [:]

    init() {}

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

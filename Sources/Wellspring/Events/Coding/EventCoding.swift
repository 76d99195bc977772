/// The stored form of events: the name of the enum case, and its associated values as JSON or in
/// the binary form.
///
/// What knows the event's type is inlined into the program, where the type is at hand; the rest is
/// compiled once.
@usableFromInline
enum EventCoding {
    @inlinable
    static func encode<E: DomainEvent>(_ event: E) throws(EventCodingError) -> EncodedEvent {
        var writing = EventWriting(as: E.payloadFormat)
        defer { writing.end() }
        do {
            try event.encode(to: writing.encoder)
            return try writing.encoded(
                keys: ObjectIdentifier(E.CodingKeys.self), cases: KnownEvents.cases(of: E.self),
                schemaVersion: E.schemaVersion)
        } catch {
            throw failure(error, writing: E.self)
        }
    }

    @inlinable
    static func decode<E: DomainEvent>(
        _ type: E.Type, from encoded: EncodedEvent
    ) throws(EventCodingError) -> E {
        let cases = KnownEvents.cases(of: type)
        do {
            return try encoded.payload.withUnsafeBytes { bytes in
                var reading = try EventReading(
                    of: encoded, as: cases, format: E.payloadFormat, from: bytes)
                defer { reading.end() }
                return try E(from: reading.decoder)
            }
        } catch {
            throw failure(error, reading: encoded)
        }
    }

    @usableFromInline
    static func failure(_ error: any Error, writing type: any Any.Type) -> EventCodingError {
        switch error {
        case is NoEventCaseError: .notAnEnumCase(type: "\(type)")
        case let error as EventCodingError: error
        default: .unencodable(type: "\(type)", reason: reason(for: error))
        }
    }

    @usableFromInline
    static func failure(_ error: any Error, reading encoded: EncodedEvent) -> EventCodingError {
        error as? EventCodingError
            ?? .malformedPayload(encoded.name, reason: reason(for: error))
    }
}

/// One event that is being written.
@usableFromInline
struct EventWriting {
    private var draft: PayloadDraft
    private let codec: PayloadCodec

    @usableFromInline
    init(as format: PayloadFormat) {
        draft = .make()
        codec = format.codec
        if codec == .binary { draft.becomeBinary(fields: format.fields) }
    }

    @usableFromInline
    var encoder: any Encoder { EventCaseEncoder(draft: draft) }

    /// The event with the name of its case, which must be one that the type lists.
    @usableFromInline
    func encoded(
        keys: ObjectIdentifier, cases: @autoclosure () -> EventCases, schemaVersion: UInt16
    ) throws -> EncodedEvent {
        guard let written = draft.eventCase, !draft.isMoreThanOneCase else {
            throw NoEventCaseError()
        }
        // The type's own keys name nothing else, and are what almost all events are written by.
        if written.keys != keys, cases().index(of: written.name) == nil {
            throw EventCodingError.unknownName(written.name, expected: cases().typeName)
        }
        return EncodedEvent(
            name: written.name, payload: EventPayload(sharing: try draft.assembled()[...]),
            codec: codec, schemaVersion: schemaVersion)
    }

    @usableFromInline
    mutating func end() { PayloadDraft.finish(&draft) }
}

/// One event that is being read.
@usableFromInline
struct EventReading {
    private var document: PayloadDocument

    /// Refuses names and codecs that are not the type's before it looks at the bytes.
    @usableFromInline
    init(
        of encoded: EncodedEvent, as cases: EventCases, format: PayloadFormat,
        from bytes: UnsafeRawBufferPointer
    ) throws {
        guard let index = cases.index(of: encoded.name) else {
            throw EventCodingError.unknownName(encoded.name, expected: cases.typeName)
        }
        switch encoded.codec {
        case .json: document = try JSONPayloadDecoder.document(of: bytes)
        case .binary:
            document = try BinaryPayloadDecoder.document(of: bytes, fields: format.fields)
        default: throw EventCodingError.unknownCodec(encoded.codec, of: encoded.name)
        }
        document.cases = cases
        document.eventCase = index
    }

    @usableFromInline
    var decoder: any Decoder { EventCaseDecoder(document: document) }

    @usableFromInline
    mutating func end() { PayloadDocument.endLoan(to: &document) }
}

/// What went wrong and where, without the value that it went wrong with.
private func reason(for error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "" : " at " + path.map(shown).joined(separator: ".")
    }
    return switch error {
    case DecodingError.typeMismatch(let type, let context):
        "expected \(type)\(place(context.codingPath))"
    case DecodingError.valueNotFound(let type, let context):
        "null instead of \(type)\(place(context.codingPath))"
    case DecodingError.keyNotFound(let key, let context):
        "no \"\(shown(key))\"\(place(context.codingPath))"
    case DecodingError.dataCorrupted(let context):
        "not valid\(place(context.codingPath))"
    case EncodingError.invalidValue(let value, let context):
        "a value of type \(Swift.type(of: value)) cannot be written\(place(context.codingPath))"
    case let error as PayloadShapeError: error.description
    case let error as BinaryFormatError: error.description
    default: "\(Swift.type(of: error))"
    }
}

/// A key as errors may show it: by its name if the program names it, and not if it is content, as
/// the keys of a dictionary are.
private func shown(_ key: any CodingKey) -> String {
    if key is PayloadKey { return key.stringValue }
    let mirror = Mirror(reflecting: key)
    return mirror.displayStyle == .enum && mirror.children.isEmpty ? key.stringValue : "*"
}

import Synchronization

/// The stored form of events: the name of the enum case, and JSON of its associated values.
enum EventCoding {
    static func encode<E: DomainEvent>(_ event: E) throws(EventCodingError) -> EncodedEvent {
        let coded: (name: String, payload: [UInt8])
        do {
            coded = try JSONPayloadEncoder.encode(event: event)
        } catch is JSONNoCaseError {
            throw .notAnEnumCase(type: "\(E.self)")
        } catch {
            throw .unencodable(type: "\(E.self)", reason: reason(for: error))
        }
        return EncodedEvent(
            name: EventName(coded.name), payload: EventPayload(sharing: coded.payload[...]),
            codec: .json, schemaVersion: E.schemaVersion)
    }

    static func decode<E: DomainEvent>(
        _ type: E.Type, from encoded: EncodedEvent
    ) throws(EventCodingError) -> E {
        let name = encoded.name.rawValue
        guard E.CodingKeys(stringValue: name) != nil else {
            throw .unknownName(encoded.name, expected: "\(E.self)")
        }
        guard encoded.codec == .json else {
            throw .unknownCodec(encoded.codec, of: encoded.name)
        }
        do {
            return try encoded.payload.withUnsafeBytes { bytes in
                try JSONPayloadDecoder.decode(event: type, named: name, from: bytes)
            }
        } catch {
            throw .malformedPayload(encoded.name, reason: reason(for: error))
        }
    }
}

/// What went wrong and where, without the value that it went wrong with.
private func reason(for error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "" : " at " + path.map(\.stringValue).joined(separator: ".")
    }
    return switch error {
    case DecodingError.typeMismatch(let type, let context):
        "expected \(type)\(place(context.codingPath))"
    case DecodingError.valueNotFound(let type, let context):
        "null instead of \(type)\(place(context.codingPath))"
    case DecodingError.keyNotFound(let key, let context):
        "no \"\(key.stringValue)\"\(place(context.codingPath))"
    case DecodingError.dataCorrupted(let context):
        "not valid\(place(context.codingPath))"
    case EncodingError.invalidValue(let value, let context):
        "a value of type \(Swift.type(of: value)) cannot be written\(place(context.codingPath))"
    default: "\(Swift.type(of: error))"
    }
}

/// The names of the event types that were asked for, which never change.
///
/// A list that only grows at its end, read without a lock; a program has few event types.
enum KnownEventNames {
    private final class Entry: Sendable {
        let type: ObjectIdentifier
        let names: Set<EventName>
        let next = AtomicLazyReference<Entry>()

        init(type: ObjectIdentifier, names: Set<EventName>) {
            self.type = type
            self.names = names
        }
    }

    private static let first = AtomicLazyReference<Entry>()

    static func names<E: DomainEvent>(of type: E.Type) -> Set<EventName> {
        let id = ObjectIdentifier(type)
        var entry = first.load()
        while let current = entry {
            if current.type == id { return current.names }
            entry = current.next.load()
        }
        return add(
            Entry(type: id, names: Set(E.CodingKeys.allCases.map { EventName($0.stringValue) })))
    }

    /// Puts an entry at the end, unless another task was quicker with the same.
    private static func add(_ made: Entry) -> Set<EventName> {
        var stored = first.storeIfNil(made)
        while stored !== made, stored.type != made.type { stored = stored.next.storeIfNil(made) }
        return stored.names
    }
}

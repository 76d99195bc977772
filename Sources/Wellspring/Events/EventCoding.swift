#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

// Swift encodes an enum case as an object with one key: {"account.deposited": {"cents": 70}}.
// The store keeps the key as the event's name and the inner object as its payload. The two
// wrappers below take that one level off on the way in and put it back on the way out, for any
// `Encoder` and `Decoder`; JSON is only the default.

enum EventCoding {
    static func encode<E: DomainEvent>(_ event: E) throws(EventCodingError) -> EncodedEvent {
        let seen = SeenName()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let payload: Data
        do {
            payload = try encoder.encode(Flattened(event: event, seen: seen))
        } catch {
            throw .unencodable(type: "\(E.self)", reason: reason(for: error))
        }
        guard let name = seen.name else { throw .notAnEnumCase(type: "\(E.self)") }
        return EncodedEvent(
            name: EventName(name), payload: EventPayload(payload), codec: .json,
            schemaVersion: E.schemaVersion)
    }

    static func decode<E: DomainEvent>(
        _ type: E.Type, from encoded: EncodedEvent
    ) throws(EventCodingError) -> E {
        guard E.CodingKeys(stringValue: encoded.name.rawValue) != nil else {
            throw .unknownName(encoded.name, expected: "\(E.self)")
        }
        guard encoded.codec == .json else {
            throw .unknownCodec(encoded.codec, of: encoded.name)
        }
        let decoder = JSONDecoder()
        if let key = CodingUserInfoKey.eventName { decoder.userInfo[key] = encoded.name.rawValue }
        do {
            return try decoder.decode(Unflattened<E>.self, from: Data(encoded.payload)).event
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

extension CodingUserInfoKey {
    fileprivate static let eventName = CodingUserInfoKey(rawValue: "wellspring.eventName")
}

// MARK: - Encoding

private final class SeenName { var name: String? }

private struct Flattened<E: Encodable>: Encodable {
    let event: E
    let seen: SeenName
    func encode(to encoder: any Encoder) throws {
        try event.encode(to: CaseEncoder(base: encoder, seen: seen))
    }
}

private struct CaseEncoder: Encoder {
    let base: any Encoder
    let seen: SeenName
    var codingPath: [any CodingKey] { base.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { base.userInfo }
    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(CaseWriter<Key>(base: base, seen: seen))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { base.unkeyedContainer() }
    func singleValueContainer() -> any SingleValueEncodingContainer { base.singleValueContainer() }
}

private struct CaseWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let base: any Encoder
    let seen: SeenName
    var codingPath: [any CodingKey] { base.codingPath }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        seen.name = key.stringValue
        return base.container(keyedBy: Nested.self)
    }
    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try refuse(value) }
    mutating func encodeNil(forKey key: Key) throws { try refuse("nil") }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        base.unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { base }
    mutating func superEncoder(forKey key: Key) -> any Encoder { base }

    private func refuse(_ value: Any) throws {
        throw EncodingError.invalidValue(
            value, .init(codingPath: codingPath, debugDescription: "not an enum case"))
    }
}

// MARK: - Decoding

private struct Unflattened<E: DomainEvent>: Decodable {
    let event: E
    init(from decoder: any Decoder) throws {
        event = try E(from: CaseDecoder(base: decoder))
    }
}

private struct CaseDecoder: Decoder {
    let base: any Decoder
    var codingPath: [any CodingKey] { base.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { base.userInfo }
    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let name = CodingUserInfoKey.eventName.flatMap { base.userInfo[$0] as? String } ?? ""
        return KeyedDecodingContainer(CaseReader<Key>(base: base, key: Key(stringValue: name)))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try base.unkeyedContainer() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        try base.singleValueContainer()
    }
}

private struct CaseReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let base: any Decoder
    let key: Key?
    var codingPath: [any CodingKey] { base.codingPath }
    var allKeys: [Key] { key.map { [$0] } ?? [] }
    func contains(_ key: Key) -> Bool { key.stringValue == self.key?.stringValue }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try base.container(keyedBy: Nested.self)
    }
    func decodeNil(forKey key: Key) throws -> Bool { false }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        throw DecodingError.dataCorrupted(
            .init(codingPath: codingPath, debugDescription: "not an enum case"))
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try base.unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { base }
    func superDecoder(forKey key: Key) throws -> any Decoder { base }
}

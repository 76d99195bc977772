// Swift encodes an enum case as an object with one key: {"account.deposited": {"cents": 70}}. The
// store keeps the key as the event's name and the inner object as its payload. The outermost
// encoder and decoder here take that one level off on the way in, and put it back on the way out:
// they stand for the outer object, and hand out containers of the inner one.

/// An event that does not write itself as one enum case.
struct NoEventCaseError: Error {}

// MARK: - Encoding

/// The name of a case that is being written, and the type of the key that names it.
struct WrittenCase {
    let name: EventName
    let keys: ObjectIdentifier
}

struct EventCaseEncoder: Encoder {
    let draft: PayloadDraft

    private var content: PayloadPen { PayloadPen(draft: draft, place: 0, path: nil) }
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(EventCaseWriter<Key>(draft: draft))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { content.unkeyedContainer() }
    func singleValueContainer() -> any SingleValueEncodingContainer { content }
}

private struct EventCaseWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let draft: PayloadDraft

    private var content: PayloadPen { PayloadPen(draft: draft, place: 0, path: nil) }
    var codingPath: [any CodingKey] { [] }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        let name = EventName(key.stringValue)
        if let other = draft.eventCase, other.name != name {
            return elsewhere.container(keyedBy: type)
        }
        draft.eventCase = WrittenCase(name: name, keys: ObjectIdentifier(Key.self))
        return content.container(keyedBy: type)
    }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws { throw NoEventCaseError() }
    func encodeNil(forKey key: Key) throws { throw NoEventCaseError() }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        elsewhere.unkeyedContainer()
    }
    func superEncoder() -> any Encoder { elsewhere }
    func superEncoder(forKey key: Key) -> any Encoder { elsewhere }

    /// Where an event may write what is no part of its case, before it is refused for that.
    private var elsewhere: PayloadPen {
        draft.isMoreThanOneCase = true
        return PayloadPen(draft: draft, place: draft.newPlace(depth: 0), path: nil)
    }
}

// MARK: - Decoding

struct EventCaseDecoder: Decoder {
    let document: PayloadDocument

    private var content: PayloadNode { PayloadNode(document: document, index: 0, path: nil) }
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(EventCaseReader<Key>(document: document))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try content.unkeyedContainer()
    }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { content }
}

private struct EventCaseReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let document: PayloadDocument

    private var content: PayloadNode { PayloadNode(document: document, index: 0, path: nil) }
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] {
        guard let cases = document.cases else { return [] }
        return cases.keyAlone(document.eventCase, as: Key.self)
            ?? [Key(stringValue: cases.name(document.eventCase).rawValue)].compactMap(\.self)
    }
    func contains(_ key: Key) -> Bool {
        EventName(key.stringValue) == document.cases?.name(document.eventCase)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try content.container(keyedBy: type)
    }
    func decodeNil(forKey key: Key) throws -> Bool { false }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        throw DecodingError.dataCorrupted(
            .init(codingPath: [], debugDescription: "not an enum case"))
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try content.unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { content }
    func superDecoder(forKey key: Key) throws -> any Decoder { content }
}

/// The members of an object, by key.
struct ObjectMembers<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let document: PayloadDocument
    private let object: Int
    private let path: PayloadPath?

    init(of node: PayloadNode) throws {
        let document = node.document
        switch document[node.index].kind {
        case .object, .plainObject, .tabledObject: break
        case .null: throw document.failure([String: Any].self, at: node.index, node.path)
        default: throw document.mismatch([String: Any].self, at: node.index, node.path)
        }
        guard document.openObject(node.index) else {
            throw document.corrupted("A key is malformed.", node.path)
        }
        self.document = document
        object = node.index
        path = node.path
    }

    var codingPath: [any CodingKey] { path.keys }
    var allKeys: [Key] { document.keys(of: object).compactMap { Key(stringValue: $0.text) } }
    func contains(_ key: Key) -> Bool { find(key) != nil }

    // MARK: Members that must be there

    func decodeNil(forKey key: Key) throws -> Bool { document[try index(of: key)].kind == .null }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        try document.bool(at: index(of: key)) { place(key) }
    }
    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try document.string(at: index(of: key)) { place(key) }
    }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try document.number(at: index(of: key)) { place(key) }
    }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
        try document.smallNumber(at: index(of: key)) { place(key) }
    }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try whole(key) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try whole(key) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try whole(key) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try whole(key) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try whole(key) }
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try whole(key) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try whole(key) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try whole(key) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try whole(key) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try whole(key) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try whole(key) }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try whole(key) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try document.value(type, at: index(of: key)) { place(key) }
    }

    // MARK: Members that may be absent or null

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        try present(key).map { index in try document.bool(at: index) { place(key) } }
    }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        try present(key).map { index in try document.string(at: index) { place(key) } }
    }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        try present(key).map { index in try document.number(at: index) { place(key) } }
    }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? {
        try present(key).map { index in try document.smallNumber(at: index) { place(key) } }
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: Int128.Type, forKey key: Key) throws -> Int128? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? {
        try presentWhole(key)
    }
    func decodeIfPresent(_ type: UInt128.Type, forKey key: Key) throws -> UInt128? {
        try presentWhole(key)
    }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        try present(key).map { index in try document.value(type, at: index) { place(key) } }
    }

    // MARK: Containers

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try node(key, at: index(of: key)).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try node(key, at: index(of: key)).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder {
        let key = PayloadKey.superKey
        let index = document.find(key.stringValue, in: object) ?? document.absent
        return PayloadNode(document: document, index: index, path: PayloadPath(key, after: path))
    }
    func superDecoder(forKey key: Key) throws -> any Decoder {
        node(key, at: find(key) ?? document.absent)
    }

    // MARK: Finding

    @inline(__always)
    private func find(_ key: Key) -> Int? { document.find(key.stringValue, in: object) }

    @inline(__always)
    private func index(of key: Key) throws -> Int {
        guard let index = find(key) else { throw absence(of: key) }
        return index
    }

    @inline(__always)
    private func present(_ key: Key) -> Int? {
        guard let index = find(key), document[index].kind != .null else { return nil }
        return index
    }

    @inline(__always)
    private func whole<T: FixedWidthInteger & Decodable>(_ key: Key) throws -> T {
        try document.integer(at: index(of: key)) { place(key) }
    }

    @inline(__always)
    private func presentWhole<T: FixedWidthInteger & Decodable>(_ key: Key) throws -> T? {
        try present(key).map { index in try document.integer(at: index) { place(key) } }
    }

    private func node(_ key: Key, at index: Int) -> PayloadNode {
        PayloadNode(document: document, index: index, path: place(key))
    }

    private func place(_ key: Key) -> PayloadPath { PayloadPath(key, after: path) }

    @inline(never)
    private func absence(of key: Key) -> DecodingError {
        .keyNotFound(
            key,
            .init(codingPath: codingPath, debugDescription: "No member \"\(key.stringValue)\"."))
    }
}

/// The elements of an array, in order.
struct ArrayElements: UnkeyedDecodingContainer {
    private let document: PayloadDocument
    private let path: PayloadPath?
    private var next: Int
    let count: Int?
    private(set) var currentIndex = 0

    init(of node: PayloadNode) throws {
        document = node.document
        switch document[node.index].kind {
        case .array: break
        case .null: throw document.failure([Any].self, at: node.index, node.path)
        default: throw document.mismatch([Any].self, at: node.index, node.path)
        }
        path = node.path
        next = node.index + 1
        count = Int(document[node.index].end)
    }

    var codingPath: [any CodingKey] { path.keys }
    var isAtEnd: Bool { currentIndex >= count ?? 0 }

    // MARK: Elements that must be there

    mutating func decodeNil() throws -> Bool {
        guard document[try element(Any?.self)].kind == .null else { return false }
        advance()
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool {
        let value = try document.bool(at: element(type)) { place }
        advance()
        return value
    }
    mutating func decode(_ type: String.Type) throws -> String {
        let value = try document.string(at: element(type)) { place }
        advance()
        return value
    }
    mutating func decode(_ type: Double.Type) throws -> Double {
        let value = try document.number(at: element(type)) { place }
        advance()
        return value
    }
    mutating func decode(_ type: Float.Type) throws -> Float {
        let value = try document.smallNumber(at: element(type)) { place }
        advance()
        return value
    }
    mutating func decode(_ type: Int.Type) throws -> Int { try whole() }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try whole() }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try whole() }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try whole() }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try whole() }
    mutating func decode(_ type: Int128.Type) throws -> Int128 { try whole() }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try whole() }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try whole() }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try whole() }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try whole() }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try whole() }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try whole() }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let value = try document.value(type, at: element(type)) { place }
        advance()
        return value
    }

    // MARK: Elements that may be absent or null

    // Reading beyond the end is no error here, and counts as a step, as in Foundation.

    mutating func decodeIfPresent(_ type: Bool.Type) throws -> Bool? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: String.Type) throws -> String? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: Double.Type) throws -> Double? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: Float.Type) throws -> Float? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: Int.Type) throws -> Int? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: Int8.Type) throws -> Int8? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: Int16.Type) throws -> Int16? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: Int32.Type) throws -> Int32? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: Int64.Type) throws -> Int64? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: Int128.Type) throws -> Int128? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: UInt.Type) throws -> UInt? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: UInt8.Type) throws -> UInt8? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: UInt16.Type) throws -> UInt16? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: UInt32.Type) throws -> UInt32? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: UInt64.Type) throws -> UInt64? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent(_ type: UInt128.Type) throws -> UInt128? {
        try present { try $0.decode(type) }
    }
    mutating func decodeIfPresent<T: Decodable>(_ type: T.Type) throws -> T? {
        try present { try $0.decode(type) }
    }

    // MARK: Containers

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try node(KeyedDecodingContainer<Nested>.self).container(keyedBy: type)
        advance()
        return container
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try node((any UnkeyedDecodingContainer).self).unkeyedContainer()
        advance()
        return container
    }
    mutating func superDecoder() throws -> any Decoder {
        let decoder = try node((any Decoder).self)
        advance()
        return decoder
    }

    // MARK: Walking

    /// The tape's entry for the current element.
    @inline(__always)
    private func element(_ wanted: any Any.Type) throws -> Int {
        guard !isAtEnd else { throw atEnd(wanted) }
        return next
    }

    @inline(__always)
    private mutating func advance() {
        if !isAtEnd { next = document.after(next) }
        currentIndex += 1
    }

    @inline(__always)
    private mutating func present<T>(_ read: (inout Self) throws -> T) throws -> T? {
        guard !isAtEnd, document[next].kind != .null else {
            advance()
            return nil
        }
        return try read(&self)
    }

    @inline(__always)
    private mutating func whole<T: FixedWidthInteger & Decodable>() throws -> T {
        let value: T = try document.integer(at: element(T.self)) { place }
        advance()
        return value
    }

    private func node(_ wanted: any Any.Type) throws -> PayloadNode {
        PayloadNode(document: document, index: try element(wanted), path: place)
    }

    private var place: PayloadPath { PayloadPath(index: currentIndex, after: path) }

    @inline(never)
    private func atEnd(_ wanted: any Any.Type) -> DecodingError {
        .valueNotFound(
            wanted,
            .init(codingPath: place.keys, debugDescription: "The unkeyed container is at its end."))
    }
}

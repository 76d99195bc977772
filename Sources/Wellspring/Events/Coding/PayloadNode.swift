#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A value on the tape, as the `Decoder` that types read themselves from.
struct PayloadNode: Decoder, SingleValueDecodingContainer {
    let document: PayloadDocument
    let index: Int
    let path: PayloadPath?

    var codingPath: [any CodingKey] { path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(try ObjectMembers<Key>(of: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try ArrayElements(of: self)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    // MARK: Single values

    func decodeNil() -> Bool { document[index].kind == .null }

    func decode(_ type: Bool.Type) throws -> Bool {
        try document.bool(at: index) { path }
    }
    func decode(_ type: String.Type) throws -> String {
        try document.string(at: index) { path }
    }
    func decode(_ type: Double.Type) throws -> Double {
        try document.number(at: index) { path }
    }
    func decode(_ type: Float.Type) throws -> Float {
        try document.smallNumber(at: index) { path }
    }
    func decode(_ type: Int.Type) throws -> Int { try whole() }
    func decode(_ type: Int8.Type) throws -> Int8 { try whole() }
    func decode(_ type: Int16.Type) throws -> Int16 { try whole() }
    func decode(_ type: Int32.Type) throws -> Int32 { try whole() }
    func decode(_ type: Int64.Type) throws -> Int64 { try whole() }
    func decode(_ type: Int128.Type) throws -> Int128 { try whole() }
    func decode(_ type: UInt.Type) throws -> UInt { try whole() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try whole() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try whole() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try whole() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try whole() }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try whole() }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try document.value(type, at: index) { path }
    }

    @inline(__always)
    private func whole<T: FixedWidthInteger & Decodable>() throws -> T {
        try document.integer(at: index) { path }
    }
}

// MARK: - Values or errors

// The path is given as a closure, because only errors and nested values need it.

extension PayloadDocument {
    @inline(__always)
    func bool(at index: Int, _ path: () -> PayloadPath?) throws -> Bool {
        switch self[index].kind {
        case .yes: return true
        case .no: return false
        default: throw mismatch(Bool.self, at: index, path())
        }
    }

    @inline(__always)
    func string(at index: Int, _ path: () -> PayloadPath?) throws -> String {
        guard let text = text(at: index) else { throw failure(String.self, at: index, path()) }
        return text
    }

    @inline(__always)
    func integer<T: FixedWidthInteger & Decodable>(
        at index: Int, _ path: () -> PayloadPath?
    ) throws -> T {
        guard let value = integer(T.self, at: index) else {
            throw failure(T.self, at: index, path())
        }
        return value
    }

    @inline(__always)
    func number(at index: Int, _ path: () -> PayloadPath?) throws -> Double {
        guard let value = double(at: index) else { throw failure(Double.self, at: index, path()) }
        return value
    }

    @inline(__always)
    func smallNumber(at index: Int, _ path: () -> PayloadPath?) throws -> Float {
        guard let value = float(at: index) else { throw failure(Float.self, at: index, path()) }
        return value
    }

    /// The value at `index` as any type; a few of Foundation's types do not read themselves.
    @inline(__always)
    func value<T: Decodable>(_ type: T.Type, at index: Int, _ path: () -> PayloadPath?) throws -> T
    {
        if T.self == Data.self || T.self == URL.self || T.self == Decimal.self {
            return try foundationValue(type, at: index, path())
        }
        if isBinary, let id = binaryID(type, at: index) { return id }
        return try T(from: PayloadNode(document: self, index: index, path: path()))
    }

    @inline(never)
    private func foundationValue<T: Decodable>(
        _ type: T.Type, at index: Int, _ path: PayloadPath?
    ) throws -> T {
        let value: (any Sendable)? =
            if T.self == Decimal.self, isBinary {
                decimal(try string(at: index) { path })
            } else if T.self == Decimal.self {
                foundationNumber(Decimal.self, at: index)
            } else if T.self == URL.self {
                URL(string: try string(at: index) { path })
            } else if let bytes = byteString(at: index) {
                Data(bytes)
            } else {
                Data(base64Encoded: try string(at: index) { path })
            }
        guard let value = value as? T else { throw failure(type, at: index, path) }
        return value
    }

    /// The number that a text is; Foundation would take the number that it begins with.
    private func decimal(_ text: String) -> Decimal? {
        var text = text
        let isNumber = text.withUTF8 { JSONNumber(UnsafeRawBufferPointer($0)) != nil }
        guard isNumber, let value = Decimal(string: text), !value.isNaN else { return nil }
        return value
    }

    /// Why the value at `index` could not be read as `type`, which is more than its kind.
    @inline(never)
    func failure(_ type: any Any.Type, at index: Int, _ path: PayloadPath?) -> DecodingError {
        switch self[index].kind {
        case .null:
            return .valueNotFound(
                type, .init(codingPath: path.keys, debugDescription: "Found null instead."))
        case .number where type is any Numeric.Type, .whole where type is any Numeric.Type,
            .real where type is any Numeric.Type:
            return corrupted("The number cannot be represented as \(type).", path)
        case .text, .escapedText:
            guard type is String.Type || type == URL.self || type == Data.self else {
                return mismatch(type, at: index, path)
            }
            return corrupted("The string is malformed.", path)
        default:
            return mismatch(type, at: index, path)
        }
    }

    func mismatch(_ type: any Any.Type, at index: Int, _ path: PayloadPath?) -> DecodingError {
        let found =
            switch self[index].kind {
            case .null: "null"
            case .yes, .no: "a bool"
            case .number, .whole, .real: "a number"
            case .text, .escapedText, .field: "a string"
            case .bytes: "bytes"
            case .array: "an array"
            case .object, .plainObject, .tabledObject: "a dictionary"
            }
        return .typeMismatch(
            type, .init(codingPath: path.keys, debugDescription: "Found \(found) instead."))
    }

    func corrupted(_ description: String, _ path: PayloadPath?) -> DecodingError {
        .dataCorrupted(.init(codingPath: path.keys, debugDescription: description))
    }
}

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Writes `Encodable` values as JSON, as Foundation's `JSONEncoder` does with `.sortedKeys` and
/// `.withoutEscapingSlashes`.
///
/// The text is the same byte for byte: objects in the order of their keys as UTF-8, so that a value
/// always has the same text (but for sets, and dictionaries whose keys are neither strings nor
/// integers: those are arrays, in the order of the collection). See `JSONDraft.swift` for how.
/// Foundation supplies the texts of `Data` (base64), `URL` and `Decimal`.
///
/// Differences: two keys of one object that Swift calls equal but that differ as UTF-8 are both
/// written, and two `superEncoder`s that are taken from one array at the same time have places of
/// their own.
enum JSONPayloadEncoder {
    static func encode<T: Encodable>(_ value: T) throws -> [UInt8] {
        var draft = JSONDraft.make()
        defer { JSONDraft.finish(&draft) }
        try JSONPen(draft: draft, place: 0, path: nil).encode(value)
        do {
            return try draft.assembled()
        } catch {
            throw EncodingError.invalidValue(
                value, .init(codingPath: [], debugDescription: error.description))
        }
    }
}

/// A place in a draft, as the `Encoder` to which types write themselves.
struct JSONPen: Encoder, SingleValueEncodingContainer {
    let draft: JSONDraft
    let place: Int
    let path: JSONPath?

    var codingPath: [any CodingKey] { path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(
            JSONObjectWriter<Key>(
                draft: draft, container: draft.container(at: place, isObject: true), path: path))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        JSONArrayWriter(
            draft: draft, container: draft.container(at: place, isObject: false), path: path)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    // MARK: Single values

    func encodeNil() throws { set { $0.append("null") } }
    func encode(_ value: Bool) throws { set { $0.append(value) } }
    func encode(_ value: String) throws { set { $0.append(quoted: value) } }
    func encode(_ value: Double) throws {
        try draft.check(value) { path }; set { $0.append(number: value) }
    }
    func encode(_ value: Float) throws {
        try draft.check(value) { path }; set { $0.append(number: value) }
    }
    func encode(_ value: Int) throws { set { $0.append(number: value) } }
    func encode(_ value: Int8) throws { set { $0.append(number: value) } }
    func encode(_ value: Int16) throws { set { $0.append(number: value) } }
    func encode(_ value: Int32) throws { set { $0.append(number: value) } }
    func encode(_ value: Int64) throws { set { $0.append(number: value) } }
    func encode(_ value: Int128) throws { set { $0.append(number: value) } }
    func encode(_ value: UInt) throws { set { $0.append(number: value) } }
    func encode(_ value: UInt8) throws { set { $0.append(number: value) } }
    func encode(_ value: UInt16) throws { set { $0.append(number: value) } }
    func encode(_ value: UInt32) throws { set { $0.append(number: value) } }
    func encode(_ value: UInt64) throws { set { $0.append(number: value) } }
    func encode(_ value: UInt128) throws { set { $0.append(number: value) } }
    func encode<T: Encodable>(_ value: T) throws {
        let start = draft.text.count
        if draft.writeFoundationValue(value) {
            draft.setText(since: start, at: place)
        } else {
            try value.encode(to: self)
        }
    }

    @inline(__always)
    private func set(_ write: (inout JSONTextBuffer) -> Void) {
        let start = draft.text.count
        write(&draft.text)
        draft.setText(since: start, at: place)
    }
}

extension JSONTextBuffer {
    mutating func append(_ value: Bool) { append(value ? "true" : "false") }
}

extension JSONDraft {
    /// Refuses the numbers that JSON does not have.
    @inline(__always)
    func check<T: BinaryFloatingPoint>(_ value: T, _ path: () -> JSONPath?) throws {
        guard !value.isFinite else { return }
        throw EncodingError.invalidValue(
            value,
            .init(codingPath: path().keys, debugDescription: "JSON has no number for \(value)."))
    }

    /// Writes a value of one of the types that Foundation's encoder does not let encode themselves.
    ///
    /// - Returns: False when it is of another type.
    @inline(__always)
    func writeFoundationValue<T: Encodable>(_ value: T) -> Bool {
        guard T.self == Data.self || T.self == URL.self || T.self == Decimal.self else {
            return false
        }
        return writeKnownFoundationValue(value)
    }

    @inline(never)
    private func writeKnownFoundationValue<T: Encodable>(_ value: T) -> Bool {
        switch value {
        case let data as Data: text.append(quoted: data.base64EncodedString())
        case let url as URL: text.append(quoted: url.absoluteString)
        case let decimal as Decimal: text.append(plain: decimal.description)
        default: return false
        }
        return true
    }

    /// Writes a value that is a member or element, after its mark.
    @inline(__always)
    func write<T: Encodable>(
        _ value: T, _ mark: Mark, in container: Int, _ path: () -> JSONPath
    ) throws {
        if writeFoundationValue(value) { return addText(mark, to: container) }
        let depth = containers[container].depth
        // Whatever comes below could never be written; refusing it here spares the stack.
        guard depth <= Self.deepest else {
            throw EncodingError.invalidValue(
                value,
                .init(
                    codingPath: path().keys,
                    debugDescription: "Too many nested arrays or dictionaries."))
        }
        let place = newPlace(depth: depth)
        try value.encode(to: JSONPen(draft: self, place: place, path: path()))
        add(mark, place, to: container)
    }
}

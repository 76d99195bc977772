#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A place in a draft, as the `Encoder` to which types write themselves.
struct PayloadPen: Encoder, SingleValueEncodingContainer {
    let draft: PayloadDraft
    let place: Int
    let path: PayloadPath?

    var codingPath: [any CodingKey] { path.keys }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(
            ObjectWriter<Key>(
                draft: draft, container: draft.container(at: place, isObject: true), path: path))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        ArrayWriter(
            draft: draft, container: draft.container(at: place, isObject: false), path: path)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    // MARK: Single values

    func encodeNil() throws { set { $0.appendNull() } }
    func encode(_ value: Bool) throws { set { $0.append(value) } }
    func encode(_ value: String) throws { set { $0.append(text: value) } }
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
        if try draft.writeFoundationValue(value, { path }) {
            draft.setText(since: start, at: place)
        } else {
            try value.encode(to: self)
        }
    }

    @inline(__always)
    private func set(_ write: (inout PayloadBuffer) -> Void) {
        let start = draft.text.count
        write(&draft.text)
        draft.setText(since: start, at: place)
    }
}

extension PayloadDraft {
    /// Refuses the numbers that JSON does not have.
    @inline(__always)
    func check<T: BinaryFloatingPoint>(_ value: T, _ path: () -> PayloadPath?) throws {
        guard !value.isFinite, !text.isBinary else { return }
        throw EncodingError.invalidValue(
            value,
            .init(codingPath: path().keys, debugDescription: "JSON has no number for \(value)."))
    }

    /// Writes a value of one of the types that Foundation's encoder does not let encode themselves.
    ///
    /// - Returns: False when it is of another type.
    @inline(__always)
    func writeFoundationValue<T: Encodable>(
        _ value: T, _ path: () -> PayloadPath?
    ) throws -> Bool {
        if T.self == Data.self || T.self == URL.self || T.self == Decimal.self {
            guard isReadable(value) else {
                throw EncodingError.invalidValue(
                    value,
                    .init(
                        codingPath: path().keys,
                        debugDescription: "The value could not be read again."))
            }
            return writeKnownFoundationValue(value)
        }
        guard text.isBinary, T.self == UUID.self || T.self == MessageID.self else { return false }
        return writeBinaryID(value)
    }

    /// Whether the text of a value gives the value again.
    ///
    /// Foundation makes URLs without text, and some with texts that it does not read.
    @inline(never)
    private func isReadable<T>(_ value: T) -> Bool {
        switch value {
        case let url as URL: URL(string: url.absoluteString) != nil
        case let decimal as Decimal: !decimal.isNaN
        default: true
        }
    }

    @inline(never)
    private func writeKnownFoundationValue<T: Encodable>(_ value: T) -> Bool {
        switch value {
        case let data as Data where text.isBinary:
            data.withUnsafeBytes { text.append(binary: $0, as: BinaryHead.bytes) }
        case let data as Data: text.append(text: data.base64EncodedString())
        case let url as URL: text.append(text: url.absoluteString)
        case let decimal as Decimal where text.isBinary: text.append(text: decimal.description)
        case let decimal as Decimal: text.append(plain: decimal.description)
        default: return false
        }
        return true
    }

    /// Writes a value that is a member or element, after its mark.
    @inline(__always)
    func write<T: Encodable>(
        _ value: T, _ mark: Mark, in container: Int, _ path: () -> PayloadPath
    ) throws {
        if try writeFoundationValue(value, path) { return addText(mark, to: container) }
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
        try value.encode(to: PayloadPen(draft: self, place: place, path: path()))
        add(mark, place, to: container)
    }
}

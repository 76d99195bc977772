/// Reads `Decodable` values from the binary form; see FileFormat.md, "Payloads".
///
/// The types see the same tape as with JSON, so that whatever one form can express, the other can.
enum BinaryPayloadDecoder {
    static func decode<T: Decodable>(
        _ type: T.Type, from bytes: UnsafeRawBufferPointer, fields: FieldNames? = nil
    ) throws -> T {
        var document = try document(of: bytes, fields: fields)
        defer { PayloadDocument.endLoan(to: &document) }
        return try document.value(type, at: 0) { nil }
    }

    /// Returns the tape of the payload, which borrows `bytes` until they are given back.
    static func document(
        of bytes: UnsafeRawBufferPointer, fields: FieldNames?
    ) throws(BinaryFormatError) -> PayloadDocument {
        guard bytes.count < Int(UInt32.max) else { throw .malformed }
        let document = PayloadDocument.make(borrowing: bytes)
        document.isBinary = true
        document.fields = fields
        var scanner = BinaryScanner(bytes, fields: fields)
        try scanner.scan(into: document)
        document.append(PayloadEntry(kind: .null, start: 0, end: 0, next: 0))
        return document
    }
}

/// Writes `Encodable` values in the binary form.
enum BinaryPayloadEncoder {
    static func encode<T: Encodable>(_ value: T, fields: FieldNames? = nil) throws -> [UInt8] {
        var draft = PayloadDraft.make()
        defer { PayloadDraft.finish(&draft) }
        draft.becomeBinary(fields: fields)
        try PayloadPen(draft: draft, place: 0, path: nil).encode(value)
        return try draft.assembled()
    }
}

/// Why bytes are no payload in the binary form.
enum BinaryFormatError: Error, CustomStringConvertible {
    case malformed, tooDeep, unknownField, otherFields

    var description: String {
        switch self {
        case .malformed: "not valid"
        case .tooDeep: "values are nested too deeply"
        case .unknownField: "a field is stored by a number that the type's list does not have"
        case .otherFields: "the type's list of fields is not the one that the event was written by"
        }
    }
}

/// Reads `Decodable` values from JSON as Foundation's `JSONDecoder` does.
///
/// The same texts are accepted and give the same values; see `PayloadDocument.swift` for how. These go
/// to Foundation, because it has rules of its own for them and they are rare or slow anyway:
/// - text in UTF-16 or UTF-32, which is converted to UTF-8 first;
/// - whole numbers that are written as fractions, with exponents, or with more than 18 digits;
/// - the contents of `Data` (base64), `URL` and `Decimal`.
///
/// Differences, none of them in which values come out:
/// - `allKeys` has the order of the text, where Foundation's has none;
/// - the coding path of an error about malformed text or numbers leads to it, where Foundation's is
///   empty.
enum JSONPayloadDecoder {
    static func decode<T: Decodable>(
        _ type: T.Type, from bytes: UnsafeRawBufferPointer
    ) throws -> T {
        var document = try document(of: bytes)
        defer { PayloadDocument.endLoan(to: &document) }
        return try document.value(type, at: 0) { nil }
    }

    /// Returns the tape of the text, which borrows `bytes` until they are given back.
    static func document(of bytes: UnsafeRawBufferPointer) throws -> PayloadDocument {
        do {
            guard let encoding = JSONTextEncoding(of: bytes) else {
                return try scan(bytes)
            }
            return try encoding.withUTF8(of: bytes) { text in
                let document = try scan(text)
                document.keepBytes()
                return document
            }
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "The given data was not valid JSON."))
        }
    }

    private static func scan(
        _ bytes: UnsafeRawBufferPointer
    ) throws -> PayloadDocument {
        guard bytes.count < Int(UInt32.max) else { throw JSONSyntaxError() }
        let document = PayloadDocument.make(borrowing: bytes)
        var scanner = JSONScanner(bytes)
        try scanner.scan(into: document)
        document.append(PayloadEntry(kind: .null, start: 0, end: 0, next: 0))
        return document
    }
}

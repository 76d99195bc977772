/// Writes `Encodable` values as JSON, as Foundation's `JSONEncoder` does with `.sortedKeys` and
/// `.withoutEscapingSlashes`.
///
/// The text is the same byte for byte: objects in the order of their keys as UTF-8, so that a value
/// always has the same text (but for sets, and dictionaries whose keys are neither strings nor
/// integers: those are arrays, in the order of the collection). See `PayloadDraft.swift` for how.
/// Foundation supplies the texts of `Data` (base64), `URL` and `Decimal`.
///
/// Differences: two keys of one object that Swift calls equal but that differ as UTF-8 are both
/// written, two `superEncoder`s that are taken from one array at the same time have places of their
/// own, and a `Decimal` or `URL` that could not be read again is refused.
enum JSONPayloadEncoder {
    static func encode<T: Encodable>(_ value: T) throws -> [UInt8] {
        var draft = PayloadDraft.make()
        defer { PayloadDraft.finish(&draft) }
        try PayloadPen(draft: draft, place: 0, path: nil).encode(value)
        do {
            return try draft.assembled()
        } catch {
            throw EncodingError.invalidValue(
                value, .init(codingPath: [], debugDescription: error.description))
        }
    }
}

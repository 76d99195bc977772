/// The form in which an event type writes its content.
///
/// Reading does not depend on it: what is stored says how it was written, so a type may change its
/// format at any time and reads its old events on.
///
/// What could not be read again is refused when it is written: in JSON a `Double` or `Float` that is
/// not finite, in both forms a `Decimal` that is not a number, and a `URL` whose text is none, such
/// as an empty one. A relative `URL` comes back absolute, as from Foundation's own coders.
public struct PayloadFormat: Sendable {
    @usableFromInline let codec: PayloadCodec
    @usableFromInline let fields: FieldNames?

    /// JSON: readable by people and by every program.
    public static let json = PayloadFormat(codec: .json, fields: nil)

    /// JSON, for a type that had a list of fields once and reads those events on.
    ///
    /// The list is the one of ``binary(fields:)``.
    public static func json(readingFields fields: [String]) -> PayloadFormat {
        PayloadFormat(codec: .json, fields: FieldNames(fields))
    }

    /// Compact bytes with the names of the fields: a subset of CBOR (RFC 8949).
    ///
    /// As tolerant as JSON: fields may be added, left out and reordered.
    public static let binary = PayloadFormat(codec: .binary, fields: nil)

    /// The same, with a number in place of each name that is listed: its place in the list.
    ///
    /// The list belongs to the stored data. Append to it; never remove, rename or reorder, not even
    /// when no case has the field any more. Each payload carries a check of 16 bits of the names that
    /// it uses, so that a list that was changed otherwise is an error and not another event; of
    /// 65,536 such payloads, one passes by chance. Names that are not listed are written in full.
    ///
    /// Make the format once, with `static let payloadFormat`. A list has at most 256 names, each
    /// once.
    public static func binary(fields: [String]) -> PayloadFormat {
        PayloadFormat(codec: .binary, fields: FieldNames(fields))
    }
}

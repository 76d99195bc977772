/// The bytes of one event's content, opaque to the store.
///
/// Payloads that were read together may share one buffer; copy with `Array(payload)` what is to be
/// kept for long. Printing shows the size only, so that no content reaches a log by accident.
public struct EventPayload: Hashable, Sendable, RandomAccessCollection {
    @usableFromInline let bytes: ArraySlice<UInt8>

    /// Creates a payload from bytes.
    public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes)[...] }

    /// Creates a payload that shares the buffer of `slice`.
    public init(sharing slice: ArraySlice<UInt8>) { bytes = slice }

    /// The index of the first byte.
    @inlinable public var startIndex: Int { 0 }
    /// One past the index of the last byte.
    @inlinable public var endIndex: Int { bytes.count }
    /// How many bytes there are.
    @inlinable public var count: Int { bytes.count }
    /// The byte at `index`.
    @inlinable public subscript(index: Int) -> UInt8 { bytes[bytes.startIndex + index] }

    /// Calls `body` with the bytes in place.
    ///
    /// The pointer must not leave the closure.
    @inlinable
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Calls `body` with the bytes in place, which lets copies be made in one go.
    public func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result? {
        try bytes.withContiguousStorageIfAvailable(body)
    }

    /// Whether two payloads hold the same bytes.
    public static func == (a: EventPayload, b: EventPayload) -> Bool { a.bytes == b.bytes }
    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension EventPayload: CustomStringConvertible, ExpressibleByArrayLiteral {
    /// The size, never the content.
    public var description: String { "\(count) bytes" }

    /// Creates a payload from the listed bytes.
    public init(arrayLiteral elements: UInt8...) { bytes = elements[...] }

    /// Creates a payload from the UTF-8 form of `text`.
    public init(utf8 text: String) { bytes = Array(text.utf8)[...] }
}

/// How the bytes of a payload are to be read.
///
/// Raw values below 128 belong to Wellspring; use 128 to 255 for codecs of your own.
public struct PayloadCodec: RawRepresentable, Hashable, Sendable {
    /// The number that is stored with the event's type.
    public let rawValue: UInt8

    /// Creates a codec from its stored number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Bytes whose form only the event type knows.
    public static let opaque = PayloadCodec(rawValue: 0)
    /// JSON text (RFC 8259) in UTF-8.
    public static let json = PayloadCodec(rawValue: 1)
    /// The compact form of ``PayloadFormat/binary``, a subset of CBOR (RFC 8949).
    public static let binary = PayloadCodec(rawValue: 2)
    /// The fields that a ``SelfCodingEvent`` wrote one after the other.
    public static let selfCoded = PayloadCodec(rawValue: 3)
}

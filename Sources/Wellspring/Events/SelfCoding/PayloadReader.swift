/// Hands out the fields of a ``SelfCodingEvent`` in the order in which they were written.
///
/// Whatever the bytes are, a value or an error comes out.
public struct PayloadReader: ~Copyable {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline var position = 0
    @usableFromInline var depth = 0
    /// The version of the type that wrote the event.
    public let schemaVersion: UInt16

    @inlinable
    init(_ bytes: UnsafeRawBufferPointer, schemaVersion: UInt16) {
        self.bytes = bytes
        self.schemaVersion = schemaVersion
    }

    /// Whether all bytes are read.
    public var isAtEnd: Bool { position == bytes.count }

    /// Reads a value.
    @inlinable
    public mutating func read<Value: PayloadValue>(
        _ type: Value.Type = Value.self
    ) throws(PayloadError) -> Value {
        guard depth < PayloadWriter.deepest else { throw .tooDeep }
        depth &+= 1
        let value = try Value(from: &self)
        depth &-= 1
        return value
    }

    /// Reads a whole number that was written with `writeFixed`.
    @inlinable
    public mutating func readFixed<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type = Number.self
    ) throws(PayloadError) -> Number {
        let start = try take(MemoryLayout<Number>.size)
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Number.self))
    }

    /// Reads bytes that were written with their count.
    public mutating func readBytes() throws(PayloadError) -> [UInt8] {
        let count = try countOfBytes()
        let start = try take(count)
        return Array(bytes[start..<start + count])
    }

    // MARK: Parts of values

    /// The next `count` bytes, as the offset at which they begin.
    @inlinable
    mutating func take(_ count: Int) throws(PayloadError) -> Int {
        guard count <= bytes.count &- position else { throw .endsEarly }
        let start = position
        position &+= count
        return start
    }

    @inlinable
    mutating func byte() throws(PayloadError) -> UInt8 {
        guard position < bytes.count else { throw .endsEarly }
        let byte = bytes[position]
        position &+= 1
        return byte
    }

    /// Every number has one form only, so a last byte of zero is refused.
    @inlinable
    mutating func variable() throws(PayloadError) -> UInt64 {
        let first = try byte()
        guard first >= 0x80 else { return UInt64(first) }
        var value = UInt64(first & 0x7F)
        var shift: UInt64 = 7
        while true {
            let next = try byte()
            guard shift < 63 || next <= 1 else { throw Self.tooLarge }
            value |= UInt64(next & 0x7F) &<< shift
            if next < 0x80 {
                guard next != 0 else { throw .malformed("a number has more bytes than it needs") }
                return value
            }
            shift &+= 7
        }
    }

    @usableFromInline static var tooLarge: PayloadError {
        .malformed("a number is too large for its type")
    }

    /// A count of bytes that are really there.
    @usableFromInline
    mutating func countOfBytes() throws(PayloadError) -> Int {
        guard let count = Int(exactly: try variable()), count <= bytes.count - position else {
            throw .endsEarly
        }
        return count
    }

    @usableFromInline
    mutating func text() throws(PayloadError) -> String {
        let count = try countOfBytes()
        let start = try take(count)
        let slice = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
        guard let text = PayloadDocument.string(of: slice) else {
            throw .malformed("a string is not UTF-8")
        }
        return text
    }

    /// Refuses what is left, unless a newer version of the type wrote it.
    @inlinable
    func finish(asOf newest: UInt16) throws(PayloadError) {
        guard position == bytes.count || schemaVersion > newest else {
            throw .leftOver(bytes: bytes.count &- position)
        }
    }
}

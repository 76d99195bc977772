/// Reads little-endian integers and bytes from memory that may hold anything.
///
/// Every access is checked against the end; a wrong length throws and never traps, because what
/// is parsed comes from a file that somebody may have damaged.
///
/// Inlined into the parsers of other modules: a record has a dozen fields.
@usableFromInline
package struct ByteReader {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline var position: Int

    @inlinable
    package init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        position = min(max(offset, 0), bytes.count)
    }

    /// Where the next read begins, from the start of the memory.
    @inlinable package var offset: Int { position }

    /// How many bytes are left.
    @inlinable package var remaining: Int { bytes.count &- position }

    /// Whether nothing is left.
    @inlinable package var isAtEnd: Bool { position == bytes.count }

    /// Reads an integer of fixed width.
    @inlinable @inline(__always)
    package mutating func read<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type
    ) throws(MalformedBody) -> Integer {
        guard remaining >= MemoryLayout<Integer>.size else { throw tooShort() }
        let value = bytes.loadUnaligned(fromByteOffset: position, as: type)
        position &+= MemoryLayout<Integer>.size
        return Integer(littleEndian: value)
    }

    @inlinable @inline(__always)
    package mutating func readUInt8() throws(MalformedBody) -> UInt8 { try read(UInt8.self) }
    @inlinable @inline(__always)
    package mutating func readUInt16() throws(MalformedBody) -> UInt16 { try read(UInt16.self) }
    @inlinable @inline(__always)
    package mutating func readUInt32() throws(MalformedBody) -> UInt32 { try read(UInt32.self) }
    @inlinable @inline(__always)
    package mutating func readUInt64() throws(MalformedBody) -> UInt64 { try read(UInt64.self) }
    @inlinable @inline(__always)
    package mutating func readInt64() throws(MalformedBody) -> Int64 { try read(Int64.self) }

    /// Reads `count` bytes and lends them; they live as long as the memory does.
    @inlinable @inline(__always)
    package mutating func readBytes(
        _ count: some BinaryInteger
    ) throws(MalformedBody) -> UnsafeRawBufferPointer {
        guard let length = Int(exactly: count), length >= 0, length <= remaining else {
            throw tooShort()
        }
        let slice = UnsafeRawBufferPointer(rebasing: bytes[position..<position &+ length])
        position &+= length
        return slice
    }

    /// Reads `count` bytes as UTF-8, and refuses what is not.
    @inlinable @inline(__always)
    package mutating func readString(_ count: some BinaryInteger) throws(MalformedBody) -> String {
        let start = position
        return try text(in: try readBytes(count), at: start)
    }

    /// Moves over `count` bytes.
    @inlinable @inline(__always)
    package mutating func skip(_ count: some BinaryInteger) throws(MalformedBody) {
        _ = try readBytes(count)
    }

    @usableFromInline
    func text(
        in slice: UnsafeRawBufferPointer, at start: Int
    ) throws(MalformedBody) -> String {
        // What is not UTF-8 comes out as something else. The validating initializer is much slower.
        let text = String(decoding: slice, as: UTF8.self)
        let isSame = text.utf8.withContiguousStorageIfAvailable { $0.elementsEqual(slice) }
        guard isSame ?? text.utf8.elementsEqual(slice) else {
            throw MalformedBody(offset: start, reason: "text that is not UTF-8")
        }
        return text
    }

    @usableFromInline
    func tooShort() -> MalformedBody {
        MalformedBody(offset: position, reason: "a field that runs over the end")
    }
}

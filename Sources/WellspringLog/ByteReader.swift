/// Reads little-endian integers and bytes from memory that may hold anything.
///
/// Every access is checked against the end; a wrong length throws and never traps, because what
/// is parsed comes from a file that somebody may have damaged.
package struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    /// Where the next read begins, from the start of the memory.
    package private(set) var offset: Int

    package init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = min(max(offset, 0), bytes.count)
    }

    /// How many bytes are left.
    package var remaining: Int { bytes.count - offset }

    /// Whether nothing is left.
    package var isAtEnd: Bool { offset == bytes.count }

    /// Reads an integer of fixed width.
    @inline(__always)
    package mutating func read<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type
    ) throws(MalformedBody) -> Integer {
        guard remaining >= MemoryLayout<Integer>.size else { throw tooShort() }
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: type)
        offset &+= MemoryLayout<Integer>.size
        return Integer(littleEndian: value)
    }

    package mutating func readUInt8() throws(MalformedBody) -> UInt8 { try read(UInt8.self) }
    package mutating func readUInt16() throws(MalformedBody) -> UInt16 { try read(UInt16.self) }
    package mutating func readUInt32() throws(MalformedBody) -> UInt32 { try read(UInt32.self) }
    package mutating func readUInt64() throws(MalformedBody) -> UInt64 { try read(UInt64.self) }
    package mutating func readInt64() throws(MalformedBody) -> Int64 { try read(Int64.self) }

    /// Reads `count` bytes and lends them; they live as long as the memory does.
    package mutating func readBytes(
        _ count: some BinaryInteger
    ) throws(MalformedBody) -> UnsafeRawBufferPointer {
        guard let length = Int(exactly: count), length >= 0, length <= remaining else {
            throw tooShort()
        }
        let slice = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
        offset += length
        return slice
    }

    /// Reads `count` bytes as UTF-8, and refuses what is not.
    package mutating func readString(_ count: some BinaryInteger) throws(MalformedBody) -> String {
        let start = offset
        let slice = try readBytes(count)
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw MalformedBody(offset: start, reason: "text that is not UTF-8")
        }
        return text
    }

    /// Moves over `count` bytes.
    package mutating func skip(_ count: some BinaryInteger) throws(MalformedBody) {
        _ = try readBytes(count)
    }

    private func tooShort() -> MalformedBody {
        MalformedBody(offset: offset, reason: "a field that runs over the end")
    }
}

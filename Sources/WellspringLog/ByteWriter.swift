/// Collects little-endian integers and bytes in a buffer that is used again and again.
///
/// `removeAll()` keeps the memory, so a writer that has grown once appends without allocating.
/// What is generic is inlined into other modules, which would call it with types unknown otherwise.
@usableFromInline
package struct ByteWriter: Sendable {
    /// The bytes that were appended, followed by room for more.
    @usableFromInline var storage: [UInt8]
    /// Where the bytes begin that `count` and every offset speak of.
    @usableFromInline var origin = 0
    /// The end of what was appended, from the start of the storage.
    @usableFromInline var end = 0

    /// How many bytes were appended.
    @inlinable package var count: Int { end &- origin }

    package init(capacity: Int = 0) {
        storage = [UInt8](repeating: 0, count: capacity)
    }

    /// Forgets what was appended and keeps the memory.
    package mutating func removeAll() {
        origin = 0
        end = 0
    }

    /// Hides what was appended so far: offsets and `count` begin anew at zero, until `unhide()`.
    mutating func hide() {
        origin = end
    }

    /// Shows everything that was appended since `removeAll()` again.
    mutating func unhide() {
        origin = 0
    }

    /// Forgets everything after the first `length` bytes.
    package mutating func truncate(to length: Int) {
        // TRAPS: the length is one that the caller took from this writer before.
        precondition(length >= 0 && length <= count, "a writer cannot be truncated to \(length)")
        end = origin + length
    }

    /// Appends an integer of fixed width in little-endian order.
    @inlinable
    @inline(__always)
    package mutating func append<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer) {
        let size = MemoryLayout<Integer>.size
        let place = advance(by: size)
        storage.withUnsafeMutableBytes {
            $0.storeBytes(of: value.littleEndian, toByteOffset: place, as: Integer.self)
        }
    }

    /// Appends raw bytes.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        let place = advance(by: bytes.count)
        storage.withUnsafeMutableBytes { target in
            guard let start = target.baseAddress else { return }
            (start + place).copyMemory(from: source, byteCount: bytes.count)
        }
    }

    /// Appends an array of bytes.
    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends the UTF-8 form of `text`, without a length.
    package mutating func append(utf8 text: String) {
        var copy = text
        copy.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends zeros.
    package mutating func appendZeros(_ length: Int) {
        let place = advance(by: length)
        storage.withUnsafeMutableBytes { target in
            UnsafeMutableRawBufferPointer(rebasing: target[place..<place + length]).fillWithZeros()
        }
    }

    /// Appends zeros until the count is a multiple of `alignment`.
    package mutating func pad(to alignment: Int) {
        let excess = count % alignment
        if excess > 0 { appendZeros(alignment - excess) }
    }

    /// Replaces an integer that was appended at `offset` before.
    @inlinable
    package mutating func patch<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ value: Integer, at offset: Int
    ) {
        // TRAPS: the place is one that the caller has written before, whatever it wrote there.
        precondition(
            offset >= 0 && offset + MemoryLayout<Integer>.size <= count,
            "nothing was written at \(offset) yet")
        let place = origin + offset
        storage.withUnsafeMutableBytes {
            $0.storeBytes(of: value.littleEndian, toByteOffset: place, as: Integer.self)
        }
    }

    /// Lends the bytes appended so far.
    @inlinable
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withUnsafeBufferPointer { (all) throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[origin..<end])))
        }
    }

    /// Lends the bytes appended so far, for changes in place.
    package mutating func withUnsafeMutableBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let used = origin..<end
        return try storage.withUnsafeMutableBufferPointer { (all) throws(Failure) -> Result in
            let bytes = UnsafeMutableBufferPointer(rebasing: all[used])
            return try body(UnsafeMutableRawBufferPointer(bytes))
        }
    }

    /// The bytes appended so far, as a copy.
    package var bytes: [UInt8] { Array(storage[origin..<end]) }

    /// Makes room for `length` more bytes and returns where they begin.
    @inlinable
    @inline(__always)
    mutating func advance(by length: Int) -> Int {
        let place = end
        if storage.count &- place < length { grow(toHold: place + length) }
        end = place &+ length
        return place
    }

    @usableFromInline
    @inline(never)
    mutating func grow(toHold length: Int) {
        let target = max(length, storage.count * 2, 256)
        storage.reserveCapacity(target)
        storage.append(contentsOf: repeatElement(0, count: target - storage.count))
    }
}

/// Takes the fields of a ``SelfCodingEvent``, one after the other.
public struct PayloadWriter: ~Copyable {
    /// How deeply values may be nested, for the sake of the stack of whoever reads them.
    @usableFromInline static let deepest = 256

    @usableFromInline var memory: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    @usableFromInline var count = 0
    @usableFromInline var depth = 0
    @usableFromInline var isTooDeep = false

    @inlinable
    init() {
        capacity = 240
        memory = .allocate(byteCount: capacity, alignment: 8)
    }

    @inlinable
    deinit { memory.deallocate() }

    /// Writes a value.
    @inlinable
    public mutating func write<Value: PayloadValue>(_ value: Value) {
        guard depth < Self.deepest else {
            isTooDeep = true
            return
        }
        depth &+= 1
        value.write(to: &self)
        depth &-= 1
    }

    /// Writes a whole number in as many bytes as its size, for numbers that are mostly large.
    @inlinable
    public mutating func writeFixed<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number) {
        reserve(MemoryLayout<Number>.size)
        memory.storeBytes(of: value.littleEndian, toByteOffset: count, as: Number.self)
        count &+= MemoryLayout<Number>.size
    }

    /// Writes bytes, and before them how many.
    public mutating func write(bytes: some Sequence<UInt8>) {
        let done: Void? = bytes.withContiguousStorageIfAvailable { units in
            append(counted: UnsafeRawBufferPointer(units))
        }
        if done == nil { Array(bytes).withUnsafeBytes { append(counted: $0) } }
    }

    // MARK: Parts of values

    /// Seven bits a byte, the low ones first; the high bit says that another byte follows.
    @inlinable
    mutating func append(variable value: UInt64) {
        reserve(10)
        var rest = value
        while rest >= 0x80 {
            store(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        store(UInt8(truncatingIfNeeded: rest))
    }

    @inlinable
    mutating func append(_ byte: UInt8) {
        reserve(1)
        store(byte)
    }

    @usableFromInline
    mutating func append(utf8 text: String) {
        var text = text
        text.withUTF8 { append(counted: UnsafeRawBufferPointer($0)) }
    }

    private mutating func append(counted bytes: UnsafeRawBufferPointer) {
        append(variable: UInt64(bytes.count))
        guard let start = bytes.baseAddress else { return }
        reserve(bytes.count)
        (memory + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    // MARK: Memory

    /// The bytes, or nil when they could not be read again.
    @inlinable
    func finished() -> [UInt8]? {
        guard !isTooDeep else { return nil }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(
                from: UnsafeRawBufferPointer(start: memory, count: count))
            initialized = count
        }
    }

    @inlinable
    mutating func store(_ byte: UInt8) {
        memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    @inlinable
    mutating func reserve(_ more: Int) {
        if capacity &- count < more { grow(by: more) }
    }

    @usableFromInline
    mutating func grow(by more: Int) {
        let larger = max(capacity * 2, capacity + more)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        moved.copyMemory(from: memory, byteCount: count)
        memory.deallocate()
        memory = moved
        capacity = larger
    }
}

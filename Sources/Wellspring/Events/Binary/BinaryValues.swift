#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

// Single values of the binary form.

extension PayloadDocument {
    /// The whole number at `index`, or nil when `T` cannot hold it.
    @inline(__always)
    func binaryInteger<T: FixedWidthInteger>(_ type: T.Type, at index: Int) -> T? {
        let entry = self[index]
        guard entry.kind == .whole else {
            return entry.kind == .real ? T(exactly: realNumber(entry)) : nil
        }
        guard let head = BinaryHead(bytes, at: Int(entry.start)) else { return nil }
        switch head.kind {
        case BinaryHead.positive: return T(exactly: head.value)
        case BinaryHead.negative where head.value <= UInt64(Int64.max):
            return T(exactly: ~Int64(bitPattern: head.value))
        default: return longInteger(type, entry, head)
        }
    }

    @inline(never)
    private func longInteger<T: FixedWidthInteger>(
        _ type: T.Type, _ entry: PayloadEntry, _ head: BinaryHead
    ) -> T? {
        let (magnitude, isNegative) = longMagnitude(entry, head)
        guard isNegative else { return T(exactly: magnitude) }
        guard magnitude <= UInt128(Int128.max) else { return nil }
        return T(exactly: ~Int128(magnitude))
    }

    /// The number that a head and its tag stand for; one less than the magnitude below zero.
    private func longMagnitude(
        _ entry: PayloadEntry, _ head: BinaryHead
    ) -> (magnitude: UInt128, isNegative: Bool) {
        guard head.kind == BinaryHead.tag else {
            return (UInt128(head.value), head.kind == BinaryHead.negative)
        }
        // The scanner saw a tag, the head of a byte string in one byte, and its bytes.
        let start = Int(entry.start) + head.size
        guard let string = BinaryHead(bytes, at: start) else { return (0, false) }
        var magnitude: UInt128 = 0
        for byte in bytes[start + string.size..<Int(entry.end)] {
            magnitude = magnitude << 8 | UInt128(byte)
        }
        return (magnitude, head.value == 3)
    }

    /// The number at `index` rounded to a Double, or nil when there is none.
    func binaryDouble(at index: Int) -> Double? {
        let entry = self[index]
        if entry.kind == .real { return realNumber(entry) }
        guard entry.kind == .whole, let head = BinaryHead(bytes, at: Int(entry.start)) else {
            return nil
        }
        let (magnitude, isNegative) = longMagnitude(entry, head)
        guard isNegative else { return Double(magnitude) }
        return magnitude <= UInt128(Int128.max) ? Double(~Int128(magnitude)) : nil
    }

    /// The number at `index` rounded to a Float, or nil when there is none or it is too large.
    func binaryFloat(at index: Int) -> Float? {
        guard let value = binaryDouble(at: index) else { return nil }
        let rounded = Float(value)
        return rounded.isInfinite && value.isFinite ? nil : rounded
    }

    private func realNumber(_ entry: PayloadEntry) -> Double {
        guard let head = BinaryHead(bytes, at: Int(entry.start)) else { return .nan }
        return head.size == 5
            ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: head.value)))
            : Double(bitPattern: head.value)
    }

    /// The bytes at `index`, or nil when there are none.
    func byteString(at index: Int) -> UnsafeRawBufferPointer? {
        self[index].kind == .bytes ? slice(index) : nil
    }

    /// The sixteen bytes of an id; nil when it is of another type or was written as text.
    @inline(never)
    func binaryID<T>(_ type: T.Type, at index: Int) -> T? {
        guard T.self == UUID.self || T.self == MessageID.self,
            let bytes = byteString(at: index), bytes.count == 16
        else { return nil }
        if T.self == UUID.self { return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self)) as? T }
        let high = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
        let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        return MessageID(high: high, low: low) as? T
    }
}

extension PayloadDraft {
    /// Writes an id as its sixteen bytes.
    ///
    /// - Returns: False when the value is none.
    @inline(never)
    func writeBinaryID<T>(_ value: T) -> Bool {
        switch value {
        case let id as UUID:
            withUnsafeBytes(of: id.uuid) { text.append(binary: $0, as: BinaryHead.bytes) }
        case let id as MessageID:
            let words = (id.high.bigEndian, id.low.bigEndian)
            withUnsafeBytes(of: words) { text.append(binary: $0, as: BinaryHead.bytes) }
        default: return false
        }
        return true
    }
}

// Values in the binary form; see FileFormat.md, "Payloads".

extension PayloadBuffer {
    @inline(__always)
    mutating func append(head kind: UInt8, _ value: UInt64) {
        switch value {
        case 0..<24: append(kind | UInt8(truncatingIfNeeded: value))
        case 24...0xFF:
            append(kind | 24)
            append(UInt8(truncatingIfNeeded: value))
        case 0x100...0xFFFF: append(first: kind | 25, UInt16(truncatingIfNeeded: value))
        case 0x1_0000...0xFFFF_FFFF: append(first: kind | 26, UInt32(truncatingIfNeeded: value))
        default: append(first: kind | 27, value)
        }
    }

    @inline(__always)
    private mutating func append<T: FixedWidthInteger & BitwiseCopyable>(
        first: UInt8, _ number: T
    ) {
        append(first)
        withUnsafeBytes(of: number.bigEndian) { append($0) }
    }

    @inline(__always)
    mutating func append(binary bytes: UnsafeRawBufferPointer, as kind: UInt8) {
        append(head: kind, UInt64(bytes.count))
        append(bytes)
    }

    @inline(__always)
    mutating func append<T: FixedWidthInteger>(binary number: T) {
        if let small = UInt64(exactly: number) {
            append(head: BinaryHead.positive, small)
        } else if let small = Int64(exactly: number) {
            append(head: BinaryHead.negative, UInt64(bitPattern: ~small))
        } else {
            appendLong(number)
        }
    }

    /// Beyond 64 bits: a tag for the sign, and the bytes of the magnitude, high ones first.
    @inline(never)
    private mutating func appendLong<T: FixedWidthInteger>(_ number: T) {
        append(head: BinaryHead.tag, number < 0 ? 3 : 2)
        let magnitude = UInt128(truncatingIfNeeded: number < 0 ? ~number : number)
        withUnsafeBytes(of: magnitude.bigEndian) { bytes in
            let start = bytes.firstIndex { $0 != 0 } ?? bytes.count
            append(
                binary: UnsafeRawBufferPointer(rebasing: bytes[start...]), as: BinaryHead.bytes)
        }
    }

    mutating func append(binary number: Float) {
        append(first: BinaryValue.float, number.bitPattern)
    }

    /// In four bytes when that is exact.
    mutating func append(binary number: Double) {
        let short = Float(number)
        if Double(short).bitPattern == number.bitPattern {
            append(binary: short)
        } else {
            append(first: BinaryValue.double, number.bitPattern)
        }
    }
}

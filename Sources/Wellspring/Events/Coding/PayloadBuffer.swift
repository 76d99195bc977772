/// Bytes of a payload that grow at the end.
///
/// Values are written as JSON, or in the binary form when it says so.
///
/// Owns raw memory instead of an array, so that a short value costs a comparison and a store.
struct PayloadBuffer: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private(set) var count = 0
    var isBinary = false

    init(capacity: Int) {
        self.capacity = max(capacity, 32)
        memory = .allocate(byteCount: self.capacity, alignment: 8)
    }

    deinit { memory.deallocate() }

    /// The bytes; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

    mutating func removeAll() {
        count = 0
        isBinary = false
    }

    @inline(__always)
    mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(by: more) }
    }

    @inline(never)
    private mutating func grow(by more: Int) {
        let larger = max(capacity * 2, capacity + more)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        moved.copyMemory(from: memory, byteCount: count)
        memory.deallocate()
        memory = moved
        capacity = larger
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    @inline(__always)
    mutating func append(_ more: UnsafeRawBufferPointer) {
        guard let start = more.baseAddress else { return }
        reserve(more.count)
        (memory + count).copyMemory(from: start, byteCount: more.count)
        count += more.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    // MARK: Values

    mutating func appendNull() {
        if isBinary { append(BinaryValue.null) } else { append("null") }
    }

    mutating func append(_ value: Bool) {
        if isBinary {
            append(value ? BinaryValue.yes : BinaryValue.no)
        } else {
            append(value ? "true" : "false")
        }
    }

    @inline(__always)
    mutating func append(text: String) {
        var text = text
        text.withUTF8 { text in
            if isBinary {
                append(binary: UnsafeRawBufferPointer(text), as: BinaryHead.text)
            } else {
                append(quoted: UnsafeRawBufferPointer(text))
            }
        }
    }

    @inline(__always)
    mutating func append<T: FixedWidthInteger>(number: T) {
        if isBinary { append(binary: number) } else { append(decimal: number) }
    }

    @inline(__always)
    mutating func append(number: Double) {
        if isBinary { append(binary: number) } else { append(decimal: number) }
    }

    @inline(__always)
    mutating func append(number: Float) {
        if isBinary { append(binary: number) } else { append(decimal: number) }
    }

    // MARK: Strings in JSON

    /// Appends a string in quotes, with escapes for quotes, backslashes and control characters.
    @inline(__always)
    mutating func append(quoted text: UnsafeRawBufferPointer) {
        append(UInt8(ascii: "\""))
        let end = JSONBytes.endOfPlainText(in: text, from: 0)
        append(UnsafeRawBufferPointer(rebasing: text[..<end]))
        if end < text.count { appendEscaped(text, from: end) }
        append(UInt8(ascii: "\""))
    }

    @inline(never)
    private mutating func appendEscaped(_ text: UnsafeRawBufferPointer, from start: Int) {
        var position = start
        while position < text.count {
            appendEscape(of: text[position])
            let end = JSONBytes.endOfPlainText(in: text, from: position + 1)
            append(UnsafeRawBufferPointer(rebasing: text[position + 1..<end]))
            position = end
        }
    }

    private mutating func appendEscape(of byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x08: append("\\b")
        case 0x0C: append("\\f")
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        default:
            append("\\u00")
            append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            let digit = byte & 0x0F
            append(digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a"))
        }
    }

    // MARK: Numbers in JSON

    @inline(__always)
    mutating func append<T: FixedWidthInteger>(decimal number: T) {
        if let small = Int64(exactly: number) {
            append(magnitude: small.magnitude, isNegative: small < 0)
        } else if let small = UInt64(exactly: number) {
            append(magnitude: small, isNegative: false)
        } else {
            append(plain: number.description)
        }
    }

    private mutating func append(magnitude: UInt64, isNegative: Bool) {
        reserve(21)
        if isNegative {
            memory.storeBytes(of: UInt8(ascii: "-"), toByteOffset: count, as: UInt8.self)
            count += 1
        }
        var digits = 1
        var limit: UInt64 = 10
        while magnitude >= limit, digits < 20 {
            digits += 1
            let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
            if overflow { break }
            limit = next
        }
        var rest = magnitude
        var position = count + digits
        repeat {
            position -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            memory.storeBytes(
                of: UInt8(truncatingIfNeeded: digit) + UInt8(ascii: "0"), toByteOffset: position,
                as: UInt8.self)
            rest = quotient
        } while position > count
        count += digits
    }

    /// Appends the shortest text that reads back as the same number; it must be finite.
    ///
    /// As Foundation, without the `.0` of whole numbers.
    mutating func append<T: BinaryFloatingPoint & CustomStringConvertible>(decimal number: T) {
        if let whole = Int64(exactly: number), whole.magnitude < 1 << 24, whole != 0 {
            return append(magnitude: whole.magnitude, isNegative: whole < 0)
        }
        var text = number.description
        if text.hasSuffix(".0") { text.removeLast(2) }
        append(plain: text)
    }

    mutating func append(plain text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }
}

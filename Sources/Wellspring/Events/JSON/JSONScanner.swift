/// Something in the payload that is no JSON.
///
/// Turned into a `DecodingError` before it leaves the decoder.
struct JSONSyntaxError: Error {}

/// Checks the structure of a text and puts its values on the tape, without recursion.
///
/// Accepts what Foundation accepts: a single value of any kind, a comma before a closing bracket,
/// and 512 levels of nesting. What is inside strings and numbers is checked when it is read.
struct JSONScanner {
    /// How deeply arrays and objects may be nested.
    static let deepest = 512

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var depth = 0
    /// The innermost open container; its entry remembers the one around it.
    private var open = -1

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func scan(into document: PayloadDocument) throws {
        repeat {
            // Containers are left open; their first value, if there is one, comes next.
            guard try !scanValue(into: document) else { continue }
            try finishValues(in: document)
        } while open >= 0
        while position < bytes.count {
            guard Self.isBlank(bytes[position]) else { throw JSONSyntaxError() }
            position += 1
        }
    }

    /// Scans a value, or the beginning of a container that has members.
    ///
    /// - Returns: Whether a value must follow, as the first of a container.
    private mutating func scanValue(into document: PayloadDocument) throws -> Bool {
        switch try nextByte() {
        case UInt8(ascii: "\""):
            try scanString(into: document)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            scanNumber(into: document)
        case UInt8(ascii: "{"):
            return try openContainer(.object, closedBy: UInt8(ascii: "}"), in: document)
        case UInt8(ascii: "["):
            return try openContainer(.array, closedBy: UInt8(ascii: "]"), in: document)
        case UInt8(ascii: "t"):
            try scanLiteral("true", .yes, into: document)
        case UInt8(ascii: "f"):
            try scanLiteral("false", .no, into: document)
        case UInt8(ascii: "n"):
            try scanLiteral("null", .null, into: document)
        default: throw JSONSyntaxError()
        }
        return false
    }

    private mutating func openContainer(
        _ kind: PayloadEntry.Kind, closedBy bracket: UInt8, in document: PayloadDocument
    ) throws -> Bool {
        position += 1
        guard depth < Self.deepest else { throw JSONSyntaxError() }
        let index = document.count
        let around = UInt32(truncatingIfNeeded: open)
        document.append(PayloadEntry(kind: kind, start: around, end: 0, next: 0))
        guard try nextByte() != bracket else {
            position += 1
            document.entries[index].next = UInt32(truncatingIfNeeded: index + 1)
            return false
        }
        depth += 1
        open = index
        if kind == .object { try scanKey(into: document) }
        return true
    }

    /// Goes on after a complete value: to the next one of its container, or out of containers
    /// that end here.
    private mutating func finishValues(in document: PayloadDocument) throws {
        while open >= 0 {
            document.entries[open].end &+= 1
            let isObject = document[open].kind == .object
            let bracket = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
            var byte = try nextByte()
            if byte == UInt8(ascii: ",") {
                position += 1
                byte = try nextByte()
                if byte != bracket {
                    if isObject { try scanKey(into: document) }
                    return
                }
            }
            guard byte == bracket else { throw JSONSyntaxError() }
            position += 1
            let closed = open
            open = Int(Int32(truncatingIfNeeded: document[closed].start))
            document.entries[closed].next = UInt32(truncatingIfNeeded: document.count)
            depth -= 1
        }
    }

    private mutating func scanKey(into document: PayloadDocument) throws {
        guard try nextByte() == UInt8(ascii: "\"") else { throw JSONSyntaxError() }
        try scanString(into: document)
        guard try nextByte() == UInt8(ascii: ":") else { throw JSONSyntaxError() }
        position += 1
    }

    // MARK: Single values

    private mutating func scanLiteral(
        _ literal: StaticString, _ kind: PayloadEntry.Kind, into document: PayloadDocument
    ) throws {
        let count = literal.utf8CodeUnitCount
        guard bytes.count - position >= count else { throw JSONSyntaxError() }
        for offset in 0..<count where bytes[position + offset] != literal.utf8Start[offset] {
            throw JSONSyntaxError()
        }
        document.append(PayloadEntry(kind: kind, start: 0, end: 0, next: 0))
        position += count
    }

    private mutating func scanNumber(into document: PayloadDocument) {
        let start = position
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "+"), UInt8(ascii: "e"), UInt8(ascii: "E"):
                position += 1
                continue
            default: break
            }
            break
        }
        append(.number, from: start, to: document)
    }

    /// Scans the string that begins at the quote under the cursor.
    private mutating func scanString(into document: PayloadDocument) throws {
        position += 1
        let start = position
        position = JSONBytes.endOfPlainText(in: bytes, from: start)
        guard position < bytes.count else { throw JSONSyntaxError() }
        if bytes[position] == UInt8(ascii: "\"") {
            append(.text, from: start, to: document)
        } else {
            try skipEscapedText()
            append(.escapedText, from: start, to: document)
        }
        position += 1
    }

    /// Moves to the closing quote; what escapes mean is looked at when the string is read.
    @inline(never)
    private mutating func skipEscapedText() throws {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""): return
            case UInt8(ascii: "\\"): try skipEscape()
            default: position += 1
            }
        }
        throw JSONSyntaxError()
    }

    private mutating func skipEscape() throws {
        guard bytes.count - position >= 2 else { throw JSONSyntaxError() }
        let isUnicode = bytes[position + 1] == UInt8(ascii: "u")
        position += 2
        guard isUnicode else { return }
        guard bytes.count - position >= 4,
            !bytes[position..<position + 4].contains(UInt8(ascii: "\""))
        else { throw JSONSyntaxError() }
        position += 4
    }

    @inline(__always)
    private func append(_ kind: PayloadEntry.Kind, from start: Int, to document: PayloadDocument) {
        document.append(
            PayloadEntry(
                kind: kind, start: UInt32(truncatingIfNeeded: start),
                end: UInt32(truncatingIfNeeded: position), next: 0))
    }

    /// The next byte that is not blank, which stays under the cursor.
    @inline(__always)
    private mutating func nextByte() throws -> UInt8 {
        while position < bytes.count {
            let byte = bytes[position]
            guard Self.isBlank(byte) else { return byte }
            position += 1
        }
        throw JSONSyntaxError()
    }

    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}

/// Looks at eight bytes of text at a time.
enum JSONBytes {
    /// Returns the first position from `start` on with a quote, a backslash or a control character,
    /// or the end.
    @inline(__always)
    static func endOfPlainText(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while position + 8 <= bytes.count {
            let word = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let found = special(in: word)
            if found != 0 { return position + found.trailingZeroBitCount / 8 }
            position += 8
        }
        while position < bytes.count {
            let byte = bytes[position]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            position += 1
        }
        return position
    }

    /// Has the highest bit set in the lowest byte that is special; the bytes above may be wrong.
    ///
    /// "Bit Twiddling Hacks" (Anderson): subtracting borrows only through bytes that are below the
    /// limit, so that the lowest one found is always right.
    @inline(__always)
    private static func special(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let control = (word &- (ones &* 0x20)) & ~word
        let match = ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | control
        return match & (ones &* 0x80)
    }

    @inline(__always)
    static func equal(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        var position = 0
        while position + 8 <= a.count {
            let left = a.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            guard left == b.loadUnaligned(fromByteOffset: position, as: UInt64.self) else {
                return false
            }
            position += 8
        }
        while position < a.count {
            guard a[position] == b[position] else { return false }
            position += 1
        }
        return true
    }
}

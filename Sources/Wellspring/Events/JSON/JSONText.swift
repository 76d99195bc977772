// Strings of the payload as Swift strings.

extension PayloadDocument {
    /// The string at `index`, or nil when there is none, or not one that Unicode allows.
    @inline(__always)
    func text(at index: Int) -> String? {
        switch self[index].kind {
        case .text, .field: Self.string(of: slice(index))
        case .escapedText: unescaped(slice(index))
        default: nil
        }
    }

    /// The bytes as a string, or nil when they are not UTF-8.
    ///
    /// Making a string repairs what is not UTF-8, so that other bytes come out. That is looked
    /// for here, because the initialiser that validates is not specialised.
    @inline(__always)
    static func string(of bytes: UnsafeRawBufferPointer) -> String? {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return "" }
        let units = UnsafeBufferPointer(
            start: start.assumingMemoryBound(to: UInt8.self), count: bytes.count)
        var text = String(decoding: units, as: UTF8.self)
        let isFaithful = text.withUTF8 { JSONBytes.equal(UnsafeRawBufferPointer($0), bytes) }
        return isFaithful ? text : nil
    }

    /// Replaces the escapes of a string.
    ///
    /// Refuses control characters, unknown escapes and halves of surrogate pairs.
    @inline(never)
    private func unescaped(_ source: UnsafeRawBufferPointer) -> String? {
        var result: [UInt8] = []
        result.reserveCapacity(source.count)
        var position = 0
        while position < source.count {
            let end = JSONBytes.endOfPlainText(in: source, from: position)
            result.append(contentsOf: source[position..<end])
            position = end
            guard position < source.count else { break }
            guard source[position] == UInt8(ascii: "\\"), position + 1 < source.count,
                let length = Self.appendEscape(at: position + 1, of: source, to: &result)
            else { return nil }
            position += 1 + length
        }
        return result.withUnsafeBytes { Self.string(of: $0) }
    }

    /// Appends what the escape means whose letter is at `position`.
    ///
    /// - Returns: The length of the escape without the backslash, or nil when there is no such
    ///   escape.
    private static func appendEscape(
        at position: Int, of source: UnsafeRawBufferPointer, to result: inout [UInt8]
    ) -> Int? {
        switch source[position] {
        case UInt8(ascii: "\""): result.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): result.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): result.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"):
            guard let (scalar, length) = unicodeEscape(at: position, of: source) else { return nil }
            result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            return length
        default: return nil
        }
        return 1
    }

    /// Reads `uXXXX`, or a whole surrogate pair `uXXXX\uXXXX`.
    private static func unicodeEscape(
        at position: Int, of source: UnsafeRawBufferPointer
    ) -> (Unicode.Scalar, length: Int)? {
        guard let first = hexadecimal(at: position + 1, of: source) else { return nil }
        guard UTF16.isLeadSurrogate(first) else {
            return Unicode.Scalar(first).map { ($0, 5) }
        }
        guard position + 6 < source.count, source[position + 5] == UInt8(ascii: "\\"),
            source[position + 6] == UInt8(ascii: "u"),
            let second = hexadecimal(at: position + 7, of: source), UTF16.isTrailSurrogate(second)
        else { return nil }
        let value = 0x10000 + (UInt32(first) & 0x3FF) << 10 + (UInt32(second) & 0x3FF)
        return Unicode.Scalar(value).map { ($0, 11) }
    }

    private static func hexadecimal(
        at position: Int, of source: UnsafeRawBufferPointer
    ) -> UInt16? {
        guard position + 4 <= source.count else { return nil }
        var value: UInt16 = 0
        for byte in source[position..<position + 4] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(byte - 0x30)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt16(byte - 0x57)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt16(byte - 0x37)
            default: return nil
            }
        }
        return value
    }
}

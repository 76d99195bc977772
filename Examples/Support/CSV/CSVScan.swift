/// One pass over the bytes of one record.
struct CSVScan {
    let bytes: [UInt8]
    let end: Int
    let limit: Int
    private(set) var index: Int
    private(set) var lineBreaks = 0

    /// Looks at `bytes` from `start` on, at no more than `limit` of them.
    init(bytes: [UInt8], start: Int, limit: Int) {
        self.bytes = bytes
        self.limit = limit
        index = start
        end = min(bytes.count, start + limit + 1)  // One more for the end of the line.
    }

    /// The length of the line ending at `index`, or `nil` when there is none.
    ///
    /// A carriage return ends a line only before a line feed or as the last byte of the file.
    static func lineEnding(in bytes: [UInt8], at index: Int) -> Int? {
        switch bytes[index] {
        case Byte.lineFeed: 1
        case Byte.carriageReturn:
            if index + 1 == bytes.count {
                1
            } else {
                bytes[index + 1] == Byte.lineFeed ? 2 : nil
            }
        default: nil
        }
    }

    /// Returns the fields and leaves `index` on the first byte after the record.
    mutating func fields() throws(CSVFault) -> [String] {
        var fields: [String] = []
        while true {
            if index < end, bytes[index] == Byte.quote {
                fields.append(try quotedField())
            } else {
                fields.append(try plainField())
            }
            guard index < end else {
                if index < bytes.count { throw .tooLong(limit: limit) }
                return fields
            }
            if bytes[index] == Byte.comma {
                index += 1
            } else if let ending = Self.lineEnding(in: bytes, at: index) {
                index += ending
                lineBreaks += 1
                return fields
            } else {
                throw .textAfterQuote
            }
        }
    }

    private mutating func plainField() throws(CSVFault) -> String {
        let start = index
        while index < end {
            let byte = bytes[index]
            if byte == Byte.comma || Self.lineEnding(in: bytes, at: index) != nil { break }
            if byte == Byte.quote { throw .strayQuote }
            index += 1
        }
        return try text(bytes[start..<index])
    }

    private mutating func quotedField() throws(CSVFault) -> String {
        index += 1
        var content: [UInt8] = []
        var start = index
        while index < end {
            let byte = bytes[index]
            index += 1
            if byte == Byte.lineFeed { lineBreaks += 1 }
            guard byte == Byte.quote else { continue }
            content += bytes[start..<index - 1]
            guard index < end, bytes[index] == Byte.quote else { return try text(content[...]) }
            start = index  // The second quote of a pair is content.
            index += 1
        }
        if index < bytes.count { throw .tooLong(limit: limit) }
        throw .unclosedQuote
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(CSVFault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        return text
    }
}

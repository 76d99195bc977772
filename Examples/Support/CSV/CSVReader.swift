/// One record of a CSV file.
package struct CSVRecord: Hashable, Sendable {
    /// The line on which the record begins, counted from 1.
    package let line: Int
    /// The fields, without their quotes.
    package let fields: [String]

    package init(line: Int, fields: [String]) {
        self.line = line
        self.fields = fields
    }
}

/// Reads a CSV file record by record, as RFC 4180 describes it.
///
/// Fields may be quoted and then hold commas, line breaks and doubled quotes. Lines end with LF or
/// CRLF, the last one may end without either. A byte order mark is skipped, and so are lines
/// without a single character.
///
/// A malformed record is thrown and then stepped over: the reader goes on after the *first* line of
/// it, so that one forgotten quote costs one line and not the rest of the file.
package struct CSVReader: Sendable {
    /// The most bytes a record may have.
    package static let recordLimitBytes = 65_536

    /// How many bytes of the file the records so far took up.
    package private(set) var consumedBytes = 0

    private var source: any ByteSource
    private var buffer: [UInt8] = []
    private var cursor = 0
    private var line = 1
    private var reachedEnd = false
    private var started = false

    /// Opens a file.
    package init(path: String) throws(CSVError) {
        source = try FileSource(path: path)
    }

    /// Reads from memory.
    package init(bytes: [UInt8]) {
        source = MemorySource(bytes: bytes)
    }

    /// The size of the file, if it is known: what ``consumedBytes`` will come to.
    package var totalBytes: Int? { source.size }

    /// Returns the next record, or `nil` after the last.
    package mutating func next() throws(CSVError) -> CSVRecord? {
        while true {
            try fill()
            if !started { skipByteOrderMark() }
            guard cursor < buffer.count else { return nil }
            guard let ending = lineEnding(at: cursor) else { break }
            advance(to: cursor + ending, lines: 1)
        }
        return try record()
    }

    // MARK: - Records

    private mutating func record() throws(CSVError) -> CSVRecord {
        let first = line
        var scan = CSVScan(bytes: buffer, start: cursor, limit: Self.recordLimitBytes)
        do {
            let fields = try scan.fields()
            advance(to: scan.index, lines: scan.lineBreaks)
            return CSVRecord(line: first, fields: fields)
        } catch {
            skipLine()
            throw .malformed(line: first, error)
        }
    }

    /// Steps over the rest of this line, however long it is.
    private mutating func skipLine() {
        while true {
            if let end = buffer[cursor...].firstIndex(of: Byte.lineFeed) {
                return advance(to: end + 1, lines: 1)
            }
            advance(to: buffer.count, lines: 0)
            guard (try? fill()) != nil, cursor < buffer.count else { return }
        }
    }

    private func lineEnding(at index: Int) -> Int? {
        CSVScan.lineEnding(in: buffer, at: index)
    }

    private mutating func advance(to index: Int, lines: Int) {
        consumedBytes += index - cursor
        cursor = index
        line += lines
    }

    private mutating func skipByteOrderMark() {
        started = true
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { advance(to: 3, lines: 0) }
    }

    /// Makes sure that a whole record is in the buffer, unless it is too long or the last.
    private mutating func fill() throws(CSVError) {
        let wanted = Self.recordLimitBytes + 3
        guard !reachedEnd, buffer.count - cursor < wanted else { return }
        buffer.removeFirst(cursor)
        cursor = 0
        while !reachedEnd, buffer.count < wanted {
            let count = buffer.count
            try source.read(into: &buffer)
            reachedEnd = buffer.count == count
        }
    }
}

enum Byte {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let comma = UInt8(ascii: ",")
    static let quote = UInt8(ascii: "\"")
}

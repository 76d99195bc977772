#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An encoding of JSON text that is not plain UTF-8, told from its first four bytes.
///
/// RFC 4627, section 3: a text begins with two ASCII characters, so the places of the zeros give
/// UTF-16 and UTF-32 away. A byte order mark does too, and is left out.
struct JSONTextEncoding {
    private let encoding: String.Encoding
    private let markLength: Int

    /// Returns nil for UTF-8 without a byte order mark.
    @inline(__always)
    init?(of bytes: UnsafeRawBufferPointer) {
        // In plain UTF-8 neither of the first two bytes is zero, and the first begins no mark.
        guard bytes.count > 1, bytes[0] == 0 || bytes[1] == 0 || bytes[0] >= 0xEF else {
            return nil
        }
        self.init(unusual: bytes)
    }

    @inline(never)
    private init?(unusual bytes: UnsafeRawBufferPointer) {
        let start = Array(bytes.prefix(4))
        let isText = start.map { $0 != 0 }
        let found: (String.Encoding, markLength: Int)? =
            if start == [0, 0, 0xFE, 0xFF] {
                (.utf32BigEndian, 4)
            } else if start == [0xFE, 0xFF, 0, 0] {
                (.utf32LittleEndian, 4)  // Foundation's reading of a mark that is really UTF-16.
            } else if start.starts(with: [0xFE, 0xFF]) {
                (.utf16BigEndian, 2)
            } else if start.starts(with: [0xFF, 0xFE]) {
                (.utf16LittleEndian, 2)
            } else if start.starts(with: [0xEF, 0xBB, 0xBF]) {
                (.utf8, 3)
            } else {
                switch isText {
                case [false, false, false, true]: (.utf32BigEndian, 0)
                case [false, true, false, true], [false, true]: (.utf16BigEndian, 0)
                case [true, false, false, false]: (.utf32LittleEndian, 0)
                case [true, false, true, false], [true, false]: (.utf16LittleEndian, 0)
                default: nil
                }
            }
        guard let found else { return nil }
        (encoding, markLength) = found
    }

    /// Calls `body` with the text in UTF-8 and without the mark.
    ///
    /// - Throws: ``JSONSyntaxError`` when the bytes are not of the encoding.
    func withUTF8<Result>(
        of bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(markLength))
        guard encoding != .utf8 else { return try body(rest) }
        guard var text = String(bytes: rest, encoding: encoding) else { throw JSONSyntaxError() }
        return try text.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
    }
}

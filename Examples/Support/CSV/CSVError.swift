/// Why a CSV file could not be read on.
package enum CSVError: Error, Hashable, Sendable {
    /// The file cannot be opened or read; reading ends here.
    case unreadable(path: String, reason: String)
    /// One record breaks the rules. The next call of `next()` goes on with the line after it.
    case malformed(line: Int, CSVFault)

    /// The line to show to the user, if the error is about one.
    package var line: Int? {
        switch self {
        case .unreadable: nil
        case .malformed(let line, _): line
        }
    }
}

/// What is wrong with a record.
package enum CSVFault: Error, Hashable, Sendable {
    /// A quoted field has no closing quote.
    case unclosedQuote
    /// Something other than a comma or the end of the line follows a closing quote.
    case textAfterQuote
    /// A field that does not begin with a quote has one inside.
    case strayQuote
    /// The bytes are not UTF-8.
    case notUTF8
    /// The record is longer than the reader accepts.
    case tooLong(limit: Int)
}

extension CSVError: CustomStringConvertible {
    /// The error in a sentence.
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .malformed(let line, let fault): "line \(line): \(fault)"
        }
    }
}

extension CSVFault: CustomStringConvertible {
    /// The fault in a few words.
    package var description: String {
        switch self {
        case .unclosedQuote: "a quoted field is not closed"
        case .textAfterQuote: "text follows the closing quote of a field"
        case .strayQuote: "a quote stands inside a field that does not begin with one"
        case .notUTF8: "the text is not UTF-8"
        case .tooLong(let limit): "the record is longer than \(limit) bytes"
        }
    }
}

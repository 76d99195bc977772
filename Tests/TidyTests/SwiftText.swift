/// A Swift source taken apart into code and comments.
///
/// Both have the lines of the source. In the code, comments and the text of string literals are
/// left out, so that a rule about calls is not set off by a sentence about them.
struct SwiftText {
    let code: [String]
    let comments: [String]

    init(_ text: String) {
        var parts = Parts(Array(text.utf8))
        parts.readAll()
        code = parts.code.map { String(decoding: $0, as: UTF8.self) }
        comments = parts.comments.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Goes through the bytes once, remembering what it is inside of.
private struct Parts {
    private let source: [UInt8]
    private var index = 0
    private var contexts: [Context] = [.code]
    var code: [[UInt8]] = [[]]
    var comments: [[UInt8]] = [[]]

    private enum Context: Equatable {
        case code
        /// Code inside `\(…)`; how many parentheses are open in it.
        case interpolation(open: Int)
        case string(hashes: Int, quotes: Int)
        case lineComment
        case blockComment
    }

    private static let newline = UInt8(ascii: "\n")
    private static let quote = UInt8(ascii: "\"")
    private static let hash = UInt8(ascii: "#")
    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")
    private static let backslash = UInt8(ascii: "\\")
    private static let open = UInt8(ascii: "(")
    private static let close = UInt8(ascii: ")")

    init(_ source: [UInt8]) { self.source = source }

    mutating func readAll() {
        while index < source.count {
            if source[index] == Self.newline {
                endLine()
                continue
            }
            switch contexts.last ?? .code {
            case .code: readCode()
            case .interpolation(let open): readInterpolation(open: open)
            case .string(let hashes, let quotes): readString(hashes: hashes, quotes: quotes)
            case .lineComment: takeComment()
            case .blockComment: readBlockComment()
            }
        }
    }

    private mutating func endLine() {
        if contexts.last == .lineComment { contexts.removeLast() }
        code.append([])
        comments.append([])
        index += 1
    }

    private mutating func readCode() {
        let byte = source[index]
        if byte == Self.slash, at(1) == Self.slash {
            contexts.append(.lineComment)
        } else if byte == Self.slash, at(1) == Self.star {
            index += 2
            contexts.append(.blockComment)
        } else if byte == Self.quote || byte == Self.hash, let string = stringStart() {
            index += string.hashes + string.quotes
            code[code.count - 1].append(Self.quote)
            contexts.append(.string(hashes: string.hashes, quotes: string.quotes))
        } else {
            takeCode()
        }
    }

    private mutating func readInterpolation(open: Int) {
        switch source[index] {
        case Self.close where open == 0:
            contexts.removeLast()
            return takeCode()
        case Self.close: contexts[contexts.count - 1] = .interpolation(open: open - 1)
        case Self.open: contexts[contexts.count - 1] = .interpolation(open: open + 1)
        default: break
        }
        readCode()
    }

    private mutating func readString(hashes: Int, quotes: Int) {
        let byte = source[index]
        if byte == Self.quote, count(of: Self.quote) >= quotes,
            count(of: Self.hash, from: quotes) >= hashes
        {
            index += quotes + hashes
            code[code.count - 1].append(Self.quote)
            contexts.removeLast()
        } else if byte == Self.backslash, count(of: Self.hash, from: 1) >= hashes {
            index += 1 + hashes
            if at(0) == Self.open {
                takeCode()
                contexts.append(.interpolation(open: 0))
            } else if at(0) != Self.newline {
                index += 1
            }
        } else {
            index += 1
        }
    }

    private mutating func readBlockComment() {
        if at(0) == Self.star, at(1) == Self.slash {
            index += 2
            contexts.removeLast()
        } else if at(0) == Self.slash, at(1) == Self.star {
            index += 2
            contexts.append(.blockComment)
        } else {
            takeComment()
        }
    }

    private mutating func takeCode() {
        code[code.count - 1].append(source[index])
        index += 1
    }

    private mutating func takeComment() {
        comments[comments.count - 1].append(source[index])
        index += 1
    }

    private func at(_ distance: Int) -> UInt8? {
        index + distance < source.count ? source[index + distance] : nil
    }

    private func count(of byte: UInt8, from distance: Int = 0) -> Int {
        var count = 0
        while at(distance + count) == byte { count += 1 }
        return count
    }

    /// Whether a string literal begins here, with how many `#` and quotes.
    private func stringStart() -> (hashes: Int, quotes: Int)? {
        let hashes = count(of: Self.hash)
        switch count(of: Self.quote, from: hashes) {
        case 0: return nil
        case 1, 2: return (hashes, 1)
        default: return (hashes, 3)
        }
    }
}

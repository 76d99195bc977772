import Foundation

/// Any JSON, as a value that decodes itself by trying.
indirect enum AnyJSON: Codable, Equatable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([AnyJSON])
    case object([String: AnyJSON])

    init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let value = try? single.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? single.decode(Int.self) {
            self = .int(value)
        } else if let value = try? single.decode(Double.self) {
            self = .double(value)
        } else if let value = try? single.decode(String.self) {
            self = .string(value)
        } else if let value = try? single.decode([AnyJSON].self) {
            self = .array(value)
        } else {
            self = .object(try single.decode([String: AnyJSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        switch self {
        case .null: try single.encodeNil()
        case .bool(let value): try single.encode(value)
        case .int(let value): try single.encode(value)
        case .double(let value): try single.encode(value)
        case .string(let value): try single.encode(value)
        case .array(let value): try single.encode(value)
        case .object(let value): try single.encode(value)
        }
    }
}

/// Random contents for the types of the tests.
extension SeededGenerator {
    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
    mutating func chance(_ one: Int) -> Bool { below(one) == 0 }

    mutating func text() -> String {
        let letters: [String] = [
            "a", "b", "Z", "0", " ", "/", "\"", "\\", "\n", "\t", "\r", "\u{8}", "\u{C}", "\u{0}",
            "\u{1F}", "\u{7F}", "é", "e\u{301}", "ß", "\u{2028}", "日本", "😀", "👨‍👩‍👧", "\u{FFFD}",
            "\u{10FFFF}", "K", "\u{212A}", "longer plain text",
        ]
        return (0..<below(chance(4) ? 40 : 7)).map { _ in letters[below(letters.count)] }.joined()
    }

    mutating func key() -> String {
        chance(4) ? text() : ["a", "b", "id", "name", "amount", "a long key of a type"][below(6)]
    }

    mutating func int() -> Int {
        switch below(5) {
        case 0: below(10)
        case 1: Int.random(in: -1000...1000, using: &self)
        case 2: Int(truncatingIfNeeded: next())
        case 3: Int(truncatingIfNeeded: next()) >> below(64)
        default: [.min, .max, 0, -1, 999_999_999_999_999_999, 1_000_000_000_000_000_000][below(6)]
        }
    }

    mutating func double() -> Double {
        switch below(7) {
        case 0: Double(below(100)) / 4
        case 1: Double(int())
        case 2: Double.random(in: -1...1, using: &self)
        case 3: Double(below(1_000_000)) / 100
        case 4: finite(Double(bitPattern: next()))
        case 5: finite(Double(bitPattern: next() & 0x800F_FFFF_FFFF_FFFF))
        default:
            [
                0, -0.0, .pi, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e22, 1e23, 1e15,
                1e16, 9_007_199_254_740_992, 0.1, 1e-7, -1.5, 2.5e-308, 4_503_599_627_370_497.5,
            ][below(15)]
        }
    }

    private func finite(_ value: Double) -> Double { value.isFinite ? value : 0 }

    mutating func float() -> Float {
        let value = Float(bitPattern: UInt32(truncatingIfNeeded: next()))
        return value.isFinite ? value : 0.1
    }

    mutating func data() -> Data { Data((0..<below(20)).map { _ in UInt8(below(256)) }) }

    mutating func date() -> Date { Date(timeIntervalSinceReferenceDate: double()) }

    mutating func uuid() -> UUID {
        let a = withUnsafeBytes(of: (next(), next())) { $0.loadUnaligned(as: uuid_t.self) }
        return UUID(uuid: a)
    }

    mutating func decimal() -> Decimal {
        let value = Decimal(int()) * Decimal(sign: .plus, exponent: below(20) - 10, significand: 1)
        return chance(9) ? value / 3 : value
    }

    mutating func maybe<T>(_ make: (inout SeededGenerator) -> T) -> T? {
        chance(3) ? nil : make(&self)
    }

    mutating func list<T>(_ longest: Int = 5, _ make: (inout SeededGenerator) -> T) -> [T] {
        let count = below(longest + 1)
        return (0..<count).map { _ in make(&self) }
    }

    mutating func table<T>(_ make: (inout SeededGenerator) -> T) -> [String: T] {
        let longest = chance(12) ? 80 : 5
        var result: [String: T] = [:]
        for number in 0..<below(longest + 1) {
            result[longest == 80 ? "key\(number)" : key()] = make(&self)
        }
        return result
    }

    mutating func json(depth: Int = 0) -> AnyJSON {
        switch below(depth > 4 ? 5 : 8) {
        case 0: .null
        case 1: .bool(chance(2))
        case 2: .int(int())
        case 3: .double(double())
        case 4: .string(text())
        case 5: .array(list { $0.json(depth: depth + 1) })
        default: .object(table { $0.json(depth: depth + 1) })
        }
    }
}

/// JSON texts with every freedom that the grammar leaves, and some that it does not.
extension SeededGenerator {
    mutating func written(_ value: AnyJSON) -> String {
        let blank = ["", "", "", " ", "\n", "\t", "\r\n", "  "]
        func gap(_ generator: inout SeededGenerator) -> String { blank[generator.below(8)] }
        let text: String
        switch value {
        case .null: text = "null"
        case .bool(let value): text = value ? "true" : "false"
        case .int(let value): text = "\(value)"
        case .double(let value): text = number(value)
        case .string(let value): text = quoted(value)
        case .array(let values):
            let elements = values.map { written($0) }
            text = "[" + elements.joined(separator: ",") + (chance(20) ? ",]" : "]")
        case .object(let members):
            var parts = members.sorted { $0.key < $1.key }.map {
                quoted($0.key) + gap(&self) + ":" + written($0.value)
            }
            if chance(6), let first = parts.first { parts.append(first + "") }
            if chance(6), let key = members.keys.first { parts.append(quoted(key) + ":1") }
            text = "{" + parts.joined(separator: ",") + (chance(20) ? ",}" : "}")
        }
        return gap(&self) + text + gap(&self)
    }

    private mutating func number(_ value: Double) -> String {
        switch below(5) {
        case 0: "\(below(1000)).\(below(1000))"
        case 1: "\(below(1000))e\(below(40) - 20)"
        case 2: "-\(below(10)).\(next())E+\(below(400))"
        case 3: "\(next())\(next()).0"
        default: "\(value)"
        }
    }

    private mutating func quoted(_ text: String) -> String {
        var result = ""
        for unit in text.utf16 {
            if unit < 0x20 || unit == 0x22 || unit == 0x5C || chance(8) {
                let digits = String(unit, radix: 16, uppercase: chance(2))
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else if UTF16.isLeadSurrogate(unit) || UTF16.isTrailSurrogate(unit) {
                result += "\\u" + String(unit, radix: 16)
            } else if let scalar = Unicode.Scalar(unit) {
                result.unicodeScalars.append(scalar)
            }
        }
        return "\"\(result)\""
    }

    /// Changes a few bytes of a text: flips, drops, repeats, or puts in what means something.
    mutating func damaged(_ text: [UInt8]) -> [UInt8] {
        var text = text
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\u0000", "0", "1", "-",
            "+", ".", "e", "E5", "null", "true", "false", " ", "\u{0}", "\u{1}", "é", "\n", "99999",
            ".0", "\u{FEFF}", "00", "\\/", "\\x", "e400", "e-400", "18446744073709551615",
        ].map { Array($0.utf8) }
        for _ in 0...below(3) {
            let place = text.isEmpty ? 0 : below(text.count)
            switch below(6) {
            case 0 where !text.isEmpty: text[place] = UInt8(below(256))
            case 1 where !text.isEmpty: text[place] ^= 1 << UInt8(below(8))
            case 2 where !text.isEmpty: text.remove(at: place)
            case 3 where !text.isEmpty:
                let end = min(text.count, place + below(8))
                text.insert(contentsOf: Array(text[place..<end]), at: below(text.count))
            case 4 where !text.isEmpty && chance(4): text.removeSubrange(place...)
            default: text.insert(contentsOf: pieces[below(pieces.count)], at: place)
            }
        }
        return text
    }
}

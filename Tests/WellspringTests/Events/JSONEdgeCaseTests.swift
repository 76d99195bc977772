import Foundation
import XCTest

@testable import Wellspring

/// Texts and values at the edges, one by one, with Foundation as the model.
final class JSONEdgeCaseTests: XCTestCase {
    private func check<T: Codable & Equatable>(
        _ type: T.Type, _ texts: [String], line: UInt = #line
    ) {
        for text in texts { check(type, bytes: Array(text.utf8), line: line) }
    }

    private func check<T: Codable & Equatable>(
        _ type: T.Type, bytes: [UInt8], line: UInt = #line
    ) {
        if let difference = JSONComparison.difference(type, bytes) {
            XCTFail(difference, line: line)
        }
    }

    func test_numbers_at_their_limits_are_read_as_by_foundation() {
        let numbers = [
            "0", "-0", "00", "01", "-01", "-", "+1", ".5", "1.", "1.e1", "1e", "1e+", "--1", "1-1",
            "1.0", "1.5", "1e0", "1e2", "1.5e1", "15e-1", "1e-1", "100e-2", "0e5", "0.0e-5",
            "0e999",
            "127", "128", "-128", "-129", "255", "256", "-1", "32767", "32768", "65535", "65536",
            "2147483647", "2147483648", "4294967295", "4294967296", "999999999999999999",
            "1000000000000000000", "9223372036854775807", "9223372036854775808",
            "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
            "18446744073709551616", "9007199254740993", "9007199254740993.0", "1e18", "1e19",
            "1e20",
            "1e22", "1e38", "170141183460469231731687303715884105727",
            "170141183460469231731687303715884105728", "340282366920938463463374607431768211455",
            "340282366920938463463374607431768211456", "1e400", "-1e400", "1e-400", "0e-400",
            "5e-324", "2e-324", "1.7976931348623157e308", "1.7976931348623159e308", "3.4028235e38",
            "3.5e38", "1e-46", "0.1", "0.30000000000000004", "123456789012345678901234567890.5",
            "1e1000000000000000000000", "1e-1000000000000000000000", "2.2250738585072011e-308",
            "8.5", "1E5", "1e05", "9007199254740992.0", "-9223372036854775808.0", "0.1e1", "1e1.5",
            "1.2.3", "1ee5", "1+1", "1e5e5", "NaN", "Infinity", "-Infinity", "0x10", "1_000", "١",
            "16777217", "0.000000000000000000000000000000000000001", "4.35", "2.675",
            "179769313486231580793728971405301e276", "9223372036854775807e-0",
            "10000000000000000e-16",
        ]
        check(Double.self, numbers)
        check(Float.self, numbers)
        check(Int.self, numbers)
        check(Int8.self, numbers)
        check(Int16.self, numbers)
        check(Int32.self, numbers)
        check(Int64.self, numbers)
        check(Int128.self, numbers)
        check(UInt.self, numbers)
        check(UInt8.self, numbers)
        check(UInt16.self, numbers)
        check(UInt32.self, numbers)
        check(UInt64.self, numbers)
        check(UInt128.self, numbers)
        check(Decimal.self, numbers)
        check([Int?].self, numbers.map { "[\($0)]" })
        check([String: Double].self, numbers.map { "{\"a\":\($0),\"b\": \($0) }" })
        check([String].self, numbers.map { "[\($0)]" })
    }

    func test_strings_are_read_as_by_foundation() {
        let contents = [
            "", "a", "é", "日本", "😀", "\\n", "\\/", "/", "\\\"", "\\\\", "\\b\\f\\n\\r\\t", "\\a",
            "\\", "\\u", "\\u0", "\\u00e9", "\\u00E9x", "\\u0000", "\\ud83d\\ude00", "\\uD83D",
            "\\ude00", "\\ud83d\\ud83d", "\\ud83dx", "\\ud83d\\n", "\\ud83d\\u0041", "\\u12g4",
            "\\u+123", "\\uffff", "\\uFDD0", "\u{0}", "\u{1}", "\n", "\t", "\u{7f}", "\u{80}",
            "\u{2028}", "\u{FEFF}", "a\\u0301", "\\u\\u0041", "\\u\\\\\\\\", "\\u123", "\\ud83d\\u",
            "\\ud83d\\u1", "0123456\n", "01234567\\", "01234567\u{1F}", "0123456\\u00e9 and more",
        ]
        check(String.self, contents.map { "\"\($0)\"" })
        check([String].self, contents.map { "[\"\($0)\"]" })
        check([String: Int].self, contents.map { "{\"\($0)\":1}" })
        check(Wide.self, contents.map { "{\"\($0)\":1,\"b\":2}" })
        // What nobody asks for is not looked into.
        check(Optionals.Nested.self, contents.map { "{\"skipped\":\"\($0)\",\"value\":\"x\"}" })
        check([String: Data].self, contents.map { "{\"a\":\"\($0)\"}" })
        check([String: URL].self, contents.map { "{\"a\":\"\($0)\"}" })
    }

    func test_bytes_that_are_no_unicode_are_read_as_by_foundation() {
        let sequences: [[UInt8]] = [
            [0x80], [0xC3], [0xC3, 0x28], [0xC0, 0x80], [0xED, 0xA0, 0x80],
            [0xF4, 0x90, 0x80, 0x80],
            [0xF0, 0x9F, 0x98], [0xFF], [0xFE], [0xC3, 0x5C, 0x6E, 0xA9], [0xE2, 0x82, 0xAC],
        ]
        for bytes in sequences {
            let quoted = [0x22] + bytes + [0x22]
            check(String.self, bytes: quoted)
            check([String].self, bytes: Array("[1,".utf8) + quoted + [0x5D])
            check([String: Int].self, bytes: [0x7B] + quoted + Array(":1}".utf8))
            check(
                Optionals.Nested.self,
                bytes: Array("{\"value\":\"x\",\"skipped\":".utf8) + quoted + [0x7D])
            check(
                Optionals.Nested.self,
                bytes: Array("{\"value\":\"x\",".utf8) + quoted + Array(":1}".utf8))
            check(AnyJSON.self, bytes: bytes)
        }
    }

    func test_structures_are_accepted_or_refused_as_by_foundation() {
        let texts = [
            "", " ", "null", "nul", "nulll", "true", "tru", "truefalse", "false ", "{}", "[]", "{",
            "[", "}", "]", "{]", "[}", "[1", "[1,", "[1,]", "[,]", "[1,,2]", "[,1]", "[1 2]", "{,}",
            "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1,,}", "{\"a\":1 \"b\":2}", "{\"a\" 1}",
            "{a:1}", "{1:1}", "{\"a\":1}}", "[1]]", "1 2", "1,", "// c\n1", "/* */1", "'a'",
            "\"a", "a\"", "[\"a]", "\u{FEFF}1", "\u{FEFF}{}", " \t\r\n1 \t\r\n", "\u{0B}1",
            "1\u{0}",
            "\u{0}1", "[[[]]]", "[{}]", "{\"a\":[{},[],{\"b\":[]}]}", "[1,\n2\r,\t3]", "[1]\u{A0}",
            "{\"a\":1,\"a\":2}", "{\"a\":1,\"b\":2,\"a\":3}", "[tru]", "[nul", "[falsee]",
            "{\"a\":t}",
            "{\"\":1}", "{\"a\":{\"a\":{\"a\":null}}}", "-", "[-]", "[\"\\\"]", "[1,2,]]",
        ]
        check(AnyJSON.self, texts)
        check([String: Int].self, texts)
        check([Int].self, texts)
        check([AnyJSON].self, texts)
        check(Bool?.self, texts)
        check(Optionals.self, texts)
    }

    func test_other_encodings_and_byte_order_marks_are_read_as_by_foundation() {
        let encodings: [String.Encoding] = [
            .utf8, .utf16, .utf16BigEndian, .utf16LittleEndian, .utf32, .utf32BigEndian,
            .utf32LittleEndian,
        ]
        let marks: [[UInt8]] = [
            [], [0xEF, 0xBB, 0xBF], [0xFE, 0xFF], [0xFF, 0xFE], [0, 0, 0xFE, 0xFF],
            [0xFE, 0xFF, 0, 0], [0xFF, 0xFE, 0, 0], [0xEF], [0xEF, 0xBB],
        ]
        for text in ["{\"a\":\"é😀\"}", "[1]", "7", "\"é\"", "", "[", "12"] {
            for encoding in encodings {
                guard let data = text.data(using: encoding) else { return XCTFail("\(encoding)") }
                for mark in marks {
                    check(AnyJSON.self, bytes: mark + data)
                    check(AnyJSON.self, bytes: mark + data.dropLast())
                }
            }
        }
    }

    func test_keys_that_swift_calls_equal_are_one_key_as_with_foundation() {
        let texts = [
            "{\"\u{e9}\":1}", "{\"e\u{301}\":1}", "{\"\u{e9}\":1,\"e\u{301}\":2}",
            "{\"e\u{301}\":1,\"\u{e9}\":2}", "{\"K\":1}", "{\"\u{212A}\":1}",
            "{\"K\":1,\"\u{212A}\":2}", "{\"\\u212a\":1,\"K\":2}",
        ]
        struct Composed: Codable, Equatable {
            var e: Int?
            var k: Int?
            enum CodingKeys: String, CodingKey { case e = "\u{e9}", k = "\u{212A}" }
        }
        struct Decomposed: Codable, Equatable {
            var e: Int?
            var k: Int?
            enum CodingKeys: String, CodingKey { case e = "e\u{301}", k = "K" }
        }
        check(Composed.self, texts)
        check(Decomposed.self, texts)
        check([String: Int].self, texts)
    }

    func test_512_levels_are_read_and_513_are_not() {
        indirect enum Levels: Codable, Equatable {
            case end
            case list([Levels])
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                var inner: [Levels] = []
                while !list.isAtEnd { inner.append(try list.decode(Levels.self)) }
                self = inner.isEmpty ? .end : .list(inner)
            }
            func encode(to encoder: any Encoder) throws {
                var list = encoder.unkeyedContainer()
                if case .list(let inner) = self { for level in inner { try list.encode(level) } }
            }
            init(depth: Int) {
                self = .end
                for _ in 1..<depth { self = .list([self]) }
            }
        }
        for depth in [1, 2, 510, 511, 512, 513, 514, 600] {
            let lists = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            check(Levels.self, [lists])
            check(
                Optionals.Nested.self,
                ["{\"deep\":\(lists)}", String(repeating: "{\"a\":", count: depth)])
            XCTAssertNil(JSONComparison.difference(encoding: Levels(depth: depth)), "\(depth)")
        }
        for opening in ["[", "{\"a\":", "[{\"a\":"] {
            let endless = Array(String(repeating: opening, count: 200_000).utf8)
            guard case .refused = JSONComparison.ours(AnyJSON.self, endless) else {
                return XCTFail("\(opening) was accepted")
            }
        }
    }

    func test_a_value_without_end_is_refused_and_spares_the_stack() {
        struct Endless: Encodable {
            func encode(to encoder: any Encoder) throws {
                var list = encoder.unkeyedContainer()
                try list.encode(Endless())
            }
        }
        XCTAssertThrowsError(try JSONPayloadEncoder.encode(Endless())) { error in
            guard case EncodingError.invalidValue? = error as? EncodingError else {
                return XCTFail("\(error)")
            }
        }
    }
}

import Foundation
import Wellspring
import XCTest

/// What is accepted for storing comes back as it was; what would not is refused before it is stored.
final class ReadBackTests: XCTestCase {
    private struct Held<Value: Codable & Hashable & Sendable>: Codable, Equatable, Sendable {
        var plain: Value
        var maybe: Value?
        var list: [Value]
        var table: [String: Value]
        var byValue: [Value: Int]

        init(_ value: Value) {
            plain = value
            maybe = value
            list = [value]
            table = ["k": value]
            byValue = [value: 1]
        }
    }

    private enum InJSON<Value: Codable & Hashable & Sendable>: DomainEvent, Equatable {
        case held(Held<Value>)
        enum CodingKeys: String, EventNames { case held }
    }

    private enum InBinary<Value: Codable & Hashable & Sendable>: DomainEvent, Equatable {
        case held(Held<Value>)
        enum CodingKeys: String, EventNames { case held }
        static var payloadFormat: PayloadFormat { .binary }
    }

    private static let listed = PayloadFormat.binary(fields: ["k", "table", "plain", "_0"])

    private enum InListed<Value: Codable & Hashable & Sendable>: DomainEvent, Equatable {
        case held(Held<Value>)
        enum CodingKeys: String, EventNames { case held }
        static var payloadFormat: PayloadFormat { ReadBackTests.listed }
    }

    /// Returns whether the event was accepted, in which case it must come back.
    private func comesBack<E: DomainEvent & Equatable>(_ event: E, _ line: UInt) -> Bool {
        guard let stored = try? event.encoded() else { return false }
        do {
            let back = try E(decoding: stored)
            // What is not equal to itself is compared by its bytes.
            XCTAssertTrue(
                try back == event || event != event && back.encoded() == stored,
                "\(event) came back as \(back)", line: line)
        } catch {
            XCTFail("\(event) cannot be read: \(error)", line: line)
        }
        return true
    }

    private func check<Value: Codable & Hashable & Sendable>(
        _ values: [Value], json: Bool = true, binary: Bool = true, line: UInt = #line
    ) {
        for value in values {
            let held = Held(value)
            XCTAssertEqual(comesBack(InJSON.held(held), line), json, "\(value)", line: line)
            XCTAssertEqual(comesBack(InBinary.held(held), line), binary, "\(value)", line: line)
            XCTAssertEqual(comesBack(InListed.held(held), line), binary, "\(value)", line: line)
        }
    }

    private func extremes<Number: FixedWidthInteger>(_ type: Number.Type) -> [Number] {
        [.min, .min + 1, 0, 1, 23, 24, 100, .max / 2 + 1, .max - 1, .max]
    }

    func test_every_whole_number_comes_back() {
        check(extremes(Int.self))
        check(extremes(Int8.self))
        check(extremes(Int16.self))
        check(extremes(Int32.self))
        check(extremes(Int64.self))
        check(extremes(Int128.self))
        check(extremes(UInt.self))
        check(extremes(UInt8.self))
        check(extremes(UInt16.self))
        check(extremes(UInt32.self))
        check(extremes(UInt64.self))
        check(extremes(UInt128.self))
    }

    func test_every_finite_number_comes_back_and_others_in_the_binary_form_only() {
        var generator = SeededGenerator(seed: 4)
        check((0..<300).map { _ in generator.double() })
        check((0..<300).map { _ in generator.float() })
        check([Double.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, 1e15, 1e16])
        check([Float.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, 16_777_216])
        check([CGFloat.pi, -.greatestFiniteMagnitude])
        check([Double.nan, .infinity, -.infinity], json: false)
        check([Float.nan, .infinity, -.infinity], json: false)
    }

    func test_every_moment_and_duration_comes_back() {
        var generator = SeededGenerator(seed: 5)
        check((0..<300).map { _ in generator.date() })
        check([Date.distantPast, .distantFuture, Date(timeIntervalSinceReferenceDate: 0.1)])
        check([Date(timeIntervalSince1970: .nan)], json: false)
        check([Date(timeIntervalSince1970: .infinity)], json: false)
        check([Duration.seconds(-5), Duration(secondsComponent: .max, attosecondsComponent: 5)])
        check([DateInterval(start: .distantPast, end: .distantFuture)])
        check([Timestamp(nanoseconds: .min), Timestamp(nanoseconds: .max)])
    }

    func test_every_decimal_comes_back_but_one_that_is_no_number_is_refused() throws {
        var generator = SeededGenerator(seed: 6)
        check((0..<300).map { _ in generator.decimal() })
        let digits = "340282366920938463463374607431768211455"
        let edges: [Decimal] = [
            .greatestFiniteMagnitude, .leastFiniteMagnitude, .leastNonzeroMagnitude, .pi, 0,
            -Decimal.zero, Decimal(sign: .minus, exponent: -127, significand: 3),
            Decimal(sign: .plus, exponent: -128, significand: 1),
            Decimal(sign: .plus, exponent: 127, significand: 1),
            try XCTUnwrap(Decimal(string: digits)), try XCTUnwrap(Decimal(string: "-0.1")),
        ]
        check(edges)
        check([Decimal.nan, .quietNaN, 1 / Decimal.zero], json: false, binary: false)
    }

    func test_every_text_and_all_data_come_back() {
        var generator = SeededGenerator(seed: 7)
        check((0..<300).map { _ in generator.text() })
        check([
            "", "\u{0}", "\u{FEFF}a", "\u{2028}", "\u{FFFF}\u{10FFFF}", "\\u0000", "\"", "e\u{301}",
        ])
        check((0..<300).map { _ in generator.data() })
        check([Data(), Data([0xFF]), Data(repeating: 7, count: 1000)])
        check((0..<50).map { _ in generator.uuid() })
        check([MessageID(high: .max, low: 0), MessageID(high: 0, low: .max)])
    }

    func test_keys_of_every_type_come_back() {
        check([[Int.min: 1, .max: 2], [:]])
        check([[UInt64.max: 1], [0: 2]])
        check([[Int128.min: 1], [.max: 2]])
        check([[1.5: "a"], [-0.0: "b"], [.leastNonzeroMagnitude: "c"]])
        check([["": ""], ["\u{0}": "\u{0}"], ["super": "x", "k": "y", "_0": "z"]])
        check([[Data(): 1], [Data([1]): 2]])
        check([[UUID(): Optional(1)], [UUID(): nil]])
    }

    func test_values_of_the_library_and_of_foundation_come_back() {
        check([StreamVersion(.max), StreamVersion(0)])
        check([LogPosition(.max), LogPosition(0)])
        check([[Int?.none, 1], [nil, nil], []])
        check([0..<3, 0..<0])
        check([IndexPath(indexes: [1, 2]), IndexPath()])
        check([Locale(identifier: "de_DE")])
        check([DateComponents(year: 5, month: -1), DateComponents()])
        check([CharacterSet.alphanumerics, CharacterSet()])
    }

    // MARK: URLs

    /// A URL is stored as its text; the one that it was relative to is not kept apart.
    func test_a_url_comes_back_with_the_same_text_but_one_that_cannot_be_read_is_refused() throws {
        let base = try XCTUnwrap(URL(string: "https://example.org/a/"))
        let texts = [
            "https://example.org/a/b?c=d#e", "file:///tmp/x%20y", "relative/path", "mailto:a@b",
            "#", "?", "//x", "http://example.org/%FF", "a:",
        ]
        var urls = try texts.map { try XCTUnwrap(URL(string: $0)) }
        urls += [URL(filePath: "/ü"), URL(filePath: "/a b%")]
        check(urls)
        let relative = try XCTUnwrap(URL(string: "b", relativeTo: base))
        let stored = try InJSON.held(Held(relative)).encoded()
        guard case .held(let back) = try InJSON<URL>(decoding: stored) else { return XCTFail() }
        XCTAssertEqual(back.plain, URL(string: "https://example.org/a/b"))
        let unreadable = [
            URLComponents().url, URL(string: ".")?.standardized,
            URL(dataRepresentation: Data("http://x:y/".utf8), relativeTo: nil),
        ]
        check(try unreadable.map { try XCTUnwrap($0) }, json: false, binary: false)
    }
}

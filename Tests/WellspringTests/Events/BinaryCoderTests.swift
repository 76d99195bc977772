import Foundation
import XCTest

@testable import Wellspring

/// The binary form on everything that `Codable` has to offer, beside JSON.
final class BinaryCoderTests: XCTestCase {
    private static let lists: [FieldNames?] = [
        nil, FieldNames(["flag", "text", "id", "name", "a", "b", "first", "second", "é", ""]),
    ]

    private func read<T: Decodable>(
        _ type: T.Type, _ bytes: [UInt8], _ fields: FieldNames? = nil
    ) throws -> T {
        try bytes.withUnsafeBytes {
            try BinaryPayloadDecoder.decode(type, from: $0, fields: fields)
        }
    }

    /// Values survive, and say the same as when they come from JSON.
    private func check<T: JSONSample>(
        _ type: T.Type, line: UInt = #line, prepare: (inout T) -> Void = { _ in }
    ) throws {
        var generator = SeededGenerator(seed: 7)
        for number in 0..<JSONComparison.cases(60) {
            var value = T.random(&generator)
            prepare(&value)
            guard let text = try? JSONPayloadEncoder.encode(value) else { continue }
            let fields = Self.lists[number % 2]
            let bytes = try BinaryPayloadEncoder.encode(value, fields: fields)
            XCTAssertEqual(try BinaryPayloadEncoder.encode(value, fields: fields), bytes)
            let back = try JSONPayloadEncoder.encode(try read(type, bytes, fields))
            let expected = try text.withUnsafeBytes {
                try JSONPayloadEncoder.encode(try JSONPayloadDecoder.decode(type, from: $0))
            }
            assertEqual(back, expected, line)
        }
    }

    private func assertEqual(_ a: [UInt8], _ b: [UInt8], _ line: UInt) {
        guard a != b else { return }
        let place = zip(a, b).prefix { $0 == $1 }.count
        func shown(_ text: [UInt8]) -> String {
            String(decoding: text[max(0, place - 30)..<min(text.count, place + 30)], as: UTF8.self)
        }
        XCTFail("\(shown(a)) but with JSON \(shown(b))", line: line)
    }

    func test_every_primitive_survives() throws { try check(Primitives.self) }
    func test_optionals_survive() throws { try check(Optionals.self) }
    func test_foundation_types_survive() throws { try check(FoundationTypes.self) }
    func test_enums_survive() throws { try check(Cases.self) }
    func test_collections_survive() throws { try check(Collections.self) }
    func test_containers_filled_in_turns_survive() throws { try check(Interleaved.self) }
    func test_superclasses_survive() throws { try check(Dog.self) }
    func test_arrays_of_different_things_survive() throws {
        try check(Mixture.self) { $0.rest = $0.rest.map(\.withoutWholeDoubles) }
    }
    func test_wide_objects_survive() throws { try check(Wide.self) }

    func test_any_tree_of_values_survives() throws {
        var generator = SeededGenerator(seed: 8)
        for number in 0..<JSONComparison.cases(150) {
            let value = generator.json().withoutWholeDoubles
            let fields = Self.lists[number % 2]
            let bytes = try BinaryPayloadEncoder.encode(value, fields: fields)
            let back = try JSONPayloadEncoder.encode(try read(AnyJSON.self, bytes, fields))
            assertEqual(back, try JSONPayloadEncoder.encode(value), #line)
        }
    }

    // MARK: Bytes

    private struct Sample: Codable {
        var int = [0, 23, 24, 255, 256, 65_535, 65_536, -1, -24, -25, -257, .max, .min]
        var wide: [Int128] = [Int128(UInt64.max), Int128(UInt64.max) + 1, -(Int128(1) << 64) - 1]
        var real: [Double] = [0, -0.0, 1.5, 0.1]
        var flags: [Bool?] = [true, false, nil]
        var text = "Aé"
        var data = Data([1, 2])
        var id = UUID(uuid: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
        var empty: [String: Int] = [:]
    }

    /// The format may grow; what it says today it says in ten years.
    func test_every_kind_of_value_has_the_bytes_it_always_had() throws {
        let expected = [
            "a8",
            "626964" + "50000102030405060708090a0b0c0d0e0f",
            "63696e74" + "8d0017181818ff19010019ffff1a00010000",
            "203738183901001b7fffffffffffffff3b7fffffffffffffff",
            "6464617461" + "420102",
            "647265616c" + "84fa00000000fa80000000fa3fc00000fb3fb999999999999a",
            "6474657874" + "6341c3a9",
            "6477696465" + "831bffffffffffffffffc249010000000000000000c349010000000000000000",
            "65656d707479" + "a0",
            "65666c616773" + "83f5f4f6",
        ]
        let hex = try BinaryPayloadEncoder.encode(Sample()).map { byte -> String in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        XCTAssertEqual(hex.joined(), expected.joined())
    }
}

extension AnyJSON {
    /// The same without the doubles that the type itself would read as integers.
    fileprivate var withoutWholeDoubles: AnyJSON {
        switch self {
        case .double(let value) where value == value.rounded(): .null
        case .array(let values): .array(values.map(\.withoutWholeDoubles))
        case .object(let members): .object(members.mapValues(\.withoutWholeDoubles))
        default: self
        }
    }
}

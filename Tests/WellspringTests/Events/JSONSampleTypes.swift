import Foundation

// Types that use what `Codable` has to offer; each makes a random value of itself.

protocol JSONSample: Codable, Equatable {
    static func random(_ generator: inout SeededGenerator) -> Self
}

struct Primitives: JSONSample {
    var flag: Bool
    var text: String
    var double: Double
    var float: Float
    var int: Int
    var int8: Int8
    var int16: Int16
    var int32: Int32
    var int64: Int64
    var int128: Int128
    var uint: UInt
    var uint8: UInt8
    var uint16: UInt16
    var uint32: UInt32
    var uint64: UInt64
    var uint128: UInt128

    static func random(_ generator: inout SeededGenerator) -> Self {
        let bits = generator.next()
        return Primitives(
            flag: generator.chance(2), text: generator.text(), double: generator.double(),
            float: generator.float(), int: generator.int(), int8: .init(truncatingIfNeeded: bits),
            int16: .init(truncatingIfNeeded: bits), int32: .init(truncatingIfNeeded: bits),
            int64: .init(truncatingIfNeeded: bits),
            int128: Int128(generator.int()) * Int128(generator.int()),
            uint: .init(truncatingIfNeeded: bits), uint8: .init(truncatingIfNeeded: bits),
            uint16: .init(truncatingIfNeeded: bits), uint32: .init(truncatingIfNeeded: bits),
            uint64: .init(truncatingIfNeeded: bits),
            uint128: generator.chance(2) ? .max : UInt128(bits))
    }
}

struct Optionals: JSONSample {
    var flag: Bool?
    var text: String?
    var double: Double?
    var float: Float?
    var int: Int?
    var int8: Int8?
    var uint64: UInt64?
    var int128: Int128?
    var nested: Nested?
    var list: [Int?]?
    var twice: Int??

    struct Nested: Codable, Equatable {
        var value: String?
    }

    static func random(_ generator: inout SeededGenerator) -> Self {
        Optionals(
            flag: generator.maybe { $0.chance(2) }, text: generator.maybe { $0.text() },
            double: generator.maybe { $0.double() }, float: generator.maybe { $0.float() },
            int: generator.maybe { $0.int() }, int8: generator.maybe { Int8($0.below(100)) },
            uint64: generator.maybe { $0.next() }, int128: generator.maybe { Int128($0.int()) },
            nested: generator.maybe { Nested(value: $0.maybe { $0.text() }) },
            list: generator.maybe { $0.list { $0.maybe { $0.int() } } },
            twice: generator.maybe { $0.int() })
    }
}

struct FoundationTypes: JSONSample {
    var data: Data
    var date: Date
    var url: URL
    var decimal: Decimal
    var uuid: UUID
    var dates: [Date]
    var maybe: Decimal?
    var decimals: [String: Decimal]

    static func random(_ generator: inout SeededGenerator) -> Self {
        let urls = [
            "https://example.org/a/b?c=d#e", "file:///tmp/x", "relative/path", "mailto:a@b",
        ]
        return FoundationTypes(
            data: generator.data(), date: generator.date(),
            url: URL(string: urls[generator.below(4)]) ?? URL(filePath: "/"),
            decimal: generator.decimal(), uuid: generator.uuid(),
            dates: generator.list { $0.date() }, maybe: generator.maybe { $0.decimal() },
            decimals: generator.table { $0.decimal() })
    }
}

enum Cases: JSONSample {
    case plain
    case one(Int)
    case labelled(name: String, count: Int?)
    case mixed(String, detail: Detail)
    indirect case nested(Cases)

    struct Detail: Codable, Equatable { var values: [Double] }
    enum CodingKeys: String, CodingKey {
        case plain, one, labelled = "with.labels", mixed, nested
    }

    static func random(_ generator: inout SeededGenerator) -> Self {
        switch generator.below(5) {
        case 0: .plain
        case 1: .one(generator.int())
        case 2: .labelled(name: generator.text(), count: generator.maybe { $0.int() })
        case 3: .mixed(generator.text(), detail: Detail(values: generator.list { $0.double() }))
        default: .nested(random(&generator))
        }
    }
}

enum Level: String, Codable, Equatable, CaseIterable { case low, middle, high = "HIGH \"é\"" }
enum Grade: Int, Codable, Equatable, CaseIterable { case bad = -1, fair, good = 300 }

struct Collections: JSONSample {
    struct Code: Hashable, Codable, CodingKeyRepresentable, Equatable {
        var value: Int
        var codingKey: any CodingKey { Text(stringValue: "code-\(value)") }
        init(value: Int) { self.value = value }
        init?(codingKey: some CodingKey) {
            guard let value = Int(codingKey.stringValue.dropFirst(5)),
                codingKey.stringValue == "code-\(value)"
            else { return nil }
            self.value = value
        }
        struct Text: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
    }

    var ints: [Int]
    var bytes: [UInt8]
    var texts: [String]
    var doubles: [Double]
    var matrix: [[Float]]
    var byText: [String: Int]
    var byCode: [Code: Bool]
    var byGrade: [Grade: Level]
    var single: Set<String>
    var range: Range<Int>
    var levels: [Level]
    var structs: [Optionals.Nested]

    static func random(_ generator: inout SeededGenerator) -> Self {
        let low = generator.below(100)
        // Collections without an order of their own have at most one element here, because the
        // two encoders may each take them in another order.
        return Collections(
            ints: generator.list(20) { $0.int() }, bytes: generator.list { UInt8($0.below(256)) },
            texts: generator.list { $0.text() }, doubles: generator.list { $0.double() },
            matrix: generator.list { $0.list { $0.float() } },
            byText: generator.table { $0.int() },
            byCode: Dictionary(
                generator.list { (Code(value: $0.below(50)), $0.chance(2)) },
                uniquingKeysWith: { $1 }),
            byGrade: generator.chance(2) ? [:] : [.good: .high],
            single: generator.chance(2) ? [] : [generator.text()],
            range: low..<low + generator.below(9),
            levels: generator.list { Level.allCases[$0.below(3)] },
            structs: generator.list { .init(value: $0.maybe { $0.text() }) })
    }
}

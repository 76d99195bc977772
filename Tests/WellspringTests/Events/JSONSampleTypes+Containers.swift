import Foundation

// Types that encode themselves by hand, in all the ways that the protocols allow.

/// Fills several nested containers in turns, and comes back to one of them.
struct Interleaved: JSONSample {
    var first: [Int]
    var second: [String]
    var extra: Double?

    enum Keys: String, CodingKey { case z, a, m, list }

    init(first: [Int], second: [String], extra: Double?) {
        (self.first, self.second, self.extra) = (first, second, extra)
    }

    func encode(to encoder: any Encoder) throws {
        var outer = encoder.container(keyedBy: Keys.self)
        var numbers = outer.nestedUnkeyedContainer(forKey: .z)
        var texts = outer.nestedContainer(keyedBy: Keys.self, forKey: .a)
        var inner = texts.nestedUnkeyedContainer(forKey: .list)
        for index in 0..<max(first.count, second.count) {
            if index < first.count { try numbers.encode(first[index]) }
            if index < second.count { try inner.encode(second[index]) }
        }
        try texts.encode(first.count, forKey: .m)
        var again = outer.nestedContainer(keyedBy: Keys.self, forKey: .a)
        try again.encode(second.count, forKey: .z)
        var same = encoder.container(keyedBy: Keys.self)
        try same.encode("twice", forKey: .m)
        try same.encodeIfPresent(extra, forKey: .m)
        var deep = numbers.nestedUnkeyedContainer()
        try deep.encodeNil()
        var deepest = deep.nestedContainer(keyedBy: Keys.self)
        try deepest.encodeNil(forKey: .z)
    }

    init(from decoder: any Decoder) throws {
        let outer = try decoder.container(keyedBy: Keys.self)
        let texts = try outer.nestedContainer(keyedBy: Keys.self, forKey: .a)
        var numbers = try outer.nestedUnkeyedContainer(forKey: .z)
        var inner = try texts.nestedUnkeyedContainer(forKey: .list)
        first = []
        second = []
        let count = try texts.decode(Int.self, forKey: .m)
        while first.count < count || !inner.isAtEnd {
            if first.count < count { first.append(try numbers.decode(Int.self)) }
            if let text = try inner.decodeIfPresent(String.self) { second.append(text) }
        }
        extra = try? outer.decode(Double.self, forKey: .m)
        var deep = try numbers.nestedUnkeyedContainer()
        guard try deep.decodeNil(), try !deep.decodeNil() else {
            throw DecodingError.dataCorruptedError(in: deep, debugDescription: "order")
        }
        let deepest = try deep.nestedContainer(keyedBy: Keys.self)
        guard try deepest.decodeNil(forKey: .z), deep.isAtEnd, numbers.isAtEnd else {
            throw DecodingError.dataCorruptedError(in: deep, debugDescription: "end")
        }
    }

    static func random(_ generator: inout SeededGenerator) -> Self {
        Interleaved(
            first: generator.list { $0.int() }, second: generator.list { $0.text() },
            extra: generator.maybe { $0.double() })
    }
}

class Animal: Codable {
    var name: String
    init(name: String) { self.name = name }
}

/// A class that encodes its superclass under the key `super`, and one that shares its container.
final class Dog: Animal, JSONSample {
    var age: Int
    var sharesContainer: Bool

    enum Keys: String, CodingKey { case age, shares, base }

    init(name: String, age: Int, sharesContainer: Bool) {
        self.age = age
        self.sharesContainer = sharesContainer
        super.init(name: name)
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(sharesContainer, forKey: .shares)
        if sharesContainer {
            try super.encode(to: encoder)
            try super.encode(to: container.superEncoder(forKey: .base))
        } else {
            try super.encode(to: container.superEncoder())
        }
        try container.encode(age, forKey: .age)
    }

    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        age = try container.decode(Int.self, forKey: .age)
        sharesContainer = try container.decodeIfPresent(Bool.self, forKey: .shares) ?? false
        if sharesContainer {
            _ = try Animal(from: container.superDecoder(forKey: .base))
            try super.init(from: decoder)
        } else {
            try super.init(from: container.superDecoder())
        }
    }

    static func == (a: Dog, b: Dog) -> Bool {
        a.name == b.name && a.age == b.age && a.sharesContainer == b.sharesContainer
    }

    static func random(_ generator: inout SeededGenerator) -> Dog {
        Dog(name: generator.text(), age: generator.int(), sharesContainer: generator.chance(2))
    }
}

/// An array of different things, read with every kind of step.
struct Mixture: JSONSample {
    var number: Int
    var text: String?
    var date: Date
    var base: Optionals
    var rest: [AnyJSON]

    init(number: Int, text: String?, date: Date, base: Optionals, rest: [AnyJSON]) {
        (self.number, self.text, self.date) = (number, text, date)
        (self.base, self.rest) = (base, rest)
    }

    func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(number)
        if let text { try list.encode(text) } else { try list.encodeNil() }
        try list.encode(date)
        try base.encode(to: list.superEncoder())
        var more = encoder.unkeyedContainer()
        for value in rest { try more.encode(value) }
        try more.encode(contentsOf: [1, 2, 3])
        try list.encode(list.count)
    }

    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        number = try list.decode(Int.self)
        if try list.decodeNil() { text = nil } else { text = try list.decode(String.self) }
        date = try list.decode(Date.self)
        base = try Optionals(from: list.superDecoder())
        rest = []
        guard let count = list.count else {
            throw DecodingError.dataCorruptedError(in: list, debugDescription: "no count")
        }
        while list.currentIndex < count - 4 { rest.append(try list.decode(AnyJSON.self)) }
        for _ in 0..<3 { _ = try list.decode(UInt8.self) }
        guard try list.decode(Int.self) == list.currentIndex - 1, list.isAtEnd else {
            throw DecodingError.dataCorruptedError(in: list, debugDescription: "count")
        }
    }

    static func random(_ generator: inout SeededGenerator) -> Self {
        Mixture(
            number: generator.int(), text: generator.maybe { $0.text() }, date: generator.date(),
            base: .random(&generator), rest: generator.list { $0.json() })
    }
}

/// Hands its value on through single value containers, and adds a member to what came of it.
struct Wrapped: JSONSample {
    struct Layer: Codable, Equatable {
        var inner: Optionals.Nested
        func encode(to encoder: any Encoder) throws {
            var single = encoder.singleValueContainer()
            try single.encode(inner)
        }
        init(_ inner: Optionals.Nested) { self.inner = inner }
        init(from decoder: any Decoder) throws {
            inner = try decoder.singleValueContainer().decode(Optionals.Nested.self)
        }
    }
    struct Nothing: Codable, Equatable { func encode(to encoder: any Encoder) throws {} }

    var layer: Layer
    var added: String
    var nothing = Nothing()
    var paths: [String]

    enum Keys: String, CodingKey { case added, nothing, paths, infinite }

    func encode(to encoder: any Encoder) throws {
        try layer.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        try? container.encode(Double.infinity, forKey: .infinite)
        try container.encode(added, forKey: .added)
        try container.encode(nothing, forKey: .nothing)
        try container.encode(paths.map(Path.init), forKey: .paths)
    }

    init(layer: Layer, added: String, paths: [String]) {
        (self.layer, self.added, self.paths) = (layer, added, paths)
    }

    init(from decoder: any Decoder) throws {
        layer = try Layer(from: decoder)
        let container = try decoder.container(keyedBy: Keys.self)
        added = try container.decode(String.self, forKey: .added)
        guard !container.contains(.infinite) else {
            throw DecodingError.dataCorruptedError(
                forKey: .infinite, in: container, debugDescription: "there")
        }
        paths = try container.decode([Path].self, forKey: .paths).map(\.text)
    }

    /// Writes where it is, to compare the coding paths.
    struct Path: Codable {
        var text: String
        init(text: String) { self.text = text }
        enum Keys: String, CodingKey { case deeper }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            let place = container.codingPath.map(\.stringValue).joined(separator: "/")
            try container.encode(text + place, forKey: .deeper)
        }
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            let place = decoder.codingPath.map { "\($0.stringValue) \($0.intValue ?? -1)" }
            text = try container.decode(String.self, forKey: .deeper) + place.joined()
        }
    }

    static func random(_ generator: inout SeededGenerator) -> Self {
        Wrapped(
            layer: Layer(.init(value: generator.maybe { $0.text() })), added: generator.text(),
            paths: generator.list { $0.text() })
    }
}

/// More members than are searched one by one, asked for against their order.
struct Wide: JSONSample {
    var values: [String: Int]
    struct Keys: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(values: [String: Int]) { self.values = values }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        for (key, value) in values.sorted(by: { $0.value < $1.value }) {
            try container.encode(value, forKey: Keys(stringValue: key))
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        values = [:]
        let keys = container.allKeys.map(\.stringValue).sorted(by: >)
        for key in keys {
            values[key] = try container.decode(Int.self, forKey: Keys(stringValue: key))
            let missing = Keys(stringValue: key + "?")
            if let more = try container.decodeIfPresent(Int.self, forKey: missing) {
                values[key]? ^= more
            }
        }
    }

    static func random(_ generator: inout SeededGenerator) -> Self {
        let longest = generator.chance(3) ? 100 : 20
        return Wide(
            values: Dictionary(
                (0..<generator.below(longest)).map { (generator.key() + "\($0)", generator.int()) },
                uniquingKeysWith: { $1 }))
    }
}

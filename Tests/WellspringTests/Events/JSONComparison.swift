import Foundation

@testable import Wellspring

/// Both coders side by side: Wellspring's own and Foundation's, which is the model.
enum JSONComparison {
    /// What came of decoding: a value, or an error that is told in one word.
    enum Outcome<Value> {
        case value(Value)
        case refused(String)
    }

    static var foundationEncoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    static func ours<T: Decodable>(_ type: T.Type, _ text: [UInt8]) -> Outcome<T> {
        outcome { try text.withUnsafeBytes { try JSONPayloadDecoder.decode(type, from: $0) } }
    }

    static func theirs<T: Decodable>(_ type: T.Type, _ text: [UInt8]) -> Outcome<T> {
        outcome { try JSONDecoder().decode(type, from: Data(text)) }
    }

    private static func outcome<T>(_ decode: () throws -> T) -> Outcome<T> {
        do {
            return .value(try decode())
        } catch {
            return .refused("\(error)")
        }
    }

    /// Returns how the decoders disagree about a text, or nil when they agree.
    ///
    /// Values are compared by the texts that Foundation writes for them as well, because equality
    /// does not tell zero from minus zero.
    static func difference<T: Codable & Equatable>(_ type: T.Type, _ text: [UInt8]) -> String? {
        let shown = String(decoding: text.prefix(300), as: UTF8.self)
        switch (ours(type, text), theirs(type, text)) {
        case (.refused, .refused): return nil
        case (.value(let ours), .value(let theirs)):
            let ourText = try? foundationEncoder.encode(ours)
            let theirText = try? foundationEncoder.encode(theirs)
            guard ours != theirs || ourText != theirText else { return nil }
            return "\(type) from \(shown): \(ours) but Foundation \(theirs)"
        case (.value(let ours), .refused(let reason)):
            return "\(type) from \(shown): \(ours) but Foundation refuses: \(reason)"
        case (.refused(let reason), .value(let theirs)):
            return "\(type) from \(shown): refused (\(reason)) but Foundation reads \(theirs)"
        }
    }

    static func difference<T: Codable & Equatable>(_ type: T.Type, _ text: String) -> String? {
        difference(type, Array(text.utf8))
    }

    /// Returns how the encoders disagree about a value, or nil when they agree.
    static func difference(encoding value: some Encodable) -> String? {
        let ours = try? JSONPayloadEncoder.encode(value)
        let theirs = (try? foundationEncoder.encode(value)).map(Array.init)
        guard ours != theirs else { return nil }
        func shown(_ text: [UInt8]?) -> String {
            text.map { String(decoding: $0.prefix(600), as: UTF8.self) } ?? "refused"
        }
        return "\(value): \(shown(ours)) but Foundation \(shown(theirs))"
    }

    /// How many generated cases to try for each `base`; more with WELLSPRING_JSON_CASES=10.
    static func cases(_ base: Int) -> Int {
        base * (ProcessInfo.processInfo.environment["WELLSPRING_JSON_CASES"].flatMap(Int.init) ?? 1)
    }
}

/// Numbers that look random and come again with the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

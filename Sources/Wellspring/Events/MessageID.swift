#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Identifies a message: an event, or the command that led to it.
///
/// Sixteen bytes, shown like a UUID. The ids that Wellspring makes are of version 7 (RFC 9562):
/// they begin with the time in milliseconds and so sort roughly by age. Any sixteen bytes are
/// accepted from elsewhere, and kept as they are.
public struct MessageID: Hashable, Sendable {
    /// Bytes 0 to 7, the first byte in the highest bits.
    public let high: UInt64
    /// Bytes 8 to 15.
    public let low: UInt64

    /// Creates an id from its bytes as two big-endian numbers.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Creates an id with the bytes of a UUID.
    public init(_ uuid: UUID) {
        let b = uuid.uuid
        func number(_ bytes: UInt8...) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        high = number(b.0, b.1, b.2, b.3, b.4, b.5, b.6, b.7)
        low = number(b.8, b.9, b.10, b.11, b.12, b.13, b.14, b.15)
    }

    /// The same bytes as a UUID.
    public var uuid: UUID {
        func byte(_ number: UInt64, _ index: UInt64) -> UInt8 {
            UInt8(truncatingIfNeeded: number >> (56 - 8 * index))
        }
        return UUID(
            uuid: (
                byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3),
                byte(high, 4), byte(high, 5), byte(high, 6), byte(high, 7),
                byte(low, 0), byte(low, 1), byte(low, 2), byte(low, 3),
                byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
            ))
    }
}

extension MessageID: CustomStringConvertible, LosslessStringConvertible {
    /// The id in the form `0193438b-8e2a-7cc3-98c4-dc0c0c07398f`.
    public var description: String {
        let digits = Self.hex(high) + Self.hex(low)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append("-") }
            text.append(digit)
        }
        return text
    }

    /// Reads the form that ``description`` writes, in either case; `nil` for anything else.
    public init?(_ description: String) {
        let bytes = Array(description.utf8)
        guard bytes.count == 36 else { return nil }
        var numbers: [UInt64] = [0, 0]
        var digits = 0
        for (index, byte) in bytes.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let value = Self.value(ofHexDigit: byte) else { return nil }
            numbers[digits / 16] = numbers[digits / 16] << 4 | value
            digits += 1
        }
        self.init(high: numbers[0], low: numbers[1])
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func value(ofHexDigit byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}

extension MessageID: Codable {
    /// Reads the textual form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = MessageID(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" is not a message id")
        }
        self = id
    }

    /// Writes the textual form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Makes ids of version 7 from a clock that is passed in and a generator that was seeded once.
///
/// SplitMix64 (Steele, Lea and Flood, 2014) from a random seed, so that an append does not ask the
/// system for randomness.
struct MessageIDGenerator: Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next(at time: Int64) -> MessageID {
        let milliseconds = UInt64(bitPattern: time / 1_000_000) & 0xFFFF_FFFF_FFFF
        let high = milliseconds << 16 | 0x7000 | random() & 0x0FFF
        let low = 0x8000_0000_0000_0000 | random() >> 2
        return MessageID(high: high, low: low)
    }

    private mutating func random() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

// Numbers of the payload as Swift numbers.
//
// What events mostly hold is read here: whole numbers of up to 18 digits, and decimal fractions
// whose digits and power of ten a Double holds exactly, so that one multiplication or division
// rounds them correctly (Clinger, "How to Read Floating Point Numbers Accurately", 1990). The
// standard library reads the other fractions. Whole numbers in other forms (1.0, 1e3, more than 18
// digits) have rules of Foundation's own, and are therefore given to Foundation, as are decimals.

/// The parts of a number that is written as JSON demands.
struct JSONNumber {
    var isNegative = false
    /// The first nineteen digits without leading zeros.
    var digits: UInt64 = 0
    /// The power of ten to which ``digits`` is multiplied.
    var exponent = 0
    /// Whether digits were left out of ``digits``.
    var isLong = false
    /// Whether the text names a power of ten.
    var hasPower = false

    /// Reads a number, or returns nil when the text does not follow the grammar of RFC 8259.
    init?(_ text: UnsafeRawBufferPointer) {
        var position = 0
        func digit() -> UInt8? {
            guard position < text.count else { return nil }
            let value = text[position] &- UInt8(ascii: "0")
            return value < 10 ? value : nil
        }
        if text.first == UInt8(ascii: "-") {
            isNegative = true
            position += 1
        }
        guard let first = digit() else { return nil }
        var significant = 0
        func take(_ value: UInt8, _ number: inout JSONNumber) -> Bool {
            guard significant < 19 else {
                if value != 0 { number.isLong = true }
                return false
            }
            number.digits = number.digits &* 10 &+ UInt64(value)
            if number.digits != 0 { significant += 1 }
            return true
        }
        if first == 0 {
            position += 1
        } else {
            while let value = digit() {
                if !take(value, &self) { exponent += 1 }
                position += 1
            }
        }
        if position < text.count, text[position] == UInt8(ascii: ".") {
            position += 1
            guard digit() != nil else { return nil }
            while let value = digit() {
                if take(value, &self) { exponent -= 1 }
                position += 1
            }
        }
        if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            hasPower = true
            var isBelowOne = false
            if position < text.count,
                text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+")
            {
                isBelowOne = text[position] == UInt8(ascii: "-")
                position += 1
            }
            guard digit() != nil else { return nil }
            var power = 0
            while let value = digit() {
                power = min(power * 10 + Int(value), 1_000_000)
                position += 1
            }
            exponent += isBelowOne ? -power : power
        }
        guard position == text.count else { return nil }
    }

    /// Whether this is a zero with an exponent; Foundation accepts only some of those.
    var isCuriousZero: Bool { digits == 0 && hasPower }

    /// The number as a Double, if that takes one rounding at most.
    var double: Double? {
        guard !isLong, digits <= 1 << 53, exponent.magnitude <= 22 else { return nil }
        let value = Double(digits)
        let power = Self.powersOfTen[Int(exponent.magnitude)]
        let result = exponent < 0 ? value / power : value * power
        return isNegative ? -result : result
    }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}

extension PayloadDocument {
    /// The whole number at `index`, or nil when there is none that `T` can hold.
    @inline(__always)
    func integer<T: FixedWidthInteger & Decodable>(_ type: T.Type, at index: Int) -> T? {
        guard self[index].kind == .number else { return binaryInteger(type, at: index) }
        if let short = shortInteger(at: index) { return T(exactly: short) }
        return foundationNumber(type, at: index)
    }

    /// The number at `index`, if it is nothing but a sign and up to 18 digits.
    private func shortInteger(at index: Int) -> Int64? {
        let text = slice(index)
        let isNegative = text.first == UInt8(ascii: "-")
        let start = isNegative ? 1 : 0
        let digits = text.count - start
        guard digits > 0, digits <= 18 else { return nil }
        guard text[start] != UInt8(ascii: "0") || digits == 1 else { return nil }
        var value: Int64 = 0
        var position = start
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
            position += 1
        }
        return isNegative ? 0 &- value : value
    }

    /// The number at `index` rounded to `T`, or nil when there is none or it is too large or too
    /// close to zero.
    @inline(__always)
    func double(at index: Int) -> Double? {
        guard self[index].kind == .number else { return binaryDouble(at: index) }
        guard let number = JSONNumber(slice(index)) else { return nil }
        guard !number.isCuriousZero else { return foundationNumber(Double.self, at: index) }
        return number.double ?? roundedNumber(Double.self, number, at: index)
    }

    /// The number at `index` rounded once to a Float; see ``double(at:)``.
    func float(at index: Int) -> Float? {
        guard self[index].kind == .number else { return binaryFloat(at: index) }
        guard let number = JSONNumber(slice(index)) else { return nil }
        guard !number.isCuriousZero else { return foundationNumber(Float.self, at: index) }
        return roundedNumber(Float.self, number, at: index)
    }

    @inline(never)
    private func roundedNumber<T: BinaryFloatingPoint & LosslessStringConvertible>(
        _ type: T.Type, _ number: JSONNumber, at index: Int
    ) -> T? {
        guard let value = T(String(decoding: slice(index), as: UTF8.self)), value.isFinite else {
            return nil
        }
        return value != 0 || number.digits == 0 ? value : nil
    }

    /// The number at `index` as Foundation reads it, or nil when there is none.
    ///
    /// Only well formed numbers are handed over: Foundation has assertions about the rest.
    @inline(never)
    func foundationNumber<T: Decodable>(_ type: T.Type, at index: Int) -> T? {
        guard self[index].kind == .number, JSONNumber(slice(index)) != nil else { return nil }
        return try? JSONDecoder().decode(type, from: Data(slice(index)))
    }
}

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

// The values of the standard library, of Foundation and of Wellspring that events are made of.

// MARK: - Whole numbers

extension PayloadValue where Self: UnsignedInteger & FixedWidthInteger {
    /// Writes seven bits a byte: one byte up to 127.
    @inlinable
    public func write(to payload: inout PayloadWriter) {
        payload.append(variable: UInt64(truncatingIfNeeded: self))
    }

    /// Reads a number, and refuses one that is too large for the type.
    @inlinable
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        guard let value = Self(exactly: try payload.variable()) else {
            throw PayloadReader.tooLarge
        }
        self = value
    }
}

extension PayloadValue where Self: SignedInteger & FixedWidthInteger {
    /// Writes seven bits a byte, the sign as the lowest: one byte from -64 to 63.
    @inlinable
    public func write(to payload: inout PayloadWriter) {
        let value = Int64(truncatingIfNeeded: self)
        payload.append(variable: UInt64(bitPattern: value &<< 1 ^ value &>> 63))
    }

    /// Reads a number, and refuses one that is too large for the type.
    @inlinable
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        let folded = try payload.variable()
        let wide = Int64(bitPattern: folded &>> 1) ^ (0 &- Int64(bitPattern: folded & 1))
        guard let value = Self(exactly: wide) else { throw PayloadReader.tooLarge }
        self = value
    }
}

extension Int: PayloadValue {}
extension Int8: PayloadValue {}
extension Int16: PayloadValue {}
extension Int32: PayloadValue {}
extension Int64: PayloadValue {}
extension UInt: PayloadValue {}
extension UInt8: PayloadValue {
    /// Writes one byte.
    @inlinable
    public func write(to payload: inout PayloadWriter) { payload.append(self) }

    /// Reads one byte.
    @inlinable
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        self = try payload.byte()
    }
}
extension UInt16: PayloadValue {}
extension UInt32: PayloadValue {}
extension UInt64: PayloadValue {}

extension Int128: PayloadValue {
    /// Writes sixteen bytes.
    public func write(to payload: inout PayloadWriter) { payload.writeFixed(self) }

    /// Reads sixteen bytes.
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        self = try payload.readFixed()
    }
}

extension UInt128: PayloadValue {
    /// Writes sixteen bytes.
    public func write(to payload: inout PayloadWriter) { payload.writeFixed(self) }

    /// Reads sixteen bytes.
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        self = try payload.readFixed()
    }
}

// MARK: - Other plain values

extension Bool: PayloadValue {
    /// Writes one byte, 0 or 1.
    @inlinable
    public func write(to payload: inout PayloadWriter) { payload.append(self ? 1 : 0) }

    /// Reads one byte, which must be 0 or 1.
    @inlinable
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        let byte = try payload.byte()
        guard byte <= 1 else { throw .malformed("a Bool is neither 0 nor 1") }
        self = byte == 1
    }
}

extension Double: PayloadValue {
    /// Writes the eight bytes of the number.
    @inlinable
    public func write(to payload: inout PayloadWriter) { payload.writeFixed(bitPattern) }

    /// Reads eight bytes.
    @inlinable
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        self.init(bitPattern: try payload.readFixed())
    }
}

extension Float: PayloadValue {
    /// Writes the four bytes of the number.
    @inlinable
    public func write(to payload: inout PayloadWriter) { payload.writeFixed(bitPattern) }

    /// Reads four bytes.
    @inlinable
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        self.init(bitPattern: try payload.readFixed())
    }
}

extension String: PayloadValue {
    /// Writes the text in UTF-8, and before it how many bytes that is.
    @inlinable
    public func write(to payload: inout PayloadWriter) { payload.append(utf8: self) }

    /// Reads a text, and refuses what is not UTF-8.
    @inlinable
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        self = try payload.text()
    }
}

extension PayloadValue where Self: RawRepresentable, RawValue: PayloadValue {
    /// Writes the raw value.
    @inlinable
    public func write(to payload: inout PayloadWriter) { payload.write(rawValue) }

    /// Reads a raw value, and refuses one that the type does not have.
    @inlinable
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        guard let value = Self(rawValue: try payload.read()) else {
            throw .malformed("no \(Self.self) has the raw value that was stored")
        }
        self = value
    }
}

// MARK: - Foundation

extension UUID: PayloadValue {
    /// Writes the sixteen bytes.
    public func write(to payload: inout PayloadWriter) {
        withUnsafeBytes(of: uuid) { bytes in
            payload.writeFixed(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)))
            payload.writeFixed(
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// Reads sixteen bytes.
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        let start = try payload.take(16)
        self.init(uuid: payload.bytes.loadUnaligned(fromByteOffset: start, as: uuid_t.self))
    }
}

extension Date: PayloadValue {
    /// Writes the seconds since 2001 as a Double, which is what a `Date` holds.
    public func write(to payload: inout PayloadWriter) {
        payload.writeFixed(timeIntervalSinceReferenceDate.bitPattern)
    }

    /// Reads the seconds since 2001.
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        self.init(timeIntervalSinceReferenceDate: try payload.read())
    }
}

extension Data: PayloadValue {
    /// Writes the bytes, and before them how many.
    public func write(to payload: inout PayloadWriter) { payload.write(bytes: self) }

    /// Reads bytes.
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        self.init(try payload.readBytes())
    }
}

// MARK: - Wellspring

extension Timestamp: PayloadValue {
    /// Writes the nanoseconds in eight bytes.
    public func write(to payload: inout PayloadWriter) { payload.writeFixed(nanoseconds) }

    /// Reads eight bytes of nanoseconds.
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        self.init(nanoseconds: try payload.readFixed())
    }
}

extension MessageID: PayloadValue {
    /// Writes the sixteen bytes, in the order of their text.
    public func write(to payload: inout PayloadWriter) {
        payload.writeFixed(high.bigEndian)
        payload.writeFixed(low.bigEndian)
    }

    /// Reads sixteen bytes.
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        let high = UInt64(bigEndian: try payload.readFixed())
        self.init(high: high, low: UInt64(bigEndian: try payload.readFixed()))
    }
}

extension AggregateID: PayloadValue {
    /// Writes the text.
    public func write(to payload: inout PayloadWriter) { payload.write(rawValue) }

    /// Reads the text.
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        self.init(try payload.read())
    }
}

// Values made of values.
//
// A count is never believed: there can be no more elements than bytes, because every element takes
// at least one, and memory is set aside for few of them before they are there.

extension Optional: PayloadValue where Wrapped: PayloadValue {
    /// Writes 0 for none, or 1 and the value.
    @inlinable
    public func write(to payload: inout PayloadWriter) {
        switch self {
        case nil: payload.append(0)
        case let value?:
            payload.append(1)
            payload.write(value)
        }
    }

    /// Reads the value, if there is one.
    @inlinable
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        switch try payload.byte() {
        case 0: self = nil
        case 1: self = .some(try payload.read())
        default: throw .malformed("an optional is neither there nor not there")
        }
    }
}

extension Array: PayloadValue where Element: PayloadValue {
    /// Writes how many elements there are, and each.
    @inlinable
    public func write(to payload: inout PayloadWriter) {
        payload.append(variable: UInt64(count))
        for element in self { payload.write(element: element) }
    }

    /// Reads the elements.
    @inlinable
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        let count = try payload.countOfBytes()
        self.init()
        reserveCapacity(Swift.min(count, PayloadReader.mostReserved))
        for _ in 0..<count { append(try payload.readElement()) }
    }
}

extension Dictionary: PayloadValue where Key: PayloadValue & Comparable, Value: PayloadValue {
    /// Writes how many pairs there are, and each, in the order of the keys.
    public func write(to payload: inout PayloadWriter) {
        payload.append(variable: UInt64(count))
        for (key, value) in sorted(by: { $0.key < $1.key }) {
            payload.write(element: key)
            payload.write(value)
        }
    }

    /// Reads the pairs, and refuses a key that comes twice.
    public init(from payload: inout PayloadReader) throws(PayloadError) {
        let count = try payload.countOfBytes()
        self.init(minimumCapacity: Swift.min(count, PayloadReader.mostReserved))
        for _ in 0..<count {
            let key: Key = try payload.readElement()
            guard updateValue(try payload.read(), forKey: key) == nil else {
                throw .malformed("a dictionary has a key twice")
            }
        }
    }
}

extension PayloadWriter {
    /// Writes an element; one of no bytes gets one.
    @inlinable
    mutating func write(element: some PayloadValue) {
        let start = count
        write(element)
        if count == start { append(0) }
    }
}

extension PayloadReader {
    /// For how many elements memory is set aside at once.
    @usableFromInline static var mostReserved: Int { 1024 }

    /// Reads an element, which took at least one byte.
    @inlinable
    mutating func readElement<Element: PayloadValue>() throws(PayloadError) -> Element {
        let start = position
        let element: Element = try read()
        if position == start {
            guard try byte() == 0 else { throw .malformed("an element has no bytes") }
        }
        return element
    }
}

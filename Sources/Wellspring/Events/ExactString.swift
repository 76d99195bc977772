/// A string that is compared, ordered and hashed as its UTF-8 bytes.
///
/// Swift's own comparison calls composed and decomposed letters equal, which a file of bytes does
/// not. Every name that the store keeps goes through this type, so that the index, the file and
/// the caller agree on what is the same name.
struct ExactString: Hashable, Comparable, Sendable {
    let value: String

    init(_ value: String) {
        var value = value
        value.makeContiguousUTF8()
        self.value = value
    }

    /// How many bytes it has.
    var count: Int { value.utf8.count }

    /// Where a byte comes first.
    func position(of byte: UInt8) -> Int? {
        withBytes { bytes in bytes.firstIndex(of: byte) }
    }

    /// Whether these are its bytes.
    func holds(_ bytes: UnsafeRawBufferPointer) -> Bool {
        withBytes { JSONBytes.equal($0, bytes) }
    }

    static func == (a: Self, b: Self) -> Bool {
        a.withBytes { a in b.withBytes { b in JSONBytes.equal(a, b) } }
    }

    static func < (a: Self, b: Self) -> Bool {
        a.value.utf8.lexicographicallyPrecedes(b.value.utf8)
    }

    func hash(into hasher: inout Hasher) {
        withBytes { hasher.combine(bytes: $0) }
        hasher.combine(0xFF as UInt8)
    }

    @inline(__always)
    private func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let done = value.utf8.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
        if let done { return done }
        var value = value
        return value.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

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

    static func == (a: Self, b: Self) -> Bool {
        a.value.utf8.elementsEqual(b.value.utf8)
    }

    static func < (a: Self, b: Self) -> Bool {
        a.value.utf8.lexicographicallyPrecedes(b.value.utf8)
    }

    func hash(into hasher: inout Hasher) {
        var value = value
        value.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}

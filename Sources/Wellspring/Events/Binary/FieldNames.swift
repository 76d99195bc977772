/// The names that an event type writes as numbers: their places in a list that only grows.
@usableFromInline
final class FieldNames: @unchecked Sendable {
    // SAFETY: nothing changes after `init`.
    /// How many names a list may have.
    static let most = 256

    let names: [String]
    /// The names in UTF-8, in memory that a tape can point into.
    let texts: UnsafeMutablePointer<UnsafeRawBufferPointer>
    private let count: Int
    private let hashes: [UInt16]

    init(_ names: [String]) {
        // TRAPS: the list stands in the program, and is the same at every start.
        precondition(names.count <= Self.most, "a list of \(names.count) fields is too long")
        // TRAPS: the same.
        precondition(Set(names).count == names.count, "a field is listed twice: \(names)")
        self.names = names
        count = names.count
        texts = .allocate(capacity: max(count, 1))
        for (index, name) in names.enumerated() {
            let text = UnsafeMutableRawBufferPointer.allocate(
                byteCount: name.utf8.count, alignment: 1)
            text.copyBytes(from: name.utf8)
            (texts + index).initialize(to: UnsafeRawBufferPointer(text))
        }
        hashes = names.indices.map { Self.hash(of: names[$0], at: $0) }
    }

    deinit {
        for index in 0..<count { texts[index].deallocate() }
        texts.deallocate()
    }

    /// The place of a name, searched from where the last one was found.
    @inline(__always)
    func index(of name: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = start
        for _ in 0..<count {
            if index >= count { index = 0 }
            if JSONBytes.equal(texts[index], name) { return index }
            index += 1
        }
        return nil
    }

    /// What is written to tell whether the list is still the one of then: a sum over the names
    /// that a payload uses.
    func check(of used: FieldSet) -> UInt16 {
        var sum: UInt16 = 0
        used.forEach { if $0 < hashes.count { sum &+= hashes[$0] } }
        return sum
    }

    /// FNV-1a of the place and the name, folded to 16 bits.
    private static func hash(of name: String, at index: Int) -> UInt16 {
        var hash: UInt32 = 0x811C_9DC5
        for byte in [UInt8(index)] + Array(name.utf8) {
            hash = (hash ^ UInt32(byte)) &* 0x0100_0193
        }
        return UInt16(truncatingIfNeeded: hash ^ hash >> 16)
    }
}

/// Places in a list of ``FieldNames``.
struct FieldSet: BitwiseCopyable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    var isEmpty: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

    mutating func insert(_ index: Int) {
        let bit: UInt64 = 1 << UInt64(index & 63)
        switch index >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    func forEach(_ body: (Int) -> Void) {
        Self.forEach(in: words.0, from: 0, body)
        guard words.1 | words.2 | words.3 != 0 else { return }
        Self.forEach(in: words.1, from: 64, body)
        Self.forEach(in: words.2, from: 128, body)
        Self.forEach(in: words.3, from: 192, body)
    }

    private static func forEach(in word: UInt64, from base: Int, _ body: (Int) -> Void) {
        var rest = word
        while rest != 0 {
            body(base + rest.trailingZeroBitCount)
            rest &= rest - 1
        }
    }
}

// How the decoder reads a payload.
//
// One scan over the bytes checks the structure (brackets, commas, literals, where strings end) and
// leaves a tape: one entry of 16 bytes for every value and every key, in the order of the text.
// Strings and numbers are not looked into until a type asks for them, as in Foundation. A container
// is an index into the tape, so that walking to the next member is one addition, or one jump over a
// nested container.
//
//     {"a":[1,2],"b":true}    0 object count 2 next 7     4 number "2"
//                             1 text "a"                  5 text "b"
//                             2 array  count 2 next 5     6 true
//                             3 number "1"                7 null (the end, see `absent`)

/// One value or key on the tape of a ``PayloadDocument``.
struct PayloadEntry {
    enum Kind: UInt8 {
        case null, yes, no, array
        /// A number in JSON.
        case number
        /// A number in the binary form: a whole one, or one of floating point.
        case whole, real
        /// Bytes in the binary form.
        case bytes
        /// A key that is a place in the type's list of fields.
        case field
        /// A string without escapes and control characters; its bytes are its value.
        case text
        /// A string that has to be unescaped, or refused for a control character.
        case escapedText
        /// An object that no type has looked into yet.
        case object
        /// An object of few, distinct, plain ASCII keys, searched from where the last hit was.
        case plainObject
        /// An object whose keys went into a dictionary.
        case tabledObject
    }

    var kind: Kind
    /// The first byte of a string or number; of a field, its place in the list; of an open
    /// container, the container around it; of an object, the key at which the next search begins.
    var start: UInt32
    /// The byte after a string or number; of a container, how many members it has.
    var end: UInt32
    /// The entry after a container; of a key, a hash of its bytes.
    var next: UInt32
}

/// The tape of one payload, together with the bytes that it points into.
///
/// The bytes are borrowed for the length of one decode. A decoder that escapes from it keeps the
/// document alive, which is noticed at the end and answered by a copy.
final class PayloadDocument {
    @exclusivity(unchecked) private(set) var bytes: UnsafeRawBufferPointer
    @exclusivity(unchecked) private(set) var entries: UnsafeMutablePointer<PayloadEntry>
    @exclusivity(unchecked) private(set) var count = 0
    @exclusivity(unchecked) private var capacity: Int
    @exclusivity(unchecked) private var ownsBytes = false
    @exclusivity(unchecked) private var tables: [Int: [String: Int]] = [:]
    /// The event type and its case, when the text is the content of an event.
    @exclusivity(unchecked) var cases: EventCases?
    @exclusivity(unchecked) var eventCase = 0
    /// Whether this is the tape of a payload in the binary form.
    @exclusivity(unchecked) var isBinary = false
    /// The names that are written as numbers.
    @exclusivity(unchecked) var fields: FieldNames? {
        didSet { fieldTexts = fields?.texts }
    }
    @exclusivity(unchecked) private var fieldTexts: UnsafeMutablePointer<UnsafeRawBufferPointer>?

    private init(capacity: Int) {
        self.capacity = capacity
        entries = .allocate(capacity: capacity)
        bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    deinit {
        entries.deallocate()
        if ownsBytes { bytes.deallocate() }
    }

    // MARK: Scanning and keeping

    private static let spare = Spare<PayloadDocument>()
    /// Tapes that grew beyond this many entries are not kept.
    private static let largestSpare = 4096

    /// Returns an empty tape, which borrows `bytes` until the loan ends.
    static func make(borrowing bytes: UnsafeRawBufferPointer) -> PayloadDocument {
        let document = spare.take() ?? PayloadDocument(capacity: max(60, bytes.count / 8 + 8))
        document.bytes = bytes
        return document
    }

    /// Ends the loan of the bytes: a decoder that escaped goes on with a copy of them.
    static func endLoan(to document: inout PayloadDocument) {
        guard isKnownUniquelyReferenced(&document) else { return document.keepBytes() }
        guard document.capacity <= largestSpare else { return }
        document.empty()
        spare.give(document)
    }

    private func empty() {
        if ownsBytes { bytes.deallocate() }
        ownsBytes = false
        bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        count = 0
        if !tables.isEmpty { tables = [:] }
        cases = nil
        isBinary = false
        if fields != nil { fields = nil }
    }

    /// The entry of a null that is nowhere in the text: what a `superDecoder` finds without a key.
    var absent: Int { count - 1 }

    /// Takes a copy of the bytes, for decoders that outlive the call that lent them.
    func keepBytes() {
        guard !ownsBytes else { return }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
        copy.copyMemory(from: bytes)
        bytes = UnsafeRawBufferPointer(copy)
        ownsBytes = true
    }

    @inline(__always)
    func append(_ entry: PayloadEntry) {
        if count == capacity { grow() }
        (entries + count).initialize(to: entry)
        count += 1
    }

    @inline(never)
    private func grow() {
        let larger = UnsafeMutablePointer<PayloadEntry>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: entries, count: count)
        entries.deallocate()
        entries = larger
        capacity *= 2
    }

    @inline(__always)
    subscript(index: Int) -> PayloadEntry {
        // TRAPS: the parser made the entry, and ended each list and object that it began.
        assert(index >= 0 && index < count)
        return entries[index]
    }

    /// The entry after the value at `index`.
    @inline(__always)
    func after(_ index: Int) -> Int {
        switch self[index].kind {
        case .array, .object, .plainObject, .tabledObject: Int(self[index].next)
        default: index + 1
        }
    }

    /// The bytes of the string or number at `index`.
    @inline(__always)
    func slice(_ index: Int) -> UnsafeRawBufferPointer {
        let entry = self[index]
        if entry.kind == .field, let names = fieldTexts { return names[Int(entry.start)] }
        return UnsafeRawBufferPointer(rebasing: bytes[Int(entry.start)..<Int(entry.end)])
    }
}

// MARK: - Objects

extension PayloadDocument {
    /// Objects with more members than this are searched through a dictionary.
    private static let longestPlainObject = 32

    /// Makes the object at `index` ready to be searched.
    ///
    /// - Returns: False when a key is not valid text.
    func openObject(_ index: Int) -> Bool {
        guard self[index].kind == .object else { return true }
        if isPlainObject(index) {
            entries[index].kind = .plainObject
            entries[index].start = UInt32(truncatingIfNeeded: index + 1)
            return true
        }
        guard let table = table(of: index) else { return false }
        tables[index] = table
        entries[index].kind = .tabledObject
        return true
    }

    /// Whether bytes alone decide which key is which: ASCII, no escapes, no key twice.
    ///
    /// A 64 bit filter of the hashes finds most keys new at once; the others are compared with
    /// those before them.
    private func isPlainObject(_ object: Int) -> Bool {
        let members = Int(self[object].end)
        guard members <= Self.longestPlainObject else { return false }
        var seen: UInt64 = 0
        var key = object + 1
        for _ in 0..<members {
            guard self[key].kind == .text || self[key].kind == .field, let hash = asciiHash(of: key)
            else { return false }
            entries[key].next = hash
            let bit: UInt64 = 1 << UInt64(hash & 63)
            if seen & bit != 0 {
                var earlier = object + 1
                while earlier < key {
                    if self[earlier].next == hash { return false }
                    earlier = after(earlier + 1)
                }
            }
            seen |= bit
            key = after(key + 1)
        }
        return true
    }

    /// A hash of the bytes of a key, or nil when one of them is not ASCII.
    @inline(__always)
    private func asciiHash(of key: Int) -> UInt32? {
        let text = slice(key)
        let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        var hash = UInt64(text.count)
        var all: UInt64 = 0
        var position = 0
        while position + 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            all |= word
            hash = (hash ^ word) &* factor
            hash ^= hash >> 29
            position += 8
        }
        while position < text.count {
            let byte = UInt64(text[position])
            all |= byte
            hash = (hash ^ byte) &* factor
            position += 1
        }
        guard all & 0x8080_8080_8080_8080 == 0 else { return nil }
        return UInt32(truncatingIfNeeded: hash >> 32)
    }

    /// The first value for each key, by Swift's equality of strings; nil when a key is not text.
    private func table(of object: Int) -> [String: Int]? {
        let members = Int(self[object].end)
        var table = [String: Int](minimumCapacity: members)
        var key = object + 1
        for _ in 0..<members {
            guard let text = text(at: key) else { return nil }
            if table[text] == nil { table[text] = key + 1 }
            key = after(key + 1)
        }
        return table
    }

    /// The value for `key` in an opened object, or nil when there is none.
    @inline(__always)
    func find(_ key: String, in object: Int) -> Int? {
        guard self[object].kind == .plainObject else { return tables[object]?[key] }
        var key = key
        return key.withUTF8 { findPlain(UnsafeRawBufferPointer($0), in: object) }
            ?? findEquivalent(to: key, in: object)
    }

    /// Searches from the key after the last hit to the end, and then from the first key.
    ///
    /// Types ask for their members in the order in which they were written, so the first look is
    /// mostly the last.
    private func findPlain(_ wanted: UnsafeRawBufferPointer, in object: Int) -> Int? {
        let members = self[object].end
        let end = Int(self[object].next)
        var key = Int(self[object].start)
        for _ in 0..<members {
            if key >= end { key = object + 1 }
            let found = JSONBytes.equal(slice(key), wanted)
            let next = after(key + 1)
            if found {
                entries[object].start = UInt32(truncatingIfNeeded: next)
                return key + 1
            }
            key = next
        }
        return nil
    }

    /// Finds the ASCII key that Swift calls equal to a key with other letters, such as the Kelvin
    /// sign and the letter K.
    @inline(never)
    private func findEquivalent(to wanted: String, in object: Int) -> Int? {
        guard wanted.utf8.contains(where: { $0 >= 0x80 }) else { return nil }
        return keys(of: object).first { $0.text == wanted }?.value
    }

    /// The distinct keys of an opened object in the order of the text.
    func keys(of object: Int) -> [(text: String, value: Int)] {
        if let table = tables[object] {
            return table.map { (text: $0.key, value: $0.value) }.sorted { $0.value < $1.value }
        }
        var keys: [(text: String, value: Int)] = []
        var key = object + 1
        for _ in 0..<self[object].end {
            if let text = text(at: key) { keys.append((text, key + 1)) }
            key = after(key + 1)
        }
        return keys
    }
}

/// The first byte of an item in the binary form, and the number that belongs to it.
///
/// As in RFC 8949, section 3: three bits of kind, five bits of number; from 24 on the number is in
/// the 1, 2, 4 or 8 bytes that follow.
struct BinaryHead {
    /// The three bits in their place.
    let kind: UInt8
    let value: UInt64
    let size: Int

    static let positive: UInt8 = 0x00
    static let negative: UInt8 = 0x20
    static let bytes: UInt8 = 0x40
    static let text: UInt8 = 0x60
    static let array: UInt8 = 0x80
    static let object: UInt8 = 0xA0
    static let tag: UInt8 = 0xC0
    static let other: UInt8 = 0xE0

    /// Reads the head at `position`, or nil when the bytes end or the head is none of ours.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer, at position: Int) {
        guard position < bytes.count else { return nil }
        let first = bytes[position]
        kind = first & 0xE0
        let short = first & 0x1F
        if short < 24 {
            value = UInt64(short)
            size = 1
            return
        }
        guard short < 28 else { return nil }
        let width = 1 << Int(short - 24)
        guard bytes.count - position > width else { return nil }
        var number: UInt64 = 0
        for offset in 1...width { number = number << 8 | UInt64(bytes[position + offset]) }
        value = number
        size = 1 + width
    }
}

/// Checks the structure of a payload and puts its values on the tape, without recursion.
///
/// No count is believed: a container of more members than there are bytes is refused before
/// anything is set aside for it.
struct BinaryScanner {
    private let bytes: UnsafeRawBufferPointer
    private let fields: FieldNames?
    /// Beside the list, so that a key does not have to ask it.
    private let fieldCount: UInt64
    private var position = 0
    private var depth = 0
    /// The innermost open container; its entry remembers the one around it, and counts down the
    /// members that are to come.
    private var open = -1
    private var used = FieldSet()

    init(_ bytes: UnsafeRawBufferPointer, fields: FieldNames?) {
        self.bytes = bytes
        self.fields = fields
        fieldCount = UInt64(fields?.names.count ?? 0)
    }

    mutating func scan(into document: PayloadDocument) throws(BinaryFormatError) {
        repeat {
            // Containers are left open; their first value, if there is one, comes next.
            guard try !scanValue(into: document) else { continue }
            try finishValues(in: document)
        } while open >= 0
        try scanCheck()
        guard position == bytes.count else { throw .malformed }
    }

    /// Scans a value, or the beginning of a container that has members.
    ///
    /// - Returns: Whether a value must follow, as the first of a container.
    @inline(__always)
    private mutating func scanValue(
        into document: PayloadDocument
    ) throws(BinaryFormatError) -> Bool {
        let head = try head()
        let start = position
        switch head.kind {
        case BinaryHead.positive, BinaryHead.negative:
            position += head.size
            append(.whole, from: start, to: document)
        case BinaryHead.text:
            try skipString(head)
            append(.text, from: start + head.size, to: document)
        case BinaryHead.bytes:
            try skipString(head)
            append(.bytes, from: start + head.size, to: document)
        case BinaryHead.array: return try openContainer(.array, head, in: document)
        case BinaryHead.object: return try openContainer(.object, head, in: document)
        case BinaryHead.tag: try scanLongNumber(head, into: document)
        default: try scanOther(into: document)
        }
        return false
    }

    private mutating func openContainer(
        _ kind: PayloadEntry.Kind, _ head: BinaryHead, in document: PayloadDocument
    ) throws(BinaryFormatError) -> Bool {
        position += head.size
        guard depth < JSONScanner.deepest else { throw .tooDeep }
        let least = kind == .object ? 2 : 1
        guard head.value <= UInt64((bytes.count - position) / least) else { throw .malformed }
        let index = document.count
        let members = UInt32(truncatingIfNeeded: head.value)
        document.append(
            PayloadEntry(
                kind: kind, start: UInt32(truncatingIfNeeded: open), end: members, next: members))
        guard members > 0 else {
            document.entries[index].next = UInt32(truncatingIfNeeded: index + 1)
            return false
        }
        depth += 1
        open = index
        if kind == .object { try scanKey(into: document) }
        return true
    }

    /// Goes on after a complete value: to the next one of its container, or out of containers
    /// that end here.
    @inline(__always)
    private mutating func finishValues(in document: PayloadDocument) throws(BinaryFormatError) {
        while open >= 0 {
            document.entries[open].next &-= 1
            if document[open].next > 0 {
                if document[open].kind == .object { try scanKey(into: document) }
                return
            }
            close(in: document)
        }
    }

    private mutating func close(in document: PayloadDocument) {
        let closed = open
        open = Int(Int32(truncatingIfNeeded: document[closed].start))
        document.entries[closed].next = UInt32(truncatingIfNeeded: document.count)
        depth -= 1
    }
}

// MARK: - Keys

extension BinaryScanner {
    @inline(__always)
    private mutating func scanKey(into document: PayloadDocument) throws(BinaryFormatError) {
        let head = try head()
        if head.kind == BinaryHead.text {
            let start = position + head.size
            try skipString(head)
            append(.text, from: start, to: document)
        } else {
            try scanField(head, into: document)
        }
    }

    /// A name that is written as its place in the list.
    private mutating func scanField(
        _ head: BinaryHead, into document: PayloadDocument
    ) throws(BinaryFormatError) {
        guard head.kind == BinaryHead.positive else { throw .malformed }
        guard head.value < fieldCount else { throw .unknownField }
        position += head.size
        used.insert(Int(head.value))
        document.append(
            PayloadEntry(
                kind: .field, start: UInt32(truncatingIfNeeded: head.value), end: 0, next: 0))
    }

    /// Compares the names that were used with what was written about them at the end.
    private mutating func scanCheck() throws(BinaryFormatError) {
        guard let fields, !used.isEmpty else { return }
        let head = try head()
        guard head.kind == BinaryHead.positive else { throw .malformed }
        position += head.size
        guard head.value == UInt64(fields.check(of: used)) else { throw .otherFields }
    }
}

// MARK: - Single values

extension BinaryScanner {
    @inline(__always)
    private func head() throws(BinaryFormatError) -> BinaryHead {
        guard let head = BinaryHead(bytes, at: position) else { throw .malformed }
        return head
    }

    @inline(__always)
    private mutating func skipString(_ head: BinaryHead) throws(BinaryFormatError) {
        position += head.size
        guard head.value <= UInt64(bytes.count - position) else { throw .malformed }
        position += Int(head.value)
    }

    /// A number beyond 64 bits: a tag for its sign, and its bytes.
    private mutating func scanLongNumber(
        _ head: BinaryHead, into document: PayloadDocument
    ) throws(BinaryFormatError) {
        let start = position
        guard head.value == 2 || head.value == 3 else { throw .malformed }
        position += head.size
        let string = try self.head()
        guard string.kind == BinaryHead.bytes, string.value <= 16 else { throw .malformed }
        try skipString(string)
        append(.whole, from: start, to: document)
    }

    private mutating func scanOther(
        into document: PayloadDocument
    ) throws(BinaryFormatError) {
        let start = position
        let kind: PayloadEntry.Kind
        switch bytes[position] {
        case BinaryValue.no: kind = .no
        case BinaryValue.yes: kind = .yes
        case BinaryValue.null: kind = .null
        case BinaryValue.float, BinaryValue.double: kind = .real
        default: throw .malformed
        }
        position += try head().size
        append(kind, from: start, to: document)
    }

    @inline(__always)
    private func append(
        _ kind: PayloadEntry.Kind, from start: Int, to document: PayloadDocument
    ) {
        document.append(
            PayloadEntry(
                kind: kind, start: UInt32(truncatingIfNeeded: start),
                end: UInt32(truncatingIfNeeded: position), next: 0))
    }
}

/// First bytes that stand for a value of their own.
enum BinaryValue {
    static let no: UInt8 = 0xF4
    static let yes: UInt8 = 0xF5
    static let null: UInt8 = 0xF6
    static let float: UInt8 = 0xFA
    static let double: UInt8 = 0xFB
}

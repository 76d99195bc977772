// How the encoder writes a payload.
//
// `Codable` lets a type open several containers at once, fill them in turns, come back to one that
// it filled before, and write a key twice. So the text cannot be written from front to back. But
// most of it can be written just once: every value is turned into text as it comes, one after the
// other in one buffer, and a list of pieces remembers which container it belongs to and under which
// key. At the end the pieces are copied in order: objects by their keys as bytes, so that the same
// value always gives the same text, and of a key that was written twice the last piece only.

/// The pieces of a text in the making.
final class PayloadDraft {
    /// How deeply arrays and objects may be nested; Foundation's encoder allows one level less
    /// than its decoder.
    static let deepest = 511

    /// A member or element that was written.
    struct Piece: BitwiseCopyable {
        /// Where the key is, without quotes and escapes.
        let keyStart: Int
        let keyCount: Int
        /// Where the text is: the key in quotes, a colon, and the value unless it is a ``child``.
        let start: Int
        var end: Int
        let child: Child
        /// The next piece of the same container.
        var next = -1
    }

    /// What follows the text of a piece.
    enum Child: BitwiseCopyable { case none, place(Int), container(Int) }

    struct Container: BitwiseCopyable {
        let isObject: Bool
        /// 1 for the outermost.
        let depth: Int
        var first = -1
        var last = -1
        var count = 0
    }

    /// Where an encoder leaves its value.
    struct Place: BitwiseCopyable {
        /// How many containers are around it.
        let depth: Int
        var content = Content.nothing
    }

    enum Content: BitwiseCopyable { case nothing, text(start: Int, end: Int), container(Int) }

    /// The beginning of a piece, before its value is known.
    struct Mark {
        let keyStart: Int
        let keyCount: Int
        let start: Int
        let end: Int
        /// Whether the text goes on with the piece before, after a comma.
        var joins = false
    }

    @exclusivity(unchecked) var text = PayloadBuffer(capacity: 480)
    @exclusivity(unchecked) var pieces = PlainList<Piece>(capacity: 12)
    @exclusivity(unchecked) var containers = PlainList<Container>(capacity: 4)
    @exclusivity(unchecked) private(set) var places = PlainList<Place>(capacity: 4)
    /// The names that are written as numbers, and which is likely next.
    @exclusivity(unchecked) private(set) var fields: FieldNames?
    @exclusivity(unchecked) private var nextField = 0
    /// Which enum case it is, when an event is being written.
    @exclusivity(unchecked) var eventCase: WrittenCase?
    /// Whether an event wrote something besides one case with its content.
    @exclusivity(unchecked) var isMoreThanOneCase = false

    private init() {
        places.append(Place(depth: 0))
    }

    // MARK: Making and keeping

    private static let spare = Spare<PayloadDraft>()
    /// Drafts that grew beyond this many bytes, or pieces, are not kept.
    private static let largestSpare = (bytes: 64 * 1024, pieces: 1024)

    /// Returns an empty draft.
    static func make() -> PayloadDraft { spare.take() ?? PayloadDraft() }

    /// Keeps a draft for the next value, unless an encoder that refers to it has escaped.
    static func finish(_ draft: inout PayloadDraft) {
        guard isKnownUniquelyReferenced(&draft), draft.isSmall else { return }
        draft.empty()
        spare.give(draft)
    }

    private var isSmall: Bool {
        let pieces = max(self.pieces.capacity, containers.capacity, places.capacity)
        return text.capacity <= Self.largestSpare.bytes && pieces <= Self.largestSpare.pieces
    }

    private func empty() {
        text.removeAll()
        pieces.removeAll()
        containers.removeAll()
        places.removeAll()
        places.append(Place(depth: 0))
        fields = nil
        nextField = 0
        eventCase = nil
        isMoreThanOneCase = false
    }

    /// Makes a draft that is empty one of the binary form.
    func becomeBinary(fields: FieldNames?) {
        text.isBinary = true
        self.fields = fields
    }

    // MARK: Places and containers

    func newPlace(depth: Int) -> Int {
        places.append(Place(depth: depth))
        return places.count - 1
    }

    func newContainer(isObject: Bool, depth: Int) -> Int {
        containers.append(Container(isObject: isObject, depth: depth))
        return containers.count - 1
    }

    /// The container at a place, which is made if there is none yet.
    func container(at place: Int, isObject: Bool) -> Int {
        switch places[place].content {
        case .container(let existing) where containers[existing].isObject == isObject:
            return existing
        case .nothing:
            let made = newContainer(isObject: isObject, depth: places[place].depth + 1)
            places[place].content = .container(made)
            return made
        default:
            // TRAPS: a mistake in an event's own `encode(to:)`; no bytes that are read lead here.
            preconditionFailure("a container was asked for where another value was encoded")
        }
    }

    /// Makes the text since `start` the value of a place.
    func setText(since start: Int, at place: Int) {
        switch places[place].content {
        case .nothing: places[place].content = .text(start: start, end: text.count)
        // TRAPS: the same mistake.
        case .text: preconditionFailure("two values were encoded in one place")
        case .container: break  // As in Foundation, the container stays.
        }
    }

    // MARK: Pieces

    /// Begins a member.
    @inline(__always)
    func mark(key: String) -> Mark {
        var key = key
        return key.withUTF8 { mark(key: UnsafeRawBufferPointer($0)) }
    }

    @inline(__always)
    private func mark(key: UnsafeRawBufferPointer) -> Mark {
        text.isBinary ? mark(binaryKey: key) : mark(textKey: key)
    }

    /// Begins a member in the binary form, where the order is that of the keys as written.
    private func mark(binaryKey key: UnsafeRawBufferPointer) -> Mark {
        let start = text.count
        if let field = fields?.index(of: key, from: nextField) {
            text.append(head: BinaryHead.positive, UInt64(field))
            nextField = field + 1
        } else {
            text.append(binary: key, as: BinaryHead.text)
        }
        return Mark(
            keyStart: start, keyCount: text.count - start, start: start, end: text.count)
    }

    @inline(__always)
    private func mark(textKey key: UnsafeRawBufferPointer) -> Mark {
        let isPlain = JSONBytes.endOfPlainText(in: key, from: 0) == key.count
        var keyStart = text.count + 1
        if !isPlain {
            keyStart = text.count
            text.append(key)
        }
        let start = text.count
        if isPlain {
            text.append(UInt8(ascii: "\""))
            text.append(key)
            text.append(UInt8(ascii: "\""))
        } else {
            text.append(quoted: key)
        }
        text.append(UInt8(ascii: ":"))
        return Mark(keyStart: keyStart, keyCount: key.count, start: start, end: text.count)
    }

    /// Begins an element.
    ///
    /// It follows a comma when it can become a part of the piece before it.
    @inline(__always)
    func mark(elementOf array: Int) -> Mark {
        let last = containers[array].last
        var joins = false
        if last >= 0, case .none = pieces[last].child, pieces[last].end == text.count {
            if !text.isBinary { text.append(UInt8(ascii: ",")) }
            joins = true
        }
        return Mark(
            keyStart: 0, keyCount: 0, start: text.count, end: text.count, joins: joins)
    }

    /// Adds a piece whose value is the text that was written since its mark.
    ///
    /// Elements of an array that were written in a row are one piece, as their marks saw to.
    @inline(__always)
    func addText(_ mark: Mark, to container: Int) {
        let last = containers[container].last
        if mark.joins {
            pieces[last].end = text.count
            containers[container].count += 1
            return
        }
        add(
            Piece(
                keyStart: mark.keyStart, keyCount: mark.keyCount, start: mark.start,
                end: text.count, child: .none),
            to: container, after: last)
    }

    /// Adds a piece whose value is at a place.
    func add(_ mark: Mark, _ place: Int, to container: Int) {
        if case .text(mark.end, let end) = places[place].content, end == text.count {
            return addText(mark, to: container)
        }
        add(mark, .place(place), to: container)
    }

    /// Adds a piece whose value is a container.
    func add(_ mark: Mark, _ child: Child, to container: Int) {
        add(
            Piece(
                keyStart: mark.keyStart, keyCount: mark.keyCount, start: mark.start, end: mark.end,
                child: child),
            to: container, after: containers[container].last)
    }

    @inline(__always)
    private func add(_ piece: Piece, to container: Int, after last: Int) {
        let index = pieces.count
        pieces.append(piece)
        if last >= 0 {
            pieces[last].next = index
        } else {
            containers[container].first = index
        }
        containers[container].last = index
        containers[container].count += 1
    }

    /// The container that was written under the key of a mark, if there is one of the kind.
    func nestedContainer(under mark: Mark, isObject: Bool, in container: Int) -> Int? {
        guard let piece = lastPiece(under: mark, in: container) else { return nil }
        var found: Int?
        switch pieces[piece].child {
        case .container(let child): found = child
        case .place(let place):
            if case .container(let child) = places[place].content { found = child }
        case .none: break
        }
        guard let found, containers[found].isObject == isObject else {
            // TRAPS: the same mistake.
            preconditionFailure("a container was asked for where another value was encoded")
        }
        return found
    }

    private func lastPiece(under mark: Mark, in container: Int) -> Int? {
        let end = mark.keyStart + mark.keyCount
        var piece = containers[container].first
        var found: Int?
        while piece >= 0 {
            let key = UnsafeRawBufferPointer(rebasing: text.bytes[mark.keyStart..<end])
            if JSONBytes.equal(self.key(of: piece), key) { found = piece }
            piece = pieces[piece].next
        }
        return found
    }

    @inline(__always)
    func key(of piece: Int) -> UnsafeRawBufferPointer {
        let start = pieces[piece].keyStart
        let end = start + pieces[piece].keyCount
        return UnsafeRawBufferPointer(rebasing: text.bytes[start..<end])
    }

    /// The number that stands for the key of a piece, if one does.
    @inline(__always)
    func field(of piece: Piece) -> Int? {
        guard fields != nil, piece.keyCount > 0,
            let head = BinaryHead(text.bytes, at: piece.keyStart), head.kind == BinaryHead.positive
        else { return nil }
        return Int(head.value)
    }
}

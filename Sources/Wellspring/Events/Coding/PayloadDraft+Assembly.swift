/// Something that cannot be written: nothing at all, or too many levels.
struct PayloadShapeError: Error { let description: String }

extension PayloadDraft {
    /// Returns the finished text.
    func assembled() throws(PayloadShapeError) -> [UInt8] {
        if case .nothing = places[0].content {
            throw PayloadShapeError(description: "The value did not encode anything.")
        }
        // Each piece is copied once, with a comma or two brackets more, or a count, and a check.
        let bound =
            text.count + pieces.count + 9 * containers.count + 2 * places.count + 3
        var failure: PayloadShapeError?
        let result = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            var assembler = Assembler(draft: self, output: UnsafeMutableRawBufferPointer(buffer))
            do throws(PayloadShapeError) {
                try assembler.copy(place: 0)
                assembler.copyCheck()
            } catch {
                failure = error
            }
            count = assembler.position
        }
        if let failure { throw failure }
        return result
    }

    /// Copies pieces to where they belong.
    private struct Assembler {
        let draft: PayloadDraft
        let output: UnsafeMutableRawBufferPointer
        var position = 0
        /// The names that were written as numbers: those that were copied, and no others.
        private var usedFields = FieldSet()

        init(draft: PayloadDraft, output: UnsafeMutableRawBufferPointer) {
            self.draft = draft
            self.output = output
        }

        mutating func copy(place: Int) throws(PayloadShapeError) {
            switch draft.places[place].content {
            case .nothing where draft.text.isBinary: copy(head: BinaryHead.object, 0)
            case .nothing:
                copy(UInt8(ascii: "{"))
                copy(UInt8(ascii: "}"))
            case .text(let start, let end): copyText(start, end)
            case .container(let container): try copy(container: container)
            }
        }

        mutating func copy(container index: Int) throws(PayloadShapeError) {
            let container = draft.containers[index]
            guard container.depth <= PayloadDraft.deepest else {
                throw PayloadShapeError(description: "Too many nested arrays or dictionaries.")
            }
            if draft.text.isBinary {
                try copyBinary(container, index)
            } else if container.isObject {
                copy(UInt8(ascii: "{"))
                try copyPieces(from: draft.sortMembers(of: index))
                copy(UInt8(ascii: "}"))
            } else {
                copy(UInt8(ascii: "["))
                try copyPieces(from: container.first)
                copy(UInt8(ascii: "]"))
            }
        }

        private mutating func copyBinary(
            _ container: Container, _ index: Int
        ) throws(PayloadShapeError) {
            guard container.isObject else {
                copy(head: BinaryHead.array, UInt64(container.count))
                return try copyPieces(from: container.first)
            }
            let first = draft.sortMembers(of: index)
            var members: UInt64 = 0
            var piece = first
            while piece >= 0 {
                members += 1
                piece = draft.pieces[piece].next
            }
            copy(head: BinaryHead.object, members)
            try copyPieces(from: first)
        }

        /// Appends the check of the names that were written as numbers, if any were.
        mutating func copyCheck() {
            guard let fields = draft.fields, !usedFields.isEmpty else { return }
            let check = fields.check(of: usedFields)
            copy(BinaryHead.positive | 25)
            copy(UInt8(check >> 8))
            copy(UInt8(check & 0xFF))
        }

        private mutating func copy(head kind: UInt8, _ value: UInt64) {
            guard value >= 24 else { return copy(kind | UInt8(value)) }
            let width = value <= 0xFF ? 1 : value <= 0xFFFF ? 2 : value <= 0xFFFF_FFFF ? 4 : 8
            copy(kind | UInt8(24 + width.trailingZeroBitCount))
            for place in (0..<width).reversed() {
                copy(UInt8(truncatingIfNeeded: value >> UInt64(8 * place)))
            }
        }

        private mutating func copyPieces(from first: Int) throws(PayloadShapeError) {
            var piece = first
            while piece >= 0 {
                if piece != first, !draft.text.isBinary { copy(UInt8(ascii: ",")) }
                try copy(piece: piece)
                piece = draft.pieces[piece].next
            }
        }

        private mutating func copy(piece index: Int) throws(PayloadShapeError) {
            let piece = draft.pieces[index]
            if let field = draft.field(of: piece) { usedFields.insert(field) }
            copyText(piece.start, piece.end)
            switch piece.child {
            case .none: break
            case .place(let place): try copy(place: place)
            case .container(let container): try copy(container: container)
            }
        }

        private mutating func copyText(_ start: Int, _ end: Int) {
            let source = UnsafeRawBufferPointer(rebasing: draft.text.bytes[start..<end])
            let target = UnsafeMutableRawBufferPointer(
                rebasing: output[position..<position + source.count])
            target.copyMemory(from: source)
            position += source.count
        }

        private mutating func copy(_ byte: UInt8) {
            output[position] = byte
            position += 1
        }
    }
}

// MARK: - Order

extension PayloadDraft {
    /// Objects with more members than this are sorted as an array.
    private static let shortObject = 24

    /// Links the pieces of an object in the order of their keys, and of each key the last only.
    ///
    /// - Returns: The first piece, or -1.
    fileprivate func sortMembers(of object: Int) -> Int {
        let first = containers[object].first
        guard first >= 0 else { return -1 }
        var last = first
        while case let next = pieces[last].next, next >= 0, compare(last, next) < 0 { last = next }
        guard pieces[last].next >= 0 else { return first }
        let sorted =
            containers[object].count <= Self.shortObject
            ? insertionSorted(first, sortedUpTo: last) : arraySorted(first)
        containers[object].first = sorted
        return sorted
    }

    /// Takes the pieces after `last` one by one to where they belong among those before.
    private func insertionSorted(_ first: Int, sortedUpTo last: Int) -> Int {
        var first = first
        var piece = pieces[last].next
        pieces[last].next = -1
        while piece >= 0 {
            let rest = pieces[piece].next
            var before = -1
            var after = first
            var difference = -1
            while after >= 0 {
                difference = compare(after, piece)
                if difference >= 0 { break }
                before = after
                after = pieces[after].next
            }
            // A piece with the same key came earlier, and is left out.
            pieces[piece].next = after >= 0 && difference == 0 ? pieces[after].next : after
            if before >= 0 { pieces[before].next = piece } else { first = piece }
            piece = rest
        }
        return first
    }

    private func arraySorted(_ first: Int) -> Int {
        var order: [Int] = []
        var piece = first
        while piece >= 0 {
            order.append(piece)
            piece = pieces[piece].next
        }
        order.sort { a, b in
            let difference = compare(a, b)
            return difference == 0 ? a < b : difference < 0
        }
        var next = -1
        for piece in order.reversed() where next < 0 || compare(piece, next) != 0 {
            pieces[piece].next = next
            next = piece
        }
        return next
    }

    /// Compares two keys as bytes; below zero when the first comes first.
    @inline(__always)
    private func compare(_ a: Int, _ b: Int) -> Int {
        let a = key(of: a)
        let b = key(of: b)
        let shared = min(a.count, b.count)
        var position = 0
        while position < shared {
            if a[position] != b[position] { return Int(a[position]) - Int(b[position]) }
            position += 1
        }
        return a.count - b.count
    }
}

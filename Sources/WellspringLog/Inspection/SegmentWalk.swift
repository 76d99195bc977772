/// The walk through one segment.
final class SegmentWalk {
    let walk: LogWalk
    let number: UInt32
    var file: InspectedFile
    let header: SegmentHeader
    let isNewest: Bool
    /// The highest sequence that was durable when reading began.
    private let proven: UInt64

    /// Where the next frame should begin, and to which header it is chained if that is known.
    private(set) var offset: UInt64
    private var chain: UInt32?
    private(set) var end: LogEnd
    /// Whether some of the segment was lost, so that what it says in sum need not agree.
    private(set) var hasDamage = false
    private(set) var isPartial: Bool
    /// Whether the footer was found from the end of the file.
    private(set) var hasSeal = false
    private(set) var groupCount: UInt64 = 0
    private(set) var eventCount: UInt64 = 0
    private(set) var positions = PositionTable()

    /// Reads the header, or works it out; `nil` when nothing can be made of the segment.
    init?(
        _ walk: LogWalk, _ number: UInt32, _ file: InspectedFile, after start: LogEnd?
    ) throws {
        guard
            let header = try SegmentHead(walk, number, file, isPartial: start != nil).find()
        else { return nil }
        self.walk = walk
        self.number = number
        self.file = file
        self.header = header
        isNewest = walk.isNewest(number)
        isPartial = start != nil
        end = start ?? LogEnd(beginning: header)
        offset = end.offset
        chain = end.chain
        let known = walk.manifest?.knownEnd.sequence ?? 0
        guard isNewest else {
            proven = .max
            return
        }
        let scanner = FrameScanner(header, in: file.window)
        walk.lastClaim = try scanner.strongestClaim(from: 0)
        proven = max(walk.lastClaim, known)
    }

    private var expectedSequence: UInt64 { walk.cursor?.sequence ?? header.baseSequence }
    private var expectedPosition: UInt64 { walk.cursor?.position ?? header.basePosition }

    func run() throws {
        if !isPartial {
            try walk.resume(header.baseSequence, header.basePosition, file.name, at: 40)
            try walk.emit(
                .segment(
                    InspectedSegment(
                        file: file.name, fileSize: file.window.fileSize, header: header,
                        seal: try readSeal())))
            try checkKnownEnd(from: 0)
        } else if try SegmentEnd(self).isBehindSeal {
            walk.lastIsSealed = true
            return
        }
        while try step() {}
    }

    // MARK: - Frames

    /// What stands where a frame should begin.
    private enum Finding {
        case frame(FrameHeader, UnsafeRawBufferPointer)
        /// A header that is the right one, and a body that is not.
        case body(FrameHeader)
        case nothing(String)
    }

    /// Goes over one frame, or over what is damaged; false at the end of the segment.
    private func step() throws -> Bool {
        switch try look() {
        case .frame(let header, let body): return try pass(header, body)
        case .body(let header) where header.sequence <= proven:
            guard try !looksBetterWhenReadAgain() else { return true }
            try lose(header)
            return header.kind != .seal
        case .body: return try endOfLog()
        case .nothing(let reason):
            if isNewest, expectedSequence > proven { return try endOfLog() }
            guard try !looksBetterWhenReadAgain() else { return true }
            if let mended = try mendedHeader() { return try go(over: mended) }
            return try skip(because: reason)
        }
    }

    private func look() throws -> Finding {
        let name = "the bytes are not the header of a frame"
        guard let bytes = try file.window.bytes(at: offset, count: FrameHeader.length) else {
            return .nothing("the file ends where a frame should begin")
        }
        guard let found = FrameHeader(decoding: bytes, at: offset, salt: header.salt) else {
            if let failure = file.file.failure(at: offset) {
                return .nothing("it cannot be read: \(failure.call), error \(failure.code)")
            }
            return .nothing(bytes.isZero ? "a frame is missing" : name)
        }
        guard isNext(found) else {
            return .nothing("frame \(found.sequence) does not follow the one before it")
        }
        return try look(behind: found)
    }

    /// Whether a header is the one that must follow.
    private func isNext(_ found: FrameHeader) -> Bool {
        found.sequence == expectedSequence && found.firstPosition == expectedPosition
            && (chain == nil || chain == found.chain)
    }

    /// What stands behind the header of the next frame.
    private func look(behind found: FrameHeader) throws -> Finding {
        guard
            let body = try file.window.bytes(
                at: offset + UInt64(FrameHeader.length), count: found.paddedBodyLength),
            crc32c(header.salt.body, body) == found.bodyChecksum
        else { return .body(found) }
        guard found.kind.isUnderstood else {
            throw LogError.unsupportedFormat(
                file: file.name, reason: "frames of kind \(found.kind.rawValue)")
        }
        return .frame(found, UnsafeRawBufferPointer(rebasing: body[0..<Int(found.bodyLength)]))
    }

    private func pass(_ found: FrameHeader, _ body: UnsafeRawBufferPointer) throws -> Bool {
        if found.kind == .seal, isNewest, found.sequence > proven,
            try SegmentEnd(self).trailer(behind: found) == nil
        {
            // A seal without its trailer was never finished.
            return try endOfLog()
        }
        if found.kind == .group {
            groupCount += 1
            eventCount += UInt64(found.eventCount)
            positions.note(found)
        }
        // What is proven is a beginning of the log: a frame behind one in doubt is in doubt too,
        // though a writer may have proven both meanwhile.
        if found.sequence > proven { walk.isInDoubt = true }
        try walk.emit(
            .frame(
                InspectedFrame(
                    header: found, place: FramePlace(found, segment: number), body: body,
                    isProven: !walk.isInDoubt, file: file.file)))
        let before = end.offset
        advance(behind: found)
        if !walk.isInDoubt { walk.noteProven(end) }
        try checkKnownEnd(from: before)
        guard found.kind == .seal else { return true }
        _ = try fallsShortOfKnownEnd()
        try SegmentEnd(self).check(found)
        return false
    }

    private func advance(behind found: FrameHeader) {
        end = LogEnd(after: found, in: number)
        offset = end.offset
        chain = end.chain
        walk.cursor = LogWalk.Cursor(
            sequence: found.sequence &+ 1, position: found.nextPosition)
    }

    // MARK: - Damage

    /// Reads the place anew, twice, before it is called damaged.
    private func looksBetterWhenReadAgain() throws -> Bool {
        for _ in 0..<2 {
            file = try file.reread(in: walk.directory)
            if case .frame = try look() { return true }
        }
        return false
    }

    /// Tells a frame as lost of which the header says how much that is.
    private func lose(_ found: FrameHeader) throws {
        hasDamage = true
        try emitRemains(of: found)
        let body = offset + UInt64(FrameHeader.length)
        let failure = file.file.failure(at: body)
        try walk.emit(
            .damage(
                InspectedDamage(
                    found.kind == .seal ? .footer : .frames, file.name, at: offset,
                    failure.map { "it cannot be read: \($0.call), error \($0.code)" }
                        ?? "the checksum of the frame's body is wrong",
                    sequences: found.sequence...found.sequence,
                    positions: found.firstPosition..<found.nextPosition)))
        advance(behind: found)
        walk.lastIsSealed = found.kind == .seal
    }

    /// The header that stands here, if all but one bit of it is right.
    ///
    /// Its checksum proves it: no two headers that differ in so little have the same one.
    private func mendedHeader() throws -> FrameHeader? {
        guard let found = try file.window.bytes(at: offset, count: FrameHeader.length) else {
            return nil
        }
        var bytes = Array(found)
        for bit in 0..<FrameHeader.length * 8 {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let mended = bytes.withUnsafeBytes {
                FrameHeader(decoding: $0, at: offset, salt: header.salt)
            }
            if let mended, isNext(mended) { return mended }
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        return nil
    }

    /// Goes over a frame of whose header one bit is wrong: it costs nothing, if that is all.
    private func go(over mended: FrameHeader) throws -> Bool {
        hasDamage = true
        guard case .frame(_, let body) = try look(behind: mended) else {
            try lose(mended)
            return mended.kind != .seal
        }
        try walk.emit(
            .damage(
                InspectedDamage(
                    mended.kind == .seal ? .footer : .frames, file.name, at: offset,
                    "a bit of the frame's header is wrong; its body can be read all the same",
                    positions: mended.firstPosition..<mended.firstPosition)))
        return try pass(mended, body)
    }

    private func emitRemains(of found: FrameHeader) throws {
        guard found.kind == .group,
            let body = try file.window.bytes(
                at: offset + UInt64(FrameHeader.length), count: Int(found.bodyLength))
        else { return }
        let place = FramePlace(found, segment: number)
        try walk.emit(
            .remains(
                InspectedFrame(
                    header: found, place: place, body: body, isProven: false, file: file.file)))
    }

    /// Searches for the next place at which a frame begins.
    private func skip(because reason: String) throws -> Bool {
        hasDamage = true
        walk.pending.append(InspectedDamage(.frames, file.name, at: offset, reason))
        var place = offset + UInt64(FrameHeader.alignment)
        while let candidate = try file.window.firstPossibleHeader(from: place) {
            place = candidate + UInt64(FrameHeader.alignment)
            guard let bytes = try file.window.bytes(at: candidate, count: FrameHeader.length),
                let found = FrameHeader(decoding: bytes, at: candidate, salt: header.salt),
                found.sequence >= expectedSequence, found.firstPosition >= expectedPosition
            else { continue }
            offset = candidate
            chain = found.chain
            try walk.resume(found.sequence, found.firstPosition, file.name, at: candidate)
            return true
        }
        walk.lastIsSealed = false
        return false
    }

    // MARK: - The end

    /// Nothing behind this place was ever called durable.
    private func endOfLog() throws -> Bool {
        if let content = try file.window.endOfContent(from: offset) {
            try walk.emit(.unfinished(file: file.name, offset..<content))
        }
        let wasClosed = walk.manifest?.isClean ?? false
        if try wasClosed || !fallsShortOfKnownEnd() { try SegmentEnd(self).checkCleanEnd() }
        return false
    }

    /// Whether the segment ends before the place that the MANIFEST knew before it was opened: another
    /// history may have more frames in less room.
    private func fallsShortOfKnownEnd() throws -> Bool {
        guard let known = walk.manifest?.knownEnd, !hasDamage, !end.holds(known) else {
            return false
        }
        try tellOtherEnd(than: known)
        return true
    }

    /// The log must meet the known end exactly, and may go on behind it.
    private func checkKnownEnd(from before: UInt64) throws {
        guard let known = walk.manifest?.knownEnd, known.segment == number, !hasDamage,
            before < known.offset, known.offset <= end.offset, end != known
        else { return }
        try tellOtherEnd(than: known)
    }

    private func tellOtherEnd(than known: LogEnd) throws {
        try walk.emit(
            .damage(
                InspectedDamage(
                    .end, file.name, at: known.offset,
                    "the log is not the one that the MANIFEST tells of")))
    }

    /// The footer, found from the end of the file; a second and a third time before there is none.
    private func readSeal() throws -> InspectedSegment.Seal? {
        var again = file
        for reading in 0..<3 {
            if reading > 0 { again = try file.reread(in: walk.directory) }
            guard let seal = try seal(in: again.window) else { continue }
            file = again
            hasSeal = true
            return seal
        }
        return nil
    }

    private func seal(in window: ReadWindow) throws -> InspectedSegment.Seal? {
        let length = UInt64(SegmentTrailer.length)
        guard window.fileSize >= UInt64(SegmentHeader.length) + length,
            let last = try window.bytes(
                at: window.fileSize - length, count: SegmentTrailer.length),
            let trailer = SegmentTrailer(decoding: last, salt: header.salt),
            trailer.number == number,
            let bytes = try window.bytes(at: trailer.sealOffset, count: FrameHeader.length),
            let seal = FrameHeader(decoding: bytes, at: trailer.sealOffset, salt: header.salt),
            seal.kind == .seal, seal.checksum == trailer.sealChecksum,
            let body = try window.bytes(
                at: trailer.sealOffset + UInt64(FrameHeader.length), count: seal.paddedBodyLength),
            crc32c(header.salt.body, body) == seal.bodyChecksum,
            let footer = try? SegmentFooter(
                decoding: UnsafeRawBufferPointer(rebasing: body[0..<Int(seal.bodyLength)]))
        else { return nil }
        return InspectedSegment.Seal(trailer: trailer, footer: footer)
    }
}

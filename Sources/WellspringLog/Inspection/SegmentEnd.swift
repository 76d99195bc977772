/// What a segment says at its end, against what was found in it.
struct SegmentEnd {
    private let segment: SegmentWalk

    init(_ segment: SegmentWalk) {
        self.segment = segment
    }

    private var walk: LogWalk { segment.walk }
    private var window: ReadWindow { segment.file.window }

    /// The trailer behind a seal, if it belongs to it.
    func trailer(behind seal: FrameHeader) throws -> SegmentTrailer? {
        let place = LogEnd(after: seal, in: segment.number)
        guard let bytes = try window.bytes(at: place.offset, count: SegmentTrailer.length),
            let trailer = SegmentTrailer(decoding: bytes, salt: segment.header.salt),
            trailer.sealChecksum == seal.checksum, trailer.sealOffset == seal.offset,
            trailer.number == segment.number, trailer.lastSequence == seal.sequence,
            trailer.nextPosition == place.nextPosition
        else { return nil }
        return trailer
    }

    /// Whether an earlier walk came to the end of the segment, behind its seal.
    var isBehindSeal: Bool {
        get throws {
            // To the newest one frames may still go.
            for reading in 0..<(segment.isNewest ? 1 : 3) {
                if reading > 0 { segment.file = try segment.file.reread(in: walk.directory) }
                let bytes = try window.bytes(at: segment.offset, count: SegmentTrailer.length)
                let trailer = bytes.flatMap {
                    SegmentTrailer(decoding: $0, salt: segment.header.salt)
                }
                if trailer?.sealChecksum == segment.end.chain { return true }
            }
            return false
        }
    }

    /// Checks footer, trailer, length of the file and the MANIFEST's entry of a sealed segment.
    func check(_ seal: FrameHeader) throws {
        walk.lastIsSealed = true
        let end = segment.end.offset + UInt64(SegmentTrailer.length)
        guard let trailer = try reread(behind: seal) else {
            return try tell(.footer, at: segment.end.offset, "the segment's trailer is damaged")
        }
        if isWithoutSeal, window.fileSize == end {
            return try tell(
                .footer, at: segment.end.offset, "the segment's end does not lead to its footer")
        }
        try checkNothingFollows(end)
        // Another generation has another end.
        let listed = walk.manifest?.segments.first {
            $0.number == segment.number && $0.generation == segment.header.generation
        }
        if let listed = listed?.seal, listed != trailer.manifestEntry(end) {
            try tell(
                .footer, at: trailer.sealOffset, "the MANIFEST knows another end of the segment")
        }
        guard !segment.hasDamage, !segment.isPartial else { return }
        try checkSums(trailer)
        try checkPositions(of: seal)
    }

    /// Whether it was said of the segment, after three readings of its end, that it has none.
    ///
    /// To the newest one a writer may have given one since; and of damage it was told why.
    private var isWithoutSeal: Bool {
        !segment.hasSeal && !segment.hasDamage && !segment.isPartial && !segment.isNewest
    }

    /// The trailer, which is read a second and a third time before it is called damaged.
    private func reread(behind seal: FrameHeader) throws -> SegmentTrailer? {
        for _ in 0..<2 {
            if let trailer = try trailer(behind: seal) { return trailer }
            segment.file = try segment.file.reread(in: walk.directory)
        }
        return try trailer(behind: seal)
    }

    private func checkNothingFollows(_ end: UInt64) throws {
        guard window.fileSize > end else { return }
        guard segment.isNewest else {
            return try tell(.footer, at: end, "bytes after the end of the segment")
        }
        // A crash may have come before the zeros that were written ahead were cut off.
        guard let content = try window.endOfContent(from: end) else { return }
        try walk.emit(.unfinished(file: segment.file.name, end..<content))
    }

    private func checkSums(_ trailer: SegmentTrailer) throws {
        guard trailer.groupCount == segment.groupCount, trailer.eventCount == segment.eventCount,
            trailer.firstSequence == segment.header.baseSequence,
            trailer.firstPosition == segment.header.basePosition
        else {
            return try tell(
                .footer, at: segment.end.offset, "the trailer tells of other frames than there are")
        }
    }

    private func checkPositions(of seal: FrameHeader) throws {
        let start = seal.offset + UInt64(FrameHeader.length)
        guard let body = try window.bytes(at: start, count: Int(seal.bodyLength)) else { return }
        do {
            let footer = try SegmentFooter(decoding: body)
            guard footer.positions != segment.positions else { return }
        } catch {
            return try tell(.footer, at: start + UInt64(max(0, error.offset)), error.reason)
        }
        try tell(.footer, at: start, "the footer's table of positions is not that of the frames")
    }

    /// After a proper close the log ends in the closing mark, and the file ends with the log.
    func checkCleanEnd() throws {
        guard !segment.hasDamage, isWrongForClosedLog else { return }
        // Where a writer has opened the store since, and perhaps closed it again, the MANIFEST says
        // nothing of what was read.
        let judge = walk.manifest?.number
        try walk.lookAgain()
        guard walk.manifest?.number == judge, isWrongForClosedLog else { return }
        try tell(
            .end, at: segment.end.offset, "the log was closed properly and does not end that way")
    }

    private var isWrongForClosedLog: Bool {
        guard let manifest = walk.manifest, manifest.isClean,
            manifest.knownEnd.segment == segment.number
        else { return false }
        return segment.end != manifest.knownEnd || window.fileSize != segment.end.offset
    }

    private func tell(
        _ kind: InspectedDamage.Kind, at offset: UInt64, _ reason: String
    ) throws {
        try walk.emit(.damage(InspectedDamage(kind, segment.file.name, at: offset, reason)))
    }
}

/// Finds out what a segment is: from its first page, or if that is lost from its frames.
struct SegmentHead {
    private let walk: LogWalk
    private let number: UInt32
    private let file: InspectedFile
    /// Whether the walk begins in the middle of the segment.
    private let isPartial: Bool

    init(_ walk: LogWalk, _ number: UInt32, _ file: InspectedFile, isPartial: Bool) {
        self.walk = walk
        self.number = number
        self.file = file
        self.isPartial = isPartial
    }

    /// Returns the header; `nil` when there is no way to read the segment, which is then told.
    func find() throws -> SegmentHeader? {
        var problem = try read()
        for _ in 0..<2 where problem.reason != nil {
            let again = try file.reread(in: walk.directory)
            problem = try SegmentHead(walk, number, again, isPartial: isPartial).read()
        }
        guard let reason = problem.reason else { return problem.header }
        let damage = InspectedDamage(.segmentHeader, file.name, at: problem.offset, reason)
        guard problem.isUnreadable, let rebuilt = try rebuild() else {
            walk.pending.append(damage)
            return nil
        }
        var told = damage
        told.positions = rebuilt.basePosition..<rebuilt.basePosition
        told.reason += "; its frames can be read all the same"
        try walk.emit(.damage(told))
        return rebuilt
    }

    private struct Finding {
        var header: SegmentHeader?
        var offset: UInt64 = 0
        var reason: String?
        /// Whether the page is damaged, and not that of another segment.
        var isUnreadable = false
    }

    private func read() throws -> Finding {
        let page = try file.window.bytes(at: 0, count: SegmentHeader.length)
        do {
            let header = try SegmentHeader(
                decoding: page ?? UnsafeRawBufferPointer(start: nil, count: 0))
            let misfit = misfit(of: header)
            return Finding(header: header, offset: misfit?.offset ?? 0, reason: misfit?.reason)
        } catch {
            guard case .malformed(let offset, let reason) = error else {
                throw error.found(in: file.name)
            }
            let failure = file.file.failure(at: 0)
            return Finding(
                offset: UInt64(max(0, offset)),
                reason: failure.map { "it cannot be read: \($0.call), error \($0.code)" } ?? reason,
                isUnreadable: true)
        }
    }

    /// Why a sound header is not that of this segment.
    private func misfit(of header: SegmentHeader) -> (offset: UInt64, reason: String)? {
        if let identity = walk.inspection.identity, header.storeID != identity.storeID {
            return (16, "the segment belongs to another store")
        }
        if let manifest = walk.inspection.manifest, header.storeID != manifest.storeID {
            return (16, "the segment belongs to another store")
        }
        guard header.number == number else {
            return (32, "the segment has another number than its file")
        }
        guard header.generation == file.generation else {
            return (64, "the segment has another generation than its file")
        }
        if let entry,
            entry.basePosition != header.basePosition
                || entry.baseSequence != header.baseSequence
        {
            return (40, "the MANIFEST knows another segment")
        }
        if !isPartial, let cursor = walk.cursor,
            header.baseSequence < cursor.sequence || header.basePosition < cursor.position
        {
            return (40, "the segment does not follow the one before")
        }
        return nil
    }

    private var entry: Manifest.Segment? {
        walk.manifest?.segments.first { $0.number == number }
    }

    // MARK: - A lost page

    private func rebuild() throws -> SegmentHeader? {
        guard let salt = try SaltRecovery.salt(of: file.window), let base = try base(salt)
        else { return nil }
        // Without both small files nobody asks whose segment it is.
        let storeID = walk.inspection.identity?.storeID ?? walk.inspection.manifest?.storeID
        var header = SegmentHeader(
            storeID: storeID ?? StoreUUID(high: 0, low: 0), number: number,
            basePosition: base.position,
            baseSequence: base.sequence, salt: salt, created: 0, previousRecordedAt: .min)
        header.generation = file.generation
        return header
    }

    /// Where the segment begins, as the MANIFEST knows it, or the segment before, or its own first
    /// frame.
    private func base(_ salt: Salt) throws -> LogWalk.Cursor? {
        if let entry {
            return LogWalk.Cursor(sequence: entry.baseSequence, position: entry.basePosition)
        }
        if walk.pending.isEmpty, let cursor = walk.cursor { return cursor }
        var place = UInt64(SegmentHeader.length)
        while let candidate = try file.window.firstPossibleHeader(from: place) {
            place = candidate + UInt64(FrameHeader.alignment)
            guard let bytes = try file.window.bytes(at: candidate, count: FrameHeader.length),
                let first = FrameHeader(decoding: bytes, at: candidate, salt: salt)
            else { continue }
            return LogWalk.Cursor(sequence: first.sequence, position: first.firstPosition)
        }
        return nil
    }
}

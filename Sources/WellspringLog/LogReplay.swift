/// Reads every segment in order, checks every frame and hands the groups to the client.
///
/// Nothing is changed here. Damage anywhere but at the end of the newest segment is reported at
/// once; what the end of the newest segment means is for `TailJudgement` to say.
struct LogReplay {
    private let opening: LogOpening
    private let identity: StoreIdentity
    private let manifest: Manifest
    private let living: LivingSegments

    private(set) var groupCount: UInt64 = 0
    private(set) var eventCount: UInt64 = 0
    /// What the MANIFEST will list.
    private(set) var segments: [Manifest.Segment] = []
    /// All segments, for who reads them later.
    private(set) var places: [SegmentPlace] = []
    private(set) var newest: ReplayedSegment?
    private let coverage: LogCoverage?

    init(
        _ opening: LogOpening, _ identity: StoreIdentity, _ manifest: Manifest,
        _ living: LivingSegments
    ) {
        self.opening = opening
        self.identity = identity
        self.manifest = manifest
        self.living = living
        coverage = opening.client.coverage(
            of: LogOutline(
                directory: opening.directory, identity: identity, segments: manifest.segments))
    }

    consuming func run() throws(LogError) -> LogReplay {
        let numbers = living.numbers
        var end: LogEnd?
        for number in numbers {
            if number < numbers.upperBound, coverage != nil, let known = sealedSegment(number) {
                end = try skip(known, after: end)
            } else {
                end = try replay(number, after: end, isNewest: number == numbers.upperBound)
            }
        }
        return self
    }

    /// Reads all frames of a segment that the client does not know; returns its end.
    private mutating func replay(
        _ number: UInt32, after end: LogEnd?, isNewest: Bool
    ) throws(LogError) -> LogEnd {
        var segment = try open(number, after: end, isNewest: isNewest)
        opening.client.segmentBegan(number)
        try replay(&segment)
        groupCount += segment.groupCount
        eventCount += segment.eventCount
        segments.append(Manifest.Segment(segment.header))
        if let trailer = segment.trailer {
            segments[segments.count - 1].seal = trailer.manifestEntry(segment.fileLength)
        }
        places.append(
            SegmentPlace(
                segment.header,
                sealedLength: segment.trailer == nil ? nil : segment.fileLength))
        if isNewest {
            newest = segment
        } else {
            try checkSealed(segment)
            opening.client.segmentEnded(
                LogAnchor(
                    endOfSegment: segment.end,
                    SegmentRewrites(of: manifest.segments, through: number)))
        }
        return segment.end
    }

    // MARK: - Segments that the client knows

    private func sealedSegment(_ number: UInt32) -> Manifest.Segment? {
        manifest.segments.first { $0.number == number && $0.seal != nil }
    }

    /// Compares a sealed segment with what the MANIFEST says, without reading its frames.
    ///
    /// It was synced before the MANIFEST listed it, and never touched again.
    private mutating func skip(
        _ known: Manifest.Segment, after end: LogEnd?
    ) throws(LogError) -> LogEnd {
        let name = living.fileName(of: known.number)
        guard let seal = known.seal else { throw .damaged(.unsealed(name)) }
        do {
            let file = try directory.open(name, .read)
            defer { file.close() }
            let length = try file.size()
            guard length == seal.fileLength else {
                throw FormatError.malformed(
                    offset: Int(min(length, seal.fileLength)),
                    reason: "the file has \(length) bytes where the MANIFEST knows of "
                        + "\(seal.fileLength)")
            }
            let header = try SegmentHeader.read(from: file)
            try check(header, number: known.number, after: end)
            let trailer = try SegmentTrailer.read(from: file, length: length, salt: header.salt)
            guard let trailer,
                trailer.manifestEntry(length) == seal || opening.fault == .believeSealedEnd,
                trailer.belongs(to: header)
            else {
                throw FormatError.malformed(
                    offset: Int(length) - SegmentTrailer.length,
                    reason: "the end of the segment is not the one that the MANIFEST knows")
            }
            groupCount += trailer.groupCount
            eventCount += trailer.eventCount
            segments.append(known)
            places.append(SegmentPlace(header, sealedLength: length))
            return LogEnd(behind: trailer)
        } catch let error as SystemError {
            guard error.kind == .notFound else { throw .system(error) }
            throw .damaged(LogDamage(file: name, offset: 0, reason: "the file is missing"))
        } catch {
            throw FormatError(error).found(in: name)
        }
    }

    // MARK: - One segment

    private func open(
        _ number: UInt32, after end: LogEnd?, isNewest: Bool
    ) throws(LogError) -> ReplayedSegment {
        let name = living.fileName(of: number)
        do {
            let file = try directory.open(name, isNewest ? .readWrite : .read)
            try file.sync()
            // A failed sync may have left in memory what the disk does not have.
            if isNewest, !manifest.isClean { file.dropCache() }
            let window = try ReadWindow(file)
            let page = try window.bytes(at: 0, count: SegmentHeader.length)
            let header = try SegmentHeader(
                decoding: page ?? UnsafeRawBufferPointer(start: nil, count: 0))
            try check(header, number: number, after: end)
            let anchor = coverage?.anchor.flatMap { $0.end.segment == number ? $0 : nil }
            return ReplayedSegment(
                header, file: file, window: window, from: anchor,
                behind: try anchor.flatMap { try frame(before: $0, header.salt, in: window) },
                fault: opening.fault)
        } catch let error as SystemError {
            throw .system(error)
        } catch {
            throw FormatError(error).found(in: name)
        }
    }

    private func frame(
        before anchor: LogAnchor, _ salt: Salt, in window: ReadWindow
    ) throws -> FrameHeader? {
        try window.bytes(at: anchor.lastFrame, count: FrameHeader.length).flatMap {
            FrameHeader(decoding: $0, at: anchor.lastFrame, salt: salt)
        }
    }

    private var directory: any StoreDirectory { opening.directory }

    private func check(
        _ header: SegmentHeader, number: UInt32, after end: LogEnd?
    ) throws(FormatError) {
        try header.writing.check()
        guard header.storeID == identity.storeID else {
            throw .malformed(offset: 16, reason: "the segment belongs to another store")
        }
        guard header.number == number, header.generation == living.generation(of: number)
        else {
            throw .malformed(offset: 32, reason: "the segment has another number than its file")
        }
        if let end {
            guard header.baseSequence == end.sequence &+ 1, header.basePosition == end.nextPosition
            else {
                throw .malformed(offset: 40, reason: "the segment does not follow the one before")
            }
        }
        guard let listed = manifest.segments.first(where: { $0.number == number }) else { return }
        guard listed.basePosition == header.basePosition,
            listed.baseSequence == header.baseSequence
        else { throw .malformed(offset: 40, reason: "the MANIFEST knows another segment") }
    }

    private func replay(_ segment: inout ReplayedSegment) throws(LogError) {
        segment.proven = max(segment.proven, provenByManifest)
        try checkPassedEnd(segment)
        try checkKnownEnd(segment)
        while let frame = try segment.next() {
            if frame.header.kind == .group {
                let place = FramePlace(frame.header, segment: segment.header.number)
                do {
                    try opening.client.replay(place, body: frame.body)
                } catch {
                    throw LogError(error, of: place, in: segment.header.fileName)
                }
            }
            try checkKnownEnd(segment)
        }
        if case .unknownKind(let kind) = segment.scanner.stop {
            throw .unsupportedFormat(
                file: segment.header.fileName, reason: "frames of kind \(kind)")
        }
    }

    // MARK: - Against the MANIFEST

    private var provenByManifest: UInt64 {
        opening.fault == .ignoreKnownEnd ? 0 : manifest.knownEnd.sequence
    }

    /// The known end must be met exactly: a log that passes it by is not the one that was left.
    private func checkKnownEnd(_ segment: ReplayedSegment) throws(LogError) {
        let known = manifest.knownEnd
        guard opening.fault != .ignoreKnownEnd, !segment.end.agrees(with: known) else { return }
        throw .otherLog(than: known, in: segment.header.fileName, from: segment.end.sequence)
    }

    /// The same where reading begins behind the known end: the frame there has to follow it.
    private func checkPassedEnd(_ segment: ReplayedSegment) throws(LogError) {
        let known = manifest.knownEnd
        guard segment.header.number == known.segment, opening.fault != .ignoreKnownEnd,
            segment.end.offset > known.offset
        else { return }
        let isFollowed = try system { () throws(SystemError) in
            try FrameScanner.isFollowed(known, segment.header, in: segment.window)
        }
        guard isFollowed else { throw .nothingFollows(known, in: segment.header.fileName) }
    }

    /// A segment that is followed by another was sealed, synced and never touched again.
    private func checkSealed(_ segment: ReplayedSegment) throws(LogError) {
        guard let trailer = segment.trailer else {
            throw segment.scanner.damage(
                segment.scanner.stop == .none
                    ? "the end of the segment is damaged" : segment.scanner.stop.reason)
        }
        guard segment.window.fileSize == segment.fileLength else {
            throw .damaged(
                LogDamage(
                    file: segment.header.fileName, offset: segment.fileLength,
                    reason: "bytes after the end of the segment"))
        }
        let known = manifest.knownEnd
        guard segment.end.holds(known) || opening.fault == .ignoreKnownEnd else {
            throw .otherLog(than: known, in: segment.header.fileName, from: segment.end.sequence)
        }
        guard
            let listed = manifest.segments.first(where: { $0.number == trailer.number }),
            let seal = listed.seal
        else { return }
        guard seal == trailer.manifestEntry(segment.fileLength) else {
            throw .damaged(
                LogDamage(
                    file: segment.header.fileName, offset: trailer.sealOffset,
                    reason: "the MANIFEST knows another end of the segment"))
        }
    }
}

extension LogError {
    /// What was left at `known` is not what the log has there, which may be another commit.
    static func otherLog(
        than known: LogEnd, in file: String, from sequence: UInt64? = nil
    ) -> LogError {
        let first = sequence ?? known.sequence
        return .damaged(
            LogDamage(
                file: file, offset: known.offset,
                sequences: first...max(known.sequence, first),
                reason: "the log is not the one that the MANIFEST tells of"))
    }

    /// No frame that follows `known` stands behind it, though the index ends further on.
    static func nothingFollows(_ known: LogEnd, in file: String) -> LogError {
        let next = known.sequence &+ 1
        return .damaged(
            LogDamage(
                file: file, offset: known.offset, sequences: next...next,
                reason: "no frame follows the end that the MANIFEST tells of: it is damaged, or "
                    + "the log is another one"))
    }
}

extension LogDamage {
    fileprivate static func unsealed(_ file: String) -> LogDamage {
        LogDamage(file: file, offset: 0, reason: "the segment is not sealed")
    }
}

extension LogEnd {
    /// The place behind the seal of a segment.
    init(behind trailer: SegmentTrailer) {
        self.init(
            segment: trailer.number, offset: trailer.sealOffset, sequence: trailer.lastSequence,
            nextPosition: trailer.nextPosition, recordedAt: trailer.recordedAt,
            chain: trailer.sealChecksum)
    }
}

/// Brings a log that was found sound into the state in which it takes new frames.
///
/// Every step may be interrupted by a crash and is then done again by the next opening: what is
/// cut off was copied before, frames are rewritten with the bytes they have, then the MANIFEST
/// changes, and what it does not list goes last.
struct LogRepair {
    private let opening: LogOpening
    private let identity: StoreIdentity
    private let manifest: Manifest
    private let replay: LogReplay
    private let judgement: TailJudgement

    init(
        _ opening: LogOpening, _ identity: StoreIdentity, _ manifest: Manifest,
        _ replay: LogReplay, _ judgement: TailJudgement
    ) {
        self.opening = opening
        self.identity = identity
        self.manifest = manifest
        self.replay = replay
        self.judgement = judgement
    }

    func run(
        _ initial: LogRecovery, removing leftovers: [String], holding lock: any LockToken
    ) throws(LogError) -> CommitLog {
        guard let newest = replay.newest else { throw .closed }
        let superseded = opening.fault == .keepSuperseded ? [] : leftovers
        var recovery = initial
        recovery.wasClean = manifest.isClean
        // A sealed segment is followed by a new one at once.
        recovery.segmentCount = replay.segments.count + (newest.trailer == nil ? 0 : 1)
        recovery.frameCount = replay.groupCount
        recovery.eventCount = replay.eventCount
        do {
            if let tail = judgement.tornTail, opening.fault != .forgetTornTail {
                recovery.tornBytes = tail.upperBound - tail.lowerBound
                recovery.tornPositions = judgement.tornPositions
                recovery.quarantined.append(try quarantine(tail, of: newest))
            }
            try cut(newest)
            if let offset = judgement.rewritesFrom, opening.fault != .skipRestamp {
                try remember(newest)
                try rewrite(newest, from: offset)
                recovery.restampedFrames = judgement.rewrittenFrames
            }
            let unused = try remove(LogLayout.nextSegment) ? [LogLayout.nextSegment] : []
            recovery.removed = superseded + unused + (try removeUnfinished())
        } catch {
            throw .system(error)
        }
        return try begin(newest, recovery, removing: superseded, holding: lock)
    }

    // MARK: - The tail

    /// Copies what is to be cut off, so that nothing ever vanishes.
    ///
    /// Returns where to.
    private func quarantine(
        _ tail: Range<UInt64>, of segment: ReplayedSegment
    ) throws(SystemError) -> String {
        let directory = opening.directory
        var checksum: UInt32 = 0
        try forEachPiece(of: tail, in: segment.window) { (_, bytes) throws(SystemError) in
            checksum = crc32c(checksum, bytes)
        }
        let name = LogLayout.tail(
            of: segment.header.number, at: tail.lowerBound, checksum: checksum)
        try directory.makeDirectory(LogLayout.quarantine)
        try directory.syncDirectory(nil)
        let known = try directory.list(LogLayout.quarantine)
        // An earlier recovery that did not get to the cut has kept these bytes already.
        guard !known.contains(where: { LogLayout.quarantine + "/" + $0 == name }) else {
            try directory.syncDirectory(LogLayout.quarantine)
            return name
        }
        let copy = try AtomicFile.createAnew(directory, name + ".tmp")
        defer { copy.close() }
        try forEachPiece(of: tail, in: segment.window) { (offset, bytes) throws(SystemError) in
            try copy.write(bytes, at: offset - tail.lowerBound)
        }
        try copy.sync()
        try directory.rename(name + ".tmp", to: name)
        try directory.syncDirectory(LogLayout.quarantine)
        return name
    }

    /// Cuts off whatever is no frame, so that no later frame ever meets old bytes behind it.
    private func cut(_ segment: ReplayedSegment) throws(SystemError) {
        let isSealed = segment.trailer != nil
        let hasTail = judgement.tornTail != nil && opening.fault != .keepTornTail
        guard hasTail || (isSealed && segment.window.fileSize > segment.fileLength) else { return }
        try segment.file.truncate(to: segment.fileLength)
        try segment.file.sync()
    }

    /// Has the MANIFEST say how far the log is known to be durable.
    ///
    /// So far only a frame says so that is about to be written again, and a disk that loses power in
    /// that may destroy it. The frames before would be without a witness then, and the next opening
    /// would write those again too.
    private func remember(_ newest: ReplayedSegment) throws(SystemError) {
        guard newest.trailer == nil, newest.provenEnd.sequence > manifest.knownEnd.sequence
        else { return }
        let known = Manifest(
            storeID: identity.storeID, number: manifest.number + 1, isClean: false,
            knownEnd: newest.provenEnd, segments: replay.segments,
            honouredPosition: manifest.honouredPosition)
        try AtomicFile.replace(
            opening.directory, name: Manifest.fileName, contents: known.encoded())
    }

    /// Writes the very same bytes again and syncs them.
    ///
    /// After a failed sync the kernel may hold pages for written that the disk never got: reading
    /// them proves nothing, and only writing them makes the next sync carry them to the disk.
    private func rewrite(
        _ segment: ReplayedSegment, from offset: UInt64
    ) throws(SystemError) {
        let frames = offset..<segment.fileLength
        try forEachPiece(of: frames, in: segment.window) { (place, bytes) throws(SystemError) in
            try segment.file.write(bytes, at: place)
        }
        if opening.fault != .restampWithoutSync { try segment.file.sync() }
    }

    private func forEachPiece(
        of range: Range<UInt64>, in window: ReadWindow,
        _ body: (UInt64, UnsafeRawBufferPointer) throws(SystemError) -> Void
    ) throws(SystemError) {
        var place = range.lowerBound
        while place < range.upperBound {
            let piece = try window.piece(at: place, atLeast: 1)
            guard !piece.isEmpty else { return }
            let count = Int(min(UInt64(piece.count), range.upperBound - place))
            try body(place, UnsafeRawBufferPointer(rebasing: piece[0..<count]))
            place += UInt64(count)
        }
    }

    /// Removes what a rewriting left unfinished, and makes that durable: it may hold what was to be
    /// gone.
    ///
    /// Returns what there was.
    private func removeUnfinished() throws(SystemError) -> [String] {
        guard opening.fault != .keepSuperseded, try remove(LogLayout.rewrittenSegment) else {
            return []
        }
        try opening.directory.syncDirectory(LogLayout.segments)
        return [LogLayout.rewrittenSegment]
    }

    /// Removes a file; returns whether there was one.
    private func remove(_ name: String) throws(SystemError) -> Bool {
        do {
            try opening.directory.remove(name)
            return true
        } catch {
            guard error.kind == .notFound else { throw error }
            return false
        }
    }

    // MARK: - The beginning of writing

    private func begin(
        _ newest: ReplayedSegment, _ recovery: LogRecovery, removing superseded: [String],
        holding lock: any LockToken
    ) throws(LogError) -> CommitLog {
        let files = SegmentFiles(opening.directory)
        files.begin(replay.places, file: newest.file, positions: newest.positions)
        var writer = LogWriter(
            // One was perhaps written meanwhile.
            segments: replay.segments, manifestNumber: manifest.number + 1,
            honouredPosition: manifest.honouredPosition,
            active: ActiveSegment(
                newest, wasCut: judgement.tornTail != nil && opening.fault != .keepTornTail),
            written: newest.end, synced: newest.end, witnessed: newest.end.sequence)
        writer.claimed = newest.end.sequence
        writer.lastFrame = newest.lastFrame
        writer.lock = lock
        if newest.trailer != nil { writer.roll = .sealed }
        writer.superseded = superseded
        let log = CommitLog(
            directory: opening.directory, configuration: opening.configuration,
            identity: identity, files: files, writer: writer, recovery: recovery)
        do {
            if newest.trailer == nil {
                try log.replaceManifest(isClean: false, knownEnd: newest.end)
            } else {
                // The crash came between sealing a segment and beginning the next.
                try log.finishRoll(client: opening.client)
            }
            // The MANIFEST that was found may never have reached the disk. Only now is it sure that
            // no crash brings back one that lists these files.
            try log.removeSuperseded()
        } catch {
            log.abandon()
            throw .system(error.cause)
        }
        return log
    }
}

extension ActiveSegment {
    /// Continues a segment that was found at opening.
    fileprivate init(_ found: ReplayedSegment, wasCut: Bool) {
        self.init(
            file: found.file, header: found.header,
            zeroedEnd: wasCut ? found.fileLength : max(found.window.fileSize, found.fileLength))
        groupCount = found.groupCount
        eventCount = found.eventCount
    }
}

extension CommitFailure {
    /// The failure of the machine behind it.
    var cause: SystemError {
        switch self {
        case .rolledBack(let error), .poisoned(let error): error
        case .tooLarge, .alreadyPoisoned, .closed, .forked:
            SystemError(call: "open", file: "", code: 0, kind: .other)
        }
    }
}

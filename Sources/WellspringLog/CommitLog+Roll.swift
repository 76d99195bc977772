extension CommitLog {
    /// Sees to it that the next frame has a segment with room for it.
    func makeRoom(for length: Int, client: any LogClient) throws(CommitFailure) {
        try finishRoll(client: client)
        let size = writer.written.offset
        let isEmpty = size == UInt64(SegmentHeader.length)
        guard !isEmpty, size + UInt64(length) > configuration.segmentBytes else {
            prepareWhenHalfFull()
            return
        }
        if let failure = prepareNext() {
            // A full disk is no reason to stop while the old segment still has room.
            guard size + UInt64(length) <= 2 * configuration.segmentBytes else {
                throw .rolledBack(failure)
            }
            return
        }
        try seal(client)
        try finishRoll(client: client)
    }

    /// Seals the active segment and begins the next one.
    func roll(client: any LogClient) throws(CommitFailure) {
        if let failure = prepareNext() { throw .rolledBack(failure) }
        try seal(client)
        try finishRoll(client: client)
    }

    // MARK: - The next segment

    /// Prepares the next segment early, so that it costs no commit any time when it is needed, and
    /// a full disk shows while there is still room.
    ///
    /// A failure is tried again later.
    private func prepareWhenHalfFull() {
        let size = writer.written.offset
        guard writer.next == nil, size > configuration.segmentBytes / 2,
            size >= writer.prepareAgainAt
        else { return }
        if prepareNext() != nil {
            writer.prepareAgainAt = size + configuration.segmentBytes / 8
        }
    }

    /// Makes the file of the next segment, unless it is there; returns why that failed.
    private func prepareNext() -> SystemError? {
        guard writer.next == nil else { return nil }
        do {
            writer.next = try files.openingFiles { () throws(SystemError) in
                try PreparedSegment.make(
                    in: directory, segmentBytes: configuration.segmentBytes)
            }
            return nil
        } catch {
            return error
        }
    }

    // MARK: - The end of a segment

    /// Writes the seal and the trailer, cuts off the zeros behind them and syncs.
    private func seal(_ client: any LogClient) throws(CommitFailure) {
        let number = writer.active.header.number
        let footer = SegmentFooter(
            positions: files.activePositions,
            clientContent: client.footerContent(of: number))
        beginBatch()
        let header = batch.append(.seal, recordedAt: nextTime()) { footer.encode(into: &$0) }
        let trailer = SegmentTrailer(sealedBy: header, active: writer.active)
        batch.append(trailer)
        let fileLength = batch.start + UInt64(batch.count)
        do {
            try batch.write(to: writer.active.file)
            try writer.active.file.truncate(to: fileLength)
        } catch {
            throw takeBack(because: error)
        }
        if configuration.plantedFault != .sealWithoutSync { try syncActive() }
        adoptBatch()
        adoptSync()
        writer.segments[writer.segments.count - 1].seal = trailer.manifestEntry(fileLength)
        writer.roll = .sealed
        progress.publish(writer)
    }

    /// Continues a change of segments from wherever it has got, if there is one.
    ///
    /// Until it is through nothing is written, so a failure before a sync leaves the log as it is
    /// and the next commit tries again. A failed sync poisons, like any other.
    func finishRoll(client: (any LogClient)?) throws(CommitFailure) {
        if case .sealed = writer.roll {
            writer.roll = .named(try nameNext())
        }
        guard case .named(let segment) = writer.roll else { return }
        let beginning = LogEnd(beginning: segment.header)
        if writer.segments.last?.number != segment.header.number {
            writer.segments.append(Manifest.Segment(segment.header))
        }
        if configuration.plantedFault != .rollWithoutManifest {
            try replaceManifest(isClean: false, knownEnd: beginning)
        }
        let ended = writer.written
        client?.segmentEnded(
            LogAnchor(endOfSegment: ended, rewrites(through: ended.segment)))
        writer.active = segment
        writer.lastFrame = 0
        writer.written = beginning
        writer.synced = beginning
        writer.claimed = beginning.sequence
        // The MANIFEST is the witness of everything in the segments before.
        writer.witnessed = beginning.sequence
        writer.prepareAgainAt = 0
        writer.roll = .none
        let sealed = writer.segments.dropLast().last?.seal
        files.begin(segment.header, file: segment.file, sealedLength: sealed?.fileLength)
        progress.publish(writer)
        client?.segmentBegan(segment.header.number)
    }

    /// Gives the prepared file its header and its name, and makes both durable.
    private func nameNext() throws(CommitFailure) -> ActiveSegment {
        if let failure = prepareNext() { throw .rolledBack(failure) }
        guard let prepared = writer.next else { throw .closed }
        // Whatever happens, this file is not tried a second time.
        writer.next = nil
        let header = SegmentHeader(
            following: writer.written, storeID: storeID, salt: newSalt(),
            created: directory.wallClock())
        let segment: ActiveSegment
        do {
            segment = try prepared.write(header)
            try directory.rename(
                LogLayout.nextSegment, to: header.fileName)
        } catch {
            throw .rolledBack(error)
        }
        if configuration.plantedFault != .skipDirectorySync {
            do {
                try directory.syncDirectory(LogLayout.segments)
            } catch {
                throw poison(with: error)
            }
        }
        return segment
    }

    func newSalt() -> Salt {
        configuration.plantedFault == .sharedSalt
            ? Salt(value: 0x5EED) : Salt(value: directory.random())
    }

    // MARK: - The MANIFEST

    /// Replaces the MANIFEST.
    ///
    /// A failure before its sync leaves the old one, which is still true.
    func replaceManifest(isClean: Bool, knownEnd: LogEnd) throws(CommitFailure) {
        let manifest = Manifest(
            storeID: storeID, number: writer.manifestNumber + 1, isClean: isClean,
            knownEnd: knownEnd, segments: writer.segments,
            honouredPosition: writer.honouredPosition)
        let failure = replace(Manifest.fileName, contents: manifest.encoded())
        switch failure {
        case nil: writer.manifestNumber += 1
        case .beforeSync(let error): throw .rolledBack(error)
        case .atSync(let error): throw poison(with: error)
        }
    }

    /// Replaces a file, a second time if the process had too many open at first.
    private func replace(_ name: String, contents: [UInt8]) -> AtomicFile.Failure? {
        let attempt = {
            AtomicFile.replaceInSteps(
                self.directory, name: name, contents: contents,
                syncsContents: self.configuration.plantedFault != .unsyncedManifest)
        }
        let failure = attempt()
        guard case .beforeSync(let error) = failure, error.kind == .tooManyFiles else {
            return failure
        }
        files.evictAll()
        return attempt()
    }
}

extension SegmentHeader {
    /// The header of the segment after the one that ends at `end`.
    init(following end: LogEnd, storeID: StoreUUID, salt: Salt, created: Int64) {
        self.init(
            storeID: storeID, number: end.segment + 1, basePosition: end.nextPosition,
            baseSequence: end.sequence + 1, salt: salt, created: created,
            previousRecordedAt: end.recordedAt)
    }
}

extension Manifest.Segment {
    /// A segment that is not sealed yet.
    init(_ header: SegmentHeader) {
        self.init(
            number: header.number, generation: header.generation,
            basePosition: header.basePosition, baseSequence: header.baseSequence, seal: nil)
    }
}

extension SegmentTrailer {
    /// The trailer of `active`, whose last frame is `seal`.
    init(sealedBy seal: FrameHeader, active: ActiveSegment) {
        self.init(
            number: active.header.number, sealOffset: seal.offset,
            firstSequence: active.header.baseSequence, lastSequence: seal.sequence,
            firstPosition: active.header.basePosition, nextPosition: seal.firstPosition,
            groupCount: active.groupCount, eventCount: active.eventCount,
            recordedAt: seal.recordedAt, sealChecksum: seal.checksum)
    }

    /// What the MANIFEST says about the segment.
    package func manifestEntry(_ fileLength: UInt64) -> Manifest.Segment.Seal {
        Manifest.Segment.Seal(
            nextPosition: nextPosition, lastSequence: lastSequence, fileLength: fileLength,
            checksum: sealChecksum)
    }
}

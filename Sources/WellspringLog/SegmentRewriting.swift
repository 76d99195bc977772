/// One sealed segment while it is written anew.
struct SegmentRewriting {
    /// What the new file begins with.
    let header: SegmentHeader
    private let old: SegmentHeader
    private let file: any StoreFile
    private let trailer: SegmentTrailer
    private let rewriter: any RewritingClient

    /// What the new file turned out to be.
    struct Written {
        var seal: Manifest.Segment.Seal
        var positions: PositionTable
    }

    /// Frames are gathered to about this many bytes before they are written.
    private static let pieceLength = 1 << 20

    /// Checks that `file` is the segment that the MANIFEST lists.
    init(
        of segment: Manifest.Segment, in file: any StoreFile, storeID: StoreUUID,
        as generation: UInt32, salt: Salt, _ rewriter: any RewritingClient
    ) throws(RewriteFailure) {
        self.file = file
        self.rewriter = rewriter
        do {
            old = try SegmentHeader.read(from: file)
            guard let seal = segment.seal, try file.size() == seal.fileLength,
                let found = try SegmentTrailer.read(
                    from: file, length: seal.fileLength, salt: old.salt),
                found.manifestEntry(seal.fileLength) == seal, old.storeID == storeID,
                found.belongs(to: old), old.number == segment.number,
                old.generation == segment.generation
            else {
                throw FormatError.malformed(
                    offset: 0, reason: "the segment is not the one that the MANIFEST knows")
            }
            trailer = found
        } catch {
            throw RewriteFailure(error, in: segment.fileName)
        }
        var header = old
        header.generation = generation
        header.salt = salt
        self.header = header
    }

    // MARK: - Writing

    /// Writes header, frames and trailer.
    func write(to target: any StoreFile) throws(RewriteFailure) -> Written {
        try failing { () throws(SystemError) in
            try header.encoded().withUnsafeBufferPointer { (bytes) throws(SystemError) in
                try target.write(UnsafeRawBufferPointer(bytes), at: 0)
            }
        }
        var scanner = try scanner(of: file, old)
        let batch = FrameBatch()
        batch.begin(at: LogEnd(beginning: header), salt: header.salt, durableSequence: 0)
        var positions = PositionTable()
        while let frame = try next(&scanner, in: old) {
            if frame.header.kind == .seal {
                let seal = try appendSeal(frame.header, positions, to: batch)
                var trailer = trailer
                trailer.sealOffset = seal.offset
                trailer.sealChecksum = seal.checksum
                batch.append(trailer)
                let length = batch.start + UInt64(batch.count)
                try failing { () throws(SystemError) in try batch.write(to: target) }
                return Written(seal: trailer.manifestEntry(length), positions: positions)
            }
            let written = try append(frame, to: batch)
            if written.kind == .group { positions.note(written) }
            guard batch.count >= Self.pieceLength else { continue }
            try failing { () throws(SystemError) in try batch.write(to: target) }
            batch.begin(at: batch.end, salt: header.salt, durableSequence: 0)
        }
        throw .damaged(
            LogDamage(
                file: old.fileName, offset: scanner.offset,
                sequences: scanner.expected.sequence.map { $0...$0 },
                reason: scanner.stop.reason))
    }

    /// Appends what becomes of a frame.
    private func append(
        _ frame: FrameScanner.Frame, to batch: FrameBatch
    ) throws(RewriteFailure) -> FrameHeader {
        let found = frame.header
        let place = FramePlace(found, segment: old.number)
        let context = FrameContext(
            segment: old.number, bodyOffset: batch.nextBodyOffset,
            firstPosition: found.firstPosition, recordedAt: found.recordedAt)
        var malformed: MalformedBody?
        batch.claim(found.durableSequence)
        let written = batch.append(
            found.kind, flags: found.flags, eventCount: found.eventCount,
            recordedAt: found.recordedAt
        ) { writer in
            guard found.kind == .group else { return writer.append(frame.body) }
            do throws(MalformedBody) {
                try rewriter.rewrite(place, body: frame.body, for: context, into: &writer)
            } catch {
                malformed = error
            }
        }
        if let malformed {
            throw .damaged(LogDamage(malformed: malformed, at: place, in: old.fileName))
        }
        try checkLimits(of: written, batch)
        return written
    }

    private func appendSeal(
        _ found: FrameHeader, _ positions: PositionTable, to batch: FrameBatch
    ) throws(RewriteFailure) -> FrameHeader {
        let footer = SegmentFooter(
            positions: positions,
            clientContent: rewriter.footerContent(ofRewritten: old.number))
        batch.claim(found.durableSequence)
        let seal = batch.append(.seal, flags: found.flags, recordedAt: found.recordedAt) {
            footer.encode(into: &$0)
        }
        try checkLimits(of: seal, batch)
        return seal
    }

    private func checkLimits(
        of written: FrameHeader, _ batch: FrameBatch
    ) throws(RewriteFailure) {
        // The header itself cannot tell a body that is far too long.
        guard let excess = written.excess(ofBody: batch.lastBodyLength) else { return }
        throw .beyondLimits(reason: excess)
    }

    // MARK: - Reading back

    /// Reads every frame of the new file.
    func check(_ written: Written, in target: any StoreFile) throws(RewriteFailure) {
        var scanner = try scanner(of: target, header)
        var last: FrameHeader?
        while let frame = try next(&scanner, in: header) {
            last = frame.header
            if frame.header.kind == .seal { break }
        }
        let found = try failing { () throws(SystemError) in
            try SegmentTrailer.read(
                from: target, length: scanner.window.fileSize, salt: header.salt)
        }
        guard let last, last.kind == .seal, let found,
            found.manifestEntry(scanner.window.fileSize) == written.seal,
            found.sealOffset == last.offset, found.sealChecksum == last.checksum
        else {
            throw .damaged(
                LogDamage(
                    file: LogLayout.rewrittenSegment, offset: scanner.offset,
                    reason: "the new segment was read back otherwise than it was written"))
        }
    }

    private func scanner(
        of file: any StoreFile, _ header: SegmentHeader
    ) throws(RewriteFailure) -> FrameScanner {
        FrameScanner(
            header, in: try failing { () throws(SystemError) in try ReadWindow(file) })
    }

    private func next(
        _ scanner: inout FrameScanner, in header: SegmentHeader
    ) throws(RewriteFailure) -> FrameScanner.Frame? {
        let frame: FrameScanner.Frame?
        do {
            frame = try scanner.next()
        } catch {
            throw .failed(.rolledBack(error))
        }
        if frame == nil, case .unknownKind(let kind) = scanner.stop {
            throw .unsupportedFormat(file: header.fileName, reason: "frames of kind \(kind)")
        }
        return frame
    }

    private func failing<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(RewriteFailure) -> Result {
        do {
            return try body()
        } catch {
            throw .failed(.rolledBack(error))
        }
    }
}

extension RewriteFailure {
    /// Takes over why a file could not be read.
    fileprivate init(_ error: any Error, in file: String) {
        if let error = error as? SystemError {
            self = .failed(.rolledBack(error))
            return
        }
        switch FormatError(error).found(in: file) {
        case .damaged(let damage): self = .damaged(damage)
        case .unsupportedFormat(let file, let reason):
            self = .unsupportedFormat(file: file, reason: reason)
        default: self = .damaged(LogDamage(file: file, offset: 0, reason: "it cannot be read"))
        }
    }
}

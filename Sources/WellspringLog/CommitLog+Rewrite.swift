/// The one who says what becomes of the bodies of a segment that is rewritten.
///
/// The log calls it from `rewrite`, from the caller's thread.
package protocol RewritingClient: AnyObject {
    /// Appends the new body of a group, which holds as many events as the old one.
    ///
    /// Nothing of it may depend on where the old one was: the new body begins at
    /// ``FrameContext/bodyOffset`` of another file.
    ///
    /// - Parameters:
    ///   - place: The frame in the old file.
    ///   - body: What it holds; gone afterwards.
    ///   - context: Where the new body goes. Position and time are those of the old frame.
    /// - Throws: ``MalformedBody`` when the old body makes no sense.
    func rewrite(
        _ place: FramePlace, body: UnsafeRawBufferPointer, for context: FrameContext,
        into writer: inout ByteWriter
    ) throws(MalformedBody)

    /// What the new footer keeps for the client.
    ///
    /// Asked for when all groups were rewritten.
    func footerContent(ofRewritten segment: UInt32) -> [UInt8]
}

/// Why a segment was not rewritten.
package enum RewriteFailure: Error, Hashable, Sendable {
    /// Frames may still go to the segment, or there is none of the number. Seal it first.
    case notSealed(segment: UInt32)
    /// The old file holds what cannot be read. Nothing was changed.
    case damaged(LogDamage)
    /// The old file holds what only a newer version knows. Nothing was changed.
    case unsupportedFormat(file: String, reason: String)
    /// The new file would be larger than the format can tell. Nothing was changed.
    case beyondLimits(reason: String)
    /// The new segment lives, and the file of the old one could not be removed. Closing tries that
    /// again, and so does the next opening.
    case oldFileRemains(file: String, SystemError)
    /// The machine failed, or the log takes no more writes. The old segment lives, unless a sync
    /// failed: then it is unknown which of the two the next opening will find.
    case failed(CommitFailure)
}

extension CommitLog {
    /// Seals the active segment and begins the next one, unless nothing was written to it.
    ///
    /// A failure before a sync leaves the log as it is, and the next commit goes on from there.
    package func sealActive(client: any LogClient) throws(CommitFailure) {
        try checkWritable()
        try finishRoll(client: client)
        guard writer.written.offset > UInt64(SegmentHeader.length) else { return }
        try roll(client: client)
    }

    /// Writes a sealed segment anew, with what `rewriter` makes of its groups.
    ///
    /// Sequences, positions, counts, kinds, times and what each frame calls durable stay; marks,
    /// holes and frames of unknown kinds that may be skipped are copied. The segment gets the next
    /// generation and a new salt. In the end its old file is gone.
    ///
    /// Offsets in the segment change. So an index that names places in it is worth nothing from
    /// here on: **whoever calls this removes all such parts first and makes that durable**, and
    /// keeps no place that it was told before. Other readers in this process go on with the file
    /// that they have open.
    ///
    /// A crash at any moment leaves the old segment or the new one. Any failure before the MANIFEST
    /// is synced leaves the old one, and the same call may be made again.
    ///
    /// - Parameter client: Who is told if a change of segments has to be finished first.
    package func rewrite(
        _ number: UInt32, with rewriter: any RewritingClient, client: any LogClient
    ) throws(RewriteFailure) {
        let (index, old) = try sealedSegment(number, client)
        let existing = try generations(of: old)
        let generation = try next(after: existing, of: old)
        let rewriting = try openForRewriting(old, as: generation, rewriter)
        let written = try writeAnew(rewriting)
        let replaced = configuration.plantedFault == .removeSupersededEarly
        if replaced { try remove(existing, of: old) }
        writer.segments[index].generation = generation
        writer.segments[index].seal = written.seal
        do {
            try replaceManifest(isClean: false, knownEnd: writer.synced)
        } catch {
            writer.segments[index] = old
            throw .failed(error)
        }
        files.replace(
            SegmentPlace(rewriting.header, sealedLength: written.seal.fileLength),
            positions: written.positions)
        if !replaced { try remove(existing, of: old) }
    }

    /// Notes that all segments are as the events up to a position ask for.
    ///
    /// The next MANIFEST says so, and from then on nobody looks again. So this is called when the last
    /// segment was rewritten and not before, and for positions that are durable.
    package func noteHonoured(through position: UInt64) {
        writer.honouredPosition = max(writer.honouredPosition, min(position, durablePosition))
    }

    // MARK: - Before

    private func sealedSegment(
        _ number: UInt32, _ client: any LogClient
    ) throws(RewriteFailure) -> (index: Int, segment: Manifest.Segment) {
        do {
            try checkWritable()
            try finishRoll(client: client)
        } catch {
            throw .failed(error)
        }
        guard let index = writer.segments.firstIndex(where: { $0.number == number }),
            writer.segments[index].seal != nil
        else { throw .notSealed(segment: number) }
        return (index, writer.segments[index])
    }

    /// A generation whose name no file has.
    ///
    /// An attempt that failed may have left one, and nobody can say whether the disk lists it.
    private func next(
        after existing: [UInt32], of segment: Manifest.Segment
    ) throws(RewriteFailure) -> UInt32 {
        let highest = max(segment.generation, existing.max() ?? 0)
        guard highest < LogLayout.generationLimit else {
            throw .beyondLimits(reason: "it was rewritten \(highest) times already")
        }
        return highest + 1
    }

    /// The generations of which there is a file.
    private func generations(
        of segment: Manifest.Segment
    ) throws(RewriteFailure) -> [UInt32] {
        let names = try rewriting { () throws(SystemError) in
            try directory.list(LogLayout.segments)
        }
        return names.compactMap { LogLayout.parse($0) }
            .filter { $0.number == segment.number }.map(\.generation)
    }

    private func openForRewriting(
        _ old: Manifest.Segment, as generation: UInt32, _ rewriter: any RewritingClient
    ) throws(RewriteFailure) -> SegmentRewriting {
        let file = try rewriting { () throws(SystemError) in
            try files.openingFiles { () throws(SystemError) in
                try directory.open(old.fileName, .read)
            }
        }
        return try SegmentRewriting(
            of: old, in: file, storeID: storeID, as: generation, salt: newSalt(), rewriter)
    }

    // MARK: - The new file

    /// Writes the new segment, reads it back, and gives it its name.
    private func writeAnew(
        _ segment: SegmentRewriting
    ) throws(RewriteFailure) -> SegmentRewriting.Written {
        let written: SegmentRewriting.Written
        do {
            let file = try rewriting { () throws(SystemError) in
                try files.openingFiles { () throws(SystemError) in
                    try AtomicFile.createAnew(directory, LogLayout.rewrittenSegment)
                }
            }
            defer { file.close() }
            written = try segment.write(to: file)
            // A failed sync says nothing about the log: this file is not tried a second time.
            if configuration.plantedFault != .rewriteWithoutSync {
                try rewriting { () throws(SystemError) in try file.sync() }
            }
            // The old one is the only other copy, so the disk shows first what it has.
            file.dropCache()
            try segment.check(written, in: file)
            try rewriting { () throws(SystemError) in
                try directory.rename(LogLayout.rewrittenSegment, to: segment.header.fileName)
            }
        } catch {
            try? directory.remove(LogLayout.rewrittenSegment)
            throw error
        }
        do {
            try directory.syncDirectory(LogLayout.segments)
        } catch {
            throw .failed(poison(with: error))
        }
        return written
    }

    // MARK: - The old file

    private func remove(
        _ generations: [UInt32], of segment: Manifest.Segment
    ) throws(RewriteFailure) {
        writer.superseded += generations.map {
            LogLayout.segment(segment.number, generation: $0)
        }
        do {
            try removeSuperseded()
        } catch {
            guard case .rolledBack(let error) = error, let file = writer.superseded.first else {
                throw .failed(error)
            }
            throw .oldFileRemains(file: file, error)
        }
    }

    /// Removes the old files of rewritten segments, and makes that durable.
    func removeSuperseded() throws(CommitFailure) {
        guard !writer.superseded.isEmpty else { return }
        do {
            while let name = writer.superseded.last {
                try removeIfThere(name)
                writer.superseded.removeLast()
            }
        } catch {
            throw .rolledBack(error)
        }
        do {
            try directory.syncDirectory(LogLayout.segments)
        } catch {
            throw poison(with: error)
        }
    }

    private func removeIfThere(_ name: String) throws(SystemError) {
        do {
            try directory.remove(name)
        } catch {
            guard error.kind == .notFound else { throw error }
        }
    }

    /// Runs `body`, whose failure leaves the old segment alive.
    private func rewriting<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(RewriteFailure) -> Result {
        do {
            return try body()
        } catch {
            throw .failed(.rolledBack(error))
        }
    }
}

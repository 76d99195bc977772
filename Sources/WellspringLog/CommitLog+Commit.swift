extension CommitLog {
    /// In the strict mode groups begin and end at multiples of this, so that no page with
    /// acknowledged bytes is ever written again.
    package static let pageLength = 4096

    /// Writes one frame and, as the durability says, syncs it.
    ///
    /// - Parameters:
    ///   - client: Who is asked for the footer, and told, when a segment ends and the next begins.
    ///   - eventCount: How many events the body holds.
    ///   - sizeHint: An upper estimate of the body's bytes, by which a change of segments is
    ///     decided before the body is built.
    ///   - body: Appends the body for the context it is given. Called at most once.
    package func commit(
        client: any LogClient, eventCount: UInt32, sizeHint: Int,
        body: (FrameContext, inout ByteWriter) -> Void
    ) throws(CommitFailure) -> FramePlace {
        try checkWritable()
        try makeRoom(for: FrameHeader.length + max(0, sizeHint), client: client)
        let header = try build(eventCount: eventCount, body: body)
        let isStrict = configuration.durability == .strict
        try writeBatch(leavingRoomFor: isStrict ? Self.pageLength : 0)
        switch configuration.durability {
        case .everyCommit:
            try syncBatch()
        case .strict:
            try syncTwice(header)
        case .interval, .osManaged:
            adoptBatch()
        }
        writer.active.note(header)
        files.note(header)
        writer.lastGroup = header.sequence
        progress.publish(writer)
        if case .interval(_, let bytes) = configuration.durability, writer.unsyncedBytes >= bytes {
            try sync()
        }
        return FramePlace(header, segment: writer.active.header.number)
    }

    /// Makes everything that was written durable.
    ///
    /// A failure poisons the log.
    package func sync() throws(CommitFailure) {
        try checkWritable()
        guard writer.synced != writer.written else { return }
        try syncActive()
        adoptSync()
        progress.publish(writer)
    }

    /// Writes and syncs a frame without a body, whose only purpose is to say that everything
    /// before it is durable, if there is anything of which that was not said yet.
    package func writeMark() throws(CommitFailure) {
        try checkWritable()
        // A sealed segment takes no more frames, and its seal is synced: nothing is to be said.
        guard case .none = writer.roll, writer.lastGroup > writer.witnessed else { return }
        try sync()
        try appendMark(flags: 0, aligned: groupAlignment)
    }

    func appendMark(flags: UInt8, aligned alignment: Int) throws(CommitFailure) {
        beginBatch()
        batch.append(.mark, flags: flags, recordedAt: nextTime(), aligned: alignment)
        try writeBatch()
        try syncBatch()
        progress.publish(writer)
    }

    // MARK: - Before

    func checkWritable() throws(CommitFailure) {
        guard !writer.isReleased else { throw .closed }
        guard !writer.isPoisoned || configuration.plantedFault == .writeAfterPoison else {
            throw .alreadyPoisoned
        }
        guard !directory.isForked else { throw .forked }
    }

    /// The time of the next frame: the clock's, but never earlier than that of the last frame.
    func nextTime() -> Int64 {
        if configuration.plantedFault == .clockGoesBack { return directory.wallClock() }
        return max(writer.written.recordedAt, directory.wallClock())
    }

    var groupAlignment: Int {
        configuration.durability == .strict ? Self.pageLength : FrameHeader.alignment
    }

    func beginBatch() {
        batch.begin(
            at: writer.written, salt: writer.active.header.salt,
            durableSequence: writer.synced.sequence, fault: configuration.plantedFault)
    }

    private func build(
        eventCount: UInt32, body: (FrameContext, inout ByteWriter) -> Void
    ) throws(CommitFailure) -> FrameHeader {
        let recordedAt = nextTime()
        beginBatch()
        if batch.end.offset % UInt64(groupAlignment) != 0 {
            // A log that was written in another mode ends anywhere; the mark fills up the page.
            batch.append(.mark, recordedAt: recordedAt, aligned: groupAlignment)
        }
        let context = FrameContext(
            segment: writer.active.header.number, bodyOffset: batch.nextBodyOffset,
            firstPosition: batch.end.nextPosition, recordedAt: recordedAt)
        let header = batch.append(
            .group, eventCount: eventCount, recordedAt: recordedAt, aligned: groupAlignment
        ) { writer in
            body(context, &writer)
        }
        let limit = min(configuration.frameBytesLimit, FrameHeader.bodyLengthLimit)
        guard batch.lastBodyLength <= limit else {
            throw .tooLarge(bytes: batch.lastBodyLength, limit: limit)
        }
        return header
    }

    // MARK: - Writing and syncing

    /// Writes the batch behind the end of the log, once there is room for `more` bytes behind it.
    ///
    /// If that fails nothing of it is left.
    func writeBatch(leavingRoomFor more: Int = 0) throws(CommitFailure) {
        let end = batch.start + UInt64(batch.count)
        writer.active.extend(toHold: end, segmentBytes: configuration.segmentBytes)
        do {
            try writer.active.reserve(through: end + UInt64(more))
            try batch.write(to: writer.active.file)
        } catch {
            throw takeBack(because: error)
        }
    }

    /// Syncs the file, and with it the batch and everything before.
    private func syncBatch() throws(CommitFailure) {
        try syncActive()
        adoptBatch()
        adoptSync()
    }

    /// Takes the batch for written.
    func adoptBatch() {
        writer.unsyncedBytes += batch.end.offset - writer.written.offset
        writer.written = batch.end
        writer.lastFrame = batch.lastFrame
        writer.claimed = batch.durableSequence
    }

    /// Takes everything written for durable.
    func adoptSync() {
        // The last frame says what was durable before it. Now it is durable itself, and a witness.
        writer.witnessed = max(writer.witnessed, writer.claimed)
        writer.synced = writer.written
        writer.unsyncedBytes = 0
    }

    /// Syncs the group, then writes a mark behind it and syncs that too.
    ///
    /// Readers show the group from the moment at which any of the mark may be in the file. So it is
    /// not taken back any more, and a mark that cannot be written, in spite of the room that was
    /// made for it, is as final as a failed sync.
    private func syncTwice(_ group: FrameHeader) throws(CommitFailure) {
        try syncBatch()
        beginBatch()
        batch.append(.mark, recordedAt: group.recordedAt, aligned: groupAlignment)
        do {
            try batch.write(to: writer.active.file)
        } catch {
            throw configuration.plantedFault == .leaveMarkOfLostGroup
                ? .rolledBack(error) : poison(with: error)
        }
        try syncBatch()
    }

    /// Syncs the active segment.
    ///
    /// A failure is final: the kernel may have dropped what it could not write and report success
    /// the next time.
    func syncActive() throws(CommitFailure) {
        if configuration.plantedFault == .skipSync { return }
        do {
            try syncOnce()
        } catch {
            guard configuration.plantedFault == .retryFailedSync, (try? syncOnce()) != nil else {
                throw poison(with: error)
            }
        }
    }

    /// Syncs the active segment, a second time if that had to make its size durable.
    ///
    /// Where its bytes go is in the file system's journal then. When ext4 gives its journal up at that
    /// moment, because the disk fails, `fdatasync` may succeed all the same: `jbd2` takes a transaction
    /// that is over for one that was written (`jbd2_complete_transaction`). A second call fails, and so
    /// nothing is acknowledged by one alone.
    private func syncOnce() throws(SystemError) {
        try writer.active.file.sync()
        if writer.active.hasNewSize {
            if configuration.plantedFault != .believeFirstSync {
                try writer.active.file.syncAgain()
            }
            writer.active.hasNewSize = false
        }
        guard try writer.active.file.linkCount() > 0 else {
            throw SystemError(
                call: "fdatasync", file: writer.active.name, code: 2, kind: .notFound)
        }
    }

    /// Cuts off what a failed write may have left behind the end, and makes the cut durable.
    ///
    /// Without the sync a crash could bring the bytes back, and with them events whose append was
    /// reported as failed.
    func takeBack(because failure: SystemError) -> CommitFailure {
        do {
            try cut(to: writer.written.offset)
        } catch {
            return error
        }
        adoptSync()
        progress.publish(writer)
        return .rolledBack(failure)
    }

    private func cut(to offset: UInt64) throws(CommitFailure) {
        if configuration.plantedFault == .takeBackInMemoryOnly { return }
        do {
            try writer.active.file.truncate(to: offset)
            writer.active.zeroedEnd = offset
            if configuration.plantedFault != .rollBackWithoutSync { try syncOnce() }
        } catch {
            throw poison(with: error)
        }
    }
}

extension FramePlace {
    init(_ header: FrameHeader, segment: UInt32) {
        self.init(
            segment: segment, offset: header.offset, bodyLength: Int(header.bodyLength),
            sequence: header.sequence, firstPosition: header.firstPosition,
            eventCount: header.eventCount, recordedAt: header.recordedAt)
    }
}

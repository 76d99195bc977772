extension CommitLog {
    /// Closes the log properly.
    ///
    /// A second call does nothing.
    ///
    /// That leaves a closing mark, no zeros behind it, and a MANIFEST that says where exactly the
    /// log ends. A log whose closing fails is given up as it is, and the next opening recovers it.
    /// A poisoned log is given up too, with an error: not all that was written need be there later.
    ///
    /// - Parameter fillsPage: Whether the mark fills up the last page, whatever the mode, so that the
    ///   next one to write shares no sector with what is there.
    package func close(fillingPage fillsPage: Bool = false) throws(CommitFailure) {
        guard !writer.isReleased else { return }
        defer { abandon() }
        try checkWritable()
        try finishRoll(client: nil)
        try sync()
        if configuration.plantedFault != .skipClosingMark {
            try appendMark(
                flags: FrameHeader.cleanCloseFlag,
                aligned: fillsPage ? Self.pageLength : groupAlignment)
        }
        if configuration.plantedFault != .leaveZerosAtClose { try cutZeros() }
        try removeNext()
        // A store that was closed properly holds nothing that was to be gone.
        try removeSuperseded()
        try replaceManifest(isClean: true, knownEnd: writer.synced)
    }

    /// How many bytes the files of all segments have, once the log was closed properly.
    ///
    /// For the one caller who may commit.
    package var byteCount: UInt64 {
        writer.segments.reduce(0) { $0 + ($1.seal?.fileLength ?? writer.written.offset) }
    }

    /// Gives up all files and the lock, and writes nothing.
    package func abandon() {
        guard let lock = writer.lock else { return }
        writer.lock = nil
        writer.next = nil
        files.close()
        lock.release()
    }

    private func cutZeros() throws(CommitFailure) {
        do {
            try writer.active.file.truncate(to: writer.written.offset)
        } catch {
            throw .rolledBack(error)
        }
        writer.active.zeroedEnd = writer.written.offset
        try syncActive()
    }

    private func removeNext() throws(CommitFailure) {
        guard writer.next != nil else { return }
        writer.next = nil
        do {
            try directory.remove(LogLayout.nextSegment)
            try directory.syncDirectory(LogLayout.segments)
        } catch {
            throw .rolledBack(error)
        }
    }
}

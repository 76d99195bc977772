extension CommitLog {
    /// Closes the log properly: a closing mark, no zeros behind it, and a MANIFEST that says where
    /// exactly the log ends. A second call does nothing.
    ///
    /// A poisoned log is given up without writing anything, and so is a log whose closing fails:
    /// the next opening recovers it.
    package func close() throws(CommitFailure) {
        guard !writer.isReleased else { return }
        defer { abandon() }
        guard !writer.isPoisoned, !directory.isForked else { return }
        try finishRoll(client: nil)
        try sync()
        if configuration.plantedFault != .skipClosingMark {
            try appendMark(flags: FrameHeader.cleanCloseFlag)
        }
        try cutZeros()
        try removeNext()
        try replaceManifest(isClean: true, knownEnd: writer.synced)
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

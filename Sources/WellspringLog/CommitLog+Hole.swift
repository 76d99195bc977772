extension CommitLog {
    /// Writes that the events at the next `count` positions are lost, so that the events behind
    /// them can keep theirs.
    ///
    /// For a copy of a damaged log. Nobody else loses events on purpose.
    package func commitHole(
        client: any LogClient, count: UInt64
    ) throws(CommitFailure) {
        var rest = count
        while rest > 0 {
            let part = UInt32(clamping: rest)
            rest -= UInt64(part)
            try checkWritable()
            try makeRoom(for: FrameHeader.length, client: client)
            beginBatch()
            let header = batch.append(
                .hole, eventCount: part, recordedAt: nextTime(), aligned: groupAlignment)
            try writeBatch()
            adoptBatch()
            writer.lastGroup = header.sequence
            progress.publish(writer)
        }
        try sync()
    }
}

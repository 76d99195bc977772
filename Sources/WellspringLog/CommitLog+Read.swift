extension CommitLog {
    /// Reads `count` bytes of a segment's file from `offset` on.
    ///
    /// From any thread, beside a commit.
    package func read(
        segment: UInt32, at offset: UInt64, count: Int
    ) throws(LogError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        try bytes.withUnsafeMutableBufferPointer { (buffer) throws(LogError) in
            try read(segment: segment, at: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return bytes
    }

    /// Fills `buffer` from a segment's file.
    ///
    /// From any thread, beside a commit.
    package func read(
        segment: UInt32, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(LogError) {
        let file = try files.file(of: segment)
        let filled: Int
        do {
            filled = try file.read(into: buffer, at: offset)
        } catch {
            throw .system(error)
        }
        guard filled == buffer.count else {
            throw .damaged(
                LogDamage(
                    file: files.name(of: segment), offset: offset + UInt64(max(0, filled)),
                    reason: "the file ends inside what is to be read"))
        }
    }
}

/// The segments of a log as a reader sees them, whoever writes them.
package protocol LogSource: AnyObject, Sendable {
    /// The file of a segment, with what is known of it.
    func segment(
        _ number: UInt32
    ) throws(LogError) -> (file: any StoreFile, place: SegmentPlace)

    /// A place at which a frame begins, at or not far before the one that holds `position`.
    func place(before position: UInt64) throws(LogError) -> (segment: UInt32, offset: UInt64)
}

/// A log whose frames can be read again, to make a part of an index anew.
package protocol LogHistory: LogSource {
    /// The numbers of the first and the last segment.
    var segmentNumbers: ClosedRange<UInt32> { get }

    /// The place behind the seal of a segment; `nil` if it is not sealed.
    func end(ofSealed number: UInt32) throws(LogError) -> LogEnd?

    /// Which segments up to one of this number were rewritten.
    func rewrites(through number: UInt32) -> SegmentRewrites

    /// Hands over the groups from the one at `start` on (`nil`: the first of the log), each with
    /// its checksums checked, until `body` returns false or the frame `throughSequence` is done.
    func forEachFrame(
        from start: (segment: UInt32, offset: UInt64)?, throughSequence: UInt64,
        _ body: (FramePlace, UnsafeRawBufferPointer) throws(MalformedBody) -> Bool
    ) throws(LogError)
}

/// A log that answers from its segments' files, and says itself how far its frames may be read.
package protocol SegmentHistory: LogHistory {
    /// The files.
    var files: SegmentFiles { get }
}

/// From any thread, beside a commit.
extension SegmentHistory {
    package func segment(
        _ number: UInt32
    ) throws(LogError) -> (file: any StoreFile, place: SegmentPlace) {
        try files.source(number)
    }

    package func place(
        before position: UInt64
    ) throws(LogError) -> (segment: UInt32, offset: UInt64) {
        try files.place(before: position)
    }

    package var segmentNumbers: ClosedRange<UInt32> { files.range }

    package func end(ofSealed number: UInt32) throws(LogError) -> LogEnd? {
        try files.end(ofSealed: number)
    }

    package func rewrites(through number: UInt32) -> SegmentRewrites {
        files.rewrites(through: number)
    }
}

extension CommitLog: SegmentHistory {
    /// Hands over the groups from the one at `start` on.
    ///
    /// Frames beyond the written end are never looked at.
    package func forEachFrame(
        from start: (segment: UInt32, offset: UInt64)?, throughSequence: UInt64,
        _ body: (FramePlace, UnsafeRawBufferPointer) throws(MalformedBody) -> Bool
    ) throws(LogError) {
        try files.forEachFrame(
            from: start, throughSequence: min(throughSequence, writtenSequence), body)
    }
}

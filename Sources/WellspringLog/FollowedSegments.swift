/// The files of a log that is followed, for readers on any thread.
package final class FollowedSegments: SegmentHistory {
    package let files: SegmentFiles
    /// The identity of the store.
    package let storeID: StoreUUID

    init(_ files: SegmentFiles, of storeID: StoreUUID) {
        self.files = files
        self.storeID = storeID
    }

    package func forEachFrame(
        from start: (segment: UInt32, offset: UInt64)?, throughSequence: UInt64,
        _ body: (FramePlace, UnsafeRawBufferPointer) throws(MalformedBody) -> Bool
    ) throws(LogError) {
        try files.forEachFrame(from: start, throughSequence: throughSequence, body)
    }

    /// Gives every file up.
    ///
    /// Later reads fail.
    package func close() { files.close() }
}

extension SegmentFiles {
    /// Takes over what an index knows of the newest segment.
    func note(_ anchor: LogAnchor?, in number: UInt32) {
        guard let anchor, anchor.end.segment == number else { return }
        adopt(anchor.positions, of: number)
    }

    /// Goes on to a segment, which may be known already.
    func enter(_ header: SegmentHeader, file: any StoreFile, sealedLength: UInt64) {
        guard segment(header.number) == nil else { return }
        begin(header, file: file, sealedLength: sealedLength)
    }
}

/// A place in the log up to which its client has taken everything in, with what the log needs to go
/// on from there without reading what comes before.
///
/// A client that keeps an index of its own on disk keeps the anchor with it. At the next opening
/// the log reads only what lies behind; see ``LogClient/coverage(of:)``.
package struct LogAnchor: Hashable, Sendable {
    /// The place itself, between two frames.
    ///
    /// Everything before it was synced.
    package var end: LogEnd
    /// The offset of the frame before it in the same segment; 0 at a segment's beginning.
    package var lastFrame: UInt64
    /// How many groups and events of the segment lie before it.
    package var groupCount: UInt64
    package var eventCount: UInt64
    /// Where groups begin in the part of the segment before it.
    package var positions: PositionTable
    /// Which segments up to here were rewritten, and how often.
    ///
    /// The offsets of frames in them are others than before. Another number, another log.
    package var rewrites: SegmentRewrites

    package init(
        end: LogEnd, lastFrame: UInt64, groupCount: UInt64, eventCount: UInt64,
        positions: PositionTable, rewrites: SegmentRewrites
    ) {
        self.rewrites = rewrites
        self.end = end
        self.lastFrame = lastFrame
        self.groupCount = groupCount
        self.eventCount = eventCount
        self.positions = positions
    }

    /// The anchor at the end of a segment that was sealed: there is nothing to go on from in it.
    package init(endOfSegment end: LogEnd, _ rewrites: SegmentRewrites) {
        self.init(
            end: end, lastFrame: 0, groupCount: 0, eventCount: 0, positions: PositionTable(),
            rewrites: rewrites)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.append(end.segment)
        writer.append(end.chain)
        writer.append(end.offset)
        writer.append(end.sequence)
        writer.append(end.nextPosition)
        writer.append(end.recordedAt)
        writer.append(lastFrame)
        writer.append(groupCount)
        writer.append(eventCount)
        writer.append(UInt32(truncatingIfNeeded: positions.entries.count))
        for entry in positions.entries {
            writer.append(entry.position)
            writer.append(entry.sequence)
            writer.append(entry.offset)
        }
        if rewrites != .none { writer.append(rewrites.digest) }
    }

    package init(decoding bytes: UnsafeRawBufferPointer) throws(MalformedBody) {
        var reader = ByteReader(bytes)
        let segment = try reader.readUInt32()
        let chain = try reader.readUInt32()
        end = LogEnd(
            segment: segment, offset: try reader.readUInt64(), sequence: try reader.readUInt64(),
            nextPosition: try reader.readUInt64(), recordedAt: try reader.readInt64(),
            chain: chain)
        lastFrame = try reader.readUInt64()
        groupCount = try reader.readUInt64()
        eventCount = try reader.readUInt64()
        positions = PositionTable()
        for _ in 0..<(try reader.readUInt32()) {
            positions.entries.append(
                PositionTable.Entry(
                    position: try reader.readUInt64(), sequence: try reader.readUInt64(),
                    offset: try reader.readUInt64()))
        }
        rewrites = reader.isAtEnd ? .none : SegmentRewrites(digest: try reader.readUInt32())
        guard reader.isAtEnd else {
            throw MalformedBody(offset: reader.offset, reason: "more bytes than an anchor has")
        }
        // What lies behind the anchor is counted on from here.
        guard isReachable else {
            throw MalformedBody(offset: 0, reason: "an anchor that cannot be")
        }
    }
}

/// Tells logs apart that differ in which of their segments were rewritten.
package struct SegmentRewrites: Hashable, Sendable {
    /// 0 when none was.
    package let digest: UInt32

    /// No segment was rewritten.
    package static let none = SegmentRewrites(digest: 0)

    package init(digest: UInt32) {
        self.digest = digest
    }

    /// Takes in each rewritten segment of those up to number `last`, oldest first.
    package init(of segments: some Sequence<Manifest.Segment>, through last: UInt32) {
        self.init(segments.lazy.map { ($0.number, $0.generation) }, through: last)
    }

    init(_ generations: some Sequence<(number: UInt32, generation: UInt32)>, through last: UInt32) {
        var digest: UInt32 = 0
        for (number, generation) in generations where generation > 0 && number <= last {
            var writer = ByteWriter()
            writer.append(number)
            writer.append(generation)
            digest = crc32c(digest, writer.bytes)
        }
        self.digest = digest
    }
}

/// What is known of a log before its frames are read.
package struct LogOutline: Sendable {
    package let directory: any StoreDirectory
    package let storeID: StoreUUID
    /// The store's own SipHash key.
    package let hashKey: (UInt64, UInt64)
    /// The segments as the MANIFEST lists them, oldest first.
    package let segments: [Manifest.Segment]

    package init(
        directory: any StoreDirectory, identity: StoreIdentity, segments: [Manifest.Segment]
    ) {
        self.directory = directory
        self.segments = segments
        storeID = identity.storeID
        hashKey = (identity.hashKey.first, identity.hashKey.second)
    }

    /// Whether `anchor` is a place in this log, and not in another history of it.
    ///
    /// - Throws: When the machine failed, so that nobody knows.
    package func holds(_ anchor: LogAnchor) throws(SystemError) -> Bool {
        guard let segment = segments.first(where: { $0.number == anchor.end.segment }),
            anchor.rewrites == SegmentRewrites(of: segments, through: segment.number),
            anchor.fits(segment)
        else { return false }
        if let seal = segment.seal, seal.lastSequence == anchor.end.sequence {
            return seal.checksum == anchor.end.chain && seal.nextPosition == anchor.end.nextPosition
        }
        do {
            return try frameBefore(anchor, in: segment) == anchor.end
        } catch let error as SystemError {
            throw error
        } catch {
            return false
        }
    }

    /// The place behind the frame that `anchor` names as its last.
    private func frameBefore(
        _ anchor: LogAnchor, in segment: Manifest.Segment
    ) throws -> LogEnd? {
        let file = try directory.open(segment.fileName, .read)
        defer { file.close() }
        let header = try SegmentHeader.read(from: file)
        guard header.storeID == storeID, header.number == segment.number,
            header.generation == segment.generation
        else { return nil }
        if anchor.lastFrame == 0 { return LogEnd(beginning: header) }
        var bytes = [UInt8](repeating: 0, count: FrameHeader.length)
        let count = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
            try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: anchor.lastFrame)
        }
        let frame = bytes.withUnsafeBytes {
            FrameHeader(
                decoding: UnsafeRawBufferPointer(rebasing: $0[..<count]), at: anchor.lastFrame,
                salt: header.salt)
        }
        // Behind a seal there is a trailer and no further frame.
        guard let frame, frame.kind != .seal, anchor.end.offset <= (try file.size()) else {
            return nil
        }
        return LogEnd(after: frame, in: segment.number)
    }
}

/// What a client knows of a log that is being opened.
package struct LogCoverage: Sendable {
    /// The place in the newest segment from which on frames are to be replayed; `nil` for all of
    /// that segment.
    ///
    /// The client has checked that the log holds it.
    package var anchor: LogAnchor?

    package init(anchor: LogAnchor?) {
        self.anchor = anchor
    }
}

extension LogOutline {
    /// Opens the file of a segment, with what its header says of it.
    package func openSegment(
        _ number: UInt32
    ) throws(LogError) -> (file: any StoreFile, place: SegmentPlace) {
        // One that is not listed yet was never rewritten.
        let listed = segments.first { $0.number == number }
        let name = listed?.fileName ?? LogLayout.segment(number)
        do {
            let file = try directory.open(name, .read)
            return (file, SegmentPlace(try SegmentHeader.read(from: file)))
        } catch let error as SystemError {
            throw .system(error)
        } catch {
            throw FormatError(error).found(in: name)
        }
    }
}

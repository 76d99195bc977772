import WellspringLog

/// A piece of a segment's file in memory, shared by the payloads of the events that lie in it.
final class FrameChunk: Sendable {
    let segment: SegmentPlace
    /// The offset in the file of the first byte.
    let start: UInt64
    let bytes: [UInt8]

    init(segment: SegmentPlace, start: UInt64, bytes: [UInt8]) {
        self.segment = segment
        self.start = start
        self.bytes = bytes
    }

    /// The offset in the file after the last byte.
    var end: UInt64 { start + UInt64(bytes.count) }

    /// Reads up to `count` bytes; less where the file ends before.
    static func read(
        _ source: any LogSource, segment number: UInt32, at offset: UInt64, count: Int
    ) throws(EventStoreError) -> FrameChunk {
        do {
            return try read(of: source, segment: number, at: offset, count: count)
        } catch {
            throw EventStoreError(error, path: "")
        }
    }

    /// The same, with what failed in the words of the log.
    private static func read(
        of source: any LogSource, segment number: UInt32, at offset: UInt64, count: Int
    ) throws(LogError) -> FrameChunk {
        let (file, place) = try source.segment(number)
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(SystemError) {
                filled = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw .system(failure) }
        return FrameChunk(segment: place, start: offset, bytes: bytes)
    }

    /// Whether the bytes from `offset` on, `count` of them, are here.
    func holds(_ offset: UInt64, _ count: Int) -> Bool {
        offset >= start && offset <= end && end - offset >= UInt64(count)
    }

    /// Lends the bytes from `offset` on.
    func withBytes<Result, Failure: Error>(
        from offset: UInt64, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeBufferPointer { (all) throws(Failure) in
            let begin = min(Int(clamping: offset &- start), all.count)
            return try body(
                UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[begin...])))
        }
    }

    /// What the record at `offset`, whose first bytes are here, says of its length.
    func recordLength(at offset: UInt64) -> Int {
        guard holds(offset, RecordFormat.recordPrefix) else { return 0 }
        return withBytes(from: offset) { Int($0.loadLittleEndian(UInt32.self, at: 0)) }
    }

    /// The header of the frame at `offset`, all of which is here; `nil` if there is none.
    func header(at offset: UInt64) -> FrameHeader? {
        bytes.withUnsafeBytes { all in
            let place = Int(offset - start)
            let slice = all[place..<place + FrameHeader.length]
            return FrameHeader(
                decoding: UnsafeRawBufferPointer(rebasing: slice), at: offset, salt: segment.salt)
        }
    }

    /// Whether the body of a frame, all of which is here, is what was written.
    func isIntact(_ header: FrameHeader) -> Bool {
        bytes.withUnsafeBytes { all in
            let begin = Int(header.offset - start) + FrameHeader.length
            let body = all[begin..<begin + header.paddedBodyLength]
            return crc32c(segment.salt.body, UnsafeRawBufferPointer(rebasing: body))
                == header.bodyChecksum
        }
    }

    /// The bytes of a record's payload, without copying them.
    func payload(of record: RawRecord, at offset: UInt64) -> EventPayload {
        let begin = Int(offset - start)
        return EventPayload(
            sharing: bytes[begin + record.payload.lowerBound..<begin + record.payload.upperBound])
    }

    /// The next item of a body that lies in here.
    func nextItem(of body: inout BodyReader) throws(EventStoreError) -> BodyReader.Item? {
        do {
            return try body.next()
        } catch {
            throw damage(error, inBodyAt: body.start)
        }
    }

    /// What a parser found wrong in a body that begins at `start`.
    func damage(_ error: MalformedBody, inBodyAt start: UInt64) -> EventStoreError {
        damage(at: start + UInt64(max(0, error.offset)), error.reason)
    }

    func damage(at offset: UInt64, _ reason: String) -> EventStoreError {
        .damaged(
            StoreDamage(
                file: segment.fileName, offset: offset, reason: reason))
    }
}

extension FrameChunk {
    /// Reads a definition from where its reference says.
    static func definition(
        _ reference: UInt32, in segment: UInt32, of source: any LogSource
    ) throws(LogError) -> Definition {
        let offset = UInt64(reference) * 8
        var count = Definition.usualBytes
        while true {
            let chunk = try read(of: source, segment: segment, at: offset, count: count)
            do {
                return try chunk.withBytes(from: offset) { (all) throws(MalformedBody) in
                    try Definition(reference, from: all)
                }
            } catch {
                guard count < Definition.mostBytes, chunk.bytes.count == count else {
                    throw .damaged(
                        LogDamage(
                            file: chunk.segment.fileName, offset: offset, reason: error.reason))
                }
                count = Definition.mostBytes
            }
        }
    }
}

import WellspringLog

/// Writes the bodies of a segment's frames anew, one after the other: what they were, without the
/// contents that are to go.
///
/// A pure function of the old bodies and what is decided about each record. Everything that depends on
/// a place in the file is made for the new place: definitions lie where their new frame has room for
/// them, records refer to them there, and checksums begin with the new offsets. No body gets longer
/// than it was.
struct BodyRewriting {
    /// A record about which is to be decided.
    struct Candidate {
        let stream: StreamID
        let version: UInt64
        let position: UInt64
    }

    /// The names that the new frames define.
    private(set) var names = SegmentNames()
    /// How many records lost their content.
    private(set) var redactedCount: UInt64 = 0
    /// What references in the old frames mean, and where that is defined now.
    private var streams: [UInt32: (id: StreamID, reference: UInt32)] = [:]
    private var types: [UInt32: UInt32] = [:]

    /// Writes the body of the next frame.
    ///
    /// - Parameters:
    ///   - body: The old body.
    ///   - place: The frame in the old file.
    ///   - context: Where the new body goes. What the writer holds already is not part of it.
    ///   - writer: Takes the new body.
    ///   - isToGo: Whether a record is to lose its content.
    /// - Throws: ``MalformedBody`` when the old body makes no sense.
    mutating func rewrite(
        _ body: UnsafeRawBufferPointer, of place: FramePlace, for context: FrameContext,
        into writer: inout ByteWriter, isToGo: (Candidate) -> Bool
    ) throws(MalformedBody) {
        let new = FrameBody(context: context, start: writer.count)
        var reader = BodyReader(body, at: place.bodyOffset)
        var count: UInt32 = 0
        while true {
            let before = Int(reader.offset - place.bodyOffset)
            guard let item = try reader.next() else { break }
            switch item {
            case .definition(let reference, let definition):
                define(definition, as: reference, in: new, &writer)
            case .entry(let records):
                let after = Int(reader.offset - place.bodyOffset)
                // Zeros before the entry are padding for what came before it.
                let first = body[before..<after].firstIndex { $0 != 0 } ?? before
                writer.append(UnsafeRawBufferPointer(rebasing: body[first..<after]))
                for _ in 0..<records {
                    let at = Int(reader.offset - place.bodyOffset)
                    let raw = try reader.nextRecord()
                    let bytes = UnsafeRawBufferPointer(rebasing: body[at..<at + raw.length])
                    try copy(
                        raw, bytes, at: at, position: place.firstPosition + UInt64(count), in: new,
                        &writer, isToGo: isToGo)
                    count += 1
                }
            }
        }
        guard count == place.eventCount else {
            throw MalformedBody(
                offset: 0, reason: "\(count) events in a frame of \(place.eventCount)")
        }
    }

    private mutating func define(
        _ definition: Definition, as old: UInt32, in body: FrameBody, _ writer: inout ByteWriter
    ) {
        let reference = body.write(definition, to: &writer)
        names.add(definition, reference)
        switch definition {
        case .stream(let stream): streams[old] = (stream, reference)
        case .type: types[old] = reference
        }
    }

    private mutating func copy(
        _ raw: RawRecord, _ bytes: UnsafeRawBufferPointer, at offset: Int, position: UInt64,
        in body: FrameBody, _ writer: inout ByteWriter, isToGo: (Candidate) -> Bool
    ) throws(MalformedBody) {
        guard let stream = streams[raw.stream], let type = types[raw.type] else {
            throw MalformedBody(offset: offset, reason: "a record whose names are not defined")
        }
        let candidate = Candidate(stream: stream.id, version: raw.version, position: position)
        let place = body.offset(writer)
        let begin = writer.count
        if !raw.isRedacted, isToGo(candidate) {
            writer.append(redacting: raw, bytes)
            redactedCount += 1
        } else {
            writer.append(bytes)
        }
        writer.settle(recordAt: begin, place, stream: stream.reference, type: type)
    }
}

extension ByteWriter {
    private static let checksumOffset = 4
    private static let flagsOffset = 8
    private static let streamOffset = 10
    private static let typeOffset = 14

    /// Appends what is left of a record when its content goes.
    fileprivate mutating func append(redacting raw: RawRecord, _ bytes: UnsafeRawBufferPointer) {
        let begin = count
        append(UnsafeRawBufferPointer(rebasing: bytes[..<raw.content]))
        patch(UInt32(truncatingIfNeeded: raw.content), at: begin)
        var flags = RecordFlags(rawValue: bytes.loadLittleEndian(UInt16.self, at: Self.flagsOffset))
        flags.remove(.headers)
        flags.insert(.redacted)
        patch(flags.rawValue, at: begin + Self.flagsOffset)
    }

    /// Fills in what the record that was written last says of its place and of its names.
    ///
    /// - Parameters:
    ///   - begin: Where the record begins in the writer.
    ///   - offset: Where it begins in its file.
    ///   - stream: The reference to the name of its stream.
    ///   - type: The reference to its type.
    mutating func settle(recordAt begin: Int, _ offset: UInt64, stream: UInt32, type: UInt32) {
        patch(stream, at: begin + Self.streamOffset)
        patch(type, at: begin + Self.typeOffset)
        let checksum = withUnsafeBytes { all in
            crc32c(
                RecordFormat.seed(at: offset),
                UnsafeRawBufferPointer(rebasing: all[(begin + RecordFormat.recordPrefix)...]))
        }
        patch(checksum, at: begin + Self.checksumOffset)
    }
}

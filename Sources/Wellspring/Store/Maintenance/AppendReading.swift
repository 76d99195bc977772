import WellspringLog

/// An append as an inspection finds it in a frame.
struct InspectedAppend {
    /// Where the entry lies in the body, before its records.
    var head: Range<Int>
    var records: [InspectedRecord]
}

/// A record as an inspection finds it.
///
/// Its names are missing when they were lost.
struct InspectedRecord {
    /// Where the record lies in the body.
    var bytes: Range<Int>
    var raw: RawRecord
    var position: UInt64
    var stream: StreamID?
    var type: StoredType?
}

/// Reads the appends in the frames of an inspected log, segment by segment.
struct AppendReading {
    /// The names that frames or the footer of the segment define.
    private var known = SegmentNames()
    /// References that were looked up in the file, found or not.
    private var lookedUp: Set<UInt32> = []
    /// Those that were met in frames.
    private(set) var met = SegmentNames()
    /// What the footer of the segment says, if it can be read.
    private(set) var footer: SegmentNames?

    /// Starts anew: the frames that follow are in `segment`.
    ///
    /// - Throws: ``MalformedBody`` when the segment's footer makes no sense; frames can be read all
    ///   the same.
    mutating func begin(_ segment: InspectedSegment) throws(MalformedBody) {
        known = SegmentNames()
        lookedUp = []
        met = SegmentNames()
        footer = nil
        // There may be more names than a footer can hold.
        guard let seal = segment.seal, !seal.footer.clientContent.isEmpty else { return }
        let names = try SegmentNames(footer: seal.footer.clientContent)
        footer = names
        known = names
    }

    /// The appends in a frame.
    ///
    /// - Throws: ``MalformedBody`` when the checksums hold and the content still makes no sense.
    mutating func appends(in frame: InspectedFrame) throws(MalformedBody) -> [InspectedAppend] {
        var appends: [InspectedAppend] = []
        let body = frame.body
        let start = frame.place.bodyOffset
        var reader = BodyReader(body, at: start)
        var position = frame.place.firstPosition
        while true {
            let before = Int(reader.offset - start)
            guard let item = try reader.next() else { break }
            let after = Int(reader.offset - start)
            switch item {
            case .definition(let reference, let definition):
                known.add(definition, reference)
                met.add(definition, reference)
            case .entry(let count):
                let first = body[before..<after].firstIndex { $0 != 0 } ?? before
                var append = InspectedAppend(head: first..<after, records: [])
                for _ in 0..<count {
                    let begin = Int(reader.offset - start)
                    let raw = try reader.nextRecord()
                    append.records.append(record(raw, at: begin, position: position, in: frame))
                    position += 1
                }
                appends.append(append)
            }
        }
        let count = position - frame.place.firstPosition
        guard count == UInt64(frame.place.eventCount) else {
            throw MalformedBody(
                offset: 0, reason: "\(count) events in a frame of \(frame.place.eventCount)")
        }
        return appends
    }

    /// A record at a place in a body, with its names as far as they can be found.
    mutating func record(
        _ raw: RawRecord, at begin: Int, position: UInt64, in frame: InspectedFrame
    ) -> InspectedRecord {
        if known.streams[raw.stream] == nil { look(up: raw.stream, in: frame) }
        if known.types[raw.type] == nil { look(up: raw.type, in: frame) }
        return InspectedRecord(
            bytes: begin..<begin + raw.length, raw: raw, position: position,
            stream: known.streams[raw.stream], type: known.types[raw.type])
    }

    /// Reads a name from where its reference says: the frame that defines it may be lost, and its
    /// definition not, which has a checksum of its own.
    private mutating func look(up reference: UInt32, in frame: InspectedFrame) {
        // What is not in the file is looked for once, however many records refer to it.
        guard let file = frame.file, lookedUp.insert(reference).inserted,
            let definition = Definition.read(reference, from: file)
        else { return }
        known.add(definition, reference)
    }
}

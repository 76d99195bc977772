import WellspringLog

/// Makes a store of events that have their positions, versions, ids and times already.
///
/// It is no store to anybody before `finish()`.
final class StoreBuilder: LogClient {
    private let directory: StagedDirectory
    private var log: CommitLog?
    /// The names that the segment being written defines.
    private var names = SegmentNames()
    private var streamReferences: [StreamID: UInt32] = [:]
    private var typeReferences: [StoredType: UInt32] = [:]

    /// The position that the next event gets.
    private(set) var nextPosition: UInt64 = 1
    private(set) var eventCount: UInt64 = 0
    private(set) var commitCount: UInt64 = 0

    /// Begins in an empty directory.
    ///
    /// - Throws: `LogError.notEmpty` when it holds anything else than what systems put into every
    ///   directory.
    init(in base: any StoreDirectory, segmentBytes: UInt64 = 64 << 20) throws {
        guard try base.list(nil).allSatisfy(Self.ignored.contains) else {
            throw LogError.notEmpty(path: base.path)
        }
        directory = StagedDirectory(base)
        var configuration = LogConfiguration()
        configuration.durability = .osManaged
        configuration.segmentBytes = segmentBytes
        configuration.idleMarkNanoseconds = nil
        // One process writes here, once, and what it wrote is read back before anybody relies on it.
        configuration.allowsNetworkFileSystem = true
        configuration.frameBytesLimit = FrameHeader.bodyLengthLimit
        log = try CommitLog.open(directory, configuration: configuration, client: self)
        // Commits bring their own times, and none may be later than the next.
        directory.setClock(.min)
    }

    /// A longer hole is a wrong number.
    private static let holeLimit: UInt64 = 1 << 40
    private static let ignored: Set = [LogLayout.lockFile, "lost+found", ".DS_Store"]

    /// Says that the events up to the position before `position` are lost.
    func skip(to position: UInt64) throws {
        guard position > nextPosition, let log else { return }
        guard position - nextPosition <= Self.holeLimit else {
            throw EventStoreError.storage(
                reason: "a hole of \(position - nextPosition) positions, which no log has lost")
        }
        try log.commitHole(client: self, count: position - nextPosition)
        nextPosition = position
    }

    /// Writes one commit: all of its appends, or none of them.
    func commit(_ appends: [BuiltAppend], at time: Int64) throws {
        guard let log else { return }
        let count = appends.reduce(0) { $0 + $1.records.count }
        directory.setClock(time)
        let size = appends.reduce(0) { $0 + $1.mostBytes }
        _ = try log.commit(
            client: self, eventCount: UInt32(truncatingIfNeeded: count), sizeHint: size
        ) { context, writer in
            write(appends, context, to: &writer)
        }
        nextPosition += UInt64(count)
        eventCount += UInt64(count)
        commitCount += 1
    }

    /// Closes the store and makes it one, which may be opened in the strict mode.
    func finish() throws {
        try log?.close(fillingPage: true)
        log = nil
        try directory.publish()
    }

    /// Gives the files up as they are; they are no store.
    func abandon() {
        log?.abandon()
        log = nil
    }

    deinit { log?.abandon() }

    // MARK: - Bodies

    private func write(
        _ appends: [BuiltAppend], _ context: FrameContext, to writer: inout ByteWriter
    ) {
        let body = FrameBody(context: context, start: writer.count)
        for append in appends {
            let references = append.records.map { record in
                (
                    stream: reference(to: record.stream, body, &writer),
                    type: reference(to: record.type, body, &writer)
                )
            }
            writer.append(append.head)
            for (record, reference) in zip(append.records, references) {
                record.write(
                    at: body.offset(writer), stream: reference.stream, type: reference.type,
                    to: &writer)
            }
        }
    }

    private func reference(
        to stream: StreamID, _ body: FrameBody, _ writer: inout ByteWriter
    ) -> UInt32 {
        if let known = streamReferences[stream] { return known }
        let reference = body.write(.stream(stream), to: &writer)
        streamReferences[stream] = reference
        names.add(.stream(stream), reference)
        return reference
    }

    private func reference(
        to type: StoredType, _ body: FrameBody, _ writer: inout ByteWriter
    ) -> UInt32 {
        if let known = typeReferences[type] { return known }
        let reference = body.write(.type(type), to: &writer)
        typeReferences[type] = reference
        names.add(.type(type), reference)
        return reference
    }

    // MARK: - LogClient

    func segmentBegan(_ segment: UInt32) {
        names = SegmentNames()
        streamReferences = [:]
        typeReferences = [:]
    }

    func replay(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody) {
        throw MalformedBody(offset: 0, reason: "the store was to be empty")
    }

    func footerContent(of segment: UInt32) -> [UInt8] { names.footer }
}

/// An append as it is written to a store that is built.
struct BuiltAppend {
    /// The entry, with its number of records.
    private(set) var head: [UInt8]
    let records: [BuiltRecord]

    /// An append without a key.
    init(_ records: [BuiltRecord]) {
        self.init(head: [RecordFormat.entry, 0, 0, 0, 0, 0, 0, 0], records)
    }

    /// An append with the flags and the key of another.
    init(head: [UInt8], _ records: [BuiltRecord]) {
        self.head = head
        self.records = records
        let count = UInt32(truncatingIfNeeded: records.count)
        withUnsafeBytes(of: count.littleEndian) { bytes in
            for (index, byte) in bytes.enumerated() where 4 + index < head.count {
                self.head[4 + index] = byte
            }
        }
    }

    /// More bytes than it takes.
    var mostBytes: Int {
        head.count
            + records.reduce(0) { sum, record in
                sum + record.bytes.count + record.stream.description.utf8.count
                    + record.type.name.rawValue.utf8.count + 64
            }
    }
}

/// A record with the names it refers to, and everything else as it is to be written.
struct BuiltRecord {
    let stream: StreamID
    let type: StoredType
    /// The whole record; its references and its checksum are filled in.
    let bytes: [UInt8]

    func write(
        at offset: UInt64, stream: UInt32, type: UInt32, to writer: inout ByteWriter
    ) {
        let begin = writer.count
        writer.append(bytes)
        writer.settle(recordAt: begin, offset, stream: stream, type: type)
    }
}

package import WellspringLog

/// Makes a store of events that were exported from another, with all that they had.
///
/// It is no store to anybody before `finish()`.
package final class StoreImport {
    private let builder: StoreBuilder
    private var ledger = StreamLedger()
    private var batch: [BuiltAppend] = []
    private var batchBytes = 0
    /// The time of the commit that is put together.
    private var time: Int64?
    private var lastTime = Int64.min

    /// So many bytes go into one commit: damage to a commit costs all of it.
    private static let commitBytes = 64 << 10

    /// Begins in a directory that is empty or does not exist yet.
    package init(
        at path: String, in fileSystem: any FileSystem = PosixFileSystem()
    ) throws(EventStoreError) {
        do {
            builder = try StoreBuilder(in: try fileSystem.openStore(at: path, create: true))
        } catch {
            throw EventStoreError(maintenance: error, path: path)
        }
    }

    /// How many events have been taken in.
    package var eventCount: UInt64 { builder.eventCount + batch.eventCount }

    /// The position that the next event must have.
    package var nextPosition: UInt64 { builder.nextPosition + batch.eventCount }

    /// Takes in one append, whose events follow the last one.
    package func append(
        _ events: [RecordedEvent], key: StoreExamination.AppendKey?
    ) throws(EventStoreError) {
        try key?.checkFitsEntry()
        for (index, event) in events.enumerated() {
            try event.checkFitsRecord()
            try check(event, at: nextPosition + UInt64(index))
        }
        let first = events.first?.recordedAt.nanoseconds ?? max(lastTime, 0)
        // Frames are dated in order; who was recorded by another clock says so himself.
        let time = time ?? max(first, lastTime)
        self.time = time
        lastTime = time
        let records = events.map { BuiltRecord($0, frameTime: time) }
        let append = key.map { BuiltAppend(head: $0.entry, records) } ?? BuiltAppend(records)
        batch.append(append)
        batchBytes += append.mostBytes
        if batchBytes >= Self.commitBytes { try commit() }
    }

    private func check(_ event: RecordedEvent, at expected: UInt64) throws(EventStoreError) {
        let position = event.position.rawValue
        guard position == expected else {
            throw .invalidRequest(
                reason: "position \(position) stands where \(expected) should be")
        }
        if let reason = ledger.note(event.stream, event.version.rawValue, at: position) {
            throw .invalidRequest(reason: reason)
        }
    }

    /// Leaves positions without events.
    package func hole(_ positions: Range<UInt64>) throws(EventStoreError) {
        guard positions.lowerBound == nextPosition, !positions.isEmpty else {
            throw .invalidRequest(
                reason: "a hole at \(positions.lowerBound) where \(nextPosition) should be")
        }
        try commit()
        ledger.lose(positions)
        do {
            try builder.skip(to: positions.upperBound)
        } catch {
            throw EventStoreError(maintenance: error, path: "")
        }
    }

    private func commit() throws(EventStoreError) {
        guard let time, !batch.isEmpty else { return }
        do {
            try builder.commit(batch, at: time)
        } catch {
            throw EventStoreError(maintenance: error, path: "")
        }
        batch = []
        batchBytes = 0
        self.time = nil
    }

    /// Makes a store of what was taken in.
    package func finish() throws(EventStoreError) {
        try commit()
        do {
            try builder.finish()
        } catch {
            throw EventStoreError(maintenance: error, path: "")
        }
    }

    /// Gives up.
    ///
    /// What was written is no store.
    package func abandon() { builder.abandon() }
}

extension StoreImport {
    /// Reads a value from a line of JSON, as payloads are read.
    package static func decode<Line: Decodable>(
        _ type: Line.Type, from line: ArraySlice<UInt8>
    ) throws -> Line {
        try line.withUnsafeBytes { try JSONPayloadDecoder.decode(type, from: $0) }
    }
}

extension BuiltRecord {
    /// Writes an event as it is stored in a commit of that time.
    init(_ event: RecordedEvent, frameTime: Int64) {
        let context = FrameContext(
            segment: 0, bodyOffset: 0, firstPosition: 0, recordedAt: frameTime)
        var writer = ByteWriter(capacity: 128 + event.event.payload.count)
        let own = event.recordedAt.nanoseconds == frameTime ? nil : event.recordedAt
        let occurred = event.occurredAt == event.recordedAt ? nil : event.occurredAt
        _ = FrameBody(context: context, start: 0).write(
            event, occurredAt: occurred, recordedAt: own, stream: 0, type: 0, to: &writer)
        self.init(stream: event.stream, type: StoredType(event.event), bytes: writer.bytes)
    }
}

package import WellspringLog

/// Reads a store from front to back without opening it: for tools that look and change nothing.
///
/// May run beside a writer, and again and again, each time from where it ended.
package struct StoreExamination {
    /// What it comes across.
    package enum Item {
        /// One append: its events, and its key if it has one.
        case append([RecordedEvent], key: AppendKey?)
        /// Positions without events: known since the store was salvaged.
        case hole(Range<UInt64>)
        /// Damage.
        case problem(StoreProblem)
        /// The rest of an unfinished write.
        case unfinished(bytes: UInt64)
        /// A segment begins.
        case segment(file: String, bytes: UInt64, isSealed: Bool)
    }

    /// The key of an append, as it is stored.
    package struct AppendKey: Hashable, Sendable {
        package var key: String
        /// The sixteen bytes that were kept with it.
        package var fingerprint: [UInt8]

        package init(key: String, fingerprint: [UInt8]) {
            self.key = key
            self.fingerprint = fingerprint
        }
    }

    private let directory: any StoreDirectory
    private var reading = AppendReading()
    private var end: LogEnd?
    /// When the store was made.
    package let createdAt: Timestamp?
    /// Whether the store was closed properly; `nil` when nothing says.
    package let wasClosed: Bool?
    /// Events at the end that were passed over by the last reading, because nothing says yet that
    /// they are durable.
    package private(set) var unprovenEvents: UInt64 = 0
    /// The file of the segment that is read.
    private var segmentFile: String?
    /// The bytes of the segment that is read, up to the last commit, and its own.
    private var tracker: ProgressTracker

    /// Opens the store in the directory at `path` for looking.
    package init(
        at path: String, in fileSystem: any FileSystem = PosixFileSystem(),
        progress: (@Sendable (MaintenanceProgress) -> Void)? = nil
    ) throws(EventStoreError) {
        do {
            directory = try fileSystem.openStore(at: path, create: false)
            let inspection = try LogInspection(directory)
            createdAt = inspection.identity.map { Timestamp(nanoseconds: $0.creationTime) }
            wasClosed = inspection.manifest?.isClean
            tracker = ProgressTracker(directory, isCancelled: { false }, progress)
        } catch let error as SystemError {
            throw error.kind == .notFound ? .notAStore(path: path) : EventStoreError(error)
        } catch {
            throw EventStoreError(maintenance: error, path: path)
        }
    }

    /// Hands over what came after the last reading, until `visit` returns false.
    ///
    /// - Parameter includesUnproven: Whether events are handed over of which nothing says that they
    ///   are durable. They come again with the next reading.
    package mutating func read(
        includingUnproven includesUnproven: Bool = false, _ visit: (Item) throws -> Bool
    ) throws {
        unprovenEvents = 0
        var events: UInt64 = 0
        let inspection = try LogInspection(directory)
        end = try inspection.run(after: end) { item in
            switch item {
            case .segment(let segment):
                segmentFile = segment.file
                tracker.begin(fileSize: segment.fileSize)
                do throws(MalformedBody) { try reading.begin(segment) } catch {
                    return try visit(
                        .problem(StoreProblem(.footer, segment.file, at: 0, error.reason)))
                }
                return try visit(
                    .segment(
                        file: segment.file, bytes: segment.fileSize,
                        isSealed: segment.seal != nil))
            case .remains: return true
            case .damage(let damage): return try visit(.problem(StoreProblem(damage)))
            case .unfinished(_, let range):
                return try visit(.unfinished(bytes: range.upperBound - range.lowerBound))
            case .frame(let frame):
                events += UInt64(frame.header.eventCount)
                tracker.advance(to: frame.place.offset, events: events)
                guard frame.isProven || includesUnproven else {
                    if frame.header.kind == .group {
                        unprovenEvents += UInt64(frame.header.eventCount)
                    }
                    return true
                }
                return try hand(over: frame, to: visit)
            }
        }
        tracker.finish(events: events)
    }

    private mutating func hand(
        over frame: InspectedFrame, to visit: (Item) throws -> Bool
    ) throws -> Bool {
        let first = frame.place.firstPosition
        let next = frame.header.nextPosition
        if frame.header.kind == .hole { return try visit(.hole(first..<next)) }
        guard frame.header.kind == .group else { return true }
        let file = segmentFile ?? LogLayout.segment(frame.place.segment)
        let appends: [InspectedAppend]
        do {
            appends = try reading.appends(in: frame)
        } catch {
            return try visit(
                .problem(
                    StoreProblem(
                        .records, file, at: frame.place.bodyOffset, error.reason,
                        positions: first..<next)))
        }
        for append in appends {
            var events: [RecordedEvent] = []
            for record in append.records {
                guard let event = RecordedEvent(record, in: frame) else {
                    let problem = StoreProblem(
                        .commits, file,
                        at: frame.place.bodyOffset + UInt64(record.bytes.lowerBound),
                        "the names of the record are lost",
                        positions: record.position..<record.position + 1)
                    guard try visit(.problem(problem)) else { return false }
                    continue
                }
                events.append(event)
            }
            let key = AppendKey(Array(frame.body[append.head]))
            guard !events.isEmpty || key != nil else { continue }
            guard try visit(.append(events, key: key)) else { return false }
        }
        return true
    }
}

extension StoreExamination.AppendKey {
    private static let keyFlag: UInt8 = 1
    private static let fingerprintLength = 16
    private static let headLength = 8

    /// Reads the key in an entry; `nil` when there is none.
    init?(_ entry: [UInt8]) {
        guard entry.count >= Self.headLength + Self.fingerprintLength,
            entry[1] & Self.keyFlag != 0
        else { return nil }
        let rest = entry[Self.headLength...]
        fingerprint = Array(rest.prefix(Self.fingerprintLength))
        key = String(decoding: rest.dropFirst(Self.fingerprintLength), as: UTF8.self)
    }

    /// The entry that holds the key.
    var entry: [UInt8] {
        let length = UInt16(truncatingIfNeeded: key.utf8.count)
        return [
            RecordFormat.entry, Self.keyFlag, UInt8(truncatingIfNeeded: length),
            UInt8(truncatingIfNeeded: length >> 8), 0, 0, 0, 0,
        ] + fingerprint + Array(key.utf8)
    }
}

extension RecordedEvent {
    /// An inspected record with its names; `nil` where they are lost.
    fileprivate init?(_ record: InspectedRecord, in frame: InspectedFrame) {
        guard let stream = record.stream, let type = record.type else { return nil }
        let start = record.bytes.lowerBound
        let payload = record.raw.payload
        let found = FoundRecord(
            record: record.raw, position: record.position, frameTime: frame.place.recordedAt,
            payload: EventPayload(
                Array(frame.body[start + payload.lowerBound..<start + payload.upperBound])))
        self.init(found, stream: stream, type: type)
    }
}

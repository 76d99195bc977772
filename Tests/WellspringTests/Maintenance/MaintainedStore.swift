@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A store of several segments on a simulated disk, with what was appended to it.
struct MaintainedStore {
    let disk: SimulatedDisk
    /// All events, by position - 1.
    private(set) var events: [RecordedEvent] = []

    static var configuration: FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        configuration.syncsOnCallingTask = true
        return configuration
    }

    /// Appends of one to three events to one of eleven streams or two at once, in four segments.
    init(appends: Int = 190, closes: Bool = true) async throws {
        disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk, configuration: Self.configuration)
        for number in 0..<appends {
            let stream = sampleStream("\(number % 11)")
            var writes = [
                StreamWrite(
                    (0...number % 3).map { Self.event(number * 10 + $0) }, to: stream,
                    expecting: .any)
            ]
            if number % 7 == 0 {
                let other = StreamID(category: "other", key: "\(number % 2)")
                writes.append(StreamWrite([Self.event(number)], to: other, expecting: .any))
            }
            try await store.append(AppendRequest(writes))
        }
        events = try await store.wholeLog()
        if closes {
            await store.close()
        } else {
            disk.fireTimers()
            disk.crash(keeping: .everything)
        }
    }

    /// Events of all shapes: with and without tags, causes, headers and times of their own.
    private static func event(_ number: Int) -> NewEvent {
        let payload = String(repeating: "\(number) ", count: 40 + number % 90)
        let metadata = EventMetadata(
            correlation: number % 4 == 0 ? MessageID(high: 7, low: UInt64(number)) : nil,
            causation: number % 8 == 0 ? MessageID(high: 7, low: UInt64(number)) : nil,
            headers: number % 9 == 0 ? ["user": "ada", "a": "ä\u{308}"] : [:])
        return NewEvent(
            EncodedEvent(
                name: number % 2 == 0 ? "sample.even" : "sample.odd",
                payload: EventPayload(utf8: payload), codec: number % 13 == 0 ? .opaque : .json,
                schemaVersion: UInt16(1 + number % 3)),
            occurredAt: number % 6 == 0 ? Timestamp(nanoseconds: Int64(number)) : nil,
            recordedAt: number % 12 == 0 ? Timestamp(nanoseconds: Int64(number) * 3) : nil,
            tags: number % 5 == 0 ? ["five", Tag("number:\(number)")] : [], metadata: metadata)
    }

    /// The same store on another disk.
    func copy() -> MaintainedStore {
        MaintainedStore(disk.afterCrash(keeping: .everything, seed: 1), events)
    }

    private init(_ disk: SimulatedDisk, _ events: [RecordedEvent]) {
        self.disk = disk
        self.events = events
    }

    func verify() async throws -> VerificationReport {
        try await FileEventStore.verify(at: "store", in: disk)
    }

    /// Writes a part of the index again with other entries, and with checksums that hold.
    func rewriteRun(
        _ name: String, _ change: (inout [(key: UInt64, entry: IndexEntry)]) -> Void
    ) throws {
        let directory = try disk.openStore(at: "store", create: false)
        let identity = try XCTUnwrap(LogInspection(directory).identity)
        let run = try IndexRun.open(directory, name: name, storeID: identity.storeID)
        var entries: [(key: UInt64, entry: IndexEntry)] = []
        var cursor = try IndexCursor(run)
        while let key = cursor.key {
            entries += try cursor.entries().map { (key, $0) }
            try cursor.advance()
        }
        change(&entries)
        let writer = try IndexRunWriter(
            in: directory, storeID: identity.storeID, range: run.range, level: run.level,
            anchor: run.anchor, keyEstimate: Int(run.keyCount))
        var key: UInt64?
        for entry in entries {
            if key != entry.key {
                if key != nil { writer.end() }
                writer.begin(entry.key)
                key = entry.key
            }
            try writer.add(entry.entry)
        }
        writer.end()
        XCTAssertEqual(try writer.finish().name, name)
    }

    var segmentCount: UInt32 {
        UInt32(disk.fileNames.filter { $0.hasSuffix(".seg") }.count)
    }

    /// Where the commits of a segment lie.
    func places(in segment: UInt32) throws -> [FramePlace] {
        var places: [FramePlace] = []
        try LogInspection(disk.openStore(at: "store", create: false)).run { item in
            if case .frame(let frame) = item, frame.header.kind == .group,
                frame.place.segment == segment
            {
                places.append(frame.place)
            }
            return true
        }
        return places
    }

    /// Gives the first event of a commit another version, with checksums that hold; returns its
    /// position.
    func forgeVersion(inSegment segment: UInt32, commit: Int) throws -> UInt64 {
        let place = try places(in: segment)[commit]
        var record: InspectedRecord?
        var reading = AppendReading()
        try LogInspection(disk.openStore(at: "store", create: false)).run { item in
            if case .frame(let frame) = item, frame.header.kind == .group {
                let appends = try reading.appends(in: frame)
                if frame.place == place { record = appends.first?.records.first }
            }
            return true
        }
        let found = try XCTUnwrap(record)
        let name = LogLayout.segment(segment)
        var bytes = try XCTUnwrap(disk.contents(of: name))
        let salt = bytes.withUnsafeBytes { $0.loadLittleEndian(UInt64.self, at: 56) }
        let (header, body) = (Int(place.offset), Int(place.bodyOffset))
        let at = body + found.bytes.lowerBound
        func put(_ number: UInt32, at offset: Int) {
            for index in 0..<4 {
                bytes[offset + index] = UInt8(truncatingIfNeeded: number >> UInt32(index * 8))
            }
        }
        put(4_711, at: at + 18)
        let end = body + found.bytes.upperBound
        put(crc32c(RecordFormat.seed(at: UInt64(at)), Array(bytes[at + 8..<end])), at: at + 4)
        let padded = (place.bodyLength + 7) & ~7
        put(
            crc32c(UInt32(truncatingIfNeeded: salt), Array(bytes[body..<body + padded])),
            at: header + 48)
        put(
            crc32c(UInt32(truncatingIfNeeded: salt >> 32), Array(bytes[header..<header + 60])),
            at: header + 60)
        // The header of the next frame is chained to this one's checksum.
        try rechain(&bytes, from: header + 64 + padded, to: bytes[header + 60..<header + 64], salt)
        disk.replaceContents(of: name, with: bytes)
        return found.position
    }

    /// Chains all frames from an offset on to the checksum of the header before them.
    private func rechain(
        _ bytes: inout [UInt8], from start: Int, to checksum: ArraySlice<UInt8>, _ salt: UInt64
    ) throws {
        var (offset, chain) = (start, checksum)
        while offset + 64 <= bytes.count, bytes[offset..<offset + 4].elementsEqual("WSF1".utf8) {
            bytes.replaceSubrange(offset + 52..<offset + 56, with: chain)
            let own = crc32c(
                UInt32(truncatingIfNeeded: salt >> 32), Array(bytes[offset..<offset + 60]))
            for index in 0..<4 {
                bytes[offset + 60 + index] = UInt8(truncatingIfNeeded: own >> UInt32(index * 8))
            }
            chain = bytes[offset + 60..<offset + 64]
            let length = Int(
                bytes.withUnsafeBytes { $0.loadLittleEndian(UInt32.self, at: offset + 4) })
            offset += 64 + (length + 7) & ~7
        }
    }

    /// Fills a part of a file with `byte`.
    func overwrite(_ range: Range<Int>, of file: String, with byte: UInt8 = 0xA5) throws {
        var contents = try XCTUnwrap(disk.contents(of: file))
        for index in range.clamped(to: contents.indices) { contents[index] = byte }
        disk.replaceContents(of: file, with: contents)
    }
}

extension SimulatedDisk {
    /// Has no other files than these, and the lock.
    func replaceAll(with contents: [String: [UInt8]]) {
        for name in fileNames where name != "LOCK" {
            replaceContents(of: name, with: contents[name])
        }
        for (name, bytes) in contents { replaceContents(of: name, with: bytes) }
    }

    /// What is in every file but the lock.
    var allContents: [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for name in fileNames where name != "LOCK" { result[name] = contents(of: name) }
        return result
    }
}

import Wellspring
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

    func verify() async throws -> VerificationReport {
        try await FileEventStore.verify(at: "store", in: disk)
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

    /// Fills a part of a file with `byte`.
    func overwrite(_ range: Range<Int>, of file: String, with byte: UInt8 = 0xA5) throws {
        var contents = try XCTUnwrap(disk.contents(of: file))
        for index in range.clamped(to: contents.indices) { contents[index] = byte }
        disk.replaceContents(of: file, with: contents)
    }
}

extension SimulatedDisk {
    /// What is in every file but the lock.
    var allContents: [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for name in fileNames where name != "LOCK" { result[name] = contents(of: name) }
        return result
    }
}

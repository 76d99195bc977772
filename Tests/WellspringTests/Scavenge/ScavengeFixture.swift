import Foundation
@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A store of several segments, some of whose events are to lose their content, and what is known of
/// it.
struct ScavengeFixture {
    let disk: SimulatedDisk
    /// All events as they were appended, requests included, by position - 1.
    private(set) var events: [RecordedEvent] = []
    /// The positions of those that are to lose their content.
    private(set) var going: Set<UInt64> = []
    private var number: UInt64 = 0

    static let truncated = StreamID(category: "note", key: "truncated")
    static let deleted = StreamID(category: "note", key: "deleted")
    static let calm = StreamID(category: "note", key: "calm")
    static let late = StreamID(category: "note", key: "late")

    static var configuration: FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        configuration.syncsOnCallingTask = true
        return configuration
    }

    /// Fills four segments.
    ///
    /// Events of the second one are all to be kept, and the newest one has some
    /// that are to go.
    init(closes: Bool = true, seed: UInt64 = 1) async throws {
        disk = SimulatedDisk(seed: seed)
        let store = try await FileEventStore(on: disk, configuration: Self.configuration)
        try await add(15, to: [Self.truncated, Self.deleted, Self.calm], of: store)
        try await add(20, to: [Self.calm], of: store, until: 3)
        try await add(6, to: [Self.truncated, Self.calm], of: store, until: 4)
        try await add(3, to: [Self.late, Self.truncated], of: store)
        events = try await store.wholeLog()
        let kept = StreamVersion(UInt64(stream(Self.truncated).count))
        try await store.truncate(Self.truncated, before: kept)
        try await store.delete(Self.deleted)
        let single = [stream(Self.late)[1], stream(Self.calm)[3]]
        try await store.requestRedaction(of: single.map(\.position))
        going = Set(
            (stream(Self.truncated).dropLast() + stream(Self.deleted) + single)
                .map(\.position.rawValue))
        events = try await store.wholeLog()
        if closes {
            await store.close()
        } else {
            disk.fireTimers()
            disk.crash(keeping: .everything)
        }
    }

    /// Asks for more, after a scavenge that did all that was asked for.
    mutating func askAgain() async throws {
        let store = try await open()
        let calm = stream(Self.calm)
        try await add(2, to: [Self.truncated, Self.late], of: store)
        let new = try await store.read(
            LogRead(.forward(after: LogPosition(UInt64(events.count))))
        ).events
        events += new
        try await store.truncate(
            Self.truncated, before: StreamVersion(UInt64(stream(Self.truncated).count)))
        try await store.delete(Self.late)
        let single = [calm[1], calm[calm.count - 1]]
        try await store.requestRedaction(of: single.map(\.position))
        going.formUnion(
            (stream(Self.truncated).dropLast() + stream(Self.late) + single)
                .map(\.position.rawValue))
        events += try await store.read(
            LogRead(.forward(after: LogPosition(UInt64(events.count))))
        ).events
        await store.close()
    }

    /// Appends an event to each stream in turn, so many times and until a segment has begun.
    private mutating func add(
        _ rounds: Int, to streams: [StreamID], of store: FileEventStore, until segment: Int = 0
    ) async throws {
        var round = 0
        while round < rounds || disk.segments.count < segment {
            for stream in streams {
                try await store.append(
                    AppendRequest([event()], to: stream, expecting: .any))
            }
            round += 1
        }
    }

    /// An event with content that no other has.
    private mutating func event() -> NewEvent {
        number += 1
        let secret = "<secret \(number)>"
        return NewEvent(
            EncodedEvent(
                name: number % 3 == 0 ? "note.changed" : "note.written",
                payload: EventPayload(
                    utf8:
                        "{\"text\":\"\(String(repeating: secret, count: 60 + Int(number % 70)))\"}"
                )),
            occurredAt: number % 2 == 0 ? Timestamp(nanoseconds: Int64(number)) : nil,
            tags: number % 4 == 0 ? ["fourth"] : [],
            metadata: EventMetadata(
                correlation: MessageID(high: 9, low: number),
                headers: number % 5 == 0 ? ["secret": secret] : [:]))
    }

    func stream(_ stream: StreamID) -> [RecordedEvent] { events.filter { $0.stream == stream } }

    /// What the log is to hold when all is done.
    var expected: [RecordedEvent] {
        events.map { going.contains($0.position.rawValue) ? $0.redacted() : $0 }
    }

    @discardableResult
    func scavenge(_ disk: SimulatedDisk? = nil) async throws -> ScavengeReport {
        try await FileEventStore.scavenge(at: "store", in: disk ?? self.disk)
    }

    func open(_ disk: SimulatedDisk? = nil) async throws -> FileEventStore {
        try await FileEventStore(on: disk ?? self.disk, configuration: Self.configuration)
    }

    /// The positions of events whose content is in files of the log or the index.
    func positionsWithContent(on disk: SimulatedDisk? = nil) -> Set<UInt64> {
        let disk = disk ?? self.disk
        var found: Set<UInt64> = []
        for name in disk.fileNames where name.hasPrefix("log/") || name.hasPrefix("idx/") {
            found.formUnion(Self.secrets(in: disk.contents(of: name) ?? []))
        }
        return Set(
            events.filter { !found.isDisjoint(with: Self.secrets(in: Array($0.event.payload))) }
                .map(\.position.rawValue))
    }

    /// The numbers of all secrets in some bytes.
    ///
    /// Searched for with what the system has, because tests are not optimised.
    private static func secrets(in bytes: [UInt8]) -> Set<UInt64> {
        let mark = Array("<secret ".utf8)
        // Behind the last number there is something that is no digit.
        return (bytes + [0]).withUnsafeBytes { bytes in
            var found: Set<UInt64> = []
            guard var place = bytes.baseAddress else { return found }
            let end = place + bytes.count
            while let next = memchr(place, Int32(mark[0]), place.distance(to: end)) {
                place = UnsafeRawPointer(next) + 1
                guard UnsafeRawPointer(next).distance(to: end) > mark.count,
                    memcmp(next, mark, mark.count) == 0
                else { continue }
                var digitsEnd: UnsafeMutablePointer<CChar>?
                let number = strtoull(next + mark.count, &digitsEnd, 10)
                if digitsEnd?.pointee == CChar(UInt8(ascii: ">")) { found.insert(number) }
            }
            return found
        }
    }

    /// The positions of all events that have content of their own.
    var positionsOfNotes: Set<UInt64> {
        Set(
            events.filter { !Self.secrets(in: Array($0.event.payload)).isEmpty }
                .map(\.position.rawValue))
    }

    /// What is wrong with the store on a disk, where events that are to go may have gone or not.
    func complaints(about disk: SimulatedDisk, isDone: Bool) async throws -> [String] {
        var complaints: [String] = []
        let store = try await open(disk)
        let log = try await store.wholeLog()
        if log.count != events.count { complaints.append("\(log.count) of \(events.count) events") }
        for (found, event) in zip(log, events) {
            let isGoing = going.contains(event.position.rawValue)
            let isRight =
                isGoing && (isDone || found.isRedacted)
                ? found == event.redacted() : found == event
            if !isRight { complaints.append("event \(event.position) is \(found)") }
        }
        for id in Set(events.map(\.stream)) {
            let versions = try await store.readableVersions(of: id, limit: ReadLimit(events: 9))
            let first = try await store.read(StreamRead(id)).firstVersion.rawValue
            let all = stream(id).map(\.version.rawValue).filter { $0 >= first }
            if versions.forward != all { complaints.append("\(id) reads \(versions.forward)") }
        }
        let tagged = try await store.read(
            LogRead(.forward(after: .start), filter: .tagged("fourth")))
        let fourth = events.filter { $0.tags.contains("fourth") }.map(\.position)
        if tagged.events.map(\.position) != fourth { complaints.append("tags: \(tagged.events)") }
        let last = try await store.read(StreamRead(Self.calm)).version
        let receipt = try await store.append(
            AppendRequest([sampleEvent(1)], to: Self.calm, expecting: .exactly(last)))
        if receipt.position.rawValue != UInt64(events.count) + 1 {
            complaints.append("the next event is at \(receipt.position)")
        }
        await store.close()
        let report = try await FileEventStore.verify(at: "store", in: disk)
        complaints += report.problems.map { "verify: \($0)" }
        return complaints
    }
}

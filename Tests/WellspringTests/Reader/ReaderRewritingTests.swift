import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// Readers beside a process that rewrites what they have read.
final class ReaderRewritingTests: XCTestCase {
    private let disk = SimulatedDisk(seed: 33)

    private var small: FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        return configuration
    }

    /// Appends events to a store that nobody has open: about 20 fill a segment.
    private func append(_ numbers: ClosedRange<Int>) async throws {
        let store = try await FileEventStore(on: disk, configuration: small)
        for number in numbers {
            let payload = EventPayload(utf8: String(repeating: "\(number % 10)", count: 3_000))
            let event = NewEvent(
                EncodedEvent(name: "big", payload: payload), tags: [Tag("n:\(number % 3)")])
            try await store.append(
                AppendRequest([event], to: sampleStream("\(number % 4)"), expecting: .any))
        }
        await store.close()
    }

    private func reader(
        _ fault: PlantedFault? = nil
    ) async throws -> FileEventReader {
        var configuration = FileEventReader.Configuration()
        configuration.plantedFault = fault
        return try await FileEventReader(at: "store", in: disk, configuration: configuration)
    }

    /// Reads on from `position` in pages of five, `pages` of them or all.
    private func readOn(
        _ reader: FileEventReader, after position: inout LogPosition, pages: Int = .max
    ) async throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        var count = 0
        while count < pages {
            let page = try await reader.read(
                LogRead(.forward(after: position), limit: ReadLimit(events: 5)))
            guard page.end > position else { return events }
            events += page.events
            position = page.end
            count += 1
        }
        return events
    }

    private func assertEach(
        _ events: [RecordedEvent], _ positions: ClosedRange<UInt64>, line: UInt = #line
    ) {
        XCTAssertEqual(events.map(\.position.rawValue), Array(positions), line: line)
    }

    /// Every way of reading must show what a fresh reader shows.
    private func assertReadsLikeNew(_ reader: FileEventReader, line: UInt = #line) async throws {
        let fresh = try await FileEventReader(on: disk)
        let log = try await fresh.wholeLog()
        let found = try await reader.wholeLog()
        XCTAssertEqual(found, log, line: line)
        for key in 0..<4 {
            let stream = sampleStream("\(key)")
            let page = try await reader.read(
                StreamRead(stream, limit: ReadLimit(events: 10_000)))
            XCTAssertEqual(page.events, log.filter { $0.stream == stream }, line: line)
        }
        let tagged = try await reader.read(
            LogRead(filter: .tagged("n:1"), limit: ReadLimit(events: 10_000)))
        XCTAssertEqual(tagged.events, log.filter { $0.tags.contains("n:1") }, line: line)
    }

    // MARK: - Going on

    func test_a_reader_goes_on_at_its_position_when_everything_was_rewritten() async throws {
        try await append(1...100)
        let reader = try await reader()
        var position = LogPosition.start
        var events = try await readOn(reader, after: &position, pages: 9)
        try disk.rewriteSegments { $0 % 2 == 0 }
        events += try await readOn(reader, after: &position, pages: 3)
        try disk.rewriteSegments { $0 % 3 == 0 }
        events += try await readOn(reader, after: &position)
        assertEach(events, 1...100)
        try await append(101...150)
        events = try await readOn(reader, after: &position)
        assertEach(events, 101...150)
        try await assertReadsLikeNew(reader)
        let log = try await reader.wholeLog()
        for event in log {
            let isRedacted =
                event.position.rawValue <= 100
                && (event.position.rawValue % 2 == 0 || event.position.rawValue % 3 == 0)
            XCTAssertEqual(event.isRedacted, isRedacted)
            XCTAssertEqual(event.event.payload.count, isRedacted ? 0 : 3_000)
        }
    }

    func test_a_reader_at_the_end_of_the_log_notices_that_an_old_segment_was_rewritten()
        async throws
    {
        try await append(1...100)
        let reader = try await reader()
        try await assertReadsLikeNew(reader)
        try disk.rewriteSegments(sealing: false, redacting: { $0 < 10 }, where: { $0 == 1 })
        try await assertReadsLikeNew(reader)
        let first = try await reader.read(LogRead()).events.first
        XCTAssertEqual(first?.isRedacted, true)
    }

    func test_a_reader_in_the_segment_that_is_sealed_and_rewritten_goes_on() async throws {
        try await append(1...9)
        let reader = try await reader()
        var position = LogPosition.start
        assertEach(try await readOn(reader, after: &position), 1...9)
        try disk.rewriteSegments { $0 == 4 }
        try await append(10...12)
        assertEach(try await readOn(reader, after: &position), 10...12)
        try await assertReadsLikeNew(reader)
    }

    func test_a_segment_that_was_rewritten_before_a_reader_came_to_it_is_read() async throws {
        try await append(1...9)
        let reader = try await reader()
        var position = LogPosition.start
        assertEach(try await readOn(reader, after: &position), 1...9)
        try await append(10...70)
        try disk.rewriteSegments(redacting: { $0 == 30 }, where: { $0 > 1 })
        try await append(71...75)
        assertEach(try await readOn(reader, after: &position), 10...75)
        try await assertReadsLikeNew(reader)
    }

    func test_a_reader_at_the_very_end_of_a_segment_finds_the_next_one_rewritten() async throws {
        try await append(1...9)
        let reader = try await reader()
        var position = LogPosition.start
        assertEach(try await readOn(reader, after: &position), 1...9)
        try disk.rewriteSegments(redacting: { _ in false }, where: { _ in false })
        try await append(10...12)
        try disk.rewriteSegments(redacting: { $0 == 11 }, where: { $0 == 2 })
        assertEach(try await readOn(reader, after: &position), 10...12)
        try await assertReadsLikeNew(reader)
    }

    func test_whoever_waits_is_woken_after_a_rewriting() async throws {
        try await append(1...60)
        let reader = try await reader()
        let waiting = Task { try await reader.waitForEvents(after: LogPosition(60)) }
        try disk.rewriteSegments { $0 > 50 }
        try await append(61...61)
        for _ in 0..<100_000 where reader.position < LogPosition(61) {
            disk.fireTimers()
            await Task.yield()
        }
        // A reader that did not get there must not be waited for.
        if reader.position < LogPosition(61) { await reader.close() }
        try await waiting.value
        try await assertReadsLikeNew(reader)
    }

    func test_a_reader_that_shows_what_is_unproven_goes_on_too() async throws {
        try await append(1...60)
        var configuration = FileEventReader.Configuration()
        configuration.includesUnproven = true
        let reader = try await FileEventReader(
            at: "store", in: disk, configuration: configuration)
        var position = LogPosition.start
        assertEach(try await readOn(reader, after: &position), 1...60)
        try disk.rewriteSegments { $0 > 50 }
        try await append(61...65)
        assertEach(try await readOn(reader, after: &position), 61...65)
    }

    func test_an_older_store_in_the_place_of_a_rewritten_one_is_not_followed() async throws {
        try await append(1...30)
        let early = disk.allStoreContents
        try await append(31...60)
        let reader = try await reader()
        _ = try await reader.wholeLog()
        for name in disk.fileNames where early[name] == nil {
            disk.replaceContents(of: name, with: nil)
        }
        for (name, bytes) in early { disk.replaceContents(of: name, with: bytes) }
        try disk.rewriteSegments { _ in true }
        let error = await storeError { _ = try await reader.waitForEvents(after: LogPosition(60)) }
        switch error {
        case .replaced, .damaged: break
        default: XCTFail("\(String(describing: error))")
        }
    }

    func test_a_page_is_not_read_from_an_old_file_that_is_still_open() async throws {
        try await append(1...100)
        let reader = try await reader()
        let before = try await reader.read(LogRead()).events.first
        XCTAssertEqual(before?.isRedacted, false)
        try disk.rewriteSegments { $0 == 1 }
        // There is more behind the page, so nothing else makes the reader look at the files.
        let after = try await reader.read(LogRead(limit: ReadLimit(events: 1))).events.first
        XCTAssertEqual(after?.isRedacted, true)
    }

    func test_on_a_real_disk_readers_go_on_while_a_store_is_scavenged() async throws {
        let path = try temporaryDirectory(self)
        for round in UInt64(1)...3 {
            let store = try await FileEventStore(at: path, configuration: small)
            for number in 1...60 {
                let payload = EventPayload(utf8: String(repeating: "\(number % 10)", count: 3_000))
                let event = NewEvent(EncodedEvent(name: "big", payload: payload))
                try await store.append(
                    AppendRequest([event], to: sampleStream("\(number % 4)"), expecting: .any))
            }
            try await store.truncate(
                TruncationRequest(sampleStream("1"), before: StreamVersion(round * 15)))
            await store.close()
            let reader = try await FileEventReader(at: path)
            let count = try await reader.wholeLog().count
            async let isScavenged = FileEventStore.scavenge(at: path).hasChanged
            for _ in 0..<20 {
                let log = try await reader.wholeLog()
                assertEach(log, 1...UInt64(count))
            }
            let hasChanged = try await isScavenged
            XCTAssertTrue(hasChanged)
            let log = try await reader.wholeLog()
            assertEach(log, 1...UInt64(count))
            let redacted = log.filter(\.isRedacted)
            XCTAssertEqual(redacted.count, Int(round) * 15 - 1)
            XCTAssertTrue(redacted.allSatisfy { $0.stream == sampleStream("1") })
            await reader.close()
        }
    }

    // MARK: - At every moment

    func test_a_reader_may_look_between_any_two_operations_of_a_rewriting() async throws {
        try await append(1...50)
        let shown = SimulatedDisk(seed: 33)
        disk.startRecording()
        try disk.rewriteSegments { $0 % 5 == 0 }
        try await append(51...53)
        let moments = disk.takeRecording()
        let first = try XCTUnwrap(moments.first)
        shown.turn(to: first)
        let patient = try await FileEventReader(on: shown)
        let step = StoreCrashRun.isOptimized ? 1 : 3
        for (turn, moment) in moments.enumerated() where turn % step == 0 {
            shown.turn(to: moment)
            for reader in [patient, try await FileEventReader(on: shown)] {
                try await look(reader, moment, turn)
            }
        }
        XCTAssertEqual(patient.position, LogPosition(53))
    }

    private func look(
        _ reader: FileEventReader, _ moment: SimulatedDisk.Moment, _ turn: Int
    ) async throws {
        let stream = sampleStream("\(turn % 4)")
        let page = try await reader.read(StreamRead(stream, limit: ReadLimit(events: 10_000)))
        let log = try await reader.wholeLog()
        XCTAssertGreaterThanOrEqual(log.count, 50, "\(moment.operation)")
        assertEach(log, 1...UInt64(max(1, log.count)))
        // Half of the reading may come before a rewriting and half after.
        XCTAssertEqual(
            page.events.map(\.id),
            log.filter { $0.stream == stream }.prefix(page.events.count).map(\.id),
            "\(moment.operation)")
        for event in log where event.position.rawValue % 5 != 0 {
            XCTAssertEqual(event.event.payload.count, 3_000, "\(moment.operation)")
        }
    }
}

extension SimulatedDisk {
    /// What is in every file of the store but the lock.
    fileprivate var allStoreContents: [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for name in fileNames where name != "LOCK" { result[name] = contents(of: name) }
        return result
    }
}

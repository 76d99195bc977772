@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Verifying finds whatever is wrong, says what it costs, and changes nothing.
final class VerificationTests: XCTestCase {
    func test_a_sound_store_has_no_problems_and_is_left_untouched() async throws {
        let store = try await MaintainedStore()
        let before = store.disk.allContents
        let report = try await store.verify()
        XCTAssertEqual(report.problems, [])
        XCTAssertTrue(report.isSound)
        XCTAssertEqual(report.eventCount, UInt64(store.events.count))
        XCTAssertEqual(report.lastPosition, store.events.last?.position)
        XCTAssertEqual(report.streamCount, Set(store.events.map(\.stream)).count)
        XCTAssertEqual(report.segmentCount, Int(store.segmentCount))
        XCTAssertEqual(report.commitCount, 190)
        XCTAssertGreaterThan(store.segmentCount, 3)
        XCTAssertEqual(report.unprovenEvents, 0)
        XCTAssertTrue(store.disk.allContents == before)
    }

    func test_a_store_that_was_killed_is_sound() async throws {
        let store = try await MaintainedStore(closes: false)
        let report = try await store.verify()
        XCTAssertEqual(report.problems, [])
        XCTAssertEqual(report.eventCount, UInt64(store.events.count))
    }

    func test_a_damaged_commit_is_reported_with_its_positions_and_what_to_do() async throws {
        let store = try await MaintainedStore()
        let place = try store.places(in: 2)[4]
        store.disk.flipBit(2, ofByte: Int(place.bodyOffset) + 40, in: LogLayout.segment(2))
        let report = try await store.verify()
        XCTAssertFalse(report.isSound)
        XCTAssertEqual(report.problems.count, 1)
        let problem = try XCTUnwrap(report.problems.first)
        let lost = place.firstPosition..<place.firstPosition + UInt64(place.eventCount)
        XCTAssertEqual(problem.kind, .commits)
        XCTAssertEqual(problem.file, LogLayout.segment(2))
        XCTAssertEqual(problem.offset, place.offset)
        XCTAssertEqual(problem.positions, lost)
        XCTAssertEqual(report.lostPositions, [lost])
        XCTAssertEqual(report.eventCount, UInt64(store.events.count) - UInt64(lost.count))
        XCTAssertTrue(problem.advice.contains("backup"))
    }

    func test_a_commit_that_defined_names_takes_only_its_own_events_along() async throws {
        let store = try await MaintainedStore()
        // The first commits of a segment define the names; its footer repeats them.
        let place = try store.places(in: 2)[0]
        store.disk.flipBit(2, ofByte: Int(place.bodyOffset) + 40, in: LogLayout.segment(2))
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.kind), [.commits])
        XCTAssertEqual(report.lostPositions.map(\.count), [Int(place.eventCount)])
    }

    func test_without_a_footer_the_records_of_lost_names_are_lost_too() async throws {
        let store = try await MaintainedStore()
        let last = store.segmentCount
        let place = try store.places(in: last)[0]
        store.disk.flipBit(2, ofByte: Int(place.bodyOffset) + 40, in: LogLayout.segment(last))
        let report = try await store.verify()
        XCTAssertGreaterThan(report.problems.count, 1)
        let lost = report.lostPositions.reduce(0) { $0 + $1.count }
        XCTAssertEqual(report.eventCount, UInt64(store.events.count - lost))
        XCTAssertTrue(report.problems.allSatisfy { $0.kind == .commits })
    }

    func test_a_version_that_is_missing_is_explained_by_a_lost_event_or_reported() {
        var ledger = StreamLedger()
        let stream = sampleStream("1")
        XCTAssertNil(ledger.note(stream, 1, at: 1))
        XCTAssertNil(ledger.note(stream, 2, at: 2))
        ledger.lose(3..<5)
        XCTAssertNil(ledger.note(stream, 5, at: 5))
        XCTAssertNotNil(ledger.note(stream, 7, at: 6))
        ledger.lose(7..<8)
        XCTAssertNotNil(ledger.note(stream, 10, at: 9))
        XCTAssertNotNil(ledger.note(stream, 10, at: 10))
        XCTAssertNil(ledger.note(sampleStream("2"), 3, at: 11))
        XCTAssertNotNil(ledger.note(sampleStream("3"), 6, at: 12))
    }

    func test_a_missing_segment_is_one_problem() async throws {
        let store = try await MaintainedStore()
        let places = try store.places(in: 2)
        store.disk.replaceContents(of: LogLayout.segment(2), with: nil)
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.kind), [.missingSegment])
        let count = places.reduce(0) { $0 + Int($1.eventCount) }
        XCTAssertEqual(report.lostPositions.map(\.count), [count])
    }

    func test_missing_small_files_are_damage_that_costs_no_event() async throws {
        for (file, kind) in [
            (StoreIdentity.fileName, StoreProblem.Kind.identity), (Manifest.fileName, .manifest),
        ] {
            let store = try await MaintainedStore()
            store.disk.replaceContents(of: file, with: nil)
            let report = try await store.verify()
            XCTAssertEqual(report.problems.map(\.kind), [kind])
            XCTAssertFalse(report.isSound)
            XCTAssertEqual(report.eventCount, UInt64(store.events.count))
        }
    }

    func test_saved_states_are_checked_in_themselves_and_against_the_log() async throws {
        let store = try await MaintainedStore()
        let open = try await FileEventStore(on: store.disk)
        for (name, position) in [("sound", 100), ("damaged", 100), ("foreign", 0), ("ahead", 200)] {
            try await open.checkpoints.save(
                Checkpoint(
                    projection: ProjectionName(name), revision: 1,
                    position: LogPosition(UInt64(position)), state: [1, 2, 3]))
        }
        await open.close()
        let sound = try await store.verify()
        XCTAssertEqual(sound.problems, [])

        let damaged = CheckpointFile.name(of: "damaged")
        store.disk.flipBit(0, ofByte: 80, in: damaged)
        let foreign = CheckpointFile.name(of: "foreign")
        store.disk.replaceContents(
            of: foreign, with: store.disk.contents(of: CheckpointFile.name(of: "sound")))
        var report = try await store.verify()
        func files(_ kind: StoreProblem.Kind) -> [String] {
            report.problems.filter { $0.kind == kind }.map(\.file)
        }
        XCTAssertEqual(files(.savedState), [damaged])
        XCTAssertEqual(files(.unusable), [foreign])
        XCTAssertFalse(report.isSound)
        store.disk.replaceContents(of: damaged, with: nil)
        report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.file), [foreign])
        XCTAssertTrue(report.isSound)

        let other = try await MaintainedStore(appends: 60)
        let position = try XCTUnwrap(other.events.last?.position.rawValue)
        XCTAssertGreaterThan(200, position)
        for name in store.disk.fileNames where name.hasPrefix("log/") || name == "MANIFEST" {
            store.disk.replaceContents(of: name, with: nil)
        }
        for name in other.disk.fileNames where name.hasPrefix("log/") || name == "MANIFEST" {
            store.disk.replaceContents(of: name, with: other.disk.contents(of: name))
        }
        store.disk.replaceContents(of: "STORE", with: other.disk.contents(of: "STORE"))
        report = try await store.verify()
        XCTAssertTrue(report.problems.contains { $0.reason.contains("beyond the end") })
    }

    func test_a_saved_state_of_a_newer_version_is_of_no_use_and_no_damage() async throws {
        let store = try await MaintainedStore(appends: 10)
        let open = try await FileEventStore(on: store.disk)
        try await open.checkpoints.save(
            Checkpoint(projection: "p", revision: 1, position: LogPosition(3), state: [1]))
        await open.close()
        let name = CheckpointFile.name(of: "p")
        var bytes = try XCTUnwrap(store.disk.contents(of: name))
        bytes[8] = 2
        bytes.put(crc32c(0, Array(bytes[..<(bytes.count - 4)])), at: bytes.count - 4)
        store.disk.replaceContents(of: name, with: bytes)
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.kind), [.unusable])
        XCTAssertTrue(report.isSound)
    }

    func test_a_saved_state_of_another_history_is_told_by_its_last_event() async throws {
        let store = try await MaintainedStore(appends: 60)
        let bytes = try XCTUnwrap(store.disk.contents(of: StoreIdentity.fileName))
        let id = try bytes.withUnsafeBytes { try StoreIdentity(decoding: $0) }.storeID
        try store.disk.openStore(at: "store", create: false)
            .makeDirectory(CheckpointFile.directory)
        let checkpoint = Checkpoint(
            projection: "other", revision: 1, position: LogPosition(50), state: [1])
        for (lastEvent, isSound) in [(store.events[49].id, true), (store.events[48].id, false)] {
            store.disk.replaceContents(
                of: CheckpointFile.name(of: "other"),
                with: CheckpointFile.encode(checkpoint, lastEvent: lastEvent, storeID: id))
            let report = try await store.verify()
            XCTAssertEqual(report.problems.isEmpty, isSound)
            XCTAssertTrue(report.problems.allSatisfy { $0.reason.contains("another event") })
        }
    }

    func test_a_footer_that_repeats_other_names_than_the_segment_has_is_told() throws {
        for isRight in [true, false] {
            let disk = SimulatedDisk()
            try NamingClient.writeLog(on: disk, isRight: isRight)
            let directory = try disk.openStore(at: "store", create: false)
            let tracker = ProgressTracker(directory, isCancelled: { false }, nil)
            let report = try StoreVerifier(directory, tracker).run()
            XCTAssertEqual(report.segmentCount, 2)
            XCTAssertEqual(report.problems.map(\.kind), isRight ? [] : [.footer])
        }
    }

    func test_beside_a_store_that_is_opened_and_begins_a_segment_nothing_is_called_damage()
        async throws
    {
        // The end of a closed log was looked at a second time, and then segments were read that had
        // begun in between, without what had come before them.
        for appends in 68...77 {
            let disk = SimulatedDisk(seed: 3)
            func write(_ count: Int, to store: FileEventStore) async throws {
                for number in 0..<count {
                    let payload = EventPayload(utf8: String(repeating: "\(number) ", count: 240))
                    let event = NewEvent(EncodedEvent(name: "sample.happened", payload: payload))
                    try await store.append(
                        AppendRequest(
                            [event], to: sampleStream("\(number % 5)"), expecting: .any))
                }
            }
            let first = try await FileEventStore(
                on: disk, configuration: MaintainedStore.configuration)
            try await write(appends, to: first)
            await first.close()
            disk.startRecording()
            let second = try await FileEventStore(
                on: disk, configuration: MaintainedStore.configuration)
            try await write(20, to: second)
            let moments = disk.takeRecording()
            await second.close()
            for start in 0..<12 {
                for pace in 2...6 {
                    let turning = TurningDisk(
                        SimulatedDisk(), through: Array(moments[start...]), pace: pace)
                    let report = try await FileEventStore.verify(at: "store", in: turning)
                    XCTAssertEqual(
                        report.problems.filter(\.kind.isDamage), [],
                        "\(appends), \(start) at \(pace)")
                }
            }
        }
    }

    func test_beside_a_store_that_is_opened_and_closed_again_nothing_is_called_damage() async throws
    {
        // The MANIFEST was read before, the segment in between, and the MANIFEST again afterwards: two
        // proper ends, neither of which was the one of what was read.
        let disk = SimulatedDisk(seed: 4)
        let first = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        try await first.appendSample(1)
        await first.close()
        disk.startRecording()
        let second = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        try await second.appendSample(2)
        await second.close()
        let moments = disk.takeRecording()
        for waits in 0..<6 {
            for pace in 1...20 {
                let waiting = Array(repeating: moments[0], count: waits * pace)
                let turning = TurningDisk(SimulatedDisk(), through: waiting + moments, pace: pace)
                let report = try await FileEventStore.verify(at: "store", in: turning)
                XCTAssertEqual(
                    report.problems.filter(\.kind.isDamage), [], "\(waits), then at \(pace)")
            }
        }
    }

    func test_a_newest_segment_of_another_history_is_told_though_it_has_more_frames_in_less_room()
        async throws
    {
        let disk = SimulatedDisk()
        let first = try await FileEventStore(on: disk)
        try await first.appendSample(1)
        await first.close()
        let other = disk.afterCrash(keeping: .everything, seed: 1)
        for (place, count, bytes) in [(disk, 4, 4_000), (other, 60, 10)] {
            let store = try await FileEventStore(on: place)
            for _ in 0..<count {
                let payload = EventPayload(utf8: String(repeating: "x", count: bytes))
                let event = NewEvent(EncodedEvent(name: "sample.happened", payload: payload))
                try await store.append(
                    AppendRequest([event], to: sampleStream("1"), expecting: .any))
            }
            place.fireTimers()
            place.crash(keeping: .everything)
            await store.close()
        }
        // Opened and not closed: the MANIFEST knows how far it went.
        let again = try await FileEventStore(on: disk)
        disk.crash(keeping: .everything)
        await again.close()
        let name = LogLayout.segment(1)
        disk.replaceContents(of: name, with: other.contents(of: name))
        let report = try await FileEventStore.verify(at: "store", in: disk)
        XCTAssertEqual(report.problems.map(\.kind), [.end])
        do {
            let opened = try await FileEventStore(on: disk)
            await opened.close()
            XCTFail("opened")
        } catch {
            guard case .damaged = error else { return XCTFail("\(error)") }
        }
    }

    func test_files_of_others_are_named() async throws {
        let store = try await MaintainedStore()
        store.disk.replaceContents(of: "notes.txt", with: [1])
        store.disk.replaceContents(of: "log/0000000001-0000.seg.bak", with: [1])
        let report = try await store.verify()
        XCTAssertEqual(report.problems.map(\.file), ["notes.txt", "log/0000000001-0000.seg.bak"])
        XCTAssertEqual(Set(report.problems.map(\.kind)), [.strayFile])
        XCTAssertTrue(report.isSound)
    }

    func test_what_is_not_a_store_is_refused() async throws {
        let error = await storeError {
            _ = try await FileEventStore.verify(at: "store", in: SimulatedDisk())
        }
        XCTAssertEqual(error, .notAStore(path: "store"))
        let missing = await storeError {
            _ = try await FileEventStore.verify(at: "/nowhere/at/all")
        }
        XCTAssertEqual(missing, .notAStore(path: "/nowhere/at/all"))
    }

    func test_an_open_store_can_be_verified() async throws {
        let path = try temporaryDirectory(self) + "/store"
        let store = try await FileEventStore(at: path)
        for number in 1...20 { try await store.appendSample(number) }
        let told = Guarded<[MaintenanceProgress]>([])
        let report = try await FileEventStore.verify(at: path) { progress in
            told.withLock { $0.append(progress) }
        }
        XCTAssertEqual(report.problems, [])
        XCTAssertEqual(report.eventCount, 20)
        XCTAssertEqual(told.withLock { $0.last?.events }, 20)
        await store.close()
    }

    func test_verifying_ends_when_its_task_is_cancelled() async throws {
        let store = try await MaintainedStore()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await store.verify()
        }
        let result = await task.result
        XCTAssertThrowsError(try result.get()) {
            XCTAssertEqual($0 as? EventStoreError, .cancelled)
        }
    }
}

/// Writes a log whose footers repeat the names of their segment, or others.
private final class NamingClient: LogClient {
    private let isRight: Bool
    private var names = SegmentNames()

    private init(isRight: Bool) { self.isRight = isRight }

    func segmentBegan(_ segment: UInt32) { names = SegmentNames() }
    func replay(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody) {}
    func footerContent(of segment: UInt32) -> [UInt8] {
        isRight ? names.footer : SegmentNames().footer
    }

    static func writeLog(on disk: SimulatedDisk, isRight: Bool) throws {
        let client = NamingClient(isRight: isRight)
        var configuration = LogConfiguration()
        configuration.segmentBytes = 8_192
        let directory = try disk.openStore(at: "store", create: true)
        let log = try CommitLog.open(directory, configuration: configuration, client: client)
        for number in 1...UInt64(2) {
            let event = RecordedEvent(
                event: EncodedEvent(
                    name: "sample.big",
                    payload: EventPayload([UInt8](repeating: 1, count: 3_900))),
                id: MessageID(high: 1, low: number), stream: sampleStream("1"),
                version: StreamVersion(number), position: LogPosition(number),
                recordedAt: Timestamp(nanoseconds: 1))
            _ = try log.commit(client: client, eventCount: 1, sizeHint: 4_000) { context, writer in
                client.write(event, context, to: &writer)
            }
        }
        try log.close()
    }

    private func write(
        _ event: RecordedEvent, _ context: FrameContext, to writer: inout ByteWriter
    ) {
        let body = FrameBody(context: context, start: writer.count)
        let stream = body.write(.stream(event.stream), to: &writer)
        let type = body.write(.type(StoredType(event.event)), to: &writer)
        names.add(.stream(event.stream), stream)
        names.add(.type(StoredType(event.event)), type)
        body.writeEntry(count: 1, to: &writer)
        _ = body.write(
            event, occurredAt: nil, recordedAt: nil, stream: stream, type: type, to: &writer)
    }
}

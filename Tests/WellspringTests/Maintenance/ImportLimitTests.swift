@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// An import takes what a record can hold, and refuses the rest.
final class ImportLimitTests: XCTestCase {
    private typealias Append = (event: RecordedEvent, key: StoreExamination.AppendKey?)

    private func event(
        name: EventName = "a", tags: [Tag] = [], stream: StreamID = sampleStream("1")
    ) -> RecordedEvent {
        RecordedEvent(
            event: EncodedEvent(name: name, payload: EventPayload(utf8: "{}")),
            id: MessageID(high: 1, low: 2), stream: stream, version: StreamVersion(1),
            position: LogPosition(1), recordedAt: Timestamp(nanoseconds: 5), tags: tags)
    }

    private func text(_ count: Int) -> String { String(repeating: "n", count: count) }

    private func key(_ count: Int, fingerprint: Int = 16) -> StoreExamination.AppendKey {
        StoreExamination.AppendKey(
            key: text(count), fingerprint: [UInt8](repeating: 3, count: fingerprint))
    }

    func test_what_is_wider_than_a_record_can_say_is_refused() async throws {
        let prefix = "sample/".utf8.count
        let appends: [(what: String, append: Append)] = [
            ("tags", (event(tags: (0..<256).map { Tag("tag\($0)") }), nil)),
            ("tag", (event(tags: [Tag(text(65_536))]), nil)),
            ("name", (event(name: EventName(text(65_536))), nil)),
            ("stream", (event(stream: sampleStream(text(65_536 - prefix))), nil)),
            ("key", (event(), key(65_536))),
        ]
        for (what, append) in appends {
            let importing = try StoreImport(at: "store", in: SimulatedDisk())
            do {
                try importing.append([append.event], key: append.key)
                XCTFail("\(what) was taken")
            } catch EventStoreError.limitExceeded(let told, let size, let limit) {
                XCTAssertTrue(told.contains(what), told)
                XCTAssertEqual(size, limit + 1)
            } catch {
                XCTFail("\(what): \(error)")
            }
            importing.abandon()
        }
    }

    func test_a_fingerprint_of_another_length_is_refused() throws {
        for length in [0, 15, 17] {
            let importing = try StoreImport(at: "store", in: SimulatedDisk())
            do {
                try importing.append([event()], key: key(5, fingerprint: length))
                XCTFail("\(length) bytes were taken")
            } catch {
                guard case .invalidRequest = error else { return XCTFail("\(error)") }
            }
            importing.abandon()
        }
    }

    func test_what_a_record_can_just_say_is_kept_and_read() async throws {
        let prefix = "sample/".utf8.count
        let appends: [(what: String, append: Append)] = [
            ("tags", (event(tags: (0..<255).map { Tag("tag\($0)") }), nil)),
            ("tag", (event(tags: [Tag(text(65_535))]), nil)),
            ("name", (event(name: EventName(text(65_535))), nil)),
            ("stream", (event(stream: sampleStream(text(65_535 - prefix))), nil)),
            ("key", (event(), key(65_535))),
        ]
        for (what, append) in appends {
            let disk = SimulatedDisk()
            let importing = try StoreImport(at: "store", in: disk)
            try importing.append([append.event], key: append.key)
            try importing.finish()
            var found: [RecordedEvent] = []
            var keys: [StoreExamination.AppendKey?] = []
            var examination = try StoreExamination(at: "store", in: disk)
            try examination.read {
                guard case .append(let events, let key) = $0 else { return true }
                found += events
                keys.append(key)
                return true
            }
            XCTAssertEqual(found, [append.event], what)
            XCTAssertEqual(keys, [append.key], what)
            let store = try await FileEventStore(on: disk)
            let log = try await store.wholeLog()
            XCTAssertEqual(log, [append.event], what)
            await store.close()
        }
    }

    func test_what_a_store_takes_fits_a_record() {
        XCTAssertLessThanOrEqual(StoreLimits.tagsPerEvent, RecordFormat.Width.tags)
        let prefix = StreamTruncation.prefixLength
        for limit in [
            StoreLimits.tag, StoreLimits.eventName, StoreLimits.streamName + prefix,
            StoreLimits.key,
        ] {
            XCTAssertLessThanOrEqual(limit, RecordFormat.Width.name)
        }
    }
}

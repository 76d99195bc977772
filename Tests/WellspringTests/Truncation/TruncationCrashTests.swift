import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// The power goes off at every operation of a store that truncates a stream again and again.
final class TruncationCrashTests: XCTestCase {
    private let stream = sampleStream("1")

    /// What was acknowledged at each note on the disk: where the stream begins, and its version.
    private typealias Acknowledged = [(first: UInt64, version: UInt64)]

    private func configuration(_ durability: Durability) -> FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.durability = durability
        configuration.segmentBytes = 64 << 10
        return configuration
    }

    /// Appends and truncates, with the store closed in between, and small segments that are filled.
    private func live(
        on disk: SimulatedDisk, _ durability: Durability
    ) async throws -> Acknowledged {
        var acknowledged: Acknowledged = [(1, 0)]
        let payload = EventPayload([UInt8](repeating: 1, count: 7_000))
        let event = NewEvent(EncodedEvent(name: "large", payload: payload))
        for round in 1...3 as ClosedRange<UInt64> {
            let store = try await FileEventStore(on: disk, configuration: configuration(durability))
            for step in 1...6 as ClosedRange<UInt64> {
                let request = AppendRequest(
                    [event, event], to: self.stream,
                    expecting: .exactly(.init(round * 12 + step * 2 - 14)))
                let version = try await store.append(request).version
                acknowledged.append((acknowledged[acknowledged.count - 1].first, version.rawValue))
                disk.setNote(acknowledged.count - 1)
                guard step % 2 == 0 else { continue }
                let before = step == 6 ? nil : StreamVersion(version.rawValue - 2)
                let first = try await store.truncate(
                    TruncationRequest(self.stream, before: before)
                ).firstVersion
                acknowledged.append((first.rawValue, version.rawValue))
                disk.setNote(acknowledged.count - 1)
            }
            await store.close()
        }
        return acknowledged
    }

    func test_what_was_acknowledged_is_there_after_a_crash_at_any_operation() async throws {
        for (durability, number) in [
            (.everyCommit, 0), (.strict, 1), (.osManaged, 2),
        ] as [(Durability, UInt64)] {
            let seed = UInt64(Size.firstSeed) + number
            let disk = SimulatedDisk(seed: seed)
            disk.startRecording()
            let acknowledged = try await live(on: disk, durability)
            let moments = disk.takeRecording()
            XCTAssertGreaterThan(moments.count, 60)
            for moment in moments {
                let left = SimulatedDisk(after: moment, keeping: .chance, seed: seed)
                let store = try await FileEventStore(
                    on: left, configuration: configuration(durability))
                let page = try await store.read(StreamRead(stream))
                if durability != .osManaged {
                    let least = acknowledged[moment.note]
                    XCTAssertGreaterThanOrEqual(page.firstVersion.rawValue, least.first)
                    XCTAssertGreaterThanOrEqual(page.version.rawValue, least.version)
                }
                // Nothing was invented, and reads show what the log says.
                XCTAssertTrue(
                    acknowledged.contains {
                        $0 == (page.firstVersion.rawValue, page.version.rawValue)
                    })
                let requests = try await store.read(LogRead(filter: .tagged(.scavenge)))
                let last = try requests.events.last.map { try StreamTruncation($0).before }
                XCTAssertEqual(page.firstVersion, last ?? StreamVersion(1))
                let first = page.firstVersion.rawValue
                try await store.assertReads(stream, Array(first..<page.version.rawValue + 1))
                await store.close()
                let reader = try await FileEventReader(on: left)
                let seen = try await reader.read(StreamRead(stream))
                XCTAssertEqual(seen.firstVersion, page.firstVersion)
                await reader.close()
            }
        }
    }
}

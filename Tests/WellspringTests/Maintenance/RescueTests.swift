@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A damaged commit of many appends gives those that can be proved.
final class RescueTests: XCTestCase {
    private static let appendCount = 12

    /// A store whose only commit has twelve appends of three events, and where they lie.
    private func store() throws -> (disk: SimulatedDisk, place: FramePlace, [InspectedAppend]) {
        let disk = SimulatedDisk()
        let builder = try StoreBuilder(in: disk.openStore(at: "store", create: true))
        var appends: [BuiltAppend] = []
        for append in 0..<Self.appendCount {
            let records = (0..<3).map { BuiltRecord(event(append * 3 + $0), frameTime: 1) }
            appends.append(BuiltAppend(records))
        }
        try builder.commit(appends, at: 1)
        try builder.finish()
        var place: FramePlace?
        var found: [InspectedAppend] = []
        var reading = AppendReading()
        try LogInspection(disk.openStore(at: "store", create: false)).run { item in
            if case .frame(let frame) = item, frame.header.kind == .group {
                place = frame.place
                found = try reading.appends(in: frame)
            }
            return true
        }
        return (disk, try XCTUnwrap(place), found)
    }

    private func event(_ number: Int) -> RecordedEvent {
        RecordedEvent(
            event: EncodedEvent(
                name: "sample.happened",
                payload: EventPayload(utf8: String(repeating: "\(number) ", count: 30))),
            id: MessageID(high: 1, low: UInt64(number)), stream: sampleStream("\(number % 3)"),
            version: StreamVersion(UInt64(number / 3 + 1)),
            position: LogPosition(UInt64(number + 1)), recordedAt: Timestamp(nanoseconds: 1))
    }

    /// Salvages a store after one byte was changed; returns the numbers of the appends that are
    /// kept, after checking that each is whole and as it was.
    private func kept(_ disk: SimulatedDisk) async throws -> [Int] {
        let target = SimulatedDisk(seed: 3)
        target.advanceClock(nanoseconds: 1_000_000_000_000)
        let report = try await FileEventStore.salvage(
            from: "store", in: disk, to: "new", in: target)
        let verified = try await FileEventStore.verify(at: "new", in: target)
        XCTAssertEqual(verified.problems, [])
        let opened = try await FileEventStore(on: target)
        let events = try await opened.wholeLog()
        await opened.close()
        XCTAssertEqual(UInt64(events.count), report.eventCount)
        let expected = events.map { event(Int($0.position.rawValue) - 1) }
        XCTAssertTrue(events == expected, "an event was changed")
        let numbers = Dictionary(grouping: events) { Int($0.position.rawValue - 1) / 3 }
        // Only an event whose own name is lost is taken out of an append.
        let missing = numbers.values.reduce(0) { $0 + 3 - $1.count }
        XCTAssertLessThanOrEqual(missing, Int(report.unresolvedEvents), "half an append")
        return numbers.keys.sorted()
    }

    func test_damage_to_a_record_costs_its_own_append_and_no_other() async throws {
        let (disk, place, appends) = try store()
        for (number, append) in appends.enumerated() {
            let record = append.records[1].bytes
            let copy = disk.afterCrash(keeping: .everything, seed: 1)
            copy.flipBit(
                1, ofByte: Int(place.bodyOffset) + record.lowerBound + 50,
                in: LogLayout.segment(1))
            let numbers = try await kept(copy)
            // The end of the append before the damage has no witness, so that may be lost as well.
            XCTAssertTrue(
                Set(0..<max(0, number - 1)).isSubset(of: numbers), "\(number): \(numbers)")
            XCTAssertTrue(
                Set(number + 1..<Self.appendCount).isSubset(of: numbers), "\(number): \(numbers)")
            XCTAssertFalse(numbers.contains(number))
        }
    }

    func test_a_changed_number_of_events_in_an_append_does_not_make_it_smaller() async throws {
        let (disk, place, appends) = try store()
        for append in [appends[0], appends[4], appends[Self.appendCount - 1]] {
            for bit in 0..<append.head.count * 8 {
                let copy = disk.afterCrash(keeping: .everything, seed: 1)
                copy.flipBit(
                    bit % 8, ofByte: Int(place.bodyOffset) + append.head.lowerBound + bit / 8,
                    in: LogLayout.segment(1))
                let count = try await kept(copy).count
                XCTAssertGreaterThanOrEqual(count, Self.appendCount - 2, "bit \(bit)")
            }
        }
    }

    func test_no_changed_bit_of_a_body_makes_an_event_up_or_moves_one() async throws {
        let (disk, place, _) = try store()
        var saved = 0
        for bit in stride(from: 0, to: place.bodyLength * 8, by: 37) {
            let copy = disk.afterCrash(keeping: .everything, seed: 1)
            copy.flipBit(
                bit % 8, ofByte: Int(place.bodyOffset) + bit / 8, in: LogLayout.segment(1))
            saved += try await kept(copy).count
        }
        XCTAssertGreaterThan(saved, place.bodyLength * 8 / 37 * (Self.appendCount - 3))
    }
}

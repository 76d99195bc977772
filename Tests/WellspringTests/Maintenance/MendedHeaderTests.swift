import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// One changed bit in the header of a commit is found by its checksum, and costs nothing.
final class MendedHeaderTests: XCTestCase {
    private let segment = LogLayout.segment(1)

    private func salvaged(
        _ disk: SimulatedDisk
    ) async throws -> (report: SalvageReport, events: [RecordedEvent]) {
        let target = SimulatedDisk(seed: 9)
        target.advanceClock(nanoseconds: 1_000_000_000_000)
        let report = try await FileEventStore.salvage(
            from: "store", in: disk, to: "new", in: target)
        let opened = try await FileEventStore(on: target)
        let events = try await opened.wholeLog()
        await opened.close()
        return (report, events)
    }

    func test_no_changed_bit_in_the_header_of_a_commit_costs_an_event() async throws {
        let store = try await MaintainedStore(appends: 12)
        let places = try store.places(in: 1)
        for place in [places[0], places[6], places[11]] {
            for bit in stride(from: 0, to: FrameHeader.length * 8, by: 7) {
                let disk = store.disk.afterCrash(keeping: .everything, seed: 1)
                disk.flipBit(bit % 8, ofByte: Int(place.offset) + bit / 8, in: segment)
                let verified = try await FileEventStore.verify(at: "store", in: disk)
                XCTAssertEqual(verified.problems.map(\.kind), [.commits], "bit \(bit)")
                XCTAssertEqual(verified.problems.map(\.offset), [place.offset], "bit \(bit)")
                XCTAssertEqual(verified.lostPositions, [], "bit \(bit)")
                XCTAssertFalse(verified.isSound)
                let (report, events) = try await salvaged(disk)
                XCTAssertEqual(report.holes, [], "bit \(bit)")
                XCTAssertTrue(events == store.events, "bit \(bit)")
            }
        }
    }

    func test_what_costs_no_event_is_not_said_to_cost_some() async throws {
        let store = try await MaintainedStore(appends: 12)
        let place = try store.places(in: 1)[6]
        store.disk.flipBit(2, ofByte: Int(place.offset) + 33, in: segment)
        let verified = try await store.verify()
        let problem = try XCTUnwrap(verified.problems.first)
        XCTAssertTrue(problem.advice.contains("No event is lost"), problem.advice)
    }

    func test_a_header_with_two_changed_bits_is_not_guessed_at() async throws {
        let store = try await MaintainedStore(appends: 12)
        let place = try store.places(in: 1)[6]
        let lost = place.firstPosition..<place.firstPosition + UInt64(place.eventCount)
        for bit in stride(from: 0, to: FrameHeader.length * 8 - 60, by: 31) {
            let disk = store.disk.afterCrash(keeping: .everything, seed: 1)
            for bit in [bit, bit + 59] {
                disk.flipBit(bit % 8, ofByte: Int(place.offset) + bit / 8, in: segment)
            }
            let (report, events) = try await salvaged(disk)
            XCTAssertEqual(report.holes, [lost], "bit \(bit)")
            XCTAssertTrue(
                events == store.events.filter { !lost.contains($0.position.rawValue) },
                "bit \(bit)")
        }
    }

    func test_a_commit_with_a_changed_bit_in_its_header_and_one_in_its_body_is_damaged_in_part()
        async throws
    {
        let store = try await MaintainedStore(appends: 12)
        let place = try store.places(in: 1)[5]
        XCTAssertGreaterThan(place.eventCount, 1)
        store.disk.flipBit(2, ofByte: Int(place.offset) + 33, in: segment)
        store.disk.flipBit(2, ofByte: Int(place.bodyOffset) + place.bodyLength / 2, in: segment)
        let verified = try await store.verify()
        let lost = place.firstPosition..<place.firstPosition + UInt64(place.eventCount)
        XCTAssertEqual(verified.lostPositions, [lost])
        XCTAssertEqual(verified.problems.map(\.kind), [.commits])
        let report = try await salvaged(store.disk).report
        XCTAssertEqual(report.holes, [lost])
    }

    func test_a_changed_bit_in_the_header_of_a_seal_keeps_what_follows_readable() async throws {
        let store = try await MaintainedStore()
        var seal: FrameHeader?
        try LogInspection(store.disk.openStore(at: "store", create: false)).run { item in
            if case .frame(let frame) = item, frame.header.kind == .seal { seal = frame.header }
            return seal == nil
        }
        let offset = Int(try XCTUnwrap(seal?.offset))
        store.disk.flipBit(2, ofByte: offset + 33, in: segment)
        let verified = try await store.verify()
        XCTAssertEqual(verified.problems.map(\.kind), [.footer])
        XCTAssertEqual(verified.eventCount, UInt64(store.events.count))
    }
}

import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// A name is written once a segment: its loss must not cost the events that only refer to it.
final class LostNameTests: XCTestCase {
    private let segment = LogLayout.segment(1)

    /// A store of as many appends to one stream, which its first commit names.
    private func store(appends: Int = 50) async throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        for number in 1...appends { try await store.appendSample(number) }
        await store.close()
        return disk
    }

    private func zero(_ range: Range<Int>, of disk: SimulatedDisk) throws {
        var contents = try XCTUnwrap(disk.contents(of: segment))
        for index in range { contents[index] = 0 }
        disk.replaceContents(of: segment, with: contents)
    }

    private func salvage(_ disk: SimulatedDisk) async throws -> SalvageReport {
        try await FileEventStore.salvage(
            from: "store", in: disk, to: "new", in: SimulatedDisk(seed: 9))
    }

    private func definitions(
        in place: FramePlace, of disk: SimulatedDisk
    ) throws -> [(offset: Int, definition: Definition)] {
        var found: [(offset: Int, definition: Definition)] = []
        try LogInspection(disk.openStore(at: "store", create: false)).run { item in
            guard case .frame(let frame) = item, frame.place == place else { return true }
            var reader = BodyReader(frame.body, at: frame.place.bodyOffset)
            while case .definition(let reference, let definition)? = try reader.next() {
                found.append((Int(reference) * 8, definition))
            }
            return false
        }
        return found
    }

    private func places(_ disk: SimulatedDisk) throws -> [FramePlace] {
        var places: [FramePlace] = []
        try LogInspection(disk.openStore(at: "store", create: false)).run { item in
            if case .frame(let frame) = item, frame.header.kind == .group {
                places.append(frame.place)
            }
            return true
        }
        return places
    }

    func test_a_destroyed_header_of_the_commit_that_names_a_stream_costs_only_that_commit()
        async throws
    {
        let disk = try await store()
        try zero(4_096..<4_160, of: disk)

        let report = try await salvage(disk)
        XCTAssertEqual(report.holes, [1..<2])
        XCTAssertEqual(report.eventCount, 49)
        XCTAssertEqual(report.unresolvedEvents, 0)

        let verified = try await FileEventStore.verify(at: "store", in: disk)
        XCTAssertEqual(verified.lostPositions, [1..<2])
        XCTAssertEqual(verified.problems.map(\.kind), [.commits])
        XCTAssertEqual(verified.eventCount, 49)

        var examined = 0
        var problems: [StoreProblem] = []
        var examination = try StoreExamination(at: "store", in: disk)
        try examination.read { item in
            switch item {
            case .append(let events, _): examined += events.count
            case .problem(let problem): problems.append(problem)
            default: break
            }
            return true
        }
        XCTAssertEqual(examined, 49)
        XCTAssertEqual(problems.map(\.positions), [1..<2])
    }

    func test_a_name_longer_than_most_is_found_too() async throws {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk)
        let key = String(repeating: "k", count: 400)
        for number in 1...5 { try await store.appendSample(number, to: key) }
        await store.close()
        try zero(4_096..<4_160, of: disk)
        let report = try await salvage(disk)
        XCTAssertEqual(report.holes, [1..<2])
    }

    func test_a_name_that_is_destroyed_itself_is_not_made_up() async throws {
        let disk = try await store()
        let names = try definitions(in: XCTUnwrap(places(disk).first), of: disk)
        XCTAssertEqual(names.count, 2)
        // The header, and one byte of the name of the stream.
        try zero(4_096..<4_160, of: disk)
        disk.flipBit(0, ofByte: names[0].offset + 14, in: segment)
        let report = try await salvage(disk)
        XCTAssertEqual(report.eventCount, 0)
        XCTAssertEqual(report.unresolvedEvents, 49)
        let verified = try await FileEventStore.verify(at: "store", in: disk)
        XCTAssertEqual(verified.lostPositions, [1..<51])
    }

    /// A store whose second commit names two streams, one right behind the other.
    private func storeOfTwoNames() async throws -> (disk: SimulatedDisk, first: Int, second: Int) {
        let disk = SimulatedDisk()
        let store = try await FileEventStore(on: disk, configuration: MaintainedStore.configuration)
        try await store.appendSample(1, to: "before")
        try await store.append(
            AppendRequest([
                StreamWrite([sampleEvent(2)], to: sampleStream("a"), expecting: .any),
                StreamWrite([sampleEvent(3)], to: sampleStream("b"), expecting: .any),
            ]))
        // Enough for the segment to be sealed, so that it is not read when the store is opened.
        var number = 4
        while disk.contents(of: LogLayout.segment(2)) == nil {
            try await store.appendSample(number, to: "a")
            number += 1
        }
        await store.close()
        let names = try definitions(in: places(disk)[1], of: disk)
        XCTAssertEqual(
            names.map(\.definition), [.stream(sampleStream("a")), .stream(sampleStream("b"))])
        return (disk, names[0].offset, names[1].offset)
    }

    func test_a_read_does_not_take_the_next_name_for_one_that_became_zeros() async throws {
        let (disk, first, second) = try await storeOfTwoNames()
        try zero(first..<second, of: disk)
        let opened = try await FileEventStore(
            on: disk, configuration: MaintainedStore.configuration)
        let error = await storeError {
            _ = try await opened.read(StreamRead(sampleStream("a"), .forward(after: .start)))
        }
        guard case .damaged(let damage)? = error else { return XCTFail("\(error as Any)") }
        XCTAssertEqual(damage.file, segment)
        XCTAssertEqual(damage.offset, UInt64(first))
        let whole = try await opened.read(StreamRead(sampleStream("b"), .forward(after: .start)))
        XCTAssertEqual(whole.events.map(\.position), [LogPosition(3)])
        await opened.close()
    }

    func test_a_salvage_does_not_take_the_next_name_for_one_that_became_zeros() async throws {
        let (disk, first, second) = try await storeOfTwoNames()
        let count = UInt64(try places(disk).reduce(0) { $0 + Int($1.eventCount) })
        // The footer would know the name: it is lost as well.
        let whole = try XCTUnwrap(disk.contents(of: segment))
        disk.replaceContents(of: segment, with: Array(whole.dropLast(64)))
        try zero(first..<second, of: disk)
        let target = SimulatedDisk(seed: 9)
        let report = try await FileEventStore.salvage(
            from: "store", in: disk, to: "new", in: target)
        XCTAssertGreaterThan(report.unresolvedEvents, 100)
        let opened = try await FileEventStore(on: target)
        let found = try await opened.read(StreamRead(sampleStream("b"), .forward(after: .start)))
        XCTAssertLessThanOrEqual(found.events.count, 1)
        await opened.close()
        XCTAssertEqual(report.eventCount + report.lostEvents, count)
    }
}

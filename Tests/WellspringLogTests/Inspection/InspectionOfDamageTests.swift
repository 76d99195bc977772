import WellspringLog
import WellspringTestKit
import XCTest

/// Damage of every kind at every place: nothing that is left is missed, nothing is made up.
final class InspectionOfDamageTests: XCTestCase {
    func test_a_lost_sector_costs_only_the_frames_that_it_touches() throws {
        let log = try InspectedLog.closed()
        for segment in UInt32(1)...4 {
            let name = LogLayout.segment(segment)
            let contents = try XCTUnwrap(log.disk.contents(of: name))
            for start in stride(from: 0, to: contents.count, by: 512) {
                let sector = UInt64(start)..<UInt64(start + 512)
                try log.overwrite(sector, of: segment, with: UInt8(truncatingIfNeeded: start / 512))
                let result = try log.inspect()
                log.assertEachEventIsFoundOrLost(result)
                let touched = log.places(in: segment).filter {
                    $0.bodyOffset + UInt64($0.bodyLength) > sector.lowerBound
                        && $0.offset < sector.upperBound
                }
                XCTAssertEqual(
                    result.lost, touched.flatMap { Array(log.positions(of: $0)) },
                    "\(name) \(start)")
                log.disk.replaceContents(of: name, with: contents)
            }
        }
    }

    func test_sectors_that_cannot_be_read_cost_only_the_frames_that_they_touch() throws {
        let log = try InspectedLog.closed()
        let place = log.places(in: 2)[5]
        let name = LogLayout.segment(2)
        let directory = BadSectors(
            in: place.offset..<place.offset + 700, of: name,
            try log.disk.openStore(at: "/store", create: false))
        var lost: [UInt64] = []
        var reasons: [String] = []
        var found: [FramePlace] = []
        try LogInspection(directory).run { item in
            if case .frame(let frame) = item, frame.header.kind == .group {
                found.append(frame.place)
            }
            if case .damage(let damage) = item {
                lost += Array(damage.positions ?? 0..<0)
                reasons.append(damage.reason)
            }
            return true
        }
        XCTAssertTrue(lost.contains(place.firstPosition))
        XCTAssertTrue(reasons.contains { $0.contains("cannot be read") }, "\(reasons)")
        // Reads fail by pages, so the neighbours in the page are lost too, and no others.
        XCTAssertGreaterThanOrEqual(found.count, log.places.count - 10)
        XCTAssertEqual(lost.count + found.count * 2, log.places.count * 2)
    }

    func test_what_is_read_wrong_is_read_again_twice_before_it_is_called_damaged() throws {
        let log = try InspectedLog.closed()
        let place = log.places(in: 2)[5]
        let length = try UInt64(XCTUnwrap(log.disk.contents(of: LogLayout.segment(2))).count)
        for (range, kind) in [
            (place.bodyOffset..<place.bodyOffset + 9, InspectedDamage.Kind.frames),
            (place.offset..<place.offset + 9, .frames), (0..<9, .segmentHeader),
            (length - 9..<length, .footer),
        ] {
            for wrongReads in 1...4 {
                let directory = BadSectors(
                    in: range, of: LogLayout.segment(2),
                    try log.disk.openStore(at: "/store", create: false), wrongReads: wrongReads)
                var kinds: [InspectedDamage.Kind] = []
                try LogInspection(directory).run { item in
                    if case .damage(let damage) = item { kinds.append(damage.kind) }
                    return true
                }
                XCTAssertEqual(kinds, wrongReads < 3 ? [] : [kind], "\(range) \(wrongReads)")
            }
        }
    }

    func test_who_goes_on_behind_a_seal_reads_a_wrong_trailer_again() throws {
        let log = try InspectedLog.closed()
        let length = try UInt64(XCTUnwrap(log.disk.contents(of: LogLayout.segment(2))).count)
        let sound = try log.disk.openStore(at: "/store", create: false)
        var seal: LogEnd?
        try LogInspection(sound).run { item in
            if case .frame(let frame) = item, frame.header.kind == .seal, frame.place.segment == 2 {
                seal = LogEnd(after: frame.header, in: 2)
            }
            return true
        }
        for wrongReads in 1...2 {
            let directory = BadSectors(
                in: length - 9..<length, of: LogLayout.segment(2), sound, wrongReads: wrongReads)
            var found: [FramePlace] = []
            try LogInspection(directory).run(after: XCTUnwrap(seal)) { item in
                if case .frame(let frame) = item, frame.header.kind == .group {
                    found.append(frame.place)
                }
                if case .damage(let damage) = item { XCTFail("\(damage)") }
                return true
            }
            XCTAssertEqual(found, log.places.filter { $0.segment > 2 })
        }
    }

    func test_copies_of_frames_inside_payloads_are_not_taken_for_frames() throws {
        let fixture = LogFixture()
        try fixture.open()
        let first = try fixture.commit(bytes(300))
        let name = try fixture.newestSegment
        let frame = try XCTUnwrap(fixture.disk.contents(of: name))[
            Int(first.offset)..<Int(first.bodyOffset) + 304]
        let imitation = try fixture.commit(bytes(8) + Array(frame) + bytes(8))
        let third = try fixture.commit(bytes(300))
        try fixture.close()
        for bit in 0..<2 { fixture.disk.flipBit(bit, ofByte: Int(imitation.offset), in: name) }
        let result = try InspectionResult(fixture.disk)
        XCTAssertEqual(result.groups.map(\.place), [first, third])
        XCTAssertEqual(result.lost, [2])
    }

    func test_segments_that_were_exchanged_give_nothing_and_are_told() throws {
        let log = try InspectedLog.closed()
        let second = log.disk.contents(of: LogLayout.segment(2))
        log.disk.replaceContents(
            of: LogLayout.segment(2), with: log.disk.contents(of: LogLayout.segment(3)))
        log.disk.replaceContents(of: LogLayout.segment(3), with: second)
        let result = try log.inspect()
        XCTAssertEqual(result.damage.map(\.kind), [.segmentHeader, .segmentHeader])
        log.assertEachEventIsFoundOrLost(result)
    }

    /// What an opening refuses an inspection tells, and what it accepts is no damage.
    func test_an_inspection_judges_like_an_opening() throws {
        for closes in [true, false] {
            let store = RottenStore {
                RottenStore.life($0)
                if closes { $0.close() } else { $0.mark() }
            }
            var disagreements: [String] = []
            var reported = 0
            for (name, contents) in store.files.sorted(by: { $0.key < $1.key }) {
                for bit in stride(from: 0, to: contents.count * 8, by: 1_511) {
                    var result: InspectionResult?
                    let outcome = store.open { disk in
                        disk.flipBit(bit % 8, ofByte: bit / 8, in: name)
                        result = try? InspectionResult(disk)
                    }
                    if outcome == .reported { reported += 1 }
                    let isSound = result.map(\.damage.isEmpty) ?? false
                    if isSound != (outcome == .harmless) {
                        disagreements.append("\(name) \(bit): \(outcome), \(result as Any)")
                    }
                }
            }
            XCTAssertEqual(disagreements.prefix(3), [])
            XCTAssertGreaterThan(reported, 100)
        }
    }

    func test_a_crash_leaves_nothing_that_an_inspection_calls_damage() throws {
        var unfinished = 0
        for seed in UInt64(1)...200 {
            let disk = SimulatedDisk(seed: seed)
            let fixture = LogFixture(disk, segmentBytes: 16_384)
            fixture.configuration.durability = seed % 2 == 0 ? .osManaged : .everyCommit
            try fixture.open()
            let count = 5 + Int(seed % 40)
            disk.inject(.powerCut(at: disk.operationCount + count * 2))
            for number in 0..<count * 2 {
                guard (try? fixture.commit(bytes(100 + number * 37, seed: number))) != nil else {
                    break
                }
            }
            try fixture.crash(keeping: .chance)
            let result = try InspectionResult(disk)
            XCTAssertEqual(result.damage, [], "seed \(seed)")
            unfinished += result.unfinished.count
            try fixture.open()
            XCTAssertEqual(fixture.client.places, result.groups.map(\.place), "seed \(seed)")
        }
        XCTAssertGreaterThan(unfinished, 20)
    }
}

/// A directory in which a part of a file cannot be read, or is read wrong for some times.
private final class BadSectors: ForwardingDirectory {
    private let range: Range<UInt64>
    private let name: String
    let base: any StoreDirectory
    /// How often the file is still read wrong; `nil` when it cannot be read at all.
    private let wrongReads: Guarded<Int?>

    init(
        in range: Range<UInt64>, of name: String, _ base: any StoreDirectory,
        wrongReads: Int? = nil
    ) {
        self.range = range
        self.name = name
        self.base = base
        self.wrongReads = Guarded(wrongReads)
    }

    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        let file = try base.open(name, mode)
        guard name == self.name else { return file }
        let left = wrongReads.withLock { left in
            defer { left = left.map { $0 - 1 } }
            return left
        }
        if let left, left <= 0 { return file }
        return BadFile(range, file, isWrong: left != nil)
    }
}

private final class BadFile: ForwardingFile {
    private let range: Range<UInt64>
    let base: any StoreFile
    private let isWrong: Bool

    init(_ range: Range<UInt64>, _ base: any StoreFile, isWrong: Bool) {
        self.range = range
        self.base = base
        self.isWrong = isWrong
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        let wanted = offset..<offset + UInt64(buffer.count)
        guard range.overlaps(wanted) else { return try base.read(into: buffer, at: offset) }
        guard isWrong else {
            throw SystemError(call: "pread", file: "", code: 5, kind: .io)
        }
        let filled = try base.read(into: buffer, at: offset)
        for place in range.clamped(to: wanted) where place - offset < UInt64(filled) {
            buffer[Int(place - offset)] ^= 0xFF
        }
        return filled
    }
}

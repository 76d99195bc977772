import WellspringLog
import WellspringTestKit
import XCTest

/// What an inspection of a log on a simulated disk came across.
struct InspectionResult {
    struct Frame: Equatable {
        var place: FramePlace
        var body: [UInt8]
        var isProven: Bool
    }

    var segments: [UInt32] = []
    var groups: [Frame] = []
    var damage: [InspectedDamage] = []
    var unfinished: [Range<UInt64>] = []
    var end: LogEnd?

    init(_ disk: SimulatedDisk, after start: LogEnd? = nil) throws {
        let inspection = try LogInspection(try disk.openStore(at: "/store", create: false))
        var result = Self()
        let end = try inspection.run(after: start) { item in
            result.note(item)
            return true
        }
        self = result
        self.end = end
    }

    private init() {}

    private mutating func note(_ item: InspectedItem) {
        switch item {
        case .segment(let segment): segments.append(segment.header.number)
        case .frame(let frame):
            guard frame.header.kind == .group else { return }
            groups.append(
                Frame(place: frame.place, body: Array(frame.body), isProven: frame.isProven))
        case .damage(let found): damage.append(found)
        case .remains: break
        case .unfinished(_, let range): unfinished.append(range)
        }
    }

    var sequences: [UInt64] { groups.map(\.place.sequence) }
    /// The positions that are told as lost.
    var lost: [UInt64] { damage.flatMap { Array($0.positions ?? 0..<0) } }
    /// The positions that were handed over.
    var positions: [UInt64] {
        groups.flatMap {
            $0.place.firstPosition..<$0.place.firstPosition + UInt64($0.place.eventCount)
        }
    }
}

/// A log of three full segments and a bit, closed properly or left behind.
struct InspectedLog {
    let fixture = LogFixture(segmentBytes: 16_384)
    private(set) var places: [FramePlace] = []

    var disk: SimulatedDisk { fixture.disk }

    init(segments: UInt32 = 3, bodyBytes: Int = 900) throws {
        try fixture.open()
        while (places.last?.segment ?? 0) <= segments {
            places.append(
                try fixture.commit(bytes(bodyBytes, seed: places.count), events: 2))
        }
        places.append(try fixture.commit(bytes(bodyBytes, seed: places.count), events: 2))
    }

    static func closed() throws -> InspectedLog {
        let log = try InspectedLog()
        try log.fixture.close()
        return log
    }

    func inspect() throws -> InspectionResult { try InspectionResult(disk) }

    /// Fills a part of a file with `byte`.
    func overwrite(_ range: Range<UInt64>, of segment: UInt32, with byte: UInt8 = 0) throws {
        let name = LogLayout.segment(segment)
        var contents = try XCTUnwrap(disk.contents(of: name))
        for index in range where index < contents.count { contents[Int(index)] = byte }
        disk.replaceContents(of: name, with: contents)
    }

    func positions(of place: FramePlace) -> Range<UInt64> {
        place.firstPosition..<place.firstPosition + UInt64(place.eventCount)
    }

    /// The frames of a segment.
    func places(in segment: UInt32) -> [FramePlace] { places.filter { $0.segment == segment } }

    /// Every event is either handed over or told as lost, and none is both.
    func assertEachEventIsFoundOrLost(_ result: InspectionResult, line: UInt = #line) {
        let all = (result.positions + result.lost).sorted()
        XCTAssertEqual(all, Array(1...UInt64(places.count * 2)), line: line)
        for group in result.groups {
            let index = Int(group.place.firstPosition - 1) / 2
            XCTAssertTrue(group.body == bytes(900, seed: index), line: line)
        }
    }
}

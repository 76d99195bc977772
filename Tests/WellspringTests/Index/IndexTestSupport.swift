import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// What an index is to know, kept in the plainest way.
struct IndexLists: Equatable {
    var lists: [UInt64: [IndexEntry]] = [:]

    subscript(key: UInt64) -> [IndexEntry] {
        get { lists[key] ?? [] }
        set { lists[key] = newValue.isEmpty ? nil : newValue }
    }

    var keys: [UInt64] { lists.keys.sorted() }
    var entryCount: Int { lists.values.reduce(0) { $0 + $1.count } }

    /// The answer that a run has to give.
    func entries(
        of key: UInt64, numbers: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) -> [IndexEntry] {
        let all = self[key].filter { numbers.contains($0.number) }
        return Array((newestFirst ? all.reversed() : all).prefix(limit))
    }

    /// These lists and, behind each, the one of `other`.
    func followed(by other: IndexLists) -> IndexLists {
        IndexLists(lists: lists.merging(other.lists) { $0 + $1 })
    }
}

/// A directory with a store's index in it, on a simulated disk.
struct IndexFixture {
    static let owner = StoreUUID(high: 0x1111, low: 0x2222)

    var disk: SimulatedDisk
    var directory: any StoreDirectory
    /// Behind the last commit that is indexed.
    var nextCommit: UInt64 = 1

    init(_ disk: SimulatedDisk = SimulatedDisk()) throws {
        self.disk = disk
        directory = try disk.openStore(at: "store", create: true)
    }

    /// Writes a run of ten commits that has these lists.
    mutating func write(_ lists: IndexLists, level: Int = 0) throws -> IndexRun {
        let range = IndexRange(first: nextCommit, last: nextCommit + 9)
        let run = try Self.write(lists, range, in: directory, level: level)
        nextCommit += 10
        return run
    }

    static func write(
        _ lists: IndexLists, _ range: IndexRange, in directory: any StoreDirectory, level: Int = 0,
        salt: Salt? = nil
    ) throws(SystemError) -> IndexRun {
        let writer = try IndexRunWriter(
            in: directory, storeID: owner, range: range, level: level,
            anchor: anchor(range), keyEstimate: lists.lists.count, salt: salt)
        for key in lists.keys { try writer.append(key: key, lists[key]) }
        return try writer.finish()
    }

    static func anchor(_ range: IndexRange) -> [UInt8] { Array("behind \(range.last)".utf8) }

    func open(_ run: IndexRun) throws(IndexError) -> IndexRun {
        try IndexRun.open(directory, name: run.name, storeID: Self.owner)
    }

    /// A file that holds `contents` under the name of `run`, opened anew.
    static func open(_ contents: [UInt8], as name: String) throws -> IndexRun {
        let disk = SimulatedDisk()
        let directory = try disk.openStore(at: "store", create: true)
        try directory.makeDirectory("idx")
        disk.replaceContents(of: name, with: contents)
        return try IndexRun.open(directory, name: name, storeID: owner)
    }
}

/// Makes the lists that a store might have, and some that it never would.
struct IndexGenerator {
    private var dice: SmallDice
    private var place = EventPlace(segment: 1, offset: 4096, frame: 4096, index: 0)

    init(seed: UInt64) {
        // Dice of seeds next to each other give the same numbers, a little later.
        var first = SmallDice(seed: seed)
        dice = SmallDice(seed: first.next())
    }

    mutating func below(_ bound: Int) -> Int { dice.below(bound) }
    mutating func key() -> UInt64 { dice.next() }

    /// The place of the next record of a log.
    mutating func nextPlace() -> EventPlace {
        if dice.below(400) == 0 {
            place.segment += UInt32(1 + dice.below(3))
            place.frame = 4096
            place.offset = 4096 + 72
            place.index = 0
        } else if dice.below(3) > 0 {
            place.frame = (place.offset + 200) / 8 * 8
            place.offset = place.frame + 72 + UInt32(dice.below(90))
            place.index = 0
        } else {
            place.offset += UInt32(60 + dice.below(700))
            place.index += 1
        }
        return place
    }

    /// Streams and tags of a log of `count` events.
    ///
    /// - Parameter hot: How many events of a hundred belong to one stream.
    mutating func log(_ count: Int, streams: Int, hot: Int = 0) -> IndexLists {
        let keys = (0..<max(streams, 1)).map { _ in dice.next() }
        var (lists, versions) = (IndexLists(), [UInt64: UInt64]())
        for position in 1...max(UInt64(count), 1) {
            let place = nextPlace()
            let key = dice.below(100) < hot ? keys[0] : keys[dice.below(keys.count)]
            versions[key, default: 0] += 1
            lists[key].append(IndexEntry(number: versions[key] ?? 0, place: place))
            if dice.below(10) == 0 {
                lists[~keys[dice.below(min(keys.count, 5))]].append(
                    IndexEntry(number: position, place: place))
            }
        }
        return lists
    }

    /// Entries in which nothing follows from anything.
    mutating func noise(_ count: Int) -> [IndexEntry] {
        (0..<count).map { _ in
            let frame = anyNumber(UInt32.self) / 8 * 8 & ~15
            let rest = UInt32.max - frame
            return IndexEntry(
                number: anyNumber(UInt64.self),
                place: EventPlace(
                    segment: anyNumber(UInt32.self),
                    offset: frame + 1 + anyNumber(UInt32.self) % max(rest, 1),
                    frame: frame, index: anyNumber(UInt32.self)))
        }
    }

    /// Small numbers and large ones, the least and the greatest.
    private mutating func anyNumber<Number: FixedWidthInteger>(_: Number.Type) -> Number {
        let number = Number(truncatingIfNeeded: dice.next())
        return switch dice.below(6) {
        case 0: 0
        case 1: .max
        case 2: number & 0xFF
        case 3: number >> (Number.bitWidth / 2)
        default: number
        }
    }
}

/// Compares the answers of a run with those of the lists it was made from.
func check(
    _ run: IndexRun, _ lists: IndexLists, _ message: String = "", line: UInt = #line
) throws {
    XCTAssertEqual(run.entryCount, UInt64(lists.entryCount), message, line: line)
    XCTAssertEqual(run.keyCount, UInt64(lists.lists.count), message, line: line)
    for (key, list) in lists.lists {
        let found = try run.entries(
            of: key, numbers: 0...UInt64.max, limit: .max, newestFirst: false)
        XCTAssertEqual(found, list, message, line: line)
    }
}

extension IndexRun {
    /// Makes all checksums right again, in a file whose parts are where those of this run are.
    func signAgain(_ bytes: inout [UInt8]) {
        IndexRunParts(
            headerLength: header.length, directory: Int(trailer.directoryOffset),
            filter: Int(trailer.filterOffset), trailer: Int(trailer.offset)
        ).sign(&bytes)
    }
}

import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

final class IndexRunTests: XCTestCase {
    // MARK: - Everything that was written is found

    func test_the_lists_of_a_log_come_back() throws {
        for seed in 1...6 as ClosedRange<UInt64> {
            var generator = IndexGenerator(seed: seed)
            let lists = generator.log(1 << Int(2 * seed), streams: 1 << Int(seed))
            try assertComesBack(lists, "seed \(seed)")
        }
    }

    func test_the_list_of_a_hot_stream_comes_back() throws {
        var generator = IndexGenerator(seed: 7)
        try assertComesBack(generator.log(6_000, streams: 300, hot: 80))
    }

    func test_a_single_long_list_comes_back() throws {
        var generator = IndexGenerator(seed: 8)
        try assertComesBack(generator.log(5_000, streams: 1, hot: 100))
    }

    func test_entries_in_which_nothing_follows_from_anything_come_back() throws {
        for seed in 1...10 as ClosedRange<UInt64> {
            var generator = IndexGenerator(seed: seed)
            var lists = IndexLists()
            for _ in 0..<12 {
                let length = [1, 2, 5, 60, 900][generator.below(5)]
                lists[generator.key()] = generator.noise(length)
            }
            try assertComesBack(lists, "seed \(seed)")
        }
    }

    func test_the_greatest_values_come_back() throws {
        let last = EventPlace(
            segment: .max, offset: .max, frame: .max & ~7 - 8, index: .max)
        var lists = IndexLists()
        lists[.max] = [
            IndexEntry(number: .max, place: last),
            IndexEntry(
                number: 0, place: EventPlace(segment: 0, offset: 1, frame: 0, index: .max)),
            IndexEntry(number: .max, place: last),
            IndexEntry(number: .max, place: last),
        ]
        lists[0] = lists[.max]
        try assertComesBack(lists)
    }

    func test_lists_of_every_length_fit_into_blocks() throws {
        // Keys close to each other have narrow tables, so blocks are filled to the last byte.
        for length in stride(from: 150, to: 1_400, by: 25) {
            var generator = IndexGenerator(seed: UInt64(length))
            var lists = IndexLists()
            for number in 0..<6 {
                lists[UInt64(number) << UInt64(generator.below(60))] = (1...length).map {
                    IndexEntry(number: UInt64($0), place: generator.nextPlace())
                }
            }
            try assertComesBack(lists, "length \(length)")
        }
    }

    func test_a_run_without_entries_has_none() throws {
        try assertComesBack(IndexLists())
    }

    func test_a_run_knows_what_it_covers() throws {
        var fixture = try IndexFixture()
        fixture.nextCommit = 0xABC
        let run = try fixture.write(IndexLists(), level: 3)
        XCTAssertEqual(run.name, "idx/0000000000000abc-0000000000000ac5.run")
        for run in [run, try fixture.open(run)] {
            XCTAssertEqual(run.range, IndexRange(first: 0xABC, last: 0xAC5))
            XCTAssertEqual(run.level, 3)
            XCTAssertEqual(run.anchor, IndexFixture.anchor(run.range))
            XCTAssertEqual(
                run.fileLength, UInt64(try XCTUnwrap(fixture.disk.contents(of: run.name)).count))
        }
    }

    private func assertComesBack(
        _ lists: IndexLists, _ message: String = "", line: UInt = #line
    ) throws {
        var fixture = try IndexFixture()
        let run = try fixture.write(lists)
        try check(run, lists, message, line: line)
        let opened = try fixture.open(run)
        try check(opened, lists, message, line: line)
        try opened.verify()
        XCTAssertEqual(fixture.disk.fileNames, [run.name], line: line)
    }

    // MARK: - What is asked for is found

    func test_any_numbers_up_to_any_limit_are_found_in_both_directions() throws {
        var generator = IndexGenerator(seed: 11)
        var lists = generator.log(3_000, streams: 40, hot: 50)
        lists[generator.key()] = generator.noise(1_500)
        var fixture = try IndexFixture()
        let run = try fixture.write(lists)
        let keys = lists.keys + [0, .max, generator.key()]
        for _ in 0..<1_500 {
            let key = keys[generator.below(keys.count)]
            let numbers = anyNumbers(&generator, lists[key])
            let limit = [0, 1, 2, 10, 1_000, .max, -1][generator.below(7)]
            for newestFirst in [false, true] {
                let found = try run.entries(
                    of: key, numbers: numbers, limit: limit, newestFirst: newestFirst)
                let expected = lists.entries(
                    of: key, numbers: numbers, limit: max(limit, 0), newestFirst: newestFirst)
                XCTAssertEqual(found, expected, "\(numbers) up to \(limit), \(newestFirst)")
            }
        }
    }

    private func anyNumbers(
        _ generator: inout IndexGenerator, _ list: [IndexEntry]
    ) -> ClosedRange<UInt64> {
        func any() -> UInt64 {
            let known = list.isEmpty ? 1 : list[generator.below(list.count)].number
            return [0, known, known, known &+ 1, known &- 1, .max][generator.below(6)]
        }
        let (one, other) = (any(), any())
        return min(one, other)...max(one, other)
    }

    func test_two_streams_of_the_same_key_are_both_found() throws {
        var generator = IndexGenerator(seed: 12)
        var lists = IndexLists()
        var numbers: [UInt64] = [0, 500]
        lists[77] = (0..<2_000).map { _ in
            let stream = generator.below(2)
            numbers[stream] += 1
            return IndexEntry(number: numbers[stream], place: generator.nextPlace())
        }
        var fixture = try IndexFixture()
        let run = try fixture.write(lists)
        for number in stride(from: 1, to: numbers[1], by: 37) as StrideTo<UInt64> {
            let found = try run.entries(
                of: 77, numbers: number...number, limit: .max, newestFirst: false)
            XCTAssertEqual(found, lists[77].filter { $0.number == number })
        }
    }

    // MARK: - What it costs

    func test_opening_reads_only_the_beginning_and_the_end() throws {
        var generator = IndexGenerator(seed: 13)
        var fixture = try IndexFixture()
        let run = try fixture.write(generator.log(5_000, streams: 900))
        let reads = try countReads(fixture) { _ = try fixture.open(run) }
        XCTAssertEqual(reads.count, 2)
        XCTAssertLessThan(reads.reduce(0, +), 1_500)
    }

    func test_a_short_list_costs_one_read() throws {
        var generator = IndexGenerator(seed: 14)
        let lists = generator.log(5_000, streams: 900)
        var fixture = try IndexFixture()
        let run = try fixture.write(lists)
        try check(run, lists)
        let firstKeys = Set(try run.readDirectory().entries.map(\.firstKey))
        for key in lists.keys where lists[key].count < 50 && !firstKeys.contains(key) {
            let reads = try countReads(fixture) {
                _ = try run.entries(of: key, numbers: 1...2, limit: 9, newestFirst: false)
            }
            XCTAssertEqual(reads.count, 1)
        }
    }

    func test_a_short_list_is_not_divided() throws {
        var generator = IndexGenerator(seed: 20)
        var fixture = try IndexFixture()
        let lists = generator.log(15_000, streams: 900)
        let run = try fixture.write(lists)
        let directory = try run.readDirectory()
        XCTAssertGreaterThan(directory.entries.count, 15)
        for number in 1..<directory.entries.count {
            let key = directory.entries[number].firstKey
            guard lists[key].count < 50 else { continue }
            XCTAssertNil(try run.readBlock(number - 1, directory).chunk(of: key))
        }
    }

    func test_a_key_that_is_not_there_costs_no_read() throws {
        var generator = IndexGenerator(seed: 15)
        let lists = generator.log(5_000, streams: 900)
        var fixture = try IndexFixture()
        let run = try fixture.write(lists)
        try check(run, lists)
        let reads = try countReads(fixture) {
            for _ in 0..<1_000 {
                let found = try run.entries(
                    of: generator.key(), numbers: 0...UInt64.max, limit: 1, newestFirst: true)
                XCTAssertEqual(found, [])
            }
        }
        XCTAssertLessThan(reads.count, 30)
    }

    func test_an_entry_of_a_long_list_is_found_without_reading_the_list() throws {
        var generator = IndexGenerator(seed: 16)
        let lists = generator.log(20_000, streams: 1, hot: 100)
        let key = try XCTUnwrap(lists.lists.max { $0.value.count < $1.value.count }).key
        var fixture = try IndexFixture()
        let run = try fixture.write(lists)
        _ = try run.entries(of: key, numbers: 1...1, limit: 1, newestFirst: false)
        for number in [1, 9_999, 20_000] as [UInt64] {
            let reads = try countReads(fixture) {
                let found = try run.entries(
                    of: key, numbers: number...number, limit: 1, newestFirst: false)
                XCTAssertEqual(found.map(\.number), [number])
            }
            XCTAssertLessThan(reads.count, 3)
        }
        let reads = try countReads(fixture) {
            let newest = try run.entries(
                of: key, numbers: 0...UInt64.max, limit: 3, newestFirst: true)
            XCTAssertEqual(newest.map(\.number), [20_000, 19_999, 19_998])
        }
        XCTAssertLessThan(reads.count, 3)
    }

    func test_blocks_without_the_numbers_that_are_wanted_are_not_read() throws {
        var generator = IndexGenerator(seed: 21)
        var lists = IndexLists()
        // As two streams of the same key would have it, if one was appended to before and after.
        let numbers = Array(1...4_000) + Array(1_000_000...1_004_000) + Array(4_001...8_000)
        lists[9] = numbers.map {
            IndexEntry(number: UInt64($0), place: generator.nextPlace())
        }
        var fixture = try IndexFixture()
        let run = try fixture.write(lists)
        _ = try run.entries(of: 9, numbers: 0...0, limit: 1, newestFirst: false)
        let reads = try countReads(fixture) {
            let found = try run.entries(
                of: 9, numbers: 1_002_000...1_002_001, limit: .max, newestFirst: false)
            XCTAssertEqual(found.map(\.number), [1_002_000, 1_002_001])
        }
        XCTAssertLessThan(reads.count, 3)
    }

    func test_an_entry_takes_few_bytes() throws {
        var generator = IndexGenerator(seed: 17)
        var fixture = try IndexFixture()
        let run = try fixture.write(generator.log(20_000, streams: 4_000))
        XCTAssertLessThan(Double(run.fileLength) / Double(run.entryCount), 9)
    }

    /// The lengths of all reads while `body` runs.
    private func countReads(_ fixture: IndexFixture, _ body: () throws -> Void) rethrows -> [Int] {
        let before = fixture.disk.operationCount
        try body()
        return fixture.disk.operations.dropFirst(before).filter { $0.kind == .read }.map(\.count)
    }

    // MARK: - Files

    func test_a_listing_tells_runs_from_what_is_to_be_removed() throws {
        var fixture = try IndexFixture()
        XCTAssertEqual(try IndexRun.list(fixture.directory), IndexListing())
        let runs = [try fixture.write(IndexLists()), try fixture.write(IndexLists())]
        let merged = try IndexRun.merge(runs, in: fixture.directory, level: 1)
        let leftover = "idx/0123456789abcdef.tmp"
        let others = [
            "idx/0000000000000001-0000000000000002.run.tmp", "idx/1-2.run",
            "idx/000000000000000A-000000000000000B.run", "idx/0123456789ABCDEF.tmp",
        ]
        for name in others + [leftover] { fixture.disk.replaceContents(of: name, with: [1]) }
        let listing = try IndexRun.list(fixture.directory)
        XCTAssertEqual(listing.runs.map(\.name), [merged.name, runs[0].name, runs[1].name])
        XCTAssertEqual(listing.runs.map(\.range), [merged.range, runs[0].range, runs[1].range])
        XCTAssertEqual(listing.leftovers, [leftover])
    }

    func test_a_removed_run_is_gone_and_can_still_be_read_by_who_has_it() throws {
        var generator = IndexGenerator(seed: 18)
        let lists = generator.log(100, streams: 10)
        var fixture = try IndexFixture()
        let run = try fixture.write(lists)
        try run.remove()
        XCTAssertEqual(try IndexRun.list(fixture.directory), IndexListing())
        XCTAssertEqual(fixture.disk.afterCrash(keeping: .nothing, seed: 1).fileNames, [])
        try check(run, lists)
    }

    func test_a_writer_that_is_dropped_leaves_nothing_behind() throws {
        let fixture = try IndexFixture()
        func begin() throws {
            let writer = try IndexRunWriter(
                in: fixture.directory, storeID: IndexFixture.owner,
                range: IndexRange(first: 1, last: 2), level: 0, anchor: [], keyEstimate: 1)
            var generator = IndexGenerator(seed: 19)
            try writer.append(key: 1, generator.noise(10))
        }
        try begin()
        XCTAssertEqual(fixture.disk.fileNames, [])
    }
}

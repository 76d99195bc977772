import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

final class IndexMergeTests: XCTestCase {
    func test_a_merged_run_is_the_index_of_all_its_commits() throws {
        for seed in 1...12 as ClosedRange<UInt64> {
            var generator = IndexGenerator(seed: seed)
            let whole = generator.log(
                [30, 400, 3_000][generator.below(3)], streams: [1, 20, 700][generator.below(3)],
                hot: [0, 60][generator.below(2)])
            var fixture = try IndexFixture()
            let parts = split(whole, into: 1 + generator.below(5), &generator)
            let runs = try parts.map { try fixture.write($0) }
            let merged = try IndexRun.merge(runs, in: fixture.directory, level: 1)
            XCTAssertEqual(merged.range, IndexRange(first: 1, last: UInt64(parts.count * 10)))
            XCTAssertEqual(merged.anchor, runs.last?.anchor)
            XCTAssertEqual(merged.level, 1)
            try check(try fixture.open(merged), whole, "seed \(seed)")
            try merged.verify()
        }
    }

    func test_runs_of_different_levels_can_be_merged() throws {
        var generator = IndexGenerator(seed: 21)
        let whole = generator.log(2_500, streams: 60, hot: 30)
        var fixture = try IndexFixture()
        let runs = try split(whole, into: 5, &generator).map { try fixture.write($0) }
        let older = try IndexRun.merge(Array(runs[0..<3]), in: fixture.directory, level: 1)
        let merged = try IndexRun.merge(
            [older, runs[3], runs[4]], in: fixture.directory, level: 2)
        try check(merged, whole)
        try merged.verify()
        XCTAssertEqual(merged.level, 2)
    }

    func test_entries_of_one_key_stay_in_the_order_of_the_runs() throws {
        var generator = IndexGenerator(seed: 22)
        var fixture = try IndexFixture()
        var (whole, runs) = (IndexLists(), [IndexRun]())
        for _ in 0..<4 {
            var lists = IndexLists()
            for key in [3, 4, .max] as [UInt64] { lists[key] = generator.noise(700) }
            runs.append(try fixture.write(lists))
            whole = whole.followed(by: lists)
        }
        try check(try IndexRun.merge(runs, in: fixture.directory, level: 1), whole)
    }

    func test_a_merged_run_is_not_larger_than_one_that_was_written_at_once() throws {
        var generator = IndexGenerator(seed: 23)
        let whole = generator.log(4_000, streams: 300)
        var fixture = try IndexFixture()
        let runs = try split(whole, into: 4, &generator).map { try fixture.write($0) }
        let merged = try IndexRun.merge(runs, in: fixture.directory, level: 1)
        let atOnce = try fixture.write(whole)
        // A stream that is in several runs counts as often for the filter.
        XCTAssertEqual(merged.trailer.directoryOffset, atOnce.trailer.directoryOffset)
        XCTAssertLessThan(merged.fileLength, atOnce.fileLength * 110 / 100)
    }

    func test_a_merge_reads_every_block_once() throws {
        var generator = IndexGenerator(seed: 24)
        var fixture = try IndexFixture()
        let runs = try split(generator.log(6_000, streams: 2), into: 2, &generator).map {
            try fixture.write($0)
        }
        let before = fixture.disk.operationCount
        _ = try IndexRun.merge(runs, in: fixture.directory, level: 1)
        let reads = fixture.disk.operations.dropFirst(before).filter { $0.kind == .read }
        let lengths = runs.reduce(0) { $0 + Int($1.fileLength) }
        XCTAssertLessThanOrEqual(reads.reduce(0) { $0 + $1.count }, lengths)
        XCTAssertLessThanOrEqual(reads.map(\.count).max() ?? 0, 4096, "more than a block at once")
    }

    func test_a_damaged_run_is_not_merged() throws {
        var generator = IndexGenerator(seed: 25)
        var fixture = try IndexFixture()
        let parts = [generator.log(2_000, streams: 30), generator.log(2_000, streams: 30)]
        let runs = try parts.map { try fixture.write($0) }
        fixture.disk.flipBit(3, ofByte: 5_000, in: runs[1].name)
        XCTAssertThrowsError(try IndexRun.merge(runs, in: fixture.directory, level: 1)) {
            guard case .damaged(let file, let offset, _)? = $0 as? IndexError else {
                return XCTFail("\($0)")
            }
            XCTAssertEqual(file, runs[1].name)
            XCTAssertEqual(offset, runs[1].blockOffset(1))
        }
        XCTAssertEqual(fixture.disk.fileNames, runs.map(\.name))
        try check(runs[0], parts[0])
    }

    /// Cuts a log into parts of any lengths, which may be none.
    private func split(
        _ lists: IndexLists, into count: Int, _ generator: inout IndexGenerator
    ) -> [IndexLists] {
        let places = Set(lists.lists.values.joined().map(\.place)).sorted { isBefore($0, $1) }
        let cuts = (1..<count).map { _ in places[generator.below(places.count)] }
            .sorted { isBefore($0, $1) }
        return (0..<count).map { part in
            IndexLists(
                lists: lists.lists.mapValues { list in
                    list.filter { entry in
                        (part == 0 || !isBefore(entry.place, cuts[part - 1]))
                            && (part == count - 1 || isBefore(entry.place, cuts[part]))
                    }
                }.filter { !$0.value.isEmpty })
        }
    }

    private func isBefore(_ one: EventPlace, _ other: EventPlace) -> Bool {
        (one.segment, one.offset) < (other.segment, other.offset)
    }
}

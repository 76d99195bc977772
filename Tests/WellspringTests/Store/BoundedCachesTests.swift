import WellspringLog
import XCTest

@testable import Wellspring

/// What is kept of a log in memory has a bound, and beyond it begins anew.
final class BoundedCachesTests: XCTestCase {
    private func names(_ count: Int, from first: UInt32 = 1) -> [(UInt32, Definition)] {
        let stream = Definition.stream(sampleStream("1"))
        return (0..<UInt32(count)).map { (first + $0, stream) }
    }

    private func count(_ cache: NameCache, _ segment: UInt32) -> Int {
        cache.names(of: segment).count
    }

    func test_beyond_the_limit_only_the_names_of_the_segment_that_is_read_are_kept() {
        let cache = NameCache()
        cache.learn(names(100_000), in: 1)
        cache.learn(names(31_072), in: 2)
        XCTAssertEqual(count(cache, 1), 100_000)
        cache.learn(names(1, from: 500_000), in: 2)
        XCTAssertEqual(count(cache, 1), 0)
        XCTAssertEqual(count(cache, 2), 31_073)
    }

    func test_a_segment_with_more_names_than_may_be_kept_begins_anew() {
        let cache = NameCache()
        cache.learn(names(131_072), in: 1)
        XCTAssertEqual(count(cache, 1), 131_072)
        cache.learn(names(1, from: 500_000), in: 1)
        XCTAssertEqual(count(cache, 1), 1)
    }

    func test_a_name_that_is_learned_again_does_not_count_again() {
        let cache = NameCache()
        for _ in 0..<3 { cache.learn(names(65_536), in: 1) }
        cache.learn(names(65_536), in: 2)
        XCTAssertEqual(count(cache, 1), 65_536)
        XCTAssertEqual(count(cache, 2), 65_536)
    }

    func test_a_list_of_two_names_with_one_key_is_searched_from_end_to_end() {
        let memory = MemoryIndex()
        let place = EventPlace(segment: 1, offset: 72, frame: 0, index: 0)
        let numbers: [UInt64] = [1, 2, 1, 3, 2]
        memory.add(
            numbers.enumerated().map { index, number in
                (
                    key: 7,
                    item: MemoryIndex.Item(
                        entry: IndexEntry(number: number, place: place),
                        position: UInt64(index + 1))
                )
            })
        func found(_ range: ClosedRange<UInt64>, newestFirst: Bool) -> [UInt64] {
            memory.entries(
                of: 7, numbers: range, limit: 9, newestFirst: newestFirst, through: .max
            ).map(\.number)
        }
        XCTAssertEqual(found(2...3, newestFirst: false), [2, 3, 2])
        XCTAssertEqual(found(1...2, newestFirst: true), [2, 1, 2, 1])
    }

    func test_the_frames_that_were_read_lately_begin_anew_beyond_the_limit() {
        var table = FrameTable()
        let header = FrameHeader(
            bodyLength: 0, sequence: 1, firstPosition: 9, eventCount: 1, kind: .group,
            recordedAt: 0, durableSequence: 0, bodyChecksum: 0, chain: 0, offset: 0)
        for offset in 0..<UInt32(1 << 13) { table.keep(.init(header), 1, offset) }
        XCTAssertEqual(table.find(1, 0)?.firstPosition, 9)
        XCTAssertNil(table.find(2, 0))
        table.keep(.init(header), 2, 0)
        XCTAssertNil(table.find(1, 0))
        XCTAssertNotNil(table.find(2, 0))
    }
}

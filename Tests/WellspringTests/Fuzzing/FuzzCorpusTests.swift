import Foundation
import WellspringLog
import XCTest

/// Everything that the fuzzer found worth keeping, once more.
///
/// `.ci/fuzz/run` looks for more of it, and `.ci/fuzz/keep` writes what it has found to the corpora.
final class FuzzCorpusTests: XCTestCase {
    private static let lives = Size("LIVES", debug: 10, release: 200)

    /// The inputs of a corpus: a line of hexadecimal digits each.
    private func corpus(_ name: String) throws -> [[UInt8]] {
        let file = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent(".ci/fuzz/\(name).corpus")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        return try lines.map { try XCTUnwrap(bytes(of: $0)) }
    }

    private func bytes(of line: Substring) -> [UInt8]? {
        let digits = line.compactMap(\.hexDigitValue)
        guard digits.count == line.count, digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] * 16 + digits[$0 + 1])
        }
    }

    func test_every_payload_of_the_corpus_gives_an_event_that_stays_the_same_or_an_error() throws {
        var outcomes: [PayloadFuzzing.Outcome: Int] = [:]
        for input in try corpus("Payload") {
            outcomes[try PayloadFuzzing.run(input), default: 0] += 1
        }
        XCTAssertGreaterThan(outcomes[.read] ?? 0, 30)
        XCTAssertGreaterThan(outcomes[.refused] ?? 0, 100)
    }

    func test_a_page_that_is_read_backwards_ends_where_no_frame_holds_its_event() {
        // A mark of position 9 where position 3 is wanted.
        let mark: [UInt8] = [0, 1, 0, 9, 0, 2, 100, 0, 0, 0, 0, 0]
        XCTAssertEqual(StoreFuzzing.run([9, 0, 3] + mark), .refused)
    }

    func test_a_page_of_a_tag_ends_where_the_index_names_an_event_in_a_segment_that_is_done() {
        // The index has an event of the tag in the segment's first frame, which is its seal.
        let entry: [UInt8] = [2, 3, 0, 0, 0, 0, 0, 3, 0]
        let seal: [UInt8] = [0, 1, 0, 1, 0, 3, 100, 0, 0, 0, 0, 0]
        XCTAssertEqual(StoreFuzzing.run([9, 1, 5] + entry + seal), .refused)
    }

    func test_every_file_of_the_corpus_is_read_or_refused() throws {
        var outcomes: [StoreFuzzing.Subject: Set<StoreFuzzing.Outcome>] = [:]
        for (line, input) in try corpus("Store").enumerated() {
            let outcome = StoreFuzzing.run(input)
            XCTAssertNotEqual(outcome, .ranAway, "line \(line + 1)")
            if let subject = StoreFuzzing.subject(of: input) {
                outcomes[subject, default: []].insert(outcome)
            }
        }
        for subject in StoreFuzzing.Subject.allCases {
            XCTAssertTrue(outcomes[subject]?.contains(.read) ?? false, "\(subject) is never read")
        }
    }

    func test_every_life_of_the_corpus_keeps_its_promises_and_together_they_do_everything() throws {
        var deeds: Set<LifeFuzzing.Deed> = []
        for (line, input) in try corpus("Life").enumerated() {
            let outcome = LifeFuzzing.run(input)
            XCTAssertNil(outcome.problem, "line \(line + 1)")
            deeds.formUnion(outcome.deeds)
        }
        XCTAssertEqual(Set(LifeFuzzing.Deed.allCases).subtracting(deeds), [])
    }

    /// Lives of 400 bytes that a seed gives.
    private func livesOfChance(_ numbers: ClosedRange<Int>) -> some Sequence<[UInt8]> {
        numbers.lazy.map { number in
            var dice = SmallDice(seed: UInt64(number))
            return (0..<400).map { _ in UInt8(dice.below(256)) }
        }
    }

    func test_lives_of_chance_break_no_promise() {
        for (number, life) in livesOfChance(1...Self.lives.value).enumerated() {
            XCTAssertNil(LifeFuzzing.run(life).problem, "life \(number + 1)")
        }
    }

    func test_lives_of_chance_find_stores_that_break_a_promise() {
        let faults: [PlantedFault] = [
            .skipSync, .publishBeforeSync, .ignoreFailedCommit, .takeBackInMemoryOnly,
            .retryFailedSync, .keepQueuedEvents, .skipVersionCheck, .forgetTruncation,
            .checkpointAheadOfLog,
        ]
        for fault in faults {
            let found = livesOfChance(1...400).first {
                LifeFuzzing.run($0, planting: fault).problem != nil
            }
            XCTAssertNotNil(found, "nothing notices \(fault)")
        }
    }
}

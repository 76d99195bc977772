import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// When state is saved, and in which form.
final class SavingTests: XCTestCase {
    func test_saving_costs_a_bounded_part_of_the_replay_whatever_the_state_grows_to() {
        // Bytes of state for each thousand of the log.
        for growth in [0, 1, 50, 500, 1_000, 3_000] as [UInt64] {
            var schedule = SavingSchedule()
            var (replayed, saved, state) = (UInt64(0), UInt64(0), UInt64(1 << 20))
            for page in 1...20_000 as ClosedRange<UInt64> {
                schedule.noteReplay(bytes: 10_000, positions: 0)
                replayed += 10_000
                state = 1 << 20 + replayed * growth / 1_000
                guard schedule.isDue else { continue }
                saved += state
                schedule.noteSaved(LogPosition(page), generation: 0, bytes: Int(state))
            }
            XCTAssertGreaterThan(saved, 0)
            XCTAssertLessThanOrEqual(
                saved, replayed / SavingSchedule.replayPerSave + state + 1 << 20,
                "a state of \(growth) in a thousand")
        }
    }

    func test_nothing_of_a_size_makes_the_schedule_overflow() {
        var schedule = SavingSchedule()
        schedule.noteSaved(LogPosition(1), generation: 0, bytes: .max)
        for _ in 0..<3 { schedule.noteReplay(bytes: .max, positions: .max) }
        XCTAssertFalse(schedule.isDue)
    }

    func test_state_is_saved_as_the_text_that_foundation_writes() throws {
        var model = Contents()
        for (position, cents) in [3, 1, 4, 1, 5].enumerated() {
            model.apply(
                Recorded(
                    event: .filled(cents: cents), id: MessageID(high: 1, low: 2),
                    stream: StreamID(category: "purse", key: "caf\u{E9}/\"\(cents)\""),
                    version: StreamVersion(1), position: LogPosition(UInt64(position) + 1),
                    recordedAt: Timestamp(nanoseconds: 0)))
        }
        let saved = try SavedStateCoding.encode(model)
        XCTAssertEqual(Array(saved), Array(try JSONComparison.foundationEncoder.encode(model)))
        XCTAssertEqual(try SavedStateCoding.decode(Contents.self, from: saved), model)
    }

    func test_state_that_foundation_has_saved_is_read() throws {
        let text = EventPayload(utf8: #"{ "positions" : [1, 2e0], "cents" : {"ada\/\u0041": 3} }"#)
        let model = try SavedStateCoding.decode(Contents.self, from: text)
        XCTAssertEqual(model.positions, [1, 2])
        XCTAssertEqual(model.cents, ["ada/A": 3])
    }

    func test_state_that_only_the_second_coder_accepts_is_saved_and_read_by_it() throws {
        let saved = try SavedStateCoding.encode(Choosy(number: 7))
        XCTAssertEqual(try SavedStateCoding.decode(Choosy.self, from: saved).number, 7)
    }

    func test_state_that_no_coder_accepts_is_refused() {
        XCTAssertThrowsError(try SavedStateCoding.encode(["a": Double.nan]))
        XCTAssertThrowsError(try SavedStateCoding.decode([Int].self, from: EventPayload(utf8: "[")))
    }
}

/// Refuses the first coder that comes.
private struct Choosy: Codable {
    let number: Int
    private static let attempts = Guarded(0)

    struct Refused: Error {}

    init(number: Int) { self.number = number }

    private static func refuseFirst() throws {
        let attempt = attempts.withLock { attempts in
            attempts += 1
            return attempts
        }
        if !attempt.isMultiple(of: 2) { throw Refused() }
    }

    func encode(to encoder: any Encoder) throws {
        try Self.refuseFirst()
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    init(from decoder: any Decoder) throws {
        try Self.refuseFirst()
        number = try decoder.singleValueContainer().decode(Int.self)
    }
}

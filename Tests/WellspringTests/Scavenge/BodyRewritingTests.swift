@testable import Wellspring
@testable import WellspringLog
import XCTest

/// A body that is written anew holds what it held, without the contents that are to go.
final class BodyRewritingTests: XCTestCase {
    private typealias Frame = RandomBodies.Frame

    func test_what_is_read_of_new_bodies_is_what_was_read_of_the_old_ones_with_redactions()
        throws
    {
        for seed in 0..<400 as Range<UInt64> {
            var dice = SmallDice(seed: seed &+ 7_000)
            let old = RandomBodies(seed: seed).frames
            let before = try RandomBodies.read(old)
            let events = before.appends.flatMap(\.events)
            let going = Set(
                events.map(\.position.rawValue).filter { _ in dice.below(3) == 0 })
            let (new, rewriting) = try rewrite(old) { going.contains($0.position) }

            var expected = before
            for index in expected.appends.indices {
                expected.appends[index].events = expected.appends[index].events.map {
                    going.contains($0.position.rawValue) ? $0.redacted() : $0
                }
            }
            let after = try RandomBodies.read(new)
            XCTAssertEqual(after.appends, expected.appends, "seed \(seed)")
            XCTAssertEqual(rewriting.names, after.names, "seed \(seed)")
            XCTAssertEqual(
                rewriting.redactedCount,
                UInt64(events.count { !$0.isRedacted && going.contains($0.position.rawValue) }))
            try assertNothingIsLeft(of: going, in: new, seed)
            for (a, b) in zip(old, new) {
                XCTAssertLessThanOrEqual(b.body.count, a.body.count, "seed \(seed)")
            }
        }
    }

    func test_bodies_of_which_nothing_goes_hold_the_same() throws {
        for seed in 0..<100 as Range<UInt64> {
            let old = RandomBodies(seed: seed).frames
            let (new, rewriting) = try rewrite(old) { _ in false }
            XCTAssertEqual(rewriting.redactedCount, 0)
            XCTAssertEqual(try RandomBodies.read(new).appends, try RandomBodies.read(old).appends)
        }
    }

    func test_rewriting_twice_is_rewriting_once() throws {
        for seed in 0..<100 as Range<UInt64> {
            let old = RandomBodies(seed: seed).frames
            let (once, _) = try rewrite(old) { $0.version % 2 == 0 }
            let (twice, rewriting) = try rewrite(once) { $0.version % 2 == 0 }
            XCTAssertEqual(once.map(\.body), twice.map(\.body))
            XCTAssertEqual(rewriting.redactedCount, 0)
        }
    }

    func test_what_is_decided_on_is_told_with_its_stream_version_and_position() throws {
        let old = RandomBodies(seed: 5).frames
        var seen: [String] = []
        _ = try rewrite(old) { candidate in
            seen.append("\(candidate.stream) \(candidate.version) \(candidate.position)")
            return false
        }
        let events = try RandomBodies.read(old).appends.flatMap(\.events)
            .filter { !$0.isRedacted }
        XCTAssertGreaterThan(events.count, 3)
        XCTAssertEqual(seen, events.map { "\($0.stream) \($0.version) \($0.position)" })
    }

    func test_a_record_whose_checksum_is_wrong_is_not_given_a_right_one() throws {
        for seed in 0..<40 as Range<UInt64> {
            let old = RandomBodies(seed: seed).frames
            guard let last = old.lastIndex(where: { $0.place.eventCount > 0 }) else { continue }
            var damaged = old
            let at = damaged[last].body.lastIndex { $0 != 0 } ?? 0
            damaged[last].body[at] ^= 1
            XCTAssertThrowsError(try rewrite(damaged) { _ in false }, "seed \(seed)")
        }
    }

    func test_damaged_bodies_are_refused_or_rewritten_and_stop_nothing() throws {
        var dice = SmallDice(seed: 99)
        for seed in 0..<800 as Range<UInt64> {
            var frames = RandomBodies(seed: seed % 100).frames
            for _ in 0...dice.below(3) {
                let frame = dice.below(frames.count)
                guard !frames[frame].body.isEmpty else { continue }
                let at = dice.below(frames[frame].body.count)
                frames[frame].body[at] = UInt8(dice.below(256))
            }
            guard let (new, _) = try? rewrite(frames, { _ in dice.below(2) == 0 }) else { continue }
            XCTAssertNoThrow(try RandomBodies.read(new), "seed \(seed)")
        }
    }

    func test_another_number_of_events_than_the_frame_has_is_refused() throws {
        var frames = RandomBodies(seed: 5).frames
        frames[0].place.eventCount += 1
        XCTAssertThrowsError(try rewrite(frames) { _ in false })
    }

    // MARK: -

    private func rewrite(
        _ frames: [Frame], _ isToGo: (BodyRewriting.Candidate) -> Bool
    ) throws -> ([Frame], BodyRewriting) {
        var rewriting = BodyRewriting()
        var new: [Frame] = []
        var offset = UInt64(SegmentHeader.length)
        for frame in frames {
            var place = frame.place
            place.offset = offset
            let context = FrameContext(
                segment: place.segment, bodyOffset: place.bodyOffset,
                firstPosition: place.firstPosition, recordedAt: place.recordedAt)
            // As in the log, where the header comes before.
            var writer = ByteWriter()
            writer.appendZeros(64)
            try frame.body.withUnsafeBytes { bytes in
                try rewriting.rewrite(
                    bytes, of: frame.place, for: context, into: &writer, isToGo: isToGo)
            }
            let body = Array(writer.bytes[64...])
            place.bodyLength = body.count
            new.append(Frame(place: place, body: body))
            offset += 64 + (UInt64(body.count) + 7) & ~7
        }
        return (new, rewriting)
    }

    private func assertNothingIsLeft(
        of positions: Set<UInt64>, in frames: [Frame], _ seed: UInt64
    ) throws {
        let text = frames.map { String(decoding: $0.body, as: Unicode.ASCII.self) }.joined()
        for position in positions {
            XCTAssertFalse(
                text.contains(RandomBodies.mark(position)), "seed \(seed), position \(position)")
        }
    }
}

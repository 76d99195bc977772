@testable import Wellspring
import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

/// Damage of any kind at any place: what is told, what is kept and what is lost add up.
///
/// `WELLSPRING_SALVAGES=1000` damages a store that often; the default is 60.
final class SalvageCampaignTests: XCTestCase {
    private struct Dice {
        var state: UInt64

        mutating func roll(_ sides: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(sides))
        }
    }

    func test_whatever_is_damaged_everything_else_is_kept() async throws {
        let began = ContinuousClock.now
        let rounds =
            ProcessInfo.processInfo.environment["WELLSPRING_SALVAGES"].flatMap { Int($0) } ?? 60
        let store = try await MaintainedStore()
        let places = try (1...store.segmentCount).flatMap { try store.places(in: $0) }
        let whole = store.disk.allContents
        var lost = 0
        for round in Size.firstSeed..<Size.firstSeed + rounds {
            var dice = Dice(state: 88_172_645_463_325_252 &+ UInt64(round) &* 0x9E37_79B9)
            for (name, contents) in whole {
                store.disk.replaceContents(of: name, with: contents)
            }
            var touched: [(file: String, range: Range<Int>)] = []
            for _ in 0...dice.roll(4) { touched.append(try damage(store, &dice)) }

            let told = try await store.verify()
            let target = SimulatedDisk(seed: UInt64(round))
            let report = try await FileEventStore.salvage(
                from: "store", in: store.disk, to: "new", in: target, segmentBytes: 64 << 10)
            let copy = try await FileEventStore.verify(at: "new", in: target)
            XCTAssertEqual(copy.problems, [], "round \(round)")
            XCTAssertEqual(copy.holes, report.holes, "round \(round)")
            // The store itself cannot read what salvage gets out of damaged commits.
            let toldAsLost = told.lostPositions.reduce(0) { $0 + $1.count }
            XCTAssertEqual(
                UInt64(toldAsLost), report.lostEvents + report.rescuedEvents, "round \(round)")
            for hole in report.holes {
                XCTAssertTrue(
                    told.lostPositions.contains { $0.clamped(to: hole) == hole }, "round \(round)")
            }

            let opened = try await FileEventStore(
                on: target, configuration: MaintainedStore.configuration)
            let kept = try await opened.wholeLog()
            await opened.close()
            let isLost = { (position: UInt64) in report.holes.contains { $0.contains(position) } }
            let expected = store.events.filter { !isLost($0.position.rawValue) }
            XCTAssertTrue(kept == expected, "round \(round): \(kept.count) of \(expected.count)")
            lost += store.events.count - kept.count

            guard report.unresolvedEvents == 0 else { continue }
            let untouched = places.filter { place in
                // The zeros behind a body are under its checksum.
                let length = (place.bodyLength + 7) & ~7
                let bytes = Int(place.offset)..<Int(place.bodyOffset) + length
                let file = LogLayout.segment(place.segment)
                return !touched.contains { $0.file == file && $0.range.overlaps(bytes) }
            }
            for place in untouched where isLost(place.firstPosition) {
                // A segment without its first page is read if two commits agree on what it held.
                let witnesses = untouched.count { $0.segment == place.segment }
                XCTAssertLessThan(witnesses, 2, "round \(round): \(place) was whole and is lost")
            }
        }
        XCTAssertGreaterThan(lost, rounds)
        Totals.print(
            "salvages", since: began,
            "\(rounds) damaged stores, \(lost) events lost with the damage")
    }

    /// Overwrites, zeroes, cuts off or removes something; returns what it was.
    private func damage(
        _ store: MaintainedStore, _ dice: inout Dice
    ) throws -> (file: String, range: Range<Int>) {
        let file = LogLayout.segment(UInt32(1 + dice.roll(Int(store.segmentCount))))
        guard let contents = store.disk.contents(of: file), contents.count > 5_000 else {
            return (file, 0..<Int.max)
        }
        let start = dice.roll(contents.count)
        let length = 1 + dice.roll(dice.roll(3) == 0 ? 9_000 : 600)
        switch dice.roll(10) {
        case 0:
            store.disk.replaceContents(of: file, with: nil)
            return (file, 0..<Int.max)
        case 1:
            store.disk.replaceContents(of: file, with: Array(contents[..<start]))
            return (file, start..<Int.max)
        case 2:
            try store.overwrite(0..<length, of: file)
            return (file, 0..<length)
        case 3, 4:
            try store.overwrite(start..<start + length, of: file, with: 0)
        case 5:
            // Bytes from elsewhere in the same file.
            let other = dice.roll(contents.count)
            var changed = contents
            for index in 0..<min(length, contents.count - max(start, other)) {
                changed[start + index] = contents[other + index]
            }
            store.disk.replaceContents(of: file, with: changed)
        default:
            try store.overwrite(start..<start + length, of: file, with: UInt8(dice.roll(256)))
        }
        return (file, start..<start + length)
    }
}

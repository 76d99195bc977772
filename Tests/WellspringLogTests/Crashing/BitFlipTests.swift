import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

/// Bits that rot, sectors that are lost or written to the wrong place, files that are cut.
///
/// `WELLSPRING_BIT_FLIPS=all` flips every bit of two stores of 64 KiB, `closed` every bit of the one that
/// was closed and one in five of the other, and both cut every file to every length; the default takes
/// one in many.
final class BitFlipTests: XCTestCase {
    /// Files begin with a page, of which the first bytes are used.
    ///
    /// Nothing reads the rest.
    private static let page = 4_096
    private static let pageBytesInUse = 128

    private struct Tally: Sendable {
        var flips = 0
        var reported = 0
        var harmless = 0
        var broken: [String] = []
    }

    /// How many bits lie between two that are flipped.
    private static func step(isClosed: Bool) -> Int {
        switch ProcessInfo.processInfo.environment["WELLSPRING_BIT_FLIPS"] {
        case "all": 1
        case "closed": isClosed ? 1 : 5
        default: 499
        }
    }

    /// Flips bits of every file.
    ///
    /// `mayGoUnnoticed` says where a flip is allowed to change nothing.
    private func flip(
        _ store: RottenStore, isClosed: Bool,
        mayGoUnnoticed: @escaping @Sendable (String, Int) -> Bool
    ) -> Tally {
        let step = Self.step(isClosed: isClosed)
        let work = store.files.sorted { $0.key < $1.key }.flatMap { name, bytes in
            stride(from: 0, to: bytes.count * 8, by: step * 64).map { (name, $0, bytes.count * 8) }
        }
        let parts = CrashCampaign.inParallel(work) { name, first, end in
            var tally = Tally()
            for bit in stride(from: first, to: min(end, first + step * 64), by: step) {
                let outcome = store.open { $0.flipBit(bit % 8, ofByte: bit / 8, in: name) }
                tally.flips += 1
                switch outcome {
                case .reported: tally.reported += 1
                case .harmless where mayGoUnnoticed(name, bit / 8): tally.harmless += 1
                case .harmless: tally.broken.append("UNNOTICED: bit \(bit) of \(name)")
                case .broken(let what): tally.broken.append("\(what): bit \(bit) of \(name)")
                }
            }
            return tally
        }
        return parts.reduce(into: Tally()) {
            $0.flips += $1.flips
            $0.reported += $1.reported
            $0.harmless += $1.harmless
            $0.broken += $1.broken
        }
    }

    private func assertWhole(_ tally: Tally, _ store: String, line: UInt = #line) {
        print(
            "totals: bit flips, \(store): \(tally.flips), \(tally.reported) reported, "
                + "\(tally.harmless) harmless, \(tally.broken.count) broken")
        XCTAssertEqual(tally.broken.prefix(5), [], line: line)
        XCTAssertGreaterThan(tally.reported, 0, line: line)
    }

    func test_every_flipped_bit_of_a_closed_store_is_reported_unless_nothing_is_stored_there() {
        let store = RottenStore {
            RottenStore.life($0)
            $0.close()
        }
        let tally = flip(store, isClosed: true) { name, offset in
            // Only the unused rest of a first page.
            name != "MANIFEST" && (Self.pageBytesInUse..<Self.page).contains(offset)
        }
        assertWhole(tally, "closed store")
    }

    func test_a_flipped_bit_of_a_store_that_was_not_closed_is_reported_or_loses_no_event() throws {
        let store = RottenStore {
            RottenStore.life($0)
            $0.mark()
        }
        let last = try XCTUnwrap(store.places.last)
        let end = Int(last.bodyOffset) + (last.bodyLength + 7) / 8 * 8
        let active = try XCTUnwrap(store.segments.last)
        let tally = flip(store, isClosed: false) { name, offset in
            // The mark that vouches for the last commit, and what was written ahead after it; the
            // prepared next segment, which holds nothing yet; and the unused rest of a first page.
            name == active && offset >= end || name.hasSuffix(".tmp")
                || name != "MANIFEST" && (Self.pageBytesInUse..<Self.page).contains(offset)
        }
        assertWhole(tally, "store that was not closed")
    }

    func test_damage_to_the_last_commit_is_reported_in_strict_mode_without_any_mark() throws {
        let store = RottenStore(durability: .strict) { RottenStore.life($0) }
        let last = try XCTUnwrap(store.places.last)
        let active = try XCTUnwrap(store.segments.last)
        for offset in stride(from: last.offset, to: last.bodyOffset + 900, by: 7) {
            XCTAssertEqual(
                store.open { $0.flipBit(3, ofByte: Int(offset), in: active) }, .reported)
        }
    }

    func test_a_closed_store_that_was_cut_anywhere_is_reported() {
        let store = RottenStore {
            RottenStore.life($0)
            $0.close()
        }
        // Every length where a sample of the bits would not do either.
        let step = Self.step(isClosed: true) == 1 ? 1 : 97
        let cuts = store.files.sorted { $0.key < $1.key }.flatMap { name, bytes in
            // The unused rest of the page that names the store is not missed.
            let end = name == "STORE" ? Self.pageBytesInUse : bytes.count
            return stride(from: 0, to: end, by: step).map { (name, $0) }
        }
        let unnoticed = CrashCampaign.inParallel(cuts) { name, length in
            let rest = Array(store.files[name]?.prefix(length) ?? [])
            let outcome = store.open { $0.replaceContents(of: name, with: rest) }
            return outcome == .reported ? [] : ["\(name) cut to \(length): \(outcome)"]
        }.flatMap(\.self)
        XCTAssertEqual(unnoticed.prefix(5), [])
        print("totals: cut files: \(cuts.count), \(unnoticed.count) not reported")
    }

    func test_a_file_that_is_missing_from_a_closed_store_is_reported() {
        let store = RottenStore {
            RottenStore.life($0)
            $0.close()
        }
        for name in store.files.keys {
            XCTAssertEqual(
                store.open { $0.replaceContents(of: name, with: nil) }, .reported, name)
        }
    }

    func test_a_sector_that_was_lost_or_written_over_another_is_reported() {
        let store = RottenStore {
            RottenStore.life($0)
            $0.close()
        }
        var tried = 0
        for name in store.segments {
            let bytes = store.files[name] ?? []
            let starts = Array(stride(from: Self.page, to: bytes.count - 512, by: 512))
            for (index, start) in starts.enumerated() {
                let other = starts[(index * 7 + 3) % starts.count]
                for replacement in [
                    Array(repeating: 0, count: 512), Array(bytes[other..<other + 512]),
                ] {
                    var damaged = bytes
                    damaged.replaceSubrange(start..<start + 512, with: replacement)
                    guard damaged != bytes else { continue }
                    tried += 1
                    XCTAssertEqual(
                        store.open { $0.replaceContents(of: name, with: damaged) }, .reported,
                        "\(name) at \(start)")
                }
            }
        }
        print("totals: lost and misplaced sectors: \(tried), all reported")
    }

    /// A write may land in any other place, in any file: over each sector is put what is in each other
    /// one, and any two change places.
    func test_a_sector_that_lands_anywhere_else_in_a_log_is_reported() {
        let logs = [
            RottenStore {
                RottenStore.life($0)
                $0.close()
            },
            // Each commit fills a sector, so that what lands elsewhere is a whole frame.
            RottenStore(segmentBytes: 12_288) { driver in
                driver.open()
                for _ in 0..<60 { driver.commit(size: 512 - FrameHeader.length) }
                driver.close()
            },
        ]
        var (copied, swapped, unnoticed) = (0, 0, [String]())
        for log in logs {
            let (copies, swaps) = Self.misplacements(in: log)
            unnoticed += CrashCampaign.inParallel(copies + swaps) { misplacement in
                let outcome = log.open { misplacement.happen(to: $0) }
                return outcome == .reported ? [] : ["\(misplacement): \(outcome)"]
            }.flatMap(\.self)
            copied += copies.count
            swapped += swaps.count
        }
        XCTAssertEqual(unnoticed.prefix(5), [])
        XCTAssertGreaterThan(swapped, 50)
        print(
            "totals: sectors of a log put over each other one: \(copied), swapped: \(swapped), "
                + "\(unnoticed.count) not reported")
    }

    /// What one sector gets from another one, and perhaps the other way round.
    private struct Misplacement: CustomStringConvertible, Sendable {
        typealias Sector = (place: SimulatedDisk.SectorPlace, content: [UInt8])
        let target: Sector
        let source: Sector
        let isSwap: Bool

        func happen(to disk: SimulatedDisk) {
            disk.overwrite(target.place, with: source.content)
            if isSwap { disk.overwrite(source.place, with: target.content) }
        }

        var description: String {
            "\(source.place) \(isSwap ? "swapped with" : "put over") \(target.place)"
        }
    }

    /// Each sector over each other one, and each two that change places, as far as they differ and
    /// something is stored there.
    private static func misplacements(
        in log: RottenStore
    ) -> (copies: [Misplacement], swaps: [Misplacement]) {
        let sectors = log.sectors.filter { place, _ in
            place.file == "MANIFEST" || place.number == 0 || place.number >= page / 512
        }
        var (copies, swaps): ([Misplacement], [Misplacement]) = ([], [])
        for (index, target) in sectors.enumerated() {
            for (other, source) in sectors.enumerated() where target.content != source.content {
                copies.append(Misplacement(target: target, source: source, isSwap: false))
                guard index < other else { continue }
                swaps.append(Misplacement(target: target, source: source, isSwap: true))
            }
        }
        let step = step(isClosed: true) == 1 ? 1 : 97
        return (every(step, of: copies), every(step, of: swaps))
    }

    private static func every<Element>(_ step: Int, of all: [Element]) -> [Element] {
        stride(from: 0, to: all.count, by: step).map { all[$0] }
    }

    func test_a_segment_of_another_store_is_reported() throws {
        func store(_ seed: UInt64) -> RottenStore {
            RottenStore(seed: seed) {
                RottenStore.life($0)
                $0.close()
            }
        }
        let (mine, other) = (store(1), store(2))
        for (name, otherName) in zip(mine.segments, other.segments) {
            XCTAssertEqual(
                mine.open { $0.replaceContents(of: name, with: other.files[otherName]) },
                .reported, name)
        }
    }

    func test_an_older_copy_of_the_last_segment_is_reported() throws {
        let older = RottenStore { driver in
            driver.open()
            for number in 0..<8 { driver.commit(size: 100 * number) }
            driver.close()
        }
        let newer = RottenStore { driver in
            driver.open()
            for number in 0..<8 { driver.commit(size: 100 * number) }
            driver.close()
            driver.open()
            driver.commit(size: 100)
            driver.close()
        }
        let name = try XCTUnwrap(newer.segments.last)
        XCTAssertEqual(
            newer.open { $0.replaceContents(of: name, with: older.files[name]) }, .reported)
    }
}

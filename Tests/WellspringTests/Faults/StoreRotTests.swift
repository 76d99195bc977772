import Foundation
import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Bits, sectors and ends of files that rot in a store with an index, which is then read each way.
///
/// Every answer is right, or there is an error that names the damage. `WELLSPRING_ROT=all` tries
/// every bit, every length and every pair of sectors; the default takes one in many.
final class StoreRotTests: XCTestCase {
    private static let isWhole = ProcessInfo.processInfo.environment["WELLSPRING_ROT"] == "all"
    private static let budget = Size("ROT_TRIALS", debug: 260, release: 6_000)

    /// What came of a damaged store.
    private enum Outcome: Equatable {
        /// It was refused at opening, or by a read.
        case reported
        /// Every answer was right.
        case harmless
        case broken(String)
    }

    private struct Tally {
        var tried = 0
        var reported = 0
        var harmless = 0
        var broken: [String] = []

        mutating func count(_ outcome: Outcome, _ what: String) {
            tried += 1
            switch outcome {
            case .reported: reported += 1
            case .harmless: harmless += 1
            case .broken(let how): broken.append("\(how): \(what)")
            }
        }
    }

    /// A closed store of several segments, with index runs, tags and a saved projection.
    private static func sample() async throws -> (disk: SimulatedDisk, ledger: Ledger) {
        let disk = SimulatedDisk(seed: 3)
        var ledger = Ledger()
        for seed in 1...3 as ClosedRange<UInt64> {
            let store = try await FileEventStore(on: disk, configuration: configuration)
            try await ledger.append(28, to: store, seed: seed, streams: 9, padding: 1_500)
            let position = store.durablePosition
            try await store.checkpoints.save(
                Checkpoint(
                    projection: "p", revision: 1, position: position,
                    state: CrashEvent.bytes(300, seed: position.rawValue)))
            await store.close()
        }
        return (disk, ledger)
    }

    private static var configuration: FileEventStore.Configuration {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        return configuration
    }

    /// Damages a copy of the store and asks it everything.
    private static func examine(
        _ disk: SimulatedDisk, _ ledger: Ledger, _ damage: (SimulatedDisk) -> Void
    ) async -> Outcome {
        let copy = disk.afterCrash(keeping: .everything, seed: 7)
        damage(copy)
        let store: FileEventStore
        do {
            store = try await FileEventStore(on: copy, configuration: configuration)
        } catch {
            return outcome(of: error)
        }
        do {
            let complaints = try await ledger.complaints(about: store)
            if let first = complaints.first { return .broken(first) }
        } catch {
            return outcome(of: error)
        }
        do {
            // A projection that cannot be believed is replayed; its state is not made up.
            let saved = try await store.checkpoints.load("p")
            let state = saved.map { CrashEvent.bytes(300, seed: $0.position.rawValue) }
            if let saved, saved.state != state { return .broken("a wrong projection") }
        } catch {
            return outcome(of: error)
        }
        await store.close()
        return .harmless
    }

    private static func outcome(of error: any Error) -> Outcome {
        switch error {
        case EventStoreError.damaged, EventStoreError.unsupportedFormat: .reported
        default: .broken("\(error)")
        }
    }

    /// Tries the damages on all processors.
    private static func tally(
        _ name: String, _ damages: [(what: String, harm: @Sendable (SimulatedDisk) -> Void)],
        line: UInt = #line
    ) async throws {
        let began = ContinuousClock.now
        let (disk, ledger) = try await sample()
        let step = isWhole ? 1 : max(1, damages.count / budget.value)
        let chosen = stride(from: step / 2, to: damages.count, by: step).map { damages[$0] }
        let outcomes = await inParallel(0..<chosen.count) { number in
            (number, await examine(disk, ledger, chosen[number].harm))
        }
        var tally = Tally()
        for (number, outcome) in outcomes { tally.count(outcome, chosen[number].what) }
        Totals.print(
            name, since: began,
            "\(tally.tried) of \(damages.count) tried, \(tally.reported) reported, "
                + "\(tally.harmless) harmless, \(tally.broken.count) broken")
        XCTAssertEqual(tally.broken.prefix(5), [], line: line)
        XCTAssertGreaterThan(tally.reported, 0, line: line)
    }

    private static func files() async throws -> [(name: String, bytes: [UInt8])] {
        let disk = try await sample().disk
        XCTAssertGreaterThan(disk.segments.count, 2)
        XCTAssertGreaterThan(disk.runs.count, 1)
        return disk.fileNames.sorted().filter { $0 != "LOCK" }.map { name in
            (name, disk.contents(of: name) ?? [])
        }
    }

    // MARK: - The damages

    func test_a_flipped_bit_of_a_store_with_an_index_is_reported_or_changes_no_answer() async throws
    {
        var damages: [(String, @Sendable (SimulatedDisk) -> Void)] = []
        for (name, bytes) in try await Self.files() {
            for bit in 0..<bytes.count * 8 {
                damages.append(
                    ("bit \(bit) of \(name)", { $0.flipBit(bit % 8, ofByte: bit / 8, in: name) }))
            }
        }
        try await Self.tally("flipped bits of a store", damages)
    }

    func test_a_file_of_a_store_that_was_cut_is_reported_or_changes_no_answer() async throws {
        var damages: [(String, @Sendable (SimulatedDisk) -> Void)] = []
        for (name, bytes) in try await Self.files() {
            for length in 0..<bytes.count {
                damages.append(
                    (
                        "\(name) cut to \(length)",
                        { $0.replaceContents(of: name, with: Array(bytes[..<length])) }
                    ))
            }
        }
        try await Self.tally("cut files of a store", damages)
    }

    func test_a_sector_of_a_store_that_was_lost_or_spoilt_is_reported_or_changes_no_answer()
        async throws
    {
        var damages: [(String, @Sendable (SimulatedDisk) -> Void)] = []
        for (name, bytes) in try await Self.files() {
            for start in stride(from: 0, to: bytes.count, by: 512) {
                let sector = start..<min(start + 512, bytes.count)
                let noise = (0..<sector.count).map { UInt8(truncatingIfNeeded: ($0 &* 73) >> 2) }
                for (what, content) in [
                    ("zeroed", [UInt8](repeating: 0, count: sector.count)), ("garbled", noise),
                ] {
                    damages.append(
                        (
                            "\(name) at \(start) \(what)",
                            { disk in
                                var changed = bytes
                                changed.replaceSubrange(sector, with: content)
                                disk.replaceContents(of: name, with: changed)
                            }
                        ))
                }
            }
        }
        try await Self.tally("lost and garbled sectors of a store", damages)
    }

    /// All pairs of sectors that changed places, as far as they differ.
    ///
    /// - Parameter isWanted: Says of two files whether one sector of each is to be swapped.
    private static func swaps(
        _ isWanted: (String, String) -> Bool
    ) async throws -> [(what: String, harm: @Sendable (SimulatedDisk) -> Void)] {
        let disk = try await sample().disk
        let sectors = disk.sectorPlaces.map { (place: $0, content: disk.content(of: $0)) }
        var damages: [(String, @Sendable (SimulatedDisk) -> Void)] = []
        for (index, one) in sectors.enumerated() {
            for other in sectors[(index + 1)...]
            where isWanted(one.place.file, other.place.file) && one.content != other.content {
                damages.append(
                    (
                        "\(one.place) and \(other.place)",
                        {
                            $0.overwrite(one.place, with: other.content)
                            $0.overwrite(other.place, with: one.content)
                        }
                    ))
            }
        }
        return damages
    }

    func test_two_sectors_of_a_store_that_changed_places_are_reported_or_change_no_answer()
        async throws
    {
        try await Self.tally("swapped sectors of a store", try await Self.swaps(==))
    }

    /// A write may land in another file, too.
    func test_sectors_of_two_files_that_changed_places_are_reported_or_change_no_answer()
        async throws
    {
        try await Self.tally("sectors of two files of a store, swapped", try await Self.swaps(!=))
    }

    func test_a_file_of_a_store_that_is_missing_is_reported_or_changes_no_answer() async throws {
        let damages = try await Self.files().map { name, _ in
            (
                "\(name) missing",
                { @Sendable (disk: SimulatedDisk) in disk.replaceContents(of: name, with: nil) }
            )
        }
        try await Self.tally("missing files of a store", damages)
    }
}

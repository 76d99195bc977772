@testable import Wellspring
import Foundation
import WellspringLog
import WellspringTestKit
import XCTest

/// Files that somebody wrote on purpose, with checksums that hold: nothing traps, nothing runs away.
///
/// `WELLSPRING_FORGERIES=10000` forges that many; the default is 300.
final class MaintenanceFuzzTests: XCTestCase {
    private struct Dice {
        var state: UInt64

        mutating func roll(_ sides: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(sides))
        }

        /// A number of the kind at which parsers break.
        mutating func number() -> UInt64 {
            switch roll(5) {
            case 0: UInt64.max - UInt64(roll(3))
            case 1: UInt64(Int64.max) - UInt64(roll(3)) + 1
            case 2: UInt64(roll(3))
            case 3: 1 << UInt64(roll(64))
            default: state
            }
        }
    }

    private static let checksummed = 124

    /// Changes a number among the first bytes of a file and makes their checksum anew.
    private func forgeHead(_ bytes: inout [UInt8], _ dice: inout Dice) {
        guard bytes.count >= 128 else { return }
        Self.put(dice.number(), at: 32 + dice.roll(80), in: &bytes)
        Self.put(crc32c(0, Array(bytes[..<Self.checksummed])), at: Self.checksummed, in: &bytes)
    }

    private func forgeManifest(_ bytes: inout [UInt8], _ dice: inout Dice) {
        guard bytes.count > 136 else { return }
        if dice.roll(2) == 0 {
            forgeHead(&bytes, &dice)
        } else {
            Self.put(dice.number(), at: 128 + dice.roll(bytes.count - 140), in: &bytes)
        }
        Self.put(crc32c(0, Array(bytes.dropLast(4))), at: bytes.count - 4, in: &bytes)
    }

    /// Changes a header or a body in a segment and makes both checksums anew.
    private func forgeFrame(_ bytes: inout [UInt8], _ place: FramePlace, _ dice: inout Dice) {
        let salt = bytes.withUnsafeBytes { $0.loadLittleEndian(UInt64.self, at: 56) }
        let header = Int(place.offset)
        let body = Int(place.bodyOffset)
        let padded = (place.bodyLength + 7) & ~7
        if dice.roll(2) == 0 {
            Self.put(dice.number(), at: header + 4 + dice.roll(40), in: &bytes)
        } else {
            for _ in 0...dice.roll(3) {
                let at = dice.roll(max(1, place.bodyLength - 8))
                Self.put(UInt32(truncatingIfNeeded: dice.number()), at: body + at, in: &bytes)
            }
        }
        let sum = crc32c(UInt32(truncatingIfNeeded: salt), Array(bytes[body..<body + padded]))
        Self.put(sum, at: header + 48, in: &bytes)
        let own = crc32c(
            UInt32(truncatingIfNeeded: salt >> 32), Array(bytes[header..<header + 60]))
        Self.put(own, at: header + 60, in: &bytes)
    }

    /// Changes a number in a trailer, and half of the time has the MANIFEST agree with it.
    private func forgeTrailer(of store: MaintainedStore, _ dice: inout Dice) throws {
        let sealed = UInt32(1 + dice.roll(Int(store.segmentCount) - 1))
        // Number, seal, sequences, positions, counts, time; half of the time one of the counts.
        let field = 8 * (dice.roll(2) == 0 ? 1 + dice.roll(9) : 7 + dice.roll(2))
        let number = dice.number()
        try store.forgeTrailer(of: sealed, number, at: field)
        guard dice.roll(2) == 0 else { return }
        try store.forgeManifest { manifest in
            switch field {
            case 32: manifest.segments[Int(sealed) - 1].seal?.lastSequence = number
            case 48: manifest.segments[Int(sealed) - 1].seal?.nextPosition = number
            default: break
            }
        }
    }

    /// Has a run of the index and the MANIFEST tell of an end that the log does not have.
    private func forgeEnd(of store: MaintainedStore, _ dice: inout Dice) throws {
        let runs = store.disk.runs
        let (field, number) = (dice.roll(2), dice.number())
        let name = try XCTUnwrap(runs.isEmpty ? nil : runs[dice.roll(runs.count)])
        try store.forgeEnd(ofRun: name) { end in
            if field == 0 { end.sequence = max(1, number) } else { end.nextPosition = number }
        }
    }

    private static func put<Number: FixedWidthInteger>(
        _ number: Number, at offset: Int, in bytes: inout [UInt8]
    ) {
        for index in 0..<Number.bitWidth / 8 where offset + index < bytes.count {
            bytes[offset + index] = UInt8(truncatingIfNeeded: number >> Number(index * 8))
        }
    }

    func test_forged_files_are_told_and_nothing_traps_or_runs_away() async throws {
        let began = ContinuousClock.now
        let rounds =
            ProcessInfo.processInfo.environment["WELLSPRING_FORGERIES"].flatMap { Int($0) } ?? 300
        let store = try await MaintainedStore(appends: 100)
        let places = try (1...store.segmentCount).flatMap { try store.places(in: $0) }
        let whole = store.disk.allContents
        var told = 0
        for round in Size.firstSeed..<Size.firstSeed + rounds {
            var dice = Dice(state: 0x2545_F491_4F6C_DD1D &+ UInt64(round) &* 0x9E37_79B9)
            store.disk.replaceAll(with: whole)
            switch dice.roll(9) {
            case 0: try change(Manifest.fileName, of: store) { forgeManifest(&$0, &dice) }
            case 1: try change(StoreIdentity.fileName, of: store) { forgeHead(&$0, &dice) }
            case 2:
                let number = UInt32(1 + dice.roll(Int(store.segmentCount)))
                try change(LogLayout.segment(number), of: store) { forgeHead(&$0, &dice) }
            case 3: try forgeTrailer(of: store, &dice)
            case 4:
                let sealed = UInt32(1 + dice.roll(Int(store.segmentCount) - 1))
                let number = dice.number()
                try store.forgeFooter(of: sealed, number) { dice.roll($0) }
            case 5: try forgeEnd(of: store, &dice)
            default:
                let place = places[dice.roll(places.count)]
                try change(LogLayout.segment(place.segment), of: store) {
                    forgeFrame(&$0, place, &dice)
                }
            }
            if await !passesTools(store, round) { told += 1 }
        }
        XCTAssertGreaterThan(told, rounds / 2)
        Totals.print("forged files", since: began, "\(rounds) stores, \(told) told by verifying")
    }

    private func change(
        _ file: String, of store: MaintainedStore, _ body: (inout [UInt8]) -> Void
    ) throws {
        var bytes = try XCTUnwrap(store.disk.contents(of: file))
        body(&bytes)
        store.disk.replaceContents(of: file, with: bytes)
    }

    /// Runs every tool over the store; whether verifying calls it sound.
    private func passesTools(_ store: MaintainedStore, _ round: Int) async -> Bool {
        let report = try? await store.verify()
        let target = SimulatedDisk(seed: UInt64(round))
        let saved = try? await FileEventStore.salvage(
            from: "store", in: store.disk, to: "new", in: target, segmentBytes: 64 << 10)
        if saved != nil {
            let copy = try? await FileEventStore.verify(at: "new", in: target)
            XCTAssertEqual(copy?.isSound, true, "round \(round)")
        }
        let copy = SimulatedDisk(seed: UInt64(round))
        _ = try? await FileEventStore.backup(at: "store", in: store.disk, to: "b", in: copy)
        if var examination = try? StoreExamination(at: "store", in: store.disk) {
            try? examination.read { _ in true }
        }
        _ = await opens(store)
        let before = store.disk.allContents
        let repaired = try? await FileEventStore.repair(at: "store", in: store.disk)
        if repaired == nil { XCTAssertTrue(store.disk.allContents == before, "round \(round)") }
        // Nothing but what repair makes anew was wrong.
        if repaired?.isRepaired == true {
            let isOpen = await opens(store)
            XCTAssertTrue(isOpen, "round \(round)")
        }
        return report?.problems.isEmpty ?? false
    }

    /// Has a reader and a writer open a copy of the store, read it and write to it.
    private func opens(_ store: MaintainedStore) async -> Bool {
        let disk = store.copy().disk
        if let reader = try? await FileEventReader(on: disk) {
            _ = try? await reader.wholeLog()
            await reader.close()
        }
        _ = try? await FileEventStore.scavenge(at: "store", in: disk)
        guard
            let opened = try? await FileEventStore(
                on: disk, configuration: MaintainedStore.configuration)
        else { return false }
        _ = try? await opened.wholeLog()
        _ = try? await opened.appendSample(1)
        await opened.close()
        return true
    }
}

@testable import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// A scavenge that is interrupted at any operation, by the power or by an error, loses no event, and
/// a repeated one finishes it.
///
/// `WELLSPRING_FIRST_SEED` gives other crashes.
final class ScavengeCrashTests: XCTestCase {
    private static let momentStep = Size("SCAVENGE_CRASH_STEP", debug: 4, release: 1)
    private static let rounds = Size("SCAVENGE_CRASH_ROUNDS", debug: 1, release: 12)
    private static let depth = Size("SCAVENGE_CRASH_DEPTH", debug: 4, release: 300)
    private static let errorStep = Size("SCAVENGE_ERROR_STEP", debug: 23, release: 1)
    private static let survivals: [SimulatedDisk.Survival] = [
        .nothing, .everything, .chance, .chance,
    ]

    func test_a_crash_at_any_operation_loses_nothing_and_a_repetition_finishes_it() async throws {
        let fixture = try await ScavengeFixture()
        fixture.disk.startRecording()
        try await fixture.scavenge()
        let moments = fixture.disk.takeRecording()
        XCTAssertGreaterThan(moments.count, 60)
        var images = 0
        var unfinished = 0
        for number in stride(from: 0, to: moments.count, by: Self.momentStep.value) {
            let moment = moments[number]
            for round in 0..<Self.rounds.value {
                let (image, survival) = Self.image(moments, number, round)
                let message = "\(moment.operation), \(survival)"
                if try await examine(image, of: fixture, message) { unfinished += 1 }
                images += 1
            }
        }
        XCTAssertGreaterThan(unfinished, 5)
        print(
            "totals: crashes in scavenges: \(images), \(unfinished) with events left to go, 0 lost")
    }

    func test_a_crash_of_a_scavenge_that_follows_another_one_loses_no_request() async throws {
        var fixture = try await ScavengeFixture()
        try await fixture.scavenge()
        try await fixture.askAgain()
        fixture.disk.startRecording()
        try await fixture.scavenge()
        let moments = fixture.disk.takeRecording()
        XCTAssertGreaterThan(moments.count, 60)
        var unfinished = 0
        for number in stride(from: 0, to: moments.count, by: Self.momentStep.value) {
            let (image, _) = Self.image(moments, number, 0)
            if try await examine(image, of: fixture, "\(moments[number].operation)") {
                unfinished += 1
            }
        }
        XCTAssertGreaterThan(unfinished, 5)
        print("totals: crashes in repeated scavenges: \(moments.count) moments, 0 lost")
    }

    func test_crashes_of_a_recovery_after_a_crash_lose_nothing() async throws {
        let fixture = try await ScavengeFixture()
        fixture.disk.startRecording()
        try await fixture.scavenge()
        let moments = fixture.disk.takeRecording()
        let first = UInt64(Size.firstSeed)
        for seed in first..<first + UInt64(Self.depth.value) {
            var image = SimulatedDisk(
                after: moments[Int(seed &* 7_919 % UInt64(moments.count))], keeping: .chance,
                seed: seed)
            for depth in 0..<2 as Range<UInt64> {
                image.startRecording()
                try await fixture.scavenge(image)
                let next = image.takeRecording()
                image = SimulatedDisk(
                    after: next[Int((seed &* 104_729 &+ depth) % UInt64(next.count))],
                    keeping: .chance, seed: seed &+ depth)
            }
            _ = try await examine(image, of: fixture, "seed \(seed)")
        }
    }

    func test_an_error_at_any_operation_loses_nothing_and_a_repetition_finishes_it()
        async throws
    {
        let base = try await ScavengeFixture()
        let rehearsal = base.disk.afterCrash(keeping: .everything, seed: 1)
        try await base.scavenge(rehearsal)
        var refused = 0
        for index in stride(from: 0, to: rehearsal.operationCount, by: Self.errorStep.value) {
            for (failure, repetition) in [
                (SimulatedDisk.Fault.Failure.inputOutput, SimulatedDisk.Fault.Repetition.once),
                (.noSpace, .untilHealed),
            ] {
                let disk = base.disk.afterCrash(
                    keeping: .everything, seed: UInt64(Size.firstSeed))
                disk.inject(.init(failure, from: index, repetition))
                let message = "\(failure) at \(index)"
                do {
                    try await base.scavenge(disk)
                } catch let error as EventStoreError {
                    refused += 1
                    if case .damaged = error { XCTFail("\(message): \(error)") }
                }
                disk.heal()
                // Whoever goes on without a crash finds the same as who comes after one.
                if index % 2 == 0 { disk.crash(keeping: .chance) }
                _ = try await examine(disk, of: base, message)
            }
        }
        XCTAssertGreaterThan(refused, 10)
        print("totals: errors in scavenges: \(rehearsal.operationCount) operations, 0 lost")
    }

    /// A disk that a crash at one of the moments may leave.
    private static func image(
        _ moments: [SimulatedDisk.Moment], _ number: Int, _ round: Int,
        firstSeed: Int = Size.firstSeed
    ) -> (disk: SimulatedDisk, survival: SimulatedDisk.Survival) {
        // Whatever the step between them is.
        let survival = survivals[(number / momentStep.value + round) % survivals.count]
        let seed = UInt64(firstSeed - 1) &* 1_000_003 &+ UInt64(number * 31 + round)
        return (SimulatedDisk(after: moments[number], keeping: survival, seed: seed), survival)
    }

    /// Each night is to look at other disks than the nights before.
    func test_another_seed_leaves_other_images_and_the_same_seed_the_same() async throws {
        let fixture = try await ScavengeFixture()
        fixture.disk.startRecording()
        try await fixture.scavenge()
        let moments = fixture.disk.takeRecording()
        func images(_ seed: Int) -> [[String: [UInt8]?]] {
            stride(from: 0, to: moments.count, by: 7).map { number in
                let disk = Self.image(moments, number, 0, firstSeed: seed).disk
                return disk.fileNames.reduce(into: [:]) { $0[$1] = disk.contents(of: $1) }
            }
        }
        let (one, other) = (images(1), images(2))
        XCTAssertEqual(one, images(1))
        let different = zip(one, other).count { $0 != $1 }
        print("crashes in scavenges: \(different) of \(one.count) images differ with the seed")
        XCTAssertGreaterThan(different, 0)
    }

    /// Looks at the store as it is, scavenges it again, and looks once more.
    ///
    /// Returns whether there was something left to do.
    private func examine(
        _ disk: SimulatedDisk, of fixture: ScavengeFixture, _ message: String
    ) async throws -> Bool {
        let opened = disk.afterCrash(keeping: .everything, seed: 3)
        let between = try await fixture.complaints(about: opened, isDone: false)
        XCTAssertEqual(between, [], message)
        let report = try await fixture.scavenge(disk)
        let complaints = try await fixture.complaints(about: disk, isDone: true)
        XCTAssertEqual(complaints, [], "again, \(message)")
        XCTAssertEqual(
            fixture.positionsWithContent(on: disk).intersection(fixture.going), [], message)
        return report.hasChanged
    }
}

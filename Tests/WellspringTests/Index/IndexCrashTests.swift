import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

@testable import Wellspring

/// A run is whole under its name, or not there, whatever happens to machine and disk.
final class IndexCrashTests: XCTestCase {
    private var generator = IndexGenerator(seed: 51)

    // MARK: - Crashes

    func test_a_crash_while_a_run_is_written_leaves_whole_runs_only() throws {
        let fixture = try IndexFixture()
        let lists = generator.log(1_200, streams: 50)
        let range = IndexRange(first: 1, last: 9)
        fixture.disk.startRecording()
        let run = try IndexFixture.write(lists, range, in: fixture.directory)
        let images = try examineCrashes(fixture.disk, [run.name: lists])
        XCTAssertTrue(images.last?.contains(run.name) ?? false, "a finished run is durable")
        XCTAssertTrue(images.contains { $0.isEmpty })
    }

    func test_a_crash_while_runs_are_merged_leaves_whole_runs_only() throws {
        var fixture = try IndexFixture()
        let parts = [generator.log(700, streams: 30), generator.log(500, streams: 30)]
        let runs = try parts.map { try fixture.write($0) }
        fixture.disk.startRecording()
        let merged = try IndexRun.merge(runs, in: fixture.directory, level: 1)
        let images = try examineCrashes(
            fixture.disk,
            [
                runs[0].name: parts[0], runs[1].name: parts[1],
                merged.name: parts[0].followed(by: parts[1]),
            ])
        XCTAssertTrue(images.allSatisfy { $0.isSuperset(of: runs.map(\.name)) })
        XCTAssertTrue(images.last?.contains(merged.name) ?? false, "a finished run is durable")
    }

    /// Crashes at every recorded moment, and returns the runs that each crash left.
    private func examineCrashes(
        _ disk: SimulatedDisk, _ expected: [String: IndexLists]
    ) throws -> [Set<String>] {
        var images: [Set<String>] = []
        for moment in disk.takeRecording() {
            for seed in 1...30 as ClosedRange<UInt64> {
                let survival: SimulatedDisk.Survival =
                    [.nothing, .everything, .oneSector][safe: Int(seed) - 1] ?? .chance
                let image = SimulatedDisk(after: moment, keeping: survival, seed: seed)
                images.append(try examine(image, expected, "\(moment.operation) seed \(seed)"))
            }
        }
        return images
    }

    /// Opens and reads every run, and returns their names.
    @discardableResult
    private func examine(
        _ disk: SimulatedDisk, _ expected: [String: IndexLists], _ message: String
    ) throws -> Set<String> {
        let directory = try disk.openStore(at: "store", create: true)
        let listing = try IndexRun.list(directory)
        for name in listing.leftovers {
            XCTAssertTrue(name.hasSuffix(".tmp"), "\(name) \(message)")
        }
        for found in listing.runs {
            do {
                let run = try IndexRun.open(
                    directory, name: found.name, storeID: IndexFixture.owner)
                try run.verify()
                try check(run, try XCTUnwrap(expected[found.name]), message)
            } catch {
                XCTFail("\(found.name): \(error), \(message)")
            }
        }
        return Set(listing.runs.map(\.name))
    }

    // MARK: - Errors

    private let failures = SimulatedDisk.Fault.Failure.allCases

    func test_an_error_while_a_run_is_written_leaves_whole_runs_only() throws {
        let first = generator.log(300, streams: 30)
        let second = generator.log(2_000, streams: 30)
        try failEverywhere(with: [first], leaving: second) { fixture, _ in
            try fixture.write(second)
        }
    }

    func test_an_error_while_runs_are_merged_leaves_the_old_ones_as_they_are() throws {
        let parts = [generator.log(900, streams: 30), generator.log(800, streams: 30)]
        try failEverywhere(with: parts, leaving: parts[0].followed(by: parts[1])) {
            fixture, runs in
            try IndexRun.merge(runs, in: fixture.directory, level: 1)
        }
    }

    /// Makes a run again and again, and has another operation fail each time.
    ///
    /// - Parameters:
    ///   - old: What is in the runs that are there before.
    ///   - new: What is in the new one.
    private func failEverywhere(
        with old: [IndexLists], leaving new: IndexLists,
        _ make: (inout IndexFixture, [IndexRun]) throws -> IndexRun
    ) throws {
        var untouched = try IndexFixture()
        let name = try make(&untouched, try old.map { try untouched.write($0) }).name
        var errors = 0
        for index in 0... {
            var wasReached = false
            for repetition in [SimulatedDisk.Fault.Repetition.once, .untilHealed] {
                var fixture = try IndexFixture(SimulatedDisk(seed: UInt64(index + 1)))
                let runs = try old.map { try fixture.write($0) }
                let known = Dictionary(uniqueKeysWithValues: zip(runs.map(\.name), old))
                let failure = failures[index % failures.count]
                fixture.disk.inject(
                    .init(failure, from: fixture.disk.operationCount + index, repetition))
                let message = "\(failure) at \(index), \(repetition)"
                var isMade = false
                do {
                    let run = try make(&fixture, runs)
                    isMade = true
                    XCTAssertFalse(fixture.disk.operations.contains(where: \.hasFailed), message)
                    try check(run, new, message)
                } catch {
                    errors += 1
                    XCTAssertTrue(error is SystemError || error is IndexError, message)
                }
                wasReached = wasReached || fixture.disk.operations.contains(where: \.hasFailed)
                fixture.disk.heal()
                for (run, lists) in zip(runs, old) { try check(run, lists, message) }
                let left = try examine(
                    fixture.disk, known.merging([name: new]) { old, _ in old }, message)
                XCTAssertTrue(left.isSuperset(of: known.keys), message)
                if isMade || repetition == .once {
                    XCTAssertEqual(left.contains(name), isMade, message)
                    XCTAssertEqual(
                        try IndexRun.list(fixture.directory).leftovers, [], message)
                }
            }
            guard wasReached else { break }
        }
        XCTAssertGreaterThan(errors, 10)
    }

    func test_a_writer_that_failed_once_makes_no_run() throws {
        let fixture = try IndexFixture()
        func write() throws {
            let writer = try IndexRunWriter(
                in: fixture.directory, storeID: IndexFixture.owner,
                range: IndexRange(first: 1, last: 2), level: 0, anchor: [], keyEstimate: 1)
            fixture.disk.inject(.init(.inputOutput, operations: [.write]))
            let entries = generator.noise(20_000)
            XCTAssertThrowsError(try writer.append(key: 1, entries))
            XCTAssertThrowsError(try writer.append(key: 2, entries))
            _ = try writer.finish()
        }
        XCTAssertThrowsError(try write())
        XCTAssertEqual(fixture.disk.fileNames, [])
    }

    func test_an_error_while_reading_is_told_and_passes() throws {
        let lists = generator.log(900, streams: 30)
        var fixture = try IndexFixture()
        let run = try fixture.write(lists)
        for index in 0..<4 {
            let opened = try fixture.open(run)
            fixture.disk.inject(
                .init(
                    .inputOutput, operations: [.read],
                    from: fixture.disk.operationCount + index))
            XCTAssertThrowsError(try check(opened, lists)) {
                guard case .system(let error)? = $0 as? IndexError else { return XCTFail("\($0)") }
                XCTAssertEqual(error.kind, .io)
            }
            try check(opened, lists)
        }
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? {
        indices.contains(index) ? self[index] : nil
    }
}

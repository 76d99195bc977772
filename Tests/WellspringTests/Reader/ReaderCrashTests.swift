import Foundation
import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Readers beside a writer that fails and dies: what they show is never taken back.
///
/// `WELLSPRING_READER_CRASHES` says how many crashes there are, `WELLSPRING_FIRST_SEED` where the
/// seeds begin; a failure names its seed.
final class ReaderCrashTests: XCTestCase {
    static let crashes =
        Int(ProcessInfo.processInfo.environment["WELLSPRING_READER_CRASHES"] ?? "")
        ?? (StoreCrashRun.isOptimized ? 2_000 : 40)

    func test_what_a_reader_shows_survives_every_crash() async throws {
        let began = ContinuousClock.now
        var done = 0
        let first = UInt64(Size.firstSeed)
        var seed = first
        while done < Self.crashes {
            for durability in StoreCrashTests.modes {
                let life = ReaderLife(seed: seed, durability)
                done += await life.run()
                XCTAssertEqual(life.problems, [], "seed \(seed), \(durability)")
                seed += 1
            }
        }
        Totals.print("crashes beside readers", since: began, "\(done) in \(seed - first) lives")
    }

    func test_crashes_find_writers_that_call_frames_durable_too_early() async throws {
        var problems: [String] = []
        for seed in 1...40 where problems.isEmpty {
            let life = ReaderLife(seed: UInt64(seed), .everyCommit, fault: .claimDurableEarly)
            _ = await life.run()
            problems = life.problems
        }
        XCTAssertFalse(problems.isEmpty)
    }
}

/// One life of a writer, seen by a reader that looks at its disk between any two operations.
private final class ReaderLife {
    private let run: StoreCrashRun
    private let seed: UInt64
    private var dice: SmallDice
    private(set) var problems: [String] = []
    /// What the reader that follows has shown.
    private var shown: [RecordedEvent] = []

    init(seed: UInt64, _ durability: Durability, fault: PlantedFault? = nil) {
        self.seed = seed
        dice = SmallDice(seed: seed &* 31)
        run = StoreCrashRun(
            SimulatedDisk(seed: seed), durability: durability, seed: seed, fault: fault)
    }

    /// Returns how many crashes there were.
    func run() async -> Int {
        run.disk.startRecording()
        await run.open()
        for _ in 0..<12 {
            await run.live(5)
            injectTrouble()
        }
        run.disk.heal()
        let moments = run.disk.takeRecording()
        let disk = SimulatedDisk(seed: seed)
        var reader: FileEventReader?
        var crashes = 0
        for moment in moments {
            disk.turn(to: moment)
            if reader == nil { reader = await open(disk, moment) }
            guard let reader, dice.below(3) == 0 else { continue }
            await look(reader, moment)
            guard dice.below(max(1, moments.count / 20)) == 0 else { continue }
            crashes += 1
            do {
                try await crash(moment)
            } catch EventStoreError.notAStore where shown.isEmpty {
                // The crash came while the store was being made.
            } catch {
                problems.append("\(moment.operation): \(error)")
            }
        }
        if shown.count < 5 { problems.append("nothing was shown") }
        return crashes
    }

    /// Failed writes, which are taken back or end the store, now and then.
    private func injectTrouble() {
        run.disk.heal()
        if run.isPoisoned { run.drop() }
        guard dice.below(2) == 0 else { return }
        run.disk.inject(
            .init(.inputOutput, operations: [.write], from: run.disk.operationCount + dice.below(9))
        )
    }

    private func open(
        _ disk: SimulatedDisk, _ moment: SimulatedDisk.Moment
    ) async -> FileEventReader? {
        do throws(EventStoreError) {
            return try await FileEventReader(on: disk)
        } catch {
            if case .notAStore = error { return nil }
            problems.append("\(moment.operation): opening: \(error)")
            return nil
        }
    }

    private func look(_ reader: FileEventReader, _ moment: SimulatedDisk.Moment) async {
        do {
            while true {
                let after = LogPosition(UInt64(shown.count))
                let page = try await reader.read(LogRead(.forward(after: after)))
                if page.events.isEmpty { break }
                if page.events.first?.position != LogPosition(after.rawValue + 1) {
                    problems.append("\(moment.operation): a gap after \(after)")
                }
                shown += page.events
            }
            if reader.position.rawValue != UInt64(shown.count) {
                problems.append("\(moment.operation): \(shown.count) are not \(reader.position)")
            }
            let stream = sampleStream("\(dice.below(12))")
            let found = try await reader.read(
                StreamRead(stream, limit: ReadLimit(events: 10_000)))
            if found.events != shown.filter({ $0.stream == stream }) {
                problems.append("\(moment.operation): the index of \(stream) is wrong")
            }
        } catch {
            problems.append("\(moment.operation): \(error)")
        }
    }

    /// Turns the power off, and compares what is left with what was shown.
    private func crash(_ moment: SimulatedDisk.Moment) async throws {
        for survival in [SimulatedDisk.Survival.nothing, .chance, .everything] {
            let disk = SimulatedDisk(after: moment, keeping: survival, seed: seed)
            let before = try await FileEventReader(on: disk)
            let early = try await before.wholeLog()
            let store = try await FileEventStore(on: disk, configuration: run.configuration)
            let log = try await store.wholeLog()
            if Array(log.prefix(shown.count)) != shown {
                problems.append("\(moment.operation): shown \(shown.count), left \(log.count)")
            }
            if Array(log.prefix(early.count)) != early {
                problems.append("\(moment.operation): a new reader showed \(early.count)")
            }
            let late = try await before.wholeLog()
            if late != log { problems.append("\(moment.operation): \(late.count) after recovery") }
            await store.close()
        }
    }
}

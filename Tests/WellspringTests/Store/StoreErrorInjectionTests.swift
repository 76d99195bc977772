import Wellspring
import WellspringLog
import WellspringTestKit
import XCTest

/// Any operation of a store's life may fail, once or for ever.
final class StoreErrorInjectionTests: XCTestCase {
    private static let failures = SimulatedDisk.Fault.Failure.allCases

    /// Every single place when many crashes are asked for, else some of them.
    private static func step(unoptimized: Int) -> Int {
        guard StoreCrashRun.isOptimized else { return unoptimized }
        return StoreCrashTests.crashes >= 8_000 ? 1 : 7
    }

    func test_an_error_at_any_operation_breaks_no_promise() async throws {
        let began = ContinuousClock.now
        let done = await liveWithTrouble(every: Self.step(unoptimized: 181)) { index in
            let failure = Self.failures[index % Self.failures.count]
            return [
                .init(failure, from: index, .once), .init(failure, from: index, .untilHealed),
            ]
        }
        Totals.print("errors in lives of stores", since: began, "\(done), one in each")
    }

    func test_a_power_cut_amid_any_operation_breaks_no_promise() async throws {
        let began = ContinuousClock.now
        let done = await liveWithTrouble(every: Self.step(unoptimized: 131)) { index in
            [.powerCut(at: index)]
        }
        Totals.print("power cuts amid operations of stores", since: began, "\(done)")
    }

    func test_a_journal_that_is_given_up_at_any_sync_breaks_no_promise() async throws {
        let began = ContinuousClock.now
        var done = 0
        // Who opens a store that was closed makes its file longer with the first append.
        for seed in UInt64(1)...2 {
            done += await liveWithTrouble(
                every: Self.step(unoptimized: 53), seed: seed, endsAtError: true
            ) { index in
                [.abortedJournal(from: index)]
            }
        }
        Totals.print("journals given up under stores", since: began, "\(done)")
    }

    func test_a_disk_that_is_full_at_any_size_breaks_no_promise() async throws {
        let began = ContinuousClock.now
        var done = 0
        // Few lives have more than this.
        let (most, every) = (350_000, Self.step(unoptimized: 53) * 1_000)
        for durability in StoreCrashTests.modes {
            for capacity in stride(from: 0, to: most, by: every) {
                let problems = await life(durability, seed: 1 + UInt64(capacity / every % 2)) {
                    $0.capacity = capacity
                }
                XCTAssertEqual(problems, [], "\(capacity) bytes, \(durability)")
                done += 1
            }
        }
        Totals.print("simulated disks that are full", since: began, "\(done)")
    }

    func test_a_crash_right_after_an_error_breaks_no_promise() async throws {
        for seed in 1...UInt64(StoreCrashRun.isOptimized ? 100 : 8) {
            for operation in [SimulatedDisk.Operation.Kind.write, .sync] {
                let problems = await life(.everyCommit, seed: seed, endsAtError: true) {
                    $0.inject(
                        .init(.inputOutput, operations: [operation], from: 60 + Int(seed) * 7 % 200)
                    )
                }
                XCTAssertEqual(problems, [], "\(operation), seed \(seed)")
            }
        }
    }

    func test_errors_find_stores_that_break_a_promise() async throws {
        let faults: [(PlantedFault, SimulatedDisk.Operation.Kind)] = [
            (.rollBackWithoutSync, .write), (.retryFailedSync, .sync),
        ]
        for (fault, operation) in faults {
            var problems: [String] = []
            for seed in 1...3_000 where problems.isEmpty {
                problems = await life(
                    .everyCommit, fault, seed: UInt64(seed), endsAtError: true
                ) {
                    $0.inject(
                        .init(.inputOutput, operations: [operation], from: 20 + seed % 60))
                }
            }
            XCTAssertFalse(problems.isEmpty, "nothing notices \(fault)")
        }
    }

    func test_a_store_goes_on_after_an_error_or_says_that_it_cannot() async throws {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 64 << 10
        let payload = EventPayload([UInt8](repeating: 7, count: 9_000))
        let request = AppendRequest(
            [NewEvent(EncodedEvent(name: "big", payload: payload))], to: sampleStream("1"),
            expecting: .any)
        for (number, failure) in Self.failures.enumerated() {
            // Appends and a change of segments take about sixty operations.
            for offset in stride(from: number, to: 60, by: StoreCrashRun.isOptimized ? 1 : 3) {
                let disk = SimulatedDisk(seed: UInt64(offset))
                let store = try await FileEventStore(on: disk, configuration: configuration)
                for _ in 0..<5 { try await store.append(request) }
                disk.inject(.init(failure, from: disk.operationCount + offset))
                var isPoisoned = false
                for _ in 0..<12 {
                    switch await error(ofAppending: request, to: store) {
                    case nil: XCTAssertFalse(isPoisoned, "a poisoned store goes on")
                    case .outcomeUnknown: isPoisoned = true
                    case .poisoned: XCTAssertTrue(isPoisoned)
                    case .notStored, .storageFull: XCTAssertFalse(isPoisoned)
                    case .some(let error): XCTFail("\(error)")
                    }
                }
                let last = await error(ofAppending: request, to: store)
                XCTAssertEqual(last != nil, isPoisoned, "\(failure) at \(offset)")
                await store.close()
            }
        }
    }

    private func error(
        ofAppending request: AppendRequest, to store: FileEventStore
    ) async -> EventStoreError? {
        do throws(EventStoreError) {
            _ = try await store.append(request)
            return nil
        } catch {
            return error
        }
    }

    // MARK: - One life

    private func operationsOfALife(_ durability: Durability, _ seed: UInt64) async -> Int {
        let disk = SimulatedDisk(seed: seed)
        let run = StoreCrashRun(disk, durability: durability, seed: seed)
        await run.open()
        await run.live(45)
        return disk.operationCount
    }

    /// Lives a life in every mode for each trouble of every so many-th operation.
    ///
    /// What is done is the same in all of them; what the crash at the end leaves of it is not.
    ///
    /// - Returns: How many lives there were.
    private func liveWithTrouble(
        every step: Int, seed: UInt64 = 1, endsAtError: Bool = false,
        _ troubles: (Int) -> [SimulatedDisk.Fault]
    ) async -> Int {
        var done = 0
        for (number, durability) in StoreCrashTests.modes.enumerated() {
            let operations = await operationsOfALife(durability, seed)
            for index in stride(from: number, to: operations, by: step) {
                for trouble in troubles(index) {
                    let problems = await life(
                        durability, seed: seed, on: SimulatedDisk(seed: UInt64(index)),
                        endsAtError: endsAtError
                    ) {
                        $0.inject(trouble)
                    }
                    XCTAssertEqual(problems, [], "\(trouble), \(durability), seed \(seed)")
                    done += 1
                }
            }
        }
        return done
    }

    /// Lives one life on a disk with a trouble, then on a healed one, and judges it.
    private func life(
        _ durability: Durability, _ fault: PlantedFault? = nil, seed: UInt64 = 3,
        on disk: SimulatedDisk? = nil, endsAtError: Bool = false,
        _ trouble: (SimulatedDisk) -> Void
    ) async -> [String] {
        let disk = disk ?? SimulatedDisk(seed: seed)
        let run = StoreCrashRun(disk, durability: durability, seed: seed, fault: fault)
        trouble(disk)
        await run.open()
        for _ in 0..<45 where !endsAtError || !disk.operations.contains(where: \.hasFailed) {
            await run.live(1)
        }
        var problems = run.complaints

        // The machine stops, with all that may still be on its way, and comes up again.
        run.drop()
        disk.crash()
        disk.heal()
        do {
            let store = try await FileEventStore(on: disk, configuration: run.configuration)
            let log = try await store.wholeLog()
            problems += run.judge(log, isEnd: false)
            let saved = try await store.checkpoints.load("p")
            let position = saved?.position.rawValue ?? 0
            if position > UInt64(log.count) { problems.append("a projection ahead of the log") }
            if position < run.promise.saved { problems.append("a saved projection is lost") }
            try await store.appendSample(1, to: "after")
            await store.close()
            disk.crash(keeping: .nothing)
            let again = try await FileEventStore(on: disk, configuration: run.configuration)
            let after = try await again.wholeLog()
            await again.close()
            if Array(after.dropLast()) != log { problems.append("what was shown has changed") }
        } catch {
            problems.append("after it all: \(error)")
        }
        return problems
    }
}

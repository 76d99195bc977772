import Wellspring
import WellspringLog
import WellspringTestKit

/// Lives of stores that lose power, with what is wrong with what they find afterwards.
struct StoreCrashTrial: Sendable {
    /// A protection that is switched off.
    var fault: PlantedFault?
    /// What the store has for a file system.
    var files: @Sendable (SimulatedDisk) -> any FileSystem = { $0 }

    /// Lives one life and crashes it in some places.
    func crashes(
        of durability: Durability, seed: UInt64, things: Int = 60, every: Int? = nil
    ) async -> (count: Int, problems: [String]) {
        let run = StoreCrashRun(
            SimulatedDisk(seed: seed), durability: durability, seed: seed, fault: fault,
            files: files)
        run.disk.startRecording()
        await run.open()
        await run.live(things)
        var problems = run.complaints + run.errors.map { "\($0)" }
        let moments = run.disk.takeRecording()
        // A few crashes of many lives find more than many crashes of one.
        let step = every ?? max(1, moments.count / 12)
        var count = 0
        for index in stride(from: Int(seed) % step, to: moments.count, by: step) {
            count += 1
            let moment = moments[index]
            do {
                problems += try await crash(run, at: moment).map { "\(moment.operation): \($0)" }
            } catch {
                problems.append("\(moment.operation): \(error)")
            }
        }
        return (count, problems)
    }

    /// Turns the power off at `moment` and judges what is left, with another crash in recovery.
    private func crash(
        _ run: StoreCrashRun, at moment: SimulatedDisk.Moment
    ) async throws -> [String] {
        let seed = UInt64(moment.operation.number)
        let disk = SimulatedDisk(after: moment, keeping: .chance, seed: seed)
        disk.startRecording()
        var (log, problems) = try await recover(run, disk, note: moment.note)
        let files = disk.recoveredFiles

        // The power goes off again while the store recovers; what that leaves is no worse.
        let recovery = disk.takeRecording()
        if let again = recovery.dropLast(Int(seed) % max(1, recovery.count)).last {
            let twice = SimulatedDisk(after: again, keeping: .chance, seed: seed &+ 1)
            problems += try await recover(run, twice, note: moment.note).problems
        }

        // What was shown once stays, whatever becomes of the disk now.
        disk.crash(keeping: .nothing)
        let stable = try await recover(run, disk, note: moment.note)
        if stable.log != log { problems.append("what was shown has changed") }
        let changed = disk.recoveredOtherwise(than: files)
        if !changed.isEmpty {
            problems.append("recovered again, other bytes in \(changed.joined(separator: " "))")
        }
        problems += stable.problems
        return try await problems + continueAfterRecovery(disk, run, log)
    }

    private func recover(
        _ run: StoreCrashRun, _ disk: SimulatedDisk, note: Int
    ) async throws -> (log: [RecordedEvent], problems: [String]) {
        let store = try await FileEventStore(
            at: "store", in: files(disk), configuration: run.configuration)
        let log = try await store.wholeLog()
        var problems = run.judge(log, note: note, isEnd: false)
        if store.report.eventCount != UInt64(log.count)
            || store.durablePosition.rawValue != UInt64(log.count)
        {
            problems.append("the store counts \(store.report.eventCount) of \(log.count)")
        }
        let saved = try await store.checkpoints.load("p")
        let position = saved?.position.rawValue ?? 0
        if position > UInt64(log.count) { problems.append("a projection ahead of the log") }
        if position < run.notes[note].promise.saved {
            problems.append("a saved projection is lost")
        }
        if let saved, saved.state != CrashEvent.bytes(500, seed: position) {
            problems.append("a saved projection differs")
        }
        return (log, problems)
    }

    private func continueAfterRecovery(
        _ disk: SimulatedDisk, _ run: StoreCrashRun, _ log: [RecordedEvent]
    ) async throws -> [String] {
        // The store of the last recovery was dropped; this one is closed properly.
        let store = try await FileEventStore(
            at: "store", in: files(disk), configuration: run.configuration)
        let receipt = try await store.appendSample(1, to: "after")
        await store.close()
        let again = try await FileEventStore(
            at: "store", in: files(disk), configuration: run.configuration)
        let after = try await again.wholeLog()
        let isClean = again.report.wasClean
        await again.close()
        guard isClean, receipt.position.rawValue == UInt64(log.count + 1),
            Array(after.dropLast()) == log, after.last?.stream == sampleStream("after")
        else { return ["an append after recovery went wrong"] }
        return []
    }
}

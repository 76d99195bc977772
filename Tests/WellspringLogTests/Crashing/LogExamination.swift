import WellspringLog
import WellspringTestKit

/// Runs scenarios, crashes them everywhere, and looks at what is left.
struct LogExamination: Sendable {
    var scenario: LogScenario
    var durability: LogDurability
    var durabilityName: String
    var seed: UInt64
    var plantedFault: PlantedFault?
    /// Whether a crash also garbles a sector that was being written.
    var tearsSectors = false

    private var configuration: LogConfiguration {
        scenario.configuration(durability, plantedFault: plantedFault)
    }

    /// A run of the scenario, with every moment at which the power could have gone.
    struct Rehearsal {
        var moments: [(moment: SimulatedDisk.Moment, promise: LogDriver.Promise)]
        var commits: [LogDriver.Commit]
        var violations: [String]
        var operations: Int
    }

    func rehearse(_ fault: SimulatedDisk.Fault? = nil) -> Rehearsal {
        let disk = SimulatedDisk(seed: seed)
        if let fault { disk.inject(fault) }
        disk.startRecording()
        let driver = LogDriver(disk, configuration)
        scenario.run(driver)
        let moments = disk.takeRecording()
        // What was promised before the next operation holds for the disk as this one left it.
        let ends = moments.dropFirst().map(\.note) + [driver.promises.count - 1]
        let rewritings = driver.promises.lazy.flatMap(\.rounds.values).map(\.upperBound).max() ?? 0
        var commits = driver.commits
        for index in commits.indices { commits[index].foresee(rewritings: rewritings) }
        return Rehearsal(
            moments: zip(moments, ends).map { ($0, driver.promises[$1]) },
            commits: commits, violations: driver.violations,
            operations: disk.operationCount)
    }

    // MARK: - One crash

    /// One of the disks that a crash may leave, which the seed and the number of the image decide.
    struct Image {
        var disk: SimulatedDisk
        var survival: SimulatedDisk.Survival
        var seed: UInt64
    }

    func image(_ number: Int, of moment: SimulatedDisk.Moment) -> Image {
        let survival: SimulatedDisk.Survival =
            switch number {
            case 0: .nothing
            case 1: .everything
            default: .chance
            }
        let imageSeed =
            seed &* 1_000_003 &+ UInt64(moment.operation.number) &* 7_919
            &+ UInt64(number)
        let disk = SimulatedDisk(
            after: moment, keeping: survival, seed: imageSeed, tearsSectors: tearsSectors)
        return Image(disk: disk, survival: survival, seed: imageSeed)
    }

    /// Looks at one of the disks that a crash may leave, and returns what is wrong with it.
    func examine(
        _ moment: SimulatedDisk.Moment, _ promise: LogDriver.Promise,
        commits: [LogDriver.Commit], image number: Int
    ) -> String? {
        let image = image(number, of: moment)
        let driver = LogDriver(image.disk, configuration, commits: commits, promise: promise)
        look(at: driver, image.seed, depth: 0)
        guard let violation = driver.violations.first else { return nil }
        let operations = image.disk.operations
        return """
            \(violation)
              scenario \(scenario.name), \(durabilityName), seed \(seed), crash after \
            \(moment.operation), image \(number) (\(image.survival)), then \(operations.count) \
            operations:
              \(operations.suffix(60).map(\.description).joined(separator: "\n  "))
            """
    }

    /// Opens what is left, and does one of several things with it.
    private func look(at driver: LogDriver, _ seed: UInt64, depth: Int) {
        let action = Int((seed &* 0x9E37_79B9_7F4A_7C15) >> 40) % 8
        if action == 0, depth < 3 { return crashDuringRecovery(driver, seed, depth: depth) }
        guard driver.open() == nil else { return }
        switch action {
        case 1:
            driver.readBack()
            let frames = driver.client.frames
            let files = driver.disk.recoveredFiles
            driver.open()
            if driver.client.frames != frames { driver.report("TWICE: opened again, differs") }
            checkNothingChanged(driver, since: files)
        case 2, 3:
            // What was recovered and what comes after must survive the next crash.
            driver.commit(size: 500)
            driver.commit(size: Int(seed % 3_000), events: 2)
            driver.crash()
            driver.open()
            driver.commit(size: 20)
            driver.crash(keeping: .nothing)
            driver.open()
        case 4:
            driver.close()
            driver.open()
            if driver.log?.recovery.wasClean == false { driver.report("CLOSED: not found clean") }
        case 5:
            // Nor is anything that recovery did left to the chance of a further crash.
            let files = driver.disk.recoveredFiles
            driver.crash(keeping: .nothing)
            driver.open()
            checkNothingChanged(driver, since: files)
        default: break
        }
    }

    private func checkNothingChanged(_ driver: LogDriver, since files: [String: [UInt8]]) {
        let changed = driver.disk.recoveredOtherwise(than: files)
        guard !changed.isEmpty else { return }
        driver.report("TWICE: recovered again, other bytes in \(changed.joined(separator: " "))")
    }

    /// Cuts the power at some moment of the recovery, and looks at what that leaves.
    private func crashDuringRecovery(_ driver: LogDriver, _ seed: UInt64, depth: Int) {
        driver.disk.startRecording()
        let before = driver.promise
        driver.open()
        let moments = driver.disk.takeRecording()
        guard driver.violations.isEmpty, !moments.isEmpty else { return }
        for pick in 0..<2 {
            let nextSeed = seed &* 31 &+ UInt64(depth * 2 + pick) &+ 5
            let moment = moments[Int((nextSeed >> 3) % UInt64(moments.count))]
            let disk = SimulatedDisk(
                after: moment, keeping: .chance, seed: nextSeed, tearsSectors: tearsSectors)
            let inner = LogDriver(disk, configuration, commits: driver.commits, promise: before)
            look(at: inner, nextSeed, depth: depth + 1)
            for violation in inner.violations {
                driver.report("\(violation)\n  (crashed during recovery after \(moment.operation))")
            }
        }
    }
}

import WellspringLog
import WellspringTestKit

/// Every scenario, with an error at each of its operations in turn.
struct ErrorCampaign: Sendable {
    struct Totals: Sendable {
        var runs = 0
        var operations = 0
        var violations: [String] = []

        var summary: String {
            """
            errors: \(runs) runs over \(operations) operations, \(violations.count) violations
            """
        }
    }

    var examinations: [LogExamination]
    /// What every operation meets, once and for ever; of the other errors every second operation
    /// meets one.
    var failures: [SimulatedDisk.Fault.Failure] = [.inputOutput, .noSpace]

    /// - Parameter stride: 1 for every operation, more to leave some out.
    func run(stride step: Int, violationLimit: Int = 20) -> Totals {
        let parts = CrashCampaign.inParallel(examinations) { examination in
            var part = Totals()
            part.operations = examination.rehearse().operations
            for first in Swift.stride(from: 0, to: part.operations, by: step) {
                let faults = faults(from: first)
                for (kind, fault) in faults.enumerated() {
                    // With a stride, every kind of fault still gets its turn, also of those that only
                    // every other operation has.
                    if step > 1, kind != (first / step / 2) % faults.count { continue }
                    part.runs += 1
                    part.violations += examination.examine(fault)
                }
                if part.violations.count >= violationLimit { break }
            }
            return part
        }
        return parts.reduce(into: Totals()) {
            $0.runs += $1.runs
            $0.operations += $1.operations
            $0.violations += $1.violations
        }
    }

    private func faults(from first: Int) -> [SimulatedDisk.Fault] {
        let main =
            failures.flatMap {
                [SimulatedDisk.Fault($0, from: first), .init($0, from: first, .untilHealed)]
            } + [.abortedJournal(from: first)]
        let rest = SimulatedDisk.Fault.Failure.allCases.filter { !failures.contains($0) }
        guard !rest.isEmpty, first % 2 == 0 else { return main }
        let (round, number) = (first / 2).quotientAndRemainder(dividingBy: rest.count)
        return main + [.init(rest[number], from: first, round % 2 == 0 ? .once : .untilHealed)]
    }
}

extension LogExamination {
    /// Runs the scenario with a fault.
    ///
    /// Then the disk is healed, and the log must open with all that was promised, whether the
    /// process ended or the power went.
    func examine(_ fault: SimulatedDisk.Fault) -> [String] {
        let configuration = scenario.configuration(durability, plantedFault: plantedFault)
        let disk = SimulatedDisk(seed: seed)
        disk.inject(fault)
        let driver = LogDriver(disk, configuration)
        scenario.run(driver)
        let before = driver.promise
        let image = disk.afterCrash(seed: seed &+ UInt64(disk.operationCount))
        let trace = disk.operations

        disk.heal()
        driver.open()
        driver.commit(size: 333)
        driver.crash(keeping: .nothing)
        driver.open()

        let other = LogDriver(image, configuration, commits: driver.commits, promise: before)
        other.open()
        other.commit(size: 333)
        other.crash()
        other.open()

        return (driver.violations + other.violations.map { "\($0)\n  (after a crash)" }).map {
            """
            \($0)
              scenario \(scenario.name), \(durabilityName), seed \(seed), fault \(fault)
              \(trace.suffix(40).map(\.description).joined(separator: "\n  "))
            """
        }
    }
}

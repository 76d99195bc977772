import Foundation
import WellspringLog
import WellspringTestKit

/// Many crashes of many scenarios, counted.
struct CrashCampaign: Sendable {
    struct Totals: Sendable {
        var images = 0
        var moments = 0
        var scenarios = 0
        var violations: [String] = []

        func count(_ words: String...) -> Int {
            violations.count { violation in words.contains(where: violation.hasPrefix) }
        }

        var summary: String {
            """
            \(images) at \(moments) operations of \(scenarios) scenarios, \(count("LOST")) lost, \
            \(count("the log was not opened")) false alarms, \(violations.count) violations
            """
        }
    }

    var examinations: [LogExamination]

    static func all(seeds: Range<UInt64>, plantedFault: PlantedFault? = nil) -> CrashCampaign {
        var result = CrashCampaign(examinations: [])
        for (name, durability) in LogScenario.durabilities {
            let random = seeds.map { LogScenario.random($0) }
            for scenario in LogScenario.all + random {
                result.examinations.append(
                    LogExamination(
                        scenario: scenario, durability: durability, durabilityName: name,
                        seed: seeds.lowerBound, plantedFault: plantedFault))
            }
        }
        return result
    }

    /// Crashes every scenario after every operation, with `images` images in all.
    ///
    /// They are spread evenly: if there are fewer than operations, some of those are left out, other
    /// ones in each scenario.
    func run(images: Int, violationLimit: Int = 20) -> Totals {
        let rehearsals = Self.inParallel(examinations) { $0.rehearse() }
        let moments = rehearsals.reduce(0) { $0 + $1.moments.count }
        // How many images there are before a moment of all of them.
        let before = { @Sendable (moment: Int) in images * moment / max(1, moments) }
        let takesTurns = images <= 2 * moments
        var work: [(examination: LogExamination, rehearsal: LogExamination.Rehearsal, first: Int)]
        work = []
        for (examination, rehearsal) in zip(examinations, rehearsals) {
            let first = work.last.map { $0.first + $0.rehearsal.moments.count } ?? 0
            work.append((examination, rehearsal, first))
        }
        let parts = Self.inParallel(work) { examination, rehearsal, first in
            var part = Totals()
            part.violations = rehearsal.violations.map {
                "\($0)\n  scenario \(examination.scenario.name), \(examination.durabilityName)"
            }
            for (index, (moment, promise)) in rehearsal.moments.enumerated() {
                let count = before(first + index + 1) - before(first + index)
                if count > 0 { part.moments += 1 }
                for image in 0..<count {
                    part.images += 1
                    // With few images a moment, the extremes and chance take turns.
                    let number = takesTurns ? (image + part.moments) % 4 : image
                    let violation = examination.examine(
                        moment, promise, commits: rehearsal.commits, image: number)
                    if let violation { part.violations.append(violation) }
                    if part.violations.count >= violationLimit { return part }
                }
            }
            return part
        }
        var totals = Totals()
        totals.scenarios = examinations.count
        for part in parts {
            totals.images += part.images
            totals.moments += part.moments
            totals.violations += part.violations
        }
        return totals
    }

    /// Does the work on all processors, and keeps the order.
    static func inParallel<Work: Sendable, Result>(
        _ work: [Work], _ body: @Sendable (Work) -> Result
    ) -> [Result] {
        let results = Guarded<[Result?]>(Array(repeating: nil, count: work.count))
        DispatchQueue.concurrentPerform(iterations: work.count) { index in
            nonisolated(unsafe) let result = body(work[index])
            results.withLock { $0[index] = result }
        }
        return results.withLock { $0.compactMap(\.self) }
    }

    /// A number from the environment.
    static func setting(_ name: String, default value: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? value
    }
}

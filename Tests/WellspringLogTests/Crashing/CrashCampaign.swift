import Foundation
import WellspringLog
import WellspringTestKit

/// Many crashes of many scenarios, counted.
struct CrashCampaign: Sendable {
    struct Totals: Sendable {
        var images = 0
        var moments = 0
        var violations: [String] = []

        func count(_ words: String...) -> Int {
            violations.count { violation in words.contains(where: violation.hasPrefix) }
        }

        var summary: String {
            """
            crash images: \(images) over \(moments) operations, \(count("LOST")) lost, \
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

    /// Crashes every scenario after every operation, with about `images` images in all.
    ///
    /// If that is less than one for each operation, some operations are left out, other ones in
    /// each scenario.
    func run(images: Int, violationLimit: Int = 20) -> Totals {
        let rehearsals = Self.inParallel(examinations) { $0.rehearse() }
        let moments = rehearsals.reduce(0) { $0 + $1.moments.count }
        let each = max(1, images / max(moments, 1))
        let step = max(1, moments / max(images, 1))
        let parts = Self.inParallel(
            zip(examinations, rehearsals).enumerated().map { ($0, $1.0, $1.1) }
        ) { turn, examination, rehearsal in
            var part = Totals()
            part.violations = rehearsal.violations.map {
                "\($0)\n  scenario \(examination.scenario.name), \(examination.durabilityName)"
            }
            for index in stride(from: turn % step, to: rehearsal.moments.count, by: step) {
                let (moment, promise) = rehearsal.moments[index]
                part.moments += 1
                for image in 0..<each {
                    part.images += 1
                    // With few images a moment, the extremes and chance take turns.
                    let number = each > 2 ? image : (image + part.moments) % 4
                    let violation = examination.examine(
                        moment, promise, commits: rehearsal.commits, image: number)
                    if let violation { part.violations.append(violation) }
                    if part.violations.count >= violationLimit { return part }
                }
            }
            return part
        }
        var totals = Totals()
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

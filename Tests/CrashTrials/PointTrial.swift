import Foundation
import Wellspring

/// Has a process live a short life with a store and end at one of its operations on files, at every
/// one in turn: what it acknowledged is there.
///
/// usage: CrashTrials points --store DIR [--every N] [--rounds N] [--seed N] [--fault NAME] [--lie NAME]
///
/// In each round each operation has three processes: one ends right before it, one in its middle, one
/// right after it. Each of the three has other appends.
struct PointTrial {
    private let step: Int
    private let rounds: Int
    private let seed: Int
    private var trial: Trial

    init(_ settings: Settings) throws {
        step = max(1, try settings.number("every", default: 1))
        rounds = max(1, try settings.number("rounds", default: 1))
        seed = try settings.number("seed", default: 1)
        trial = try Trial(settings, storeAt: settings.text("store"))
    }

    mutating func run() async throws {
        let began = ContinuousClock.now
        let sides = Fate.Side.allCases
        var (operations, points) = (0, 0)
        for number in 0..<rounds * sides.count {
            let (seed, side) = (seed + number, sides[number % sides.count])
            operations = try await rehearse(seed: seed)
            points = 0
            for point in stride(from: number % step, to: operations, by: step) {
                points += 1
                do {
                    try await end(at: point, side, seed: seed)
                } catch {
                    throw Wrong("\(side) operation \(point), seed \(seed): \(error)")
                }
            }
        }
        trial.printTotals(
            "kill points",
            "\(points) points x \(rounds * sides.count), of \(operations) operations,",
            since: began)
    }

    /// Lets a life come to its end, and counts its operations.
    private mutating func rehearse(seed: Int) async throws -> Int {
        let child = try trial.begin("live", ["--seed", "\(seed)"])
        var operations: Int?
        try trial.listen(to: child) { line in
            if case .ended(let count) = line { operations = count }
            return false
        }
        try child.waitForEnd()
        guard let operations else { throw Wrong("the process did not come to its end") }
        try await trial.check()
        try trial.removeStore()
        return operations
    }

    private mutating func end(at point: Int, _ side: Fate.Side, seed: Int) async throws {
        let child = try trial.begin(
            "live", ["--seed", "\(seed)", "--point", "\(point)", "--side", side.rawValue])
        try trial.listen(to: child) { line in
            switch line {
            case .ended, .stopped: throw Wrong("the process outlived it: \(line)")
            default: false
            }
        }
        try child.waitForEnd()
        try await trial.check()
        if FileManager.default.fileExists(atPath: trial.path) { try trial.removeStore() }
    }
}

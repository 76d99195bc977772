import Foundation

/// Kills a writer again and again; what it acknowledged is there, in every mode.
///
/// usage: CrashTrials kill --store DIR [--cycles N] [--seed N] [--fault NAME] [--lie NAME]
struct KillTrial {
    private let cycles: Int
    private var trial: Trial

    init(_ settings: Settings) throws {
        cycles = try settings.number("cycles", default: 500)
        trial = try Trial(settings, storeAt: settings.text("store"))
    }

    mutating func run() async throws {
        let began = ContinuousClock.now
        for cycle in 1...cycles {
            do {
                try await kill(andCheck: cycle == cycles)
            } catch {
                throw Wrong("cycle \(cycle): \(error)")
            }
        }
        trial.printTotals("killed writers", "\(cycles) kills", since: began)
    }

    private mutating func kill(andCheck isLast: Bool) async throws {
        let durability = ["every", "every", "strict", "interval", "system"][trial.dice.below(5)]
        let child = try trial.begin(durability)
        try trial.waitForMoment(child)
        try trial.end(child)
        // Now and then the next writer comes first, and is killed before anybody has looked.
        if isLast || trial.dice.below(4) > 0 {
            try await trial.check()
            if trial.dice.below(25) == 0 { try trial.removeStore() }
        }
    }
}

extension Trial {
    /// Waits for a moment of chance: while the store is opened, once it is open, or after a number
    /// of acknowledgements.
    mutating func waitForMoment(_ child: Child) throws {
        let moment = dice.below(10)
        var left = moment < 2 ? 0 : 1 + dice.below(1 << (1 + dice.below(10)))
        let pause = UInt32(dice.below(8_000))
        try listen(to: child) { line in
            switch line {
            case .begin where moment == 0:
                // Opening says nothing on its way, so only time can choose a place in it.
                usleep(pause)
                return true
            case .open where moment == 1: return true
            case .acknowledged:
                left -= 1
                return left == 0
            case .full, .refused, .stopped: throw Wrong("\(line)")
            default: return false
            }
        }
    }
}

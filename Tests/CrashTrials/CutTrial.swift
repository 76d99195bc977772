import Foundation

/// Cuts the power of a file system under a writer, again and again; what it acknowledged is there.
///
/// usage: CrashTrials cut --device DEV --mount DIR [--cycles N] [--seed N] [--fault NAME]
///
/// Needs root, and a device with an ext4 or XFS that holds nothing else.
struct CutTrial {
    private let cycles: Int
    private let disk: Disk
    private let name: String
    private var trial: Trial

    init(_ settings: Settings) throws {
        cycles = try settings.number("cycles", default: 200)
        disk = Disk(device: try settings.text("device"), directory: try settings.text("mount"))
        name = try settings.text("name")
        trial = try Trial(settings, storeAt: disk.directory + "/store")
    }

    mutating func run() async throws {
        let began = ContinuousClock.now
        try disk.mount()
        for cycle in 1...cycles {
            do {
                try await cut()
            } catch {
                throw Wrong("cycle \(cycle): \(error)")
            }
        }
        try disk.unmount()
        trial.printTotals("power cuts of \(name)", "\(cycles) cuts", since: began)
    }

    private mutating func cut() async throws {
        let durability = ["every", "every", "every", "strict", "interval", "system"][
            trial.dice.below(6)]
        let child = try trial.begin(durability)
        try trial.waitForMoment(child)
        try disk.cutPower(trial.dice.below(4) == 0 ? .keepingJournal : .losingJournal)
        if trial.dice.below(2) == 0 { try outlive(child) }
        try trial.end(child)
        try disk.unmount()
        try disk.mount()
        try await trial.check(mayLose: durability == "interval" || durability == "system")
        if trial.dice.below(25) == 0 { try trial.removeStore() }
    }

    /// Lets the writer live on for a while and see every write fail.
    ///
    /// It may call nothing durable that is not. It gives up by itself, or goes on trying what can
    /// be tried again.
    private mutating func outlive(_ child: Child) throws {
        var refused = 0
        try trial.listen(to: child) { line in
            if case .refused = line { refused += 1 }
            return refused == 2 * Deed.clientCount
        }
    }
}

import Foundation

/// Lets the writes of a device fail under a writer and heals it again: whatever the system says about
/// a sync after a failed one, what was acknowledged is there.
///
/// usage: CrashTrials fail --device DEV --mount DIR --medium DIR --name NAME [--cycles N] [--seed N]
///
/// The image behind the device is a sparse file in the file system `--medium`. When that is full, the
/// device cannot write where it has not written before.
struct FailTrial {
    private let cycles: Int
    private let disk: Disk
    private let medium: Ballast
    private let name: String
    private var trial: Trial
    private var failures = 0

    init(_ settings: Settings) throws {
        cycles = try settings.number("cycles", default: 200)
        disk = Disk(device: try settings.text("device"), directory: try settings.text("mount"))
        medium = Ballast(in: try settings.text("medium"))
        name = try settings.text("name")
        trial = try Trial(settings, storeAt: disk.directory + "/store")
    }

    mutating func run() async throws {
        let began = ContinuousClock.now
        try disk.mount()
        for cycle in 1...cycles {
            let durability = ["every", "every", "strict", "interval", "system"][trial.dice.below(5)]
            do {
                try await fail(durability)
            } catch {
                throw Wrong("cycle \(cycle), mode \(durability): \(error)")
            }
        }
        try disk.unmount()
        trial.printTotals(
            "failing disks of \(name)", "\(cycles) times failed, \(failures) times noticed",
            since: began)
    }

    private mutating func fail(_ durability: String) async throws {
        let child = try trial.begin(durability)
        try trial.waitForMoment(child)
        try medium.fill(leaving: 0)
        // The writer may find enough blocks that were written before, and notice nothing.
        if try trial.listen(to: child, atMost: 2_000) { failures += 1 }
        let isHealed = trial.dice.below(2) == 0
        if isHealed {
            try medium.remove()
            try trial.listen(to: child, atMost: 100)
        }
        try trial.end(child)
        if !isHealed { try medium.remove() }
        try disk.unmount()
        try disk.mend()
        try disk.mount()
        try await trial.check(mayLose: durability == "interval" || durability == "system")
        if trial.dice.below(10) == 0 { try trial.removeStore() }
    }
}

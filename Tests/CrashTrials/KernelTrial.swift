import Foundation

/// Kills a whole system with a writer in it, again and again: what the writer acknowledged is on the
/// disk.
///
/// usage: CrashTrials kernel --kernel FILE --image FILE --mount DIR [--cycles N] [--seed N] [--fault NAME]
///
/// The kernel is a User-Mode Linux, a process like any other, which holds in its memory whatever was
/// not synced. `--kernel` is a program that boots one, mounts the image in it and starts the writer. In
/// some cycles it also has the writes of the disk fail for a while.
struct KernelTrial {
    private let cycles: Int
    private let kernel: String
    private let disk: Disk
    private var trial: Trial
    private var (failing, noticed) = (0, 0)

    init(_ settings: Settings) throws {
        cycles = try settings.number("cycles", default: 100)
        kernel = try settings.text("kernel")
        disk = Disk(
            device: try settings.text("image"), directory: try settings.text("mount"),
            isImage: true)
        trial = try Trial(settings, storeAt: disk.directory + "/store")
    }

    mutating func run() async throws {
        let began = ContinuousClock.now
        trial.expectWriter()
        for cycle in 1...cycles {
            let durability = ["every", "every", "every", "strict", "interval", "system"][
                trial.dice.below(6)]
            do {
                try await kill(durability)
            } catch {
                throw Wrong("cycle \(cycle), mode \(durability): \(error)")
            }
        }
        trial.printTotals(
            "killed kernels",
            "\(cycles) kills, after failing writes \(failing) times, \(noticed) times noticed,",
            since: began)
    }

    private mutating func kill(_ durability: String) async throws {
        let isFailing = trial.dice.below(4) == 0
        let child = try boot(durability, isFailing: isFailing)
        if isFailing {
            failing += 1
            if try trial.listen(to: child, atMost: 20_000) { noticed += 1 }
        } else {
            try trial.waitForMoment(child)
        }
        // The kernel has helpers, which may still be writing; when the last of them is gone, its output
        // has an end.
        try trial.end(child)

        if isFailing { try disk.mend() }
        try disk.mount()
        try await trial.check(mayLose: durability == "interval" || durability == "system")
        if trial.dice.below(10) == 0 { try trial.removeStore() }
        trial.expectWriter()
        try disk.unmount()
    }

    private mutating func boot(_ durability: String, isFailing: Bool) throws -> Child {
        let failure = isFailing ? "\(1 + trial.dice.below(3))" : "never"
        return try Child(
            program: kernel,
            [disk.device, disk.directory, failure, CommandLine.arguments[0]]
                + trial.words("write", ["--durability", durability]))
    }
}

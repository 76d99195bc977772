import Foundation
import Wellspring

/// Fills a disk under a writer and makes room again, again and again: it says that the disk is full,
/// goes on by itself, and loses nothing.
///
/// usage: CrashTrials full --directory DIR --name NAME [--cycles N] [--seed N] [--fault NAME]
///
/// `DIR` is a file system of about 64 MiB that holds nothing else.
struct FullTrial {
    private let cycles: Int
    private let directory: String
    private let name: String
    private var trial: Trial
    private var refusals = 0

    init(_ settings: Settings) throws {
        cycles = try settings.number("cycles", default: 20)
        directory = try settings.text("directory")
        name = try settings.text("name")
        trial = try Trial(settings, storeAt: directory + "/store")
    }

    private var ballast: Ballast { Ballast(in: directory) }

    mutating func run() async throws {
        let began = ContinuousClock.now
        var cycle = 0
        while cycle < cycles {
            let durability = ["every", "strict", "interval", "system"][trial.dice.below(4)]
            let child = try trial.begin(durability)
            try wait(for: 1, of: child)
            // Several times with one writer: each time it has to go on.
            for _ in 0...trial.dice.below(4) where cycle < cycles {
                cycle += 1
                do {
                    try fillAndFree(child, durability)
                } catch {
                    throw Wrong("cycle \(cycle), mode \(durability): \(error)")
                }
            }
            do {
                try await end(child)
            } catch {
                throw Wrong("after cycle \(cycle), mode \(durability): \(error)")
            }
        }
        trial.printTotals(
            "full disks of \(name)", "\(cycles) times full, \(refusals) appends refused",
            since: began)
    }

    /// Leaves little room, waits until appends are refused, makes room, and waits until they are
    /// not.
    private mutating func fillAndFree(_ child: Child, _ durability: String) throws {
        try ballast.fill(leaving: 4_096 + trial.dice.below(700_000))
        var refused = 0
        var accepted = 0
        let isGone = try trial.listen(to: child) { line in
            switch line {
            case .full:
                refused += 1
                return refused == 2 * Deed.clientCount
            case .acknowledged:
                accepted += 1
                guard accepted < 20_000 else { throw Wrong("the disk is full, and nobody says so") }
                return false
            case .refused, .stopped: throw Wrong("the disk is full, and \(line)")
            default: return false
            }
        }
        guard !isGone else { throw Wrong("the writer ended on a full disk") }
        refusals += refused
        try ballast.remove()
        try wait(for: 3 * Deed.clientCount, of: child)
    }

    /// Kills the writer, on every other disk while it is full, and looks at the store.
    private mutating func end(_ child: Child) async throws {
        let isFull = trial.dice.below(2) == 0
        if isFull {
            try ballast.fill(leaving: 4_096 + trial.dice.below(100_000))
            var refused = 0
            try trial.listen(to: child) { line in
                if case .full = line { refused += 1 }
                if case .stopped = line { throw Wrong("the disk is full, and \(line)") }
                return refused == 5
            }
        }
        try trial.end(child)
        if isFull {
            try await openOnFullDisk()
            try ballast.remove()
        }
        try await trial.check()
        if trial.dice.below(8) == 0 || storeSize > 24 << 20 { try trial.removeStore() }
    }

    /// A store may open on a full disk or say that it is full, and nothing else.
    private func openOnFullDisk() async throws {
        do {
            let store = try await FileEventStore(at: trial.path)
            await store.close()
        } catch EventStoreError.storageFull {
        } catch EventStoreError.io(_, _, ENOSPC) {
        }
    }

    /// Waits for so many acknowledgements, and takes no giving up.
    private mutating func wait(for count: Int, of child: Child) throws {
        var left = count
        let isGone = try trial.listen(to: child) { line in
            switch line {
            case .acknowledged:
                left -= 1
                return left == 0
            case .refused, .stopped: throw Wrong("there is room, and \(line)")
            default: return false
            }
        }
        guard !isGone else { throw Wrong("the writer ended though there is room") }
    }

    private var storeSize: Int {
        let files = FileManager.default.enumerator(atPath: trial.path)
        var size = 0
        while files?.nextObject() != nil {
            size += (files?.fileAttributes?[.size] as? NSNumber)?.intValue ?? 0
        }
        return size
    }
}

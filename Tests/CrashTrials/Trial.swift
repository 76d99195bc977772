import Foundation
import Wellspring

/// What all trials have in common: a store, writers one after another, and the ledger of what they
/// said.
struct Trial {
    var path: String
    let sabotage: Sabotage
    var dice: Dice
    var ledger = Ledger()
    private(set) var stores = 0

    init(_ settings: Settings, storeAt path: String) throws {
        self.path = path
        sabotage = try settings.sabotage()
        dice = Dice(seed: UInt64(try settings.number("seed", default: 1)))
    }

    /// Starts a writer.
    ///
    /// - Parameter durability: As ``configuration(_:)`` understands it.
    mutating func begin(_ durability: String) throws -> Child {
        try begin("write", ["--durability", durability])
    }

    /// Starts a process that writes to the store.
    mutating func begin(_ command: String, _ arguments: [String]) throws -> Child {
        expectWriter()
        return try Child(words(command, arguments))
    }

    /// A command for this program, with the store and what is wrong on purpose.
    func words(_ command: String, _ arguments: [String]) -> [String] {
        [command, "--store", path] + arguments + sabotage.arguments
    }

    /// Opens a page of the ledger for a writer that is about to be started.
    mutating func expectWriter() {
        if !FileManager.default.fileExists(atPath: path) {
            ledger.startOver()
            stores += 1
        }
        ledger.noteWriter()
    }

    /// Listens until `isEnough` says so, or the writer is gone.
    ///
    /// - Returns: Whether the writer is gone.
    @discardableResult
    mutating func listen(
        to child: Child, until isEnough: (Child.Line) throws -> Bool
    ) throws -> Bool {
        while let line = try child.next() {
            try ledger.note(line)
            if try isEnough(line) { return false }
        }
        return true
    }

    /// Listens until all clients have noticed that writes fail, or so many appends were acknowledged.
    ///
    /// - Returns: Whether anything was noticed.
    @discardableResult
    mutating func listen(to child: Child, atMost most: Int) throws -> Bool {
        var (noticed, accepted) = (0, 0)
        try listen(to: child) { line in
            switch line {
            case .full, .refused, .stopped: noticed += 1
            case .acknowledged: accepted += 1
            default: break
            }
            return noticed == Deed.clientCount || accepted == most
        }
        return noticed > 0
    }

    /// Kills the writer and hears what it had still said.
    mutating func end(_ child: Child) throws {
        child.kill()
        try listen(to: child) { _ in false }
        try child.waitForEnd()
    }

    /// Opens the store as an application would, and compares all of it with the ledger.
    mutating func check(mayLose: Bool = false) async throws {
        guard FileManager.default.fileExists(atPath: path) else {
            return try ledger.checkNothing()
        }
        let before = try await verify("before it was opened")
        let store = try await FileEventStore(at: path, configuration: Self.configuration())
        let found = try await FoundLog(readingFrom: store)
        try ledger.check(found, mayLose: mayLose)
        guard before.map({ $0.eventCount >= found.position }) ?? true else {
            throw Wrong("verify counted fewer events than there are")
        }
        // Half of the stores are left as they are, so that the next writer finds one that nobody
        // closed.
        if dice.below(2) == 0 { await store.close() }
        try await verify("after it was opened")
    }

    /// Looks at every byte of the store; without a store there is nothing to look at.
    @discardableResult
    private func verify(_ moment: String) async throws -> VerificationReport? {
        let report: VerificationReport
        do {
            report = try await FileEventStore.verify(at: path)
        } catch EventStoreError.notAStore {
            return nil
        }
        guard report.isSound else {
            throw Wrong("\(moment), the store is not sound: \(report.problems.prefix(3))")
        }
        return report
    }

    /// Lets the next writer begin a new store.
    ///
    /// The old one is gone for good: if the power goes before anything of the new one is durable, it
    /// must not come back.
    func removeStore() throws {
        try FileManager.default.removeItem(atPath: path)
        let parent = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY)
        guard parent >= 0 else { throw Wrong("cannot open the directory of \(path)") }
        defer { close(parent) }
        guard fsync(parent) == 0 else { throw Wrong("cannot make it durable that \(path) is gone") }
    }

    /// A configuration with small segments, so that many of them begin and end.
    static func configuration(_ durability: String = "every") throws
        -> FileEventStore.Configuration
    {
        var configuration = FileEventStore.Configuration()
        configuration.segmentBytes = 256 << 10
        switch durability {
        case "every": configuration.durability = .everyCommit
        case "strict": configuration.durability = .strict
        case "interval": configuration.durability = .interval(time: .milliseconds(5))
        case "system": configuration.durability = .osManaged
        default: throw Wrong("no durability \(durability)")
        }
        return configuration
    }

    /// What was done, in one line.
    func printTotals(_ name: String, _ cycles: String, since began: ContinuousClock.Instant) {
        let totals = ledger.totals
        let seconds = Double((ContinuousClock.now - began) / .milliseconds(1)) / 1_000
        print(
            "totals: \(name): \(cycles) on \(stores) stores, \(totals.acknowledged) appends "
                + "acknowledged and none lost, \(totals.unacknowledged) stored without an "
                + "acknowledgement, \(totals.allowedLosses) lost as their mode allows, "
                + "\(totals.checks) checks, \(seconds) s")
    }
}

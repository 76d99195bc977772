import Wellspring
import WellspringLog
import WellspringTestKit

/// Several lives of a store, with all that an application has around it, decided by one seed: in
/// which order tasks run, what they do, when the disk fails and what a power cut leaves.
final class Simulation: Sendable {
    struct Outcome: Sendable {
        var problems: [String] = []
        var calls = 0
        var lives = 0
        var powerCuts = 0
        var faults = 0
        var jobs = 0
        var scavenges = 0
        /// Of the scavenges those that were ended by the power, a failure or a cancellation.
        var unfinishedScavenges = 0
        var truncations = 0
        var redactions = 0
        /// How many events were shown by readers in other processes.
        var eventsBeside = 0
        /// All that happened.
        var history: StoreHistory?
        /// The same in lines, to be compared with another run of the same seed.
        var trace: [String] { history?.lines ?? [] }
    }

    let seed: UInt64
    let executor: SeededExecutor
    let disk: SimulatedDisk
    let durability: Durability
    let store = ChangingStore()
    let workload: StoreStressWorkload
    let contents = SimulatedContents()
    let followers: [SimulatedFollower]
    /// Truncations, scavenges and readers in other processes; not for every seed, because they cost
    /// more than all else.
    let upkeep: SimulatedUpkeep?
    /// Stands still until everybody waits, and then jumps.
    let clock = ManualClock()
    let notes = Guarded(Outcome())
    /// What is going on, for the case that it never ends.
    private let business = Guarded<[String: Int]>([:])

    init(seed: UInt64) {
        self.seed = seed
        executor = SeededExecutor(seed: seed)
        disk = SimulatedDisk(seed: seed)
        disk.scheduleWorkers(by: { [executor] in executor.schedule($0) })
        workload = StoreStressWorkload(store)
        followers = [1, 2].map { SimulatedFollower(number: $0) }
        // Chance of its own, so that nothing changes for the seeds that do without.
        var dice = SmallDice(seed: seed ^ 0x5CA7)
        upkeep = dice.below(Self.upkeepShare) == 0 ? SimulatedUpkeep(seed: seed) : nil
        durability =
            switch seed % 8 {
            case 0: .strict
            case 1: .interval(time: .milliseconds(20), bytes: 4_000)
            case 2: .osManaged
            default: .everyCommit
            }
    }

    /// One seed of so many has upkeep.
    private static let upkeepShare = 5

    /// Whether what was acknowledged, or only seen, survives a power cut.
    var isDurable: Bool { durability == .everyCommit || durability == .strict }

    static func run(seed: UInt64) -> Outcome {
        let simulation = Simulation(seed: seed)
        let clock = simulation.clock
        let done: Void? = simulation.executor.run {
            guard clock.sleepers > 0 else { return false }
            clock.advance(by: .seconds(3_600))
            return true
        } _: {
            do {
                try await simulation.liveAndBeJudged()
            } catch {
                simulation.note("\(error)")
            }
        }
        var outcome = simulation.notes.withLock { $0 }
        if done == nil {
            let waiting = simulation.business.withLock { $0.filter { $0.value > 0 }.keys.sorted() }
            outcome.problems.append("everybody waits and nobody works: \(waiting)")
        }
        outcome.jobs = simulation.executor.jobsDone
        return outcome
    }

    /// Does something under a name that is told when it never ends.
    func busy<Value>(_ name: String, _ body: () async throws -> Value) async rethrows -> Value {
        business.withLock { $0[name, default: 0] += 1 }
        defer { business.withLock { $0[name, default: 0] -= 1 } }
        return try await body()
    }

    func note(_ problem: String) {
        notes.withLock { $0.problems.append(problem) }
    }

    private func liveAndBeJudged() async throws {
        var dice = SmallDice(seed: seed ^ 0x11FE)
        var upkeepDice = SmallDice(seed: seed ^ 0x5CA_7E46)
        for life in 1...2 + dice.below(3) {
            let end = Ending(&dice, isDurable: isDurable)
            await live(seed &* 31 &+ UInt64(life), until: end, &dice)
            notes.withLock { $0.lives += 1 }
            guard let upkeep else { continue }
            await scavenge(upkeep, after: end, &upkeepDice)
        }
        if let upkeep { await scavengeAtLast(upkeep, &upkeepDice) }
        try await busy("judging") { try await judge() }
    }

    // MARK: - One life

    /// How a life ends.
    enum Ending {
        case closed, dropped, killed, powerCut

        init(_ dice: inout SmallDice, isDurable: Bool) {
            switch dice.below(6) {
            case 0: self = .closed
            case 1: self = .dropped
            case 2: self = .killed
            default: self = isDurable ? .powerCut : .killed
            }
        }
    }

    private func live(_ seed: UInt64, until end: Ending, _ dice: inout SmallDice) async {
        let isPowerCutLater = end == .powerCut && dice.below(4) > 0
        if isPowerCutLater, dice.below(4) == 0 { cutPower(within: 60, &dice) }
        guard let file = await open(&dice) else {
            disk.heal()
            upkeep?.reader.lose()
            return disk.crash(keeping: isDurable ? .chance : .everything)
        }
        store.change(to: file)
        if isPowerCutLater { cutPower(within: 400, &dice) }
        if dice.below(3) == 0 { injectFault(&dice) }

        let life = SimulatedLife(self, file, seed: seed)
        await life.run(&dice)
        // A store that is at work no more holds the disk no longer than its last task does.
        store.change(to: nil)
        switch end {
        case .closed: await busy("closing") { await file.close() }
        case .dropped: disk.heal()
        case .killed:
            disk.crash(keeping: .everything)
            upkeep?.reader.lose()
        case .powerCut:
            disk.crash(keeping: .chance)
            upkeep?.reader.lose()
            notes.withLock { $0.powerCuts += 1 }
        }
        disk.heal()
    }

    private func open(_ dice: inout SmallDice) async -> FileEventStore? {
        var configuration = FileEventStore.Configuration()
        configuration.durability = durability
        configuration.segmentBytes = 64 << 10
        configuration.syncsOnCallingTask = dice.below(2) == 0
        do {
            let file = try await busy("opening") {
                try await FileEventStore(on: disk, configuration: configuration)
            }
            if let upkeep, upkeep.isDue { try lookAtScavenged(try await file.wholeLog(), upkeep) }
            return file
        } catch {
            if case EventStoreError.io = error { return nil }
            note("opening: \(error)")
            return nil
        }
    }

    private func cutPower(within operations: Int, _ dice: inout SmallDice) {
        disk.inject(.powerCut(at: disk.operationCount + dice.below(operations)))
    }

    /// A fault that the store gets over, or that stops it.
    private func injectFault(_ dice: inout SmallDice) {
        notes.withLock { $0.faults += 1 }
        let first = disk.operationCount + dice.below(100)
        switch dice.below(4) {
        case 0: disk.inject(.init(.inputOutput, operations: [.write], from: first))
        case 1: disk.inject(.init(.noSpace, operations: [.write], from: first))
        case 2: disk.inject(.init(.inputOutput, operations: [.read], from: first))
        default:
            // In the weaker modes a failed sync may take back what was shown.
            guard isDurable else { return }
            disk.inject(.init(.inputOutput, operations: [.sync], from: first))
        }
    }

    // MARK: - The end

    private func judge() async throws {
        let file = try await FileEventStore(on: disk)
        store.change(to: file)
        let log = try await file.wholeLog()
        let history = try workload.history(endingWith: log)
        for follower in followers {
            try await follower.catchUp(with: file)
            contents.complaint(about: follower.events, of: log, by: "a follower").map(note)
            if follower.events.count < log.count { note("a follower lacks events at the end") }
        }
        contents.complaints(about: log).forEach(note)
        try await judgeProjections(file, log)
        judgePurses(log, history.truncations)
        if let upkeep {
            try upkeep.complaints(about: log).forEach(note)
            try await judge(upkeep, file, log)
        }
        await file.close()
        store.change(to: nil)
        notes.withLock {
            $0.problems += history.violations.prefix(3)
            $0.calls = history.count
            $0.history = history
        }
    }

    private func judgeProjections(_ file: FileEventStore, _ log: [RecordedEvent]) async throws {
        let runner = ProjectionRunner(
            PurseLedger.self, from: file, plan: .smallPortions, checkpoints: file.checkpoints,
            clock: clock
        ) { notice in
            if case .checkpointDiscarded(let reason) = notice {
                self.note("saved state: \(reason)")
            }
        }
        let run = Task(executorPreference: executor) { try await runner.run() }
        let end = LogPosition(UInt64(log.count))
        let model = try await runner.ask(WholeLedger(), after: end)
        run.cancel()
        try? await run.value
        contents.complaint(about: model, of: log).map(note)
        guard upkeep != nil else { return }
        try await runner.rebuild()
        if runner.snapshot().model != PurseLedger(log) {
            note("a rebuilt projection is not the fold of what is left")
        }
    }

    /// No command spent what was not there.
    ///
    /// A command that was decided on just before its purse was truncated goes through afterwards, too.
    private func judgePurses(_ log: [RecordedEvent], _ truncations: [StoreHistory.Truncation]) {
        var purses: [StreamID: [Recorded<Purse.Event>]] = [:]
        for event in log where event.stream.category == Purse.category {
            guard let original = contents.original(of: event) else {
                return note("nobody wrote the event of a purse at \(event.position)")
            }
            let before = purses[event.stream] ?? []
            purses[event.stream, default: []].append(original)
            guard case .spent(let cents, _) = original.event else { continue }
            let gone = upkeep?.gone(before: event.position.rawValue) ?? []
            let last = before.last?.position ?? .start
            let cuts = truncations.filter {
                $0.stream == event.stream && $0.position < event.position.rawValue
            }
            let beginnings =
                [cuts.last { $0.position < last.rawValue }?.before ?? 1]
                + cuts.filter { $0.position > last.rawValue }.map(\.before)
            let canAfford = beginnings.contains { first in
                let left = before.filter {
                    $0.version.rawValue >= first && !gone.contains($0.position.rawValue)
                }
                return left.reduce(0) { $0 + $1.event.gain } >= cents
            }
            if !canAfford { note("\(event.stream) is overdrawn at \(event.position)") }
        }
    }
}

extension Purse.Event {
    /// By how much there is more in the purse.
    fileprivate var gain: Int {
        switch self {
        case .filled(let cents): cents
        case .spent(let cents, _): -cents
        }
    }
}

extension StoreHistory {
    /// The history in lines that are equal for equal ones.
    fileprivate var lines: [String] {
        appends.map { "\($0)" } + logReads.map { "\($0)" } + streamReads.map { "\($0)" }
            + log.map { "\($0)" }
    }
}

/// The store that is open at the moment, for those who outlive it.
final class ChangingStore: EventStore {
    private let current = Guarded<(any EventStore)?>(nil)

    func change(to store: (any EventStore)?) { current.withLock { $0 = store } }

    private func open() throws(EventStoreError) -> any EventStore {
        guard let store = current.withLock({ $0 }) else { throw .closed }
        return store
    }

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await open().append(request)
    }

    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await open().read(request)
    }

    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        try await open().read(request)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await open().waitForEvents(after: position)
    }
}

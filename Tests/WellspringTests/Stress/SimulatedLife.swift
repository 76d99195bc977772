import Wellspring
import WellspringLog
import WellspringTestKit

/// What an application does with its store between two openings.
final class SimulatedLife: Sendable {
    private let simulation: Simulation
    private let file: FileEventStore
    private let seed: UInt64
    private let ledger: ProjectionRunner<PurseLedger>
    /// Whether the run of the ledger has ended.
    private let isLedgerAtRest = Guarded(false)
    private let passing: ProjectionRunner<PurseLedger>

    init(_ simulation: Simulation, _ file: FileEventStore, seed: UInt64) {
        self.simulation = simulation
        self.file = file
        self.seed = seed
        ledger = ProjectionRunner(
            from: file, plan: .smallPortions, checkpoints: file.checkpoints,
            clock: simulation.clock)
        passing = ProjectionRunner(from: file, clock: simulation.clock)
    }

    func run(_ dice: inout SmallDice) async {
        let executor = simulation.executor
        let store = simulation.store
        let followers = simulation.followers.map { follower in
            Task(executorPreference: executor) { [simulation] in
                await simulation.busy("following") { await follower.follow(store) }
            }
        }
        let runs = [ledger, passing].map { runner in
            Task(executorPreference: executor) { [simulation, ledger, isLedgerAtRest] in
                await simulation.busy("projecting") { try? await runner.run() }
                if runner === ledger { isLedgerAtRest.withLock { $0 = true } }
            }
        }
        let readingBeside = simulation.upkeep.map { upkeep in
            Task(executorPreference: executor) { [simulation] in
                await simulation.busy("reading beside the writer") {
                    await upkeep.reader.follow(on: simulation.disk)
                }.map(simulation.note)
            }
        }
        let rebuilds = dice.below(3) == 0
        let patient = dice.below(3) > 0
        await withTaskGroup(of: Void.self) { group in
            let seed = seed
            for writer in 0..<2 + UInt64(dice.below(3)) {
                group.addTask { [simulation] in
                    await simulation.busy("writing") {
                        await simulation.workload.write(3, seed: seed &* 17 &+ writer)
                    }
                }
            }
            for number in 0..<1 + UInt64(dice.below(3)) {
                group.addTask { await self.sendCommands(seed: seed &* 13 &+ number) }
            }
            group.addTask { await self.keepTime(seed: seed) }
            group.addTask { [workload = simulation.workload] in
                try? await workload.readLog(limit: ReadLimit(events: 5), most: 12)
            }
            group.addTask { [workload = simulation.workload] in
                try? await workload.readStreams(seed: seed, most: 12)
            }
            if simulation.upkeep != nil {
                group.addTask { [simulation, file] in
                    var requests = SimulatedRequests(simulation, file, seed: seed)
                    await requests.ask()
                }
            }
            if rebuilds {
                group.addTask {
                    await self.simulation.busy("rebuilding") {
                        _ = try? await self.ledger.rebuild()
                    }
                }
            }
            if !patient {
                // Some are called off in the midst of it.
                for _ in 0..<3 { _ = await group.next() }
                group.cancelAll()
            }
        }
        // One after the other: what a projection saves at its end is not the executor's to order.
        for follower in followers {
            follower.cancel()
            await follower.value
        }
        readingBeside?.cancel()
        await readingBeside?.value
        for run in runs.reversed() {
            run.cancel()
            await run.value
        }
    }

    /// Moves the clock and lets timers fire, now and then.
    private func keepTime(seed: UInt64) async {
        var dice = SmallDice(seed: seed ^ 0x71E)
        for _ in 0..<8 {
            for _ in 0..<dice.below(6) { await Task.yield() }
            simulation.disk.advanceClock(nanoseconds: Int64(dice.below(30_000_000)) - 3_000_000)
            simulation.disk.fireTimers()
        }
    }

    /// Fills and spends, and asks the projection about what was just written.
    private func sendCommands(seed: UInt64) async {
        var dice = SmallDice(seed: seed ^ 0xC0)
        let commands = CommandBus(file)
        for _ in 0..<4 {
            let purse = Purse.ID("\(dice.below(2))")
            let cents = 1 + dice.below(9)
            let isSpending = dice.below(2) == 0
            let event: Purse.Event =
                isSpending ? .spent(cents: cents, on: "bread") : .filled(cents: cents)
            let position = await simulation.record(event, purse.stream) { id in
                let context = CommandContext(id: id)
                return try await simulation.busy("commanding") {
                    isSpending
                        ? try await commands.send(Spend(cents: cents), to: purse, context: context)
                        : try await commands.send(Fill(cents: cents), to: purse, context: context)
                }
            }
            guard let position, dice.below(2) == 0 else { continue }
            do {
                let seen = try await simulation.busy("asking") {
                    try await ledger.ask(
                        WholeLedger(), after: position)
                }
                if !seen.positions.contains(position.rawValue) {
                    simulation.note("an answer without the asker's own write at \(position)")
                }
            } catch QueryFailure.timedOut {
                // A rebuild makes an end to what stopped a projection, but nobody runs it then.
                if isLedgerAtRest.withLock({ $0 }) { continue }
                simulation.note("a question waits in vain while the projection is \(ledger.state)")
            } catch {
                // The projection stopped, or the task was called off.
            }
        }
    }
}

extension DecodingPlan {
    /// So small that even a short log is a backlog for several tasks.
    static let smallPortions = DecodingPlan(
        tasks: 3, pageLimit: ReadLimit(events: 4), leastEvents: 2)
}

extension Simulation {
    /// Sends a command with an id that its event will name, and writes down what came of it.
    ///
    /// - Returns: The position of its event, when it was stored.
    fileprivate func record(
        _ event: Purse.Event, _ stream: StreamID,
        _ send: (MessageID) async throws -> CommandReceipt<Purse>
    ) async -> LogPosition? {
        let call = workload.begin()
        contents.note(event, of: call.number)
        let outcome: StoreHistory.Outcome
        var position: LogPosition?
        do {
            let receipt = try await send(
                MessageID(high: StoreHistory.Fact.ofCommand, low: UInt64(call.number)))
            position = receipt.position
            outcome = .stored(
                positions: receipt.position.rawValue..<receipt.position.rawValue + 1,
                versions: [receipt.version])
        } catch let failure as CommandFailure<Purse.Rejection> {
            switch failure {
            case .store(.outcomeUnknown): outcome = .unknown
            default: outcome = .notStored
            }
        } catch {
            outcome = .notStored
        }
        workload.end(
            call, writes: [.init(stream: stream, expected: .any, count: 1)], outcome: outcome)
        return position
    }
}

/// A reader who has seen the log up to some place, and goes on from there in the next life.
final class SimulatedFollower: Sendable {
    private let seen = Guarded<[RecordedEvent]>([])
    private let end = Guarded(LogPosition.start)
    private let limit: ReadLimit

    init(number: Int) { limit = ReadLimit(events: number * 4 - 3) }

    func follow(_ store: ChangingStore) async {
        let start = end.withLock { $0 }
        do {
            for try await page in store.subscribe(after: start, limit: limit) { take(page) }
        } catch {
            // Called off, or the store is at its end.
        }
    }

    private func take(_ page: LogPage) {
        seen.withLock { $0 += page.events }
        end.withLock { $0 = page.end }
    }

    func catchUp(with store: some EventStore) async throws {
        while true {
            let start = end.withLock { $0 }
            let page = try await store.read(LogRead(.forward(after: start), limit: limit))
            guard page.end > start else { return }
            take(page)
        }
    }

    /// What was seen.
    var events: [RecordedEvent] { seen.withLock { $0 } }
}

/// Every event of every purse, by place.
struct PurseLedger: Projection, Codable, Equatable {
    static let name: ProjectionName = "ledger"
    private(set) var positions: [UInt64] = []
    private(set) var cents: [String: Int] = [:]

    init() {}

    mutating func apply(_ recorded: Recorded<Purse.Event>) {
        positions.append(recorded.position.rawValue)
        switch recorded.event {
        case .filled(let cents): self.cents[recorded.stream.key, default: 0] += cents
        case .spent(let cents, _): self.cents[recorded.stream.key, default: 0] -= cents
        }
    }

    /// The fold of a whole log, as far as it has content.
    init(_ log: [RecordedEvent]) {
        for event in log where event.stream.category == Purse.category {
            if let decoded = try? event.decoded(as: Purse.Event.self) { apply(decoded) }
        }
    }
}

struct WholeLedger: Query {
    func answer(from ledger: PurseLedger) -> PurseLedger { ledger }
}

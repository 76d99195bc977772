import Wellspring
import WellspringLog
import WellspringTestKit

/// A projection that takes in a backlog, under a seed that decides what the log holds and which task
/// goes on next.
struct BacklogTrial: Sendable {
    let seed: UInt64
    var fault: PlantedFault?
    var tasks = 4
    /// What the log may hold besides events that can be taken in.
    var mayFail = true
    /// Spaces in the content of an event, so that saving comes due on the way.
    var padding = 0

    /// What is wrong, of a run and of a rebuild, with a model that can fail and one that cannot.
    func problems() -> [String] {
        let executor = SeededExecutor(seed: seed)
        let found = executor.run(passingTime: { false }) { [self] in
            var dice = SmallDice(seed: seed ^ 0xBAC)
            let log = BacklogPlan(appends: 25, mayFail: mayFail, &dice)
            do {
                let store = BacklogStore(log)
                try await log.write(to: store.base, padding: padding)
                return try await problems(Contents.self, store, log, &dice)
                    + problems(Doubter.self, store, log, &dice)
            } catch {
                return ["\(error)"]
            }
        }
        return found ?? ["everybody waits and nobody works"]
    }

    private func problems<P: Witness>(
        _ type: P.Type, _ store: BacklogStore, _ log: BacklogPlan, _ dice: inout SmallDice
    ) async throws -> [String] {
        let plan = DecodingPlan(
            tasks: tasks, pageLimit: ReadLimit(events: 1 + dice.below(4)),
            leastEvents: dice.below(3), plantedFault: fault)
        let checkpoints = JudgingCheckpoints<P>(log)
        func runner() -> ProjectionRunner<P> {
            ProjectionRunner(
                from: store, plan: plan, checkpoints: checkpoints, clock: ManualClock())
        }
        let rebuilt = runner()
        let outcome = await caught { () async throws(ProjectionFailure) in
            try await rebuilt.rebuild()
        }
        let followed = runner()
        await run(followed, cancelledAfter: dice.below(3) == 0 ? dice.below(40) : nil)
        return log.complaints(about: rebuilt, outcome) + log.complaints(about: followed)
            + checkpoints.problems.withLock { $0 }
    }

    /// Runs until there is nothing more to be done, called off in the midst of it if so wanted.
    private func run<P: Witness>(
        _ runner: ProjectionRunner<P>, cancelledAfter turns: Int?
    ) async {
        if let turns {
            let short = Task { try? await runner.run() }
            for _ in 0..<turns { await Task.yield() }
            short.cancel()
            _ = await short.value
            // It was quicker than that.
            if runner.state.stop?.isFinal == true { return }
        }
        let run = Task { try? await runner.run() }
        while runner.state.kind != "live", runner.state.stop?.isFinal != true {
            await Task.yield()
        }
        run.cancel()
        _ = await run.value
    }
}

extension ProjectionStop {
    /// Whether nobody ended it from outside.
    fileprivate var isFinal: Bool {
        if case .cancelled = reason { false } else { true }
    }
}

/// A model that remembers which events it was given.
protocol Witness: Projection, Codable {
    var positions: [UInt64] { get }
    /// Whether it refuses what was spent on poison.
    static var fearsPoison: Bool { get }
}

extension Contents: Witness {
    static let fearsPoison = false
}

/// Takes in everything but poison, and is half changed when it refuses.
struct Doubter: Witness {
    static let name: ProjectionName = "doubter"
    static let fearsPoison = true
    private(set) var positions: [UInt64] = []

    struct Poison: Error {}

    mutating func apply(_ recorded: Recorded<Purse.Event>) throws(Poison) {
        positions.append(recorded.position.rawValue)
        if case .spent(_, on: "poison") = recorded.event { throw Poison() }
    }
}

/// Compares all that is saved with what the log says up to there.
private final class JudgingCheckpoints<P: Witness>: CheckpointStore {
    private let base = InMemoryCheckpointStore()
    private let log: BacklogPlan
    let problems = Guarded<[String]>([])

    init(_ log: BacklogPlan) { self.log = log }

    func load(_ projection: ProjectionName) async throws(EventStoreError) -> Checkpoint? {
        try await base.load(projection)
    }

    func save(_ checkpoint: Checkpoint) async throws(EventStoreError) {
        try await base.save(checkpoint)
        let expected = log.positions(through: checkpoint.position.rawValue)
        guard let saved = checkpoint.decoded(P.self)?.positions, saved == expected else {
            return problems.withLock { $0.append("saved at \(checkpoint.position): other events") }
        }
    }

    func remove(_ projection: ProjectionName) async throws(EventStoreError) {
        try await base.remove(projection)
    }
}

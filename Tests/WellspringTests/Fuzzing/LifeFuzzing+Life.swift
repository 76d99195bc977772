@testable import Wellspring
@testable import WellspringLog
@testable import WellspringTestKit

/// One life of a store, step by step.
///
/// A trouble is allowed to make operations fail, from when it is planned until the store was opened
/// on a disk without any. It is never allowed to change what was acknowledged.
final class StoreLife {
    typealias Problem = LifeFuzzing.Problem

    var script: LifeFuzzing.Script
    var outcome = LifeFuzzing.Outcome()
    private(set) var disk: SimulatedDisk
    private let configuration: FileEventStore.Configuration
    var ledger = LifeLedger()
    var store: FileEventStore?
    /// Who reads the store beside it, and how many events that has shown.
    var follower: FileEventReader?
    var followed = 0
    /// Whether the disk has troubles, and whether anything of them may still be felt.
    private var hasTroubles = false
    private(set) var isDisturbed = false
    private var isPowerAtRisk = false
    /// Whether the store has said that it writes no more.
    var isPoisoned = false
    private var hasCrashed = false
    /// The number of the first operation since the store was opened.
    private var firstOperation = 0
    /// The newest position whose saved state must be there.
    private var savedPosition = 0
    /// A scavenge has done its work, and the store was not opened since.
    private var isScavenged = false
    /// Whether the store was closed, with no trouble in the way.
    private var isClosed = false
    var eventCount = 0
    var bytesLeft = 400_000
    var lastRequest: AppendRequest?

    private static let modes: [Durability] = [
        .everyCommit, .strict, .interval(time: .milliseconds(50), bytes: 20_000), .osManaged,
    ]

    init(_ script: LifeFuzzing.Script, planting fault: PlantedFault?) {
        self.script = script
        let mode = self.script.next()
        disk = SimulatedDisk(seed: UInt64(self.script.next()))
        var configuration = FileEventStore.Configuration()
        configuration.durability = Self.modes[Int(mode) % 4]
        configuration.syncsOnCallingTask = mode & 4 == 0
        configuration.segmentBytes = 64 << 10
        configuration.plantedFault = fault
        self.configuration = configuration
        // Only this mode promises anything on such a disk.
        disk.tearsSectors = mode & 8 != 0 && configuration.durability == .strict
    }

    /// Whether an append that returned survives everything.
    var promisesAll: Bool {
        configuration.durability == .everyCommit || configuration.durability == .strict
    }

    func did(_ deed: LifeFuzzing.Deed) { outcome.deeds.insert(deed) }

    // MARK: - Opening and closing

    /// The store, which is opened if it is not open; `nil` when a trouble is in the way.
    func opened() async throws -> FileEventStore? {
        if let store { return store }
        do throws(EventStoreError) {
            let opened = try await FileEventStore(on: disk, configuration: configuration)
            try await adopt(opened)
            store = opened
        } catch {
            guard hasTroubles, error.isOfMachine else {
                throw Problem("it does not open: \(error)")
            }
            isClosed = false
            did(.refusedToOpen)
            return nil
        }
        if let complaint = openingProblem { throw Problem(complaint) }
        return store
    }

    /// What the newest opening found wrong.
    private var openingProblem: String?

    /// Takes over what a store shows that was just opened.
    ///
    /// - Throws: What keeps it from being read.
    private func adopt(_ opened: FileEventStore) async throws(EventStoreError) {
        openingProblem = nil
        let log = try await wholeLog(of: opened)
        let saved = try await opened.checkpoints.load("p")
        let mayHaveLost =
            !promisesAll
            && (hasCrashed
                || disk.operations.contains {
                    $0.number >= firstOperation && $0.kind == .sync && $0.hasFailed
                })
        do {
            for deed in try ledger.adopt(log, mayHaveLost: mayHaveLost) { did(deed) }
            if isScavenged {
                ledger.scavenged()
                try ledger.check(log, being: Array(log.indices))
            }
            try check(saved)
            let report = opened.report
            guard report.eventCount == UInt64(log.count),
                opened.durablePosition.rawValue == UInt64(log.count)
            else { throw Problem("\(log.count) events, and the store says \(report)") }
            if isClosed, !report.wasClean { throw Problem("it was closed, and says it was not") }
        } catch {
            openingProblem = "after opening, \(error)"
        }
        isScavenged = false
        isPoisoned = false
        hasCrashed = false
        isClosed = false
        isDisturbed = hasTroubles
        firstOperation = disk.operationCount
        if disk.fileNames.contains(LogLayout.segment(2)) { did(.rolled) }
    }

    private func wholeLog(
        of store: FileEventStore
    ) async throws(EventStoreError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        var end = LogPosition.start
        while true {
            let page = try await store.read(
                LogRead(.forward(after: end), limit: ReadLimit(events: 9)))
            guard page.end > end else { return events }
            guard page.end <= page.head else {
                throw .storage(reason: "a page ends behind the log")
            }
            events += page.events
            end = page.end
        }
    }

    /// A saved state is not older than the one that was promised, and not ahead of the log.
    private func check(_ saved: Checkpoint?) throws {
        let position = saved?.position.rawValue ?? 0
        guard position >= savedPosition else {
            throw Problem("the state saved at \(savedPosition) is lost")
        }
        guard position <= ledger.head else { throw Problem("a saved state is ahead of the log") }
        if let saved, saved.state != Self.state(at: saved.position) {
            throw Problem("the state saved at \(position) is another one")
        }
    }

    private static func state(at position: LogPosition) -> EventPayload {
        EventPayload(utf8: String(repeating: "\(position) ", count: 200))
    }

    func close() async {
        guard let store else { return }
        await store.close()
        noteDurable(store)
        self.store = nil
        isClosed = !isDisturbed && !isPoisoned
        if isClosed { ledger.durable = ledger.head }
        did(.closed)
    }

    func drop() {
        guard let store else { return }
        noteDurable(store)
        self.store = nil
        did(.dropped)
    }

    private func crash(_ survival: SimulatedDisk.Survival) {
        if let store { noteDurable(store) }
        disk.crash(keeping: survival)
        disk.heal()
        store = nil
        follower = nil
        hasTroubles = false
        isPowerAtRisk = false
        hasCrashed = true
        did(.crashed)
    }

    /// Has this life go on with a copy of the store, on a disk of its own without troubles.
    func goOn(with copy: SimulatedDisk) {
        drop()
        copy.tearsSectors = disk.tearsSectors
        disk = copy
        follower = nil
        hasTroubles = false
        isPowerAtRisk = false
        isClosed = false
        savedPosition = 0
    }

    /// Writes down how far the store says that everything survives.
    private func noteDurable(_ store: FileEventStore) {
        let durable = min(Int(store.durablePosition.rawValue), ledger.head)
        ledger.durable = max(ledger.durable, durable)
    }

    // MARK: - Steps

    func take(_ step: LifeFuzzing.Step) async throws {
        do {
            if !(try takeDiskStep(step)) { try await takeStoreStep(step) }
        } catch {
            throw Problem("\(step): \(error)")
        }
        guard let store else { return }
        noteDurable(store)
        guard Int(store.durablePosition.rawValue) <= ledger.head + ledger.doubtful.count else {
            throw Problem("\(step): durable up to \(store.durablePosition) of \(ledger.head)")
        }
    }

    /// Takes a step that needs no store; `false` for the others.
    private func takeDiskStep(_ step: LifeFuzzing.Step) throws -> Bool {
        switch step {
        case .drop: drop()
        case .crash:
            let survivals: [SimulatedDisk.Survival] = [
                .chance, .nothing, .everything, .oneSector,
            ]
            crash(survivals[script.next(below: 4)])
        case .timers: disk.fireTimers()
        case .clock: disk.advanceClock(nanoseconds: (Int64(script.next()) - 64) * 1_000_000)
        case .failOnce: plan(failure(.once))
        case .failForEver: plan(failure(.untilHealed))
        case .cutPower:
            isPowerAtRisk = true
            plan(.powerCut(at: operationToCome()))
        case .fillDisk:
            disk.capacity = Int(script.next()) << 10
            isDisturbed = true
            hasTroubles = true
        case .heal: heal()
        default: return false
        }
        return true
    }

    private func takeStoreStep(_ step: LifeFuzzing.Step) async throws {
        switch step {
        case .close: await close()
        case .scavenge: return try await scavenge()
        case .verify: return try await verify()
        case .salvage: return try await salvage()
        case .follow: return try await follow()
        default: break
        }
        guard step != .close, let store = try await opened() else { return }
        switch step {
        case .append, .appendSeveral, .appendToTwo, .repeatLast: try await append(step, to: store)
        case .appendTogether: try await appendTogether(to: store)
        case .readStream: try await readStream(of: store)
        case .readLog: try await readLog(of: store)
        case .truncate: try await truncate(store)
        case .redact: try await redact(store)
        case .save: try await save(store)
        case .sync: try await sync(store)
        case .backup: try await backup(store)
        default: break
        }
    }

    private func failure(
        _ repetition: SimulatedDisk.Fault.Repetition
    ) -> SimulatedDisk.Fault {
        let failures = SimulatedDisk.Fault.Failure.allCases
        let kinds = SimulatedDisk.Operation.Kind.allCases
        let failure = failures[script.next(below: failures.count)]
        // Those that matter most are easy to hit.
        let choices: [Set<SimulatedDisk.Operation.Kind>?] =
            kinds.map { [$0] } + [nil, [.write], [.sync]]
        return SimulatedDisk.Fault(
            failure, operations: choices[script.next(below: choices.count)],
            from: operationToCome(), repetition)
    }

    /// The number of an operation, more often than not a near one.
    private func operationToCome() -> Int {
        let byte = Int(script.next())
        return disk.operationCount + (byte < 128 ? byte / 8 : (byte - 128) * 2)
    }

    private func plan(_ fault: SimulatedDisk.Fault) {
        disk.inject(fault)
        isDisturbed = true
        hasTroubles = true
    }

    /// Ends all troubles; power that went off comes back with a crash only.
    private func heal() {
        if isPowerAtRisk { return crash(.chance) }
        disk.heal()
        hasTroubles = false
    }

    private func sync(_ store: FileEventStore) async throws {
        do throws(EventStoreError) {
            try await store.sync()
            guard Int(store.durablePosition.rawValue) == ledger.head else {
                throw .storage(reason: "synced, and durable up to \(store.durablePosition)")
            }
        } catch {
            guard isDisturbed, case .poisoned = error else { throw error }
            isPoisoned = true
            did(.stopped)
        }
    }

    private func save(_ store: FileEventStore) async throws {
        do throws(EventStoreError) {
            let head = try await store.read(LogRead(.backward(before: nil))).head
            try await store.checkpoints.save(
                Checkpoint(
                    projection: "p", revision: 1, position: head, state: Self.state(at: head)))
            savedPosition = Int(head.rawValue)
            did(.saved)
        } catch {
            guard isDisturbed, error.isOfMachine else { throw error }
            if case .poisoned = error { isPoisoned = true }
        }
    }

    private func scavenge() async throws {
        await close()
        do throws(EventStoreError) {
            try await FileEventStore.scavenge(at: "store", in: disk)
            isScavenged = true
            did(.scavenged)
        } catch {
            if case .notAStore = error, ledger.head == 0 { return }
            guard hasTroubles, error.isOfMachine else { throw error }
        }
        isClosed = false
    }

    /// Damage is told where there is some, and none was planted.
    private func verify() async throws {
        guard !isDisturbed else { return }
        let report: VerificationReport
        do throws(EventStoreError) {
            report = try await FileEventStore.verify(at: "store", in: disk)
        } catch {
            if case .notAStore = error, ledger.head == 0 { return }
            throw error
        }
        // What a failure left half done is told, and is no damage.
        if !report.isSound { throw Problem("\(report.problems)") }
        did(.verified)
    }

    /// Ends all troubles and this life, and looks at what is left of it.
    func end() async throws {
        if isPowerAtRisk || script.next() & 1 == 0 { crash(.chance) } else { drop() }
        heal()
        isDisturbed = false
        try await verify()
        guard let store = try await opened() else { return }
        try await append(.append, to: store)
        try await readStream(of: store)
        await close()
        isDisturbed = false
        try await verify()
        _ = try await opened()
        await close()
    }
}

extension EventStoreError {
    /// Whether a machine that fails is a reason for it.
    var isOfMachine: Bool {
        switch self {
        case .notStored, .storageFull, .poisoned, .io: true
        default: false
        }
    }
}

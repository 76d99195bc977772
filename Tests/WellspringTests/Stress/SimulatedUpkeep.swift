import Wellspring
import WellspringLog
import WellspringTestKit

/// Has streams begin later and events lose their content, and knows of which events the content may be
/// gone by now, and of which it must be.
final class SimulatedUpkeep: Sendable {
    /// A log as it was when it was opened after a scavenge.
    struct Found: Sendable {
        let head: UInt64
        /// The positions of events without content.
        let gone: Set<UInt64>
    }

    private struct State {
        var found: [Found] = []
        /// How many scavenges there were since then, how many came to their end, and how many events
        /// they say lost their content.
        var begun = 0
        var done = 0
        var redacted: UInt64 = 0
        /// The end of the log at the last scavenge, and at the last one that came to its end.
        var mayGoUpTo: UInt64 = 0
        var mustGoUpTo: UInt64 = 0
        /// What readers saw between two operations of scavenges.
        var sights: [[RecordedEvent]] = []
    }

    let reader: SimulatedReader
    private let state = Guarded(State())

    init(seed: UInt64) { reader = SimulatedReader(seed: seed) }

    var found: [Found] { state.withLock { $0.found } }
    var sights: [[RecordedEvent]] { state.withLock { $0.sights } }
    /// Whether nobody has looked yet at what a scavenge did.
    var isDue: Bool { state.withLock { $0.begun > 0 } }

    func noteScavenge(_ report: ScavengeReport?) {
        state.withLock {
            $0.begun += 1
            guard let report else { return }
            $0.done += 1
            $0.redacted += report.redactedCount
        }
    }

    func noteSight(_ log: [RecordedEvent]) { state.withLock { $0.sights.append(log) } }

    /// What is wrong with a log that was just opened.
    func complaints(about log: [RecordedEvent]) throws -> [String] {
        let truncations = try StoreHistory.Truncation.all(in: log)
        let gone = Set(log.filter(\.isRedacted).map(\.position.rawValue))
        let head = UInt64(log.count)
        return try state.withLock { state in
            if state.begun > 0 { state.mayGoUpTo = head }
            if state.done > 0 { state.mustGoUpTo = head }
            let before = state.found.last?.gone ?? []
            let may = try SimulatedContents.askedFor(in: log, upTo: state.mayGoUpTo, truncations)
            let must = try SimulatedContents.askedFor(in: log, upTo: state.mustGoUpTo, truncations)
            var complaints: [String] = []
            func complain(_ words: String, _ positions: Set<UInt64>) {
                if !positions.isEmpty { complaints.append("\(words): \(positions.sorted())") }
            }
            complain("content is gone that was to stay", gone.subtracting(may))
            complain("content is left that a scavenge was to take", must.subtracting(gone))
            complain("content came back", before.subtracting(gone))
            let count = UInt64(gone.subtracting(before).count)
            if state.done == state.begun, state.redacted != count {
                complaints.append(
                    "\(count) events lost content, and \(state.redacted) were said to")
            }
            state.found.append(Found(head: head, gone: gone))
            (state.begun, state.done, state.redacted) = (0, 0, 0)
            return complaints
        }
    }

    /// The positions without content when the store was opened that `position` was appended to.
    func gone(before position: UInt64) -> Set<UInt64> {
        found.last { $0.head < position }?.gone ?? []
    }
}

/// Somebody who asks a store for what ``SimulatedUpkeep`` knows of.
struct SimulatedRequests {
    let simulation: Simulation
    let file: FileEventStore
    var dice: SmallDice

    init(_ simulation: Simulation, _ file: FileEventStore, seed: UInt64) {
        self.simulation = simulation
        self.file = file
        dice = SmallDice(seed: seed ^ 0xA5C)
    }

    mutating func ask() async {
        for _ in 0..<1 + dice.below(3) {
            for _ in 0..<dice.below(40) { await Task.yield() }
            if dice.below(3) == 0 { await redact() } else { await truncate() }
        }
    }

    private mutating func truncate() async {
        let stream =
            dice.below(3) == 0
            ? Purse.ID("\(dice.below(2))").stream : sampleStream("\(dice.below(4))")
        let newest = StreamRead(stream, .backward(before: nil), limit: ReadLimit(events: 1))
        guard let version = try? await file.read(newest).version else { return }
        // One more than there is, at times: somebody else may append meanwhile, or not.
        let number = 1 + UInt64(dice.below(Int(version.rawValue) + 2))
        let before = dice.below(3) == 0 ? nil : StreamVersion(number)
        let expected = [.any, .any, .exists, .exactly(version)][dice.below(4)] as ExpectedVersion
        let call = simulation.workload.begin()
        simulation.contents.note(beginning: before, of: call.number)
        var outcome = StoreHistory.Outcome.notStored
        do {
            let receipt = try await simulation.busy("truncating") {
                try await file.truncate(
                    TruncationRequest(
                        stream, before: before, expecting: expected, metadata: .ofCall(call)))
            }
            let first = receipt.firstVersion.rawValue
            outcome = .truncated(first: first, position: receipt.position.rawValue)
            if first < before?.rawValue ?? 1 { simulation.note("\(stream) begins at \(first)") }
        } catch EventStoreError.conflict(let conflict) {
            outcome = .conflict(conflict)
        } catch EventStoreError.outcomeUnknown {
            outcome = .unknown
        } catch {}
        let requests = StreamTruncation.requests(about: stream)
        simulation.workload.end(
            call,
            writes: [
                .init(stream: stream, expected: expected, count: 0),
                .init(stream: requests, expected: .any, count: 1),
            ], outcome: outcome)
    }

    private mutating func redact() async {
        let newest = LogRead(.backward(before: nil), limit: ReadLimit(events: 1))
        guard let head = try? await file.read(newest).head.rawValue, head > 0 else { return }
        let isBeyond = dice.below(8) == 0
        var positions = (0...dice.below(3)).map { _ in
            LogPosition(1 + UInt64(dice.below(Int(head))))
        }
        if isBeyond { positions.append(LogPosition(head + 1_000)) }
        let call = simulation.workload.begin()
        simulation.contents.note(redacting: positions, of: call.number)
        var outcome = StoreHistory.Outcome.notStored
        do {
            let receipt = try await simulation.busy("redacting") {
                try await file.requestRedaction(of: positions, metadata: .ofCall(call))
            }
            outcome = .stored(positions: receipt.positions, versions: receipt.versions)
            if isBeyond { simulation.note("a position beyond the end is to be redacted") }
        } catch EventStoreError.outcomeUnknown {
            outcome = .unknown
        } catch {}
        simulation.workload.end(
            call, writes: [.init(stream: .redactions, expected: .any, count: 1)], outcome: outcome)
    }
}

extension EventMetadata {
    /// Says which call of a history an event comes from.
    fileprivate static func ofCall(_ call: StoreStressWorkload.Begun) -> EventMetadata {
        let id = MessageID(high: StoreHistory.Fact.ofCommand, low: UInt64(call.number))
        return EventMetadata(causation: id)
    }
}

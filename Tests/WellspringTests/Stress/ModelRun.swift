import Wellspring
import WellspringLog
import WellspringTestKit

/// Takes a store and the model through the same steps, and compares.
final class ModelRun {
    enum Kind: Hashable, Sendable {
        case memory
        case file(Durability)
    }

    /// Spoils a store, to see whether that is noticed.
    typealias Spoiler = @Sendable (any EventStore) -> any EventStore

    private let kind: Kind
    /// A protection of the store that is switched off.
    private let fault: PlantedFault?
    private let spoil: Spoiler
    private let disk: SimulatedDisk
    private let time = Guarded<Int64>(1_700_000_000_000_000_000)
    var model = ModelLog()
    private var numbers = 0
    private var file: FileEventStore?
    private let memory: InMemoryEventStore
    private var store: any EventStore
    /// Whether something was made to fail since the store was opened.
    private(set) var isDisturbed = false
    private(set) var eventCount = 0
    private(set) var stepsTaken = 0

    init(
        _ kind: Kind, seed: UInt64 = 1, fault: PlantedFault? = nil,
        spoiling spoil: @escaping Spoiler = { $0 }
    ) {
        self.fault = fault
        self.kind = kind
        self.spoil = spoil
        disk = SimulatedDisk(seed: seed)
        memory = InMemoryEventStore(seed: seed) { [time] in
            Timestamp(nanoseconds: time.withLock { $0 })
        }
        store = spoil(memory)
    }

    /// The store as it is, to truncate streams in.
    var truncating: any TruncatingEventStore { file ?? memory }

    /// What went wrong, as a sentence.
    struct Problem: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// Takes all steps and returns the first thing that is wrong; `nil` when nothing is.
    func run(_ steps: [ModelStep]) async -> String? {
        do {
            try await open(isFirst: true)
            for (index, step) in steps.enumerated() {
                stepsTaken = index + 1
                do {
                    try await take(step)
                } catch {
                    throw Problem("step \(index + 1), \(step): \(error)")
                }
            }
            try await compareEverything()
            try await restart()
            try await compareEverything()
            await file?.close()
            eventCount = Int(model.head)
            return nil
        } catch {
            await file?.close()
            return "\(error)"
        }
    }

    private func take(_ step: ModelStep) async throws {
        switch step {
        case .append(let writes): try await append(writes)
        case .truncate(let stream, let count, let belief):
            try await truncate(stream, keeping: count, belief)
        case .stream(let number, let order, let events, let bytes):
            let request = StreamRead(
                ModelEvents.streams[number], order.ofStream,
                limit: ReadLimit(events: events, bytes: bytes))
            let page = try await store.read(request)
            try refuse(model.complaint(about: page, of: number, request))
        case .log(let order, let filter, let events, let bytes):
            let request = LogRead(
                order.ofLog, filter: filter.filter,
                limit: ReadLimit(events: events, bytes: bytes))
            try refuse(model.complaint(about: try await store.read(request), request))
        case .wait(let position):
            guard position < model.head else { break }
            try await store.waitForEvents(after: LogPosition(UInt64(position)))
        case .clock(let milliseconds):
            time.withLock { $0 += Int64(milliseconds) * 1_000_000 }
            disk.advanceClock(nanoseconds: Int64(milliseconds) * 1_000_000)
        default: if file != nil { try await takeFileStep(step) }
        }
    }

    private func takeFileStep(_ step: ModelStep) async throws {
        switch step {
        case .restart: try await restart()
        case .restartWithoutIndex:
            try await restart {
                for name in self.disk.fileNames where name.hasPrefix("idx/") {
                    self.disk.replaceContents(of: name, with: nil)
                }
            }
        case .scavenge:
            try await restart {
                // Nobody knows yet what a failure has left.
                guard !self.isDisturbed else { return }
                try await FileEventStore.scavenge(at: "store", in: self.disk)
                self.model.scavenge()
            }
        case .drop:
            let durable = file?.durablePosition.rawValue ?? 0
            letGo()
            guard isDisturbed else { return try await open() }
            disk.heal()
            try await acceptWhatIsLeft(atLeast: durable, count: 0) { _ in }
        case .crash(let survival): try await crash(survival)
        case .timers: disk.fireTimers()
        case .sync:
            do {
                try await file?.sync()
            } catch {
                try await reopen(after: error, count: 0)
            }
        case .failWrite: disturb(.inputOutput, .write)
        case .fillDisk: disturb(.noSpace, .write)
        case .failSync: disturb(.inputOutput, .sync)
        default: break
        }
    }

    private func refuse(_ complaint: String?) throws {
        if let complaint { throw Problem(complaint) }
    }

    // MARK: - Appending

    private func append(_ writes: [ModelWrite]) async throws {
        var wanted: [(stream: Int, events: [NewEvent])] = []
        var request = AppendRequest([])
        for write in writes {
            let events = write.events.map { form in
                numbers += 1
                return ModelEvents.event(form, number: numbers)
            }
            wanted.append((write.stream, events))
            let version = model.version(of: write.stream)
            request.writes.append(
                StreamWrite(
                    events, to: ModelEvents.streams[write.stream],
                    expecting: write.belief.expected(at: version)))
        }
        let count = wanted.reduce(0) { $0 + $1.events.count }
        let head = model.head
        do throws(EventStoreError) {
            let receipt = try await store.append(request)
            let refusal = refusals(of: request, writes)
            guard refusal.isEmpty else { throw .storage(reason: "it was accepted: \(refusal)") }
            model.append(wanted)
            let positions = count == 0 ? 0..<0 : head + 1..<head + 1 + UInt64(count)
            guard receipt.positions.isEmpty ? count == 0 : receipt.positions == positions,
                receipt.versions == writes.map({ StreamVersion(model.version(of: $0.stream)) })
            else { throw .storage(reason: "a wrong receipt: \(receipt)") }
        } catch {
            switch error {
            case .conflict, .invalidRequest:
                guard refusals(of: request, writes).contains(error) else { throw error }
            case .notStored where isDisturbed, .storageFull where isDisturbed: break
            case .outcomeUnknown where isDisturbed:
                try await reopen(after: error, count: count) { $0.append(wanted) }
            case .poisoned where isDisturbed:
                try await reopen(after: error, count: 0)
            default: throw error
            }
        }
    }

    /// The errors with which the request may be refused; none when it must be accepted.
    private func refusals(of request: AppendRequest, _ writes: [ModelWrite]) -> [EventStoreError] {
        if request.writes.isEmpty { return [.invalidRequest(reason: "it names no stream")] }
        var seen: Set<Int> = []
        for write in writes where !seen.insert(write.stream).inserted {
            let stream = ModelEvents.streams[write.stream]
            return [.invalidRequest(reason: "it names stream \(stream) twice")]
        }
        return zip(request.writes, writes).compactMap { write, plan in
            let version = model.version(of: plan.stream)
            let holds =
                switch write.expected {
                case .any: true
                case .noStream: version == 0
                case .exists: version > 0
                case .exactly(let expected): expected.rawValue == version
                }
            return holds
                ? nil
                : .conflict(
                    StreamConflict(
                        stream: write.stream, expected: write.expected,
                        actual: StreamVersion(version)))
        }
    }

    // MARK: - Opening and closing

    private func open(isFirst: Bool = false) async throws {
        guard case .file(let durability) = kind else { return }
        var configuration = FileEventStore.Configuration()
        configuration.durability = durability
        configuration.plantedFault = fault
        configuration.segmentBytes = 64 << 10
        configuration.syncsOnCallingTask = true
        let opened = try await FileEventStore(on: disk, configuration: configuration)
        file = opened
        store = spoil(opened)
        if opened.report.eventCount != opened.durablePosition.rawValue {
            throw Problem("the report counts \(opened.report.eventCount) events")
        }
        if isFirst { return }
        let head = try await store.read(LogRead(.backward(before: nil))).head.rawValue
        guard head == model.head else {
            throw Problem("\(head) events after opening, where \(model.head) belong")
        }
    }

    /// Drops the store, which lets go of its files.
    private func letGo() {
        file = nil
        store = InMemoryEventStore()
    }

    private func restart(_ meanwhile: () async throws -> Void = {}) async throws {
        guard let file else { return }
        let durable = file.durablePosition.rawValue
        await file.close()
        try await meanwhile()
        guard !isDisturbed else {
            // A sync that failed may have lost what the mode does not promise to keep.
            disk.heal()
            return try await acceptWhatIsLeft(atLeast: durable, count: 0) { _ in }
        }
        try await open()
        if self.file?.report.wasClean != true {
            throw Problem("a store that was closed is said not to have been")
        }
    }

    private func disturb(
        _ failure: SimulatedDisk.Fault.Failure, _ kind: SimulatedDisk.Operation.Kind
    ) {
        isDisturbed = true
        disk.inject(.init(failure, operations: [kind], from: disk.operationCount))
    }

    /// Opens the store again that stopped writing, and takes from it what nobody could know.
    func reopen(
        after error: EventStoreError, count: Int, ifStored: (inout ModelLog) -> Void = { _ in }
    ) async throws {
        guard isDisturbed else { throw error }
        let durable = file?.durablePosition.rawValue ?? 0
        await file?.close()
        disk.heal()
        try await acceptWhatIsLeft(atLeast: durable, count: count, ifStored)
    }

    private func crash(_ survival: SimulatedDisk.Survival) async throws {
        let durable = file?.durablePosition.rawValue ?? 0
        disk.crash(keeping: survival)
        try await acceptWhatIsLeft(atLeast: durable, count: 0) { _ in }
    }

    /// What may be gone is what the mode does not promise to keep; what may be there is the append
    /// with an unknown outcome.
    private func acceptWhatIsLeft(
        atLeast durable: UInt64, count: Int, _ ifStored: (inout ModelLog) -> Void
    ) async throws {
        letGo()
        let probe = try await probeHead()
        if count > 0, probe == model.head + UInt64(count) {
            ifStored(&model)
        } else if probe != model.head {
            guard promisesLess, probe >= durable, model.cut(to: probe) else {
                throw Problem(
                    "\(probe) events after a crash, of \(model.head), of which \(durable) were durable"
                )
            }
        }
        isDisturbed = false
        try await open()
    }

    private var promisesLess: Bool {
        kind != .file(.everyCommit) && kind != .file(.strict)
    }

    private func probeHead() async throws -> UInt64 {
        let store = try await FileEventStore(on: disk)
        let head = try await store.read(LogRead(.backward(before: nil))).head.rawValue
        await store.close()
        return head
    }

    // MARK: - The end

    /// Reads all there is in every way.
    private func compareEverything() async throws {
        for order in [ModelOrder.forward(0), .backward(nil)] {
            var order = order
            while true {
                let request = LogRead(order.ofLog, limit: ReadLimit(events: 40, bytes: 20_000))
                let page = try await store.read(request)
                try refuse(model.complaint(about: page, request))
                let end = Int(page.end.rawValue)
                if case .forward = order {
                    guard end < model.head else { break }
                    order = .forward(end)
                } else {
                    guard end > 1 else { break }
                    order = .backward(end)
                }
            }
        }
        for number in 0..<2 * ModelEvents.streams.count {
            let request = StreamRead(
                ModelEvents.name(of: number), limit: ReadLimit(events: .max, bytes: .max))
            let page = try await store.read(request)
            try refuse(model.complaint(about: page, of: number, request))
        }
        try refuse(model.complaintAboutGifts)
    }
}

extension ModelRun.Kind: CustomStringConvertible {
    /// As it is written in a test.
    var description: String {
        switch self {
        case .memory: ".memory"
        case .file(.everyCommit): ".file(.everyCommit)"
        case .file(.strict): ".file(.strict)"
        case .file(.osManaged): ".file(.osManaged)"
        case .file(.interval(let time, let bytes)):
            ".file(.interval(time: .nanoseconds(\(time / .nanoseconds(1))), bytes: \(bytes)))"
        }
    }
}

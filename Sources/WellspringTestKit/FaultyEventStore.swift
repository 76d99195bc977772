public import Wellspring
import WellspringLog

/// A store in front of another one that fails, refuses, delays and forgets to answer on demand.
///
/// Use it to see what an application does when the machine is not kind:
///
/// ```swift
/// let store = FaultyEventStore(InMemoryEventStore())
/// let commands = CommandBus(store)
///
/// store.inject(.lostAcknowledgement)
/// do {
///     try await commands.send(Deposit(cents: 70), to: "ada")
/// } catch .store(.outcomeUnknown) {
///     // The deposit is there all the same. What does the application do now?
/// }
/// ```
///
/// Faults are scripted, with ``inject(_:afterSparing:_:)``, or left to the chance of a seed. The same
/// script and the same seed meet the same calls each time: chance depends on nothing but the seed
/// and how many appends, or reads, there were before. Nothing sleeps; what is delayed waits for
/// ``release()``.
///
/// Requests to truncate, delete and redact are appends of the store's own, so what can happen to an
/// append can happen to them. They are refused as ``EventStoreError/unsupported(feature:)`` where the
/// store behind does not take them.
///
/// What goes through unharmed is the business of the store behind. Nothing here breaks a promise
/// that an ``EventStore`` makes: a page that is cut short is still a page of whole appends, and
/// whatever is reported as not stored is not there.
public final class FaultyEventStore: EventStore {
    let base: any EventStore
    private let dice: Dice
    private let state: Guarded<State>
    private let gate = Gate()

    fileprivate struct State {
        var chances: Chances
        var script: [Line] = []
        var counts: [Operation: UInt64] = [:]
        var encounters: [Encounter] = []
    }

    /// A fault that is still to come.
    fileprivate struct Line {
        let fault: Fault
        var sparing: Int
        let repetition: Repetition
    }

    /// Puts faults in front of a store.
    ///
    /// - Parameters:
    ///   - base: The store that does the work.
    ///   - seed: Decides which calls meet a fault by chance.
    ///   - chances: How likely that is; never, unless said otherwise.
    public init(_ base: some EventStore, seed: UInt64 = 1, chances: Chances = Chances()) {
        self.base = base
        dice = Dice(seed: seed)
        state = Guarded(State(chances: chances))
    }

    // MARK: - Making trouble

    /// Has the next call fail that the fault can happen to.
    ///
    /// Faults that can happen to the same call happen one at a time, the first injected first.
    ///
    /// - Parameters:
    ///   - fault: What happens.
    ///   - spared: How many of those calls are let through before.
    ///   - repetition: Whether later calls meet it too.
    public func inject(
        _ fault: Fault, afterSparing spared: Int = 0, _ repetition: Repetition = .once
    ) {
        state.withLock {
            $0.script.append(Line(fault: fault, sparing: spared, repetition: repetition))
        }
    }

    /// Has no more calls fail, and lets those go on that are held.
    public func heal() {
        state.withLock {
            $0.script = []
            $0.chances = Chances()
        }
        gate.open(.max)
    }

    /// Lets calls go on that are held, those that were held first before others.
    ///
    /// - Parameter count: How many; all, unless said otherwise.
    public func release(_ count: Int = .max) { gate.open(count) }

    /// Returns once at least `count` calls are held.
    public func waitForHeld(_ count: Int = 1) async { await gate.waitForHeld(count) }

    /// The calls that met a fault, in the order in which they met it.
    public var encounters: [Encounter] { state.withLock { $0.encounters } }

    /// How many calls there were of one kind, those that met a fault included.
    public func count(of operation: Operation) -> Int {
        state.withLock { Int(truncatingIfNeeded: $0.counts[operation, default: 0]) }
    }

    // MARK: - The store

    /// Appends all events of `request`, or none, or so it says.
    @discardableResult
    public func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await write(.append, request) { () throws(EventStoreError) in
            try await base.append(request)
        } first: {
            $0.positions.lowerBound
        }
    }

    /// Lets `body` write something, or not, or says that it did not.
    ///
    /// - Parameters:
    ///   - request: The streams that are written to, with what is expected of them.
    ///   - first: The first position of what was written.
    func write<Receipt>(
        _ operation: Operation, _ request: AppendRequest,
        _ body: () async throws(EventStoreError) -> Receipt, first: (Receipt) -> UInt64
    ) async throws(EventStoreError) -> Receipt {
        let fault = meet(operation, request)
        switch fault?.effect {
        case .failBefore(let error): throw error
        case .loseRequest:
            throw .outcomeUnknown(
                StoreFailure(reason: "the request was lost", lastDurable: try await head()))
        case .conflict:
            if let conflict = Self.conflict(with: request) { throw .conflict(conflict) }
        case .rival(let rival):
            try await letThrough(rival)
        case .delayBefore:
            try await gate.hold()
        default: break
        }
        let receipt = try await body()
        switch fault?.effect {
        case .failAfter(let error): throw error
        case .loseAnswer:
            let before = LogPosition(max(1, first(receipt)) - 1)
            throw .outcomeUnknown(
                StoreFailure(reason: "the acknowledgement was lost", lastDurable: before))
        case .delayAfter:
            await gate.holdWithoutEnd()
        default: break
        }
        return receipt
    }

    /// Reads a page of one stream.
    public func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        let fault = meet(.readStream)
        var request = request
        try Self.apply(fault, to: &request.limit)
        let page = try await base.read(request)
        if fault?.effect == .delayRead { try await gate.hold() }
        return page
    }

    /// Reads a page of the log.
    public func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        let fault = meet(.readLog)
        var request = request
        try Self.apply(fault, to: &request.limit)
        let page = try await base.read(request)
        if fault?.effect == .delayRead { try await gate.hold() }
        return page
    }

    /// Returns once an event after `position` can be read.
    public func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        if case .failWait(let error) = meet(.wait)?.effect { throw error }
        try await base.waitForEvents(after: position)
    }

    // MARK: - What happens

    /// Counts a call and returns the fault that it meets, if it does.
    private func meet(_ operation: Operation, _ request: AppendRequest? = nil) -> Fault? {
        state.withLock { state in
            let number = state.counts[operation, default: 0] + 1
            state.counts[operation] = number
            guard
                let fault = state.takeScripted(operation, request)
                    ?? state.chances.fault(
                        for: operation, request, dice.roll(number, operation.question))
            else { return nil }
            state.encounters.append(
                Encounter(
                    operation: operation, number: Int(truncatingIfNeeded: number), fault: fault))
            return fault
        }
    }

    private static func apply(
        _ fault: Fault?, to limit: inout ReadLimit
    ) throws(EventStoreError) {
        switch fault?.effect {
        case .failRead(let error): throw error
        case .shortRead(let events): limit.events = min(limit.events, events)
        default: break
        }
    }

    /// A conflict such as the winner of a race would have caused.
    static func conflict(with request: AppendRequest) -> StreamConflict? {
        for write in request.writes {
            let actual: StreamVersion
            switch write.expected {
            case .any: continue
            case .noStream: actual = StreamVersion(1)
            case .exists: actual = .start
            case .exactly(let version): actual = StreamVersion(version.rawValue &+ 1)
            }
            return StreamConflict(
                stream: write.stream, expected: write.expected, actual: actual)
        }
        return nil
    }

    private func letThrough(_ rival: AppendRequest) async throws(EventStoreError) {
        do {
            _ = try await base.append(rival)
        } catch {
            throw .storage(reason: "the rival in the script could not append: \(error)")
        }
    }

    private func head() async throws(EventStoreError) -> LogPosition {
        try await base.read(LogRead(.backward(before: nil), limit: ReadLimit(events: 1))).head
    }
}

extension FaultyEventStore.State {
    /// The first fault of the script that can happen to this call and spares it no more.
    fileprivate mutating func takeScripted(
        _ operation: FaultyEventStore.Operation, _ request: AppendRequest?
    ) -> FaultyEventStore.Fault? {
        guard let index = script.firstIndex(where: { $0.fault.canHappen(to: operation, request) })
        else { return nil }
        guard script[index].sparing == 0 else {
            script[index].sparing -= 1
            return nil
        }
        let line = script[index]
        if line.repetition == .once { script.remove(at: index) }
        return line.fault
    }
}

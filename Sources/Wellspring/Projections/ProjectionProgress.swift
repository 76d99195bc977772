/// How far a projection has come and what it is doing: the decisions of a ``ProjectionRunner``.
///
/// Free of locks, I/O and continuations being resumed; the runner acts on what it returns.
struct ProjectionProgress<P: Projection> {
    private(set) var model = P()
    private(set) var position = LogPosition.start
    /// The end of the log when it was last read.
    private(set) var head = LogPosition.start
    /// Counts the models: a page that was read for one must not go into another.
    private(set) var generation = 0
    private(set) var isRunning = false
    private(set) var isRebuilding = false
    private var phase = Phase.idle
    private var rebuild: RebuildProgress?
    /// Whether the model was once as new as the log; until then it is no answer to anything.
    private var hasCaughtUp = false
    private var waits: [UInt64: Wait] = [:]
    private var lastTicket: UInt64 = 0

    private enum Phase {
        case idle
        case starting
        case catchingUp(to: LogPosition)
        case live
        case stopped(ProjectionStop)
    }

    private struct Wait {
        let wanted: LogPosition
        let waiter: Waiter
    }

    typealias Waiter = CheckedContinuation<Void, Never>

    var state: ProjectionState {
        if let rebuild { return .rebuilding(rebuild) }
        return switch phase {
        case .idle, .starting: .starting
        case .catchingUp: .catchingUp
        case .live: .live
        case .stopped(let stop): .stopped(stop)
        }
    }
}

// MARK: - Running

extension ProjectionProgress {
    /// Whether a run may begin; only one does at a time.
    mutating func beginRun() -> Bool {
        guard !isRunning else { return false }
        prepareRun()
        isRunning = true
        phase = .starting
        return true
    }

    /// Leaves the end of the last run behind, for the next is about to begin.
    mutating func prepareRun() {
        guard !isRunning, case .stopped(let stop) = phase else { return }
        // After a failure nobody knows how old the model is by now.
        if !stop.isOrderly { hasCaughtUp = false }
        phase = .starting
    }

    /// Takes over a saved model, unless there is a better one by now.
    mutating func restore(_ saved: P, at position: LogPosition) -> Bool {
        guard generation == 0, self.position == .start else { return false }
        model = saved
        self.position = position
        return true
    }

    /// Whether a page that was read after `position` still continues the model.
    func continues(from position: LogPosition, generation: Int) -> Bool {
        self.position == position && self.generation == generation
    }

    /// Applies the events of one page in place, which is only for models that cannot fail.
    mutating func apply(_ events: [Recorded<P.Event>]) throws(P.Failure) {
        for event in events { try model.apply(event) }
    }

    /// Puts the model with the events of one page in place of the one without.
    mutating func replaceModel(with model: P) { self.model = model }

    /// Moves past a page that was applied, and says whether the projection just became live.
    mutating func advance(past page: LogPage) -> (isNowLive: Bool, due: [Waiter]) {
        position = page.end
        head = max(head, page.head)
        var isNowLive = false
        if case .starting = phase { phase = .catchingUp(to: page.head) }
        if case .catchingUp(let target) = phase, position >= target {
            phase = .live
            hasCaughtUp = true
            isNowLive = true
        }
        return (isNowLive, takeDue())
    }

    /// Stops taking events in; everybody who waits has to be told.
    mutating func stop(_ stop: ProjectionStop) -> [Waiter] {
        phase = .stopped(stop)
        return takeDue()
    }

    mutating func endRun() { isRunning = false }
}

// MARK: - Rebuilding

extension ProjectionProgress {
    /// Whether a rebuild may begin; only one does at a time.
    mutating func beginRebuild() -> Bool {
        guard !isRebuilding else { return false }
        isRebuilding = true
        return true
    }

    mutating func noteRebuild(_ progress: RebuildProgress) { rebuild = progress }

    /// Swaps a rebuilt model in, or returns `nil` when the one in use has come further.
    mutating func swapIn(_ rebuilt: P, at position: LogPosition) -> [Waiter]? {
        guard position >= self.position else { return nil }
        model = rebuilt
        self.position = position
        generation += 1
        hasCaughtUp = true
        // What stopped the old model did not stop this one.
        if case .stopped = phase { phase = .idle }
        return takeDue()
    }

    mutating func endRebuild() {
        isRebuilding = false
        rebuild = nil
    }
}

// MARK: - Asking

/// Whether a question can be answered.
enum Readiness<P: Projection> {
    case ready(P)
    case notYet
    case stopped(ProjectionStop)
}

extension ProjectionProgress {
    /// Whether a question that wants the log up to `wanted` can be answered.
    ///
    /// A projection that was ended in order still answers what it knows. One that failed does not:
    /// old answers would pass for new ones for as long as nobody looks.
    func readiness(for wanted: LogPosition) -> Readiness<P> {
        let isThere = hasCaughtUp && position >= wanted
        if case .stopped(let stop) = phase {
            if stop.isOrderly, isThere { return .ready(model) }
            return .stopped(stop)
        }
        return isThere ? .ready(model) : .notYet
    }

    /// How many questions wait.
    var waiting: Int { waits.count }

    /// The position that a question has to wait for.
    func target(for wanted: LogPosition) -> LogPosition {
        if !hasCaughtUp, case .catchingUp(let target) = phase { return max(wanted, target) }
        return wanted
    }

    mutating func takeTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    /// Keeps `waiter` until there is something to tell, unless there is already.
    mutating func park(_ waiter: Waiter, ticket: UInt64, for wanted: LogPosition) -> Bool {
        guard case .notYet = readiness(for: wanted) else { return false }
        waits[ticket] = Wait(wanted: wanted, waiter: waiter)
        return true
    }

    mutating func abandon(_ ticket: UInt64) -> Waiter? {
        waits.removeValue(forKey: ticket)?.waiter
    }

    private mutating func takeDue() -> [Waiter] {
        guard !waits.isEmpty else { return [] }
        var due: [Waiter] = []
        for (ticket, wait) in waits.sorted(by: { $0.key < $1.key }) {
            if case .notYet = readiness(for: wait.wanted) { continue }
            waits[ticket] = nil
            due.append(wait.waiter)
        }
        return due
    }
}

extension ProjectionStop {
    /// Whether nothing went wrong: the run was ended from outside.
    fileprivate var isOrderly: Bool {
        if case .cancelled = reason { true } else { false }
    }
}

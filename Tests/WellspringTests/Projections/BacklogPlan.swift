import Foundation
import Wellspring
import WellspringLog

/// What a log holds, written down beforehand: the judge of what projections make of it.
struct BacklogPlan: Sendable {
    enum Content {
        case good, poison, unreadable, redacted
        /// An event of somebody else, which no purse knows.
        case noise
    }

    private let appends: [[Content]]
    /// Every event with its position.
    private let events: [(position: UInt64, content: Content)]
    /// From where on the log cannot be read any more.
    let unreadableFrom: LogPosition?

    init(appends count: Int, mayFail: Bool, _ dice: inout SmallDice) {
        var appends: [[Content]] = []
        // Few, so that most logs have one or two, and some none.
        let traps = mayFail ? dice.below(4) : 0
        let places = (0..<traps).map { _ in dice.below(count) }
        for number in 0..<count {
            var append: [Content] = (0...dice.below(3)).map { _ in .good }
            if dice.below(6) == 0 { append = [.noise] }
            if dice.below(6) == 0 { append[0] = .redacted }
            if places.contains(number) {
                append[dice.below(append.count)] = dice.below(2) == 0 ? .poison : .unreadable
            }
            appends.append(append)
        }
        self.appends = appends
        events = appends.joined().enumerated().map { (UInt64($0.offset) + 1, $0.element) }
        let end = events.count
        unreadableFrom =
            mayFail && dice.below(4) == 0 ? LogPosition(UInt64(dice.below(end))) : nil
    }

    /// Where the events are that a model has taken in by a position.
    func positions(through end: UInt64) -> [UInt64] {
        events.filter { $0.position <= end && [.good, .poison].contains($0.content) }
            .map(\.position)
    }

    func isRedacted(_ position: LogPosition) -> Bool {
        events[Int(position.rawValue) - 1].content == .redacted
    }

    /// The first event that stops a model, and how far the log goes before its append.
    private func trap<P: Witness>(for type: P.Type) -> (position: UInt64, before: UInt64)? {
        var end: UInt64 = 0
        for append in appends {
            if let index = append.firstIndex(where: {
                $0 == .unreadable || $0 == .poison && P.fearsPoison
            }) {
                return (end + UInt64(index) + 1, end)
            }
            end += UInt64(append.count)
        }
        return nil
    }

    func write(to store: InMemoryEventStore, padding: Int) async throws {
        let spaces = String(repeating: " ", count: padding)
        for append in appends {
            let events = append.map { content in
                switch content {
                case .good, .redacted: encoded("purse.filled", #"{"cents":1\#(spaces)}"#)
                case .poison: encoded("purse.spent", #"{"cents":1,"on":"poison"}"#)
                case .unreadable: encoded("purse.filled", "{}")
                case .noise: encoded("noise", "")
                }
            }
            try await store.append(
                AppendRequest(events, to: Purse.ID("ada").stream, expecting: .any))
        }
    }

    private func encoded(_ name: EventName, _ payload: String) -> NewEvent {
        NewEvent(EncodedEvent(name: name, payload: EventPayload(utf8: payload)))
    }
}

// MARK: - Judging

extension BacklogPlan {
    /// What is wrong with a projection that has followed the log.
    func complaints<P: Witness>(about runner: ProjectionRunner<P>) -> [String] {
        let (model, position) = runner.snapshot()
        var complaints: [String] = []
        if model.positions != positions(through: position.rawValue) {
            complaints.append("at \(position), \(P.self) has taken in \(model.positions)")
        }
        switch (trap(for: P.self), unreadableFrom, runner.state.stop?.reason) {
        case (let trap?, let lost, .event(let failed)):
            if failed.position.rawValue != trap.position || position.rawValue > trap.before {
                complaints.append("\(P.self) stopped after \(position): \(failed)")
            }
            if let lost, lost.rawValue <= positions(through: trap.before).last ?? 0 {
                complaints.append("\(P.self) read \(failed) in spite of \(lost)")
            }
        case (let trap, let lost?, .store):
            // Whatever was read before the failure was taken in.
            if position < lost || trap.map({ position.rawValue > $0.before }) ?? false {
                complaints.append("\(P.self) gave up after \(position), read from \(lost)")
            }
        case (nil, _, .cancelled):
            // Where a page ends the log, nobody reads from further on.
            if positions(through: .max).last ?? 0 > position.rawValue {
                complaints.append("\(P.self) ended at \(position)")
            }
        case (_, _, let reason):
            complaints.append("\(P.self) ended with \(reason as Any)")
        }
        return complaints
    }

    /// What is wrong with a projection that was rebuilt.
    func complaints<P: Witness>(
        about runner: ProjectionRunner<P>, _ failure: ProjectionFailure?
    ) -> [String] {
        let (model, position) = runner.snapshot()
        switch (trap(for: P.self), unreadableFrom, failure) {
        case (let trap?, _, .stopped(let stop)):
            guard case .event(let failed) = stop.reason, failed.position.rawValue == trap.position,
                model.positions.isEmpty, position == .start
            else { return ["the rebuild of \(P.self) failed otherwise: \(stop)"] }
        case (_, _?, .store?):
            guard position == .start else { return ["a rebuild that failed changed \(P.self)"] }
        case (nil, _, nil):
            guard model.positions == positions(through: .max) else {
                return ["rebuilt, \(P.self) has taken in \(model.positions)"]
            }
        default: return ["the rebuild of \(P.self) ended with \(failure as Any)"]
        }
        return []
    }
}

/// A store in memory that redacts what the plan says, and fails where it says so.
struct BacklogStore: EventStore {
    let base = InMemoryEventStore()
    let plan: BacklogPlan

    init(_ plan: BacklogPlan) { self.plan = plan }

    func append(_ request: AppendRequest) async throws(EventStoreError) -> AppendReceipt {
        try await base.append(request)
    }
    func read(_ request: StreamRead) async throws(EventStoreError) -> StreamPage {
        try await base.read(request)
    }
    func read(_ request: LogRead) async throws(EventStoreError) -> LogPage {
        if case .forward(let after) = request.order, let from = plan.unreadableFrom, after >= from {
            throw .io(call: "read", file: "log", code: 5)
        }
        let page = try await base.read(request)
        // Others may go on in the midst of a read.
        await Task.yield()
        return LogPage(
            events: page.events.map { plan.isRedacted($0.position) ? $0.redacted() : $0 },
            end: page.end, head: page.head)
    }
    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        try await base.waitForEvents(after: position)
    }
}

extension Checkpoint {
    /// The saved state, if it can be read.
    func decoded<P: Decodable>(_ type: P.Type) -> P? {
        try? JSONDecoder().decode(type, from: Data(state))
    }
}

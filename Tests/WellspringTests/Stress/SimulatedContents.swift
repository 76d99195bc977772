import Wellspring
import WellspringLog

/// What the events of a simulation hold: known by those who wrote them, and not by the store.
final class SimulatedContents: Sendable {
    private struct State {
        var commands: [Int: Purse.Event] = [:]
        /// Where streams were to begin; 0 for behind what there was.
        var beginnings: [Int: UInt64] = [:]
        var redactions: [Int: [LogPosition]] = [:]
    }

    private let state = Guarded(State())

    /// Notes what a command decides that is sent as append `number`.
    func note(_ event: Purse.Event, of number: Int) {
        state.withLock { $0.commands[number] = event }
    }

    func note(beginning: StreamVersion?, of number: Int) {
        state.withLock { $0.beginnings[number] = beginning?.rawValue ?? 0 }
    }

    func note(redacting positions: [LogPosition], of number: Int) {
        state.withLock { $0.redactions[number] = positions }
    }

    /// The event of a purse as it was, whatever became of its content; `nil` for any other.
    func original(of event: RecordedEvent) -> Recorded<Purse.Event>? {
        guard event.stream.category == Purse.category else { return nil }
        let number = StoreHistory.Fact(event).append
        return state.withLock { $0.commands[number] }.map { original in event.map { _ in original }
        }
    }

    /// Whether an event that has its content has the right one.
    func isRight(_ event: RecordedEvent) -> Bool {
        let fact = StoreHistory.Fact(event)
        switch event.stream.category {
        case Purse.category:
            guard let original = original(of: event) else { return false }
            return (try? event.decoded(as: Purse.Event.self)) == original
        case .truncation:
            guard let request = try? StreamTruncation(event),
                let asked = state.withLock({ $0.beginnings[fact.append] })
            else { return false }
            return asked == 0 || asked == request.before.rawValue
        case .redaction:
            guard let request = try? RedactionRequest(event) else { return false }
            return request.positions == state.withLock { $0.redactions[fact.append] }
        default:
            return event.event
                == StoreHistory.Fact.event(append: fact.append, place: fact.place).event
        }
    }

    /// What is wrong with the events of a log, whichever of them lost their content.
    func complaints(about log: [RecordedEvent]) -> [String] {
        log.compactMap { event in
            let isRight = event.isRedacted ? !event.stream.isReserved : isRight(event)
            return isRight ? nil : "the content of \(event.stream) at \(event.position) is wrong"
        }
    }

    /// What is wrong with what somebody has seen of a log by and by.
    ///
    /// What was seen with its content may have lost it since, and never the other way round.
    func complaint(about seen: [RecordedEvent], of log: [RecordedEvent], by name: String) -> String?
    {
        let isSame = { (seen: RecordedEvent, now: RecordedEvent) in
            seen == now || now.isRedacted && seen.redacted() == now && self.isRight(seen)
        }
        let pairs = zip(seen, log).enumerated()
        let wrong = pairs.first { !isSame($0.element.0, $0.element.1) }?.offset
        guard wrong != nil || seen.count > log.count else { return nil }
        return "\(name) saw \(seen.count) events of \(log.count), another one at "
            + "\(wrong.map { "\($0 + 1)" } ?? "the end")"
    }

    /// What is wrong with a model that took events in by and by, some of which may have had their
    /// content then and not now.
    func complaint(about model: PurseLedger, of log: [RecordedEvent]) -> String? {
        let taken = Set(model.positions)
        var expected = PurseLedger()
        for event in log where event.stream.category == Purse.category {
            guard taken.contains(event.position.rawValue) else {
                if event.isRedacted { continue }
                return "the projection lacks position \(event.position)"
            }
            if let original = original(of: event) { expected.apply(original) }
        }
        return model == expected ? nil : "the projection is not the fold of what it took in"
    }

    /// The positions of events that requests of a log up to `last` want to lose their content.
    static func askedFor(
        in log: [RecordedEvent], upTo last: UInt64, _ truncations: [StoreHistory.Truncation]
    ) throws -> Set<UInt64> {
        var positions: Set<UInt64> = []
        for truncation in truncations where truncation.position <= last {
            for event in log.prefix(Int(truncation.position) - 1)
            where event.stream == truncation.stream
                && event.version.rawValue < truncation.before
            {
                positions.insert(event.position.rawValue)
            }
        }
        for request in log.prefix(Int(last)) where request.stream.category == .redaction {
            for position in try RedactionRequest(request).positions
            where position < request.position && !log[Int(position.rawValue) - 1].stream.isReserved
            {
                positions.insert(position.rawValue)
            }
        }
        return positions
    }
}

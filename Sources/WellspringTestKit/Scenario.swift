public import Wellspring

/// Given these events, when this command arrives, then these events follow.
///
/// ```swift
/// try Scenario<Account>()
///     .given(.opened(owner: "Ada"), .deposited(cents: 100))
///     .when(Withdraw(cents: 30))
///     .then(.withdrawn(cents: 30))
/// ```
///
/// Every event of a scenario, given or decided, is written and read back on the way, so that one
/// which does not survive storage fails its first test.
public struct Scenario<A: Aggregate>: Sendable where A.Event: Equatable {
    private var history: [A.Event] = []

    /// Begins with an aggregate to which nothing has happened.
    public init() {}

    /// Adds what has happened so far, oldest first.
    public func given(_ events: A.Event...) -> Self { given(events) }

    /// Adds what has happened so far, oldest first.
    public func given(_ events: [A.Event]) -> Self {
        var copy = self
        copy.history += events
        return copy
    }

    /// Lets the aggregate decide a command.
    public func when<C: AggregateCommand<A>>(_ command: C) -> Outcome<A> {
        var history: [A.Event] = []
        for event in self.history {
            do {
                history.append(try event.storedAndReadBack())
            } catch {
                return Outcome(end: .unstorable(error))
            }
        }
        do throws(A.Rejection) {
            let decided = try command.decide(given: A(replaying: history))
            return Outcome(storing: decided)
        } catch {
            return Outcome(end: .rejected(error))
        }
    }
}

/// What an aggregate made of a command, to be ended by one of the checks.
public struct Outcome<A: Aggregate>: Sendable where A.Event: Equatable {
    enum End: Sendable {
        case decided([A.Event])
        case rejected(A.Rejection)
        case unstorable(Mismatch)
    }

    private let end: End

    init(end: End) { self.end = end }

    init(storing events: [A.Event]) {
        var stored: [A.Event] = []
        for event in events {
            do {
                stored.append(try event.storedAndReadBack())
            } catch {
                self.init(end: .unstorable(error))
                return
            }
        }
        self.init(end: .decided(stored))
    }

    /// Checks that exactly these events were decided.
    ///
    /// - Throws: ``Mismatch`` when they were not.
    public func then(
        _ expected: A.Event..., file: StaticString = #filePath, line: UInt = #line
    ) throws(Mismatch) {
        switch end {
        case .decided(let events) where events == expected: return
        default: throw Mismatch("expected \(expected), got \(self)", at: file, line)
        }
    }

    /// Checks that there was nothing to do.
    ///
    /// - Throws: ``Mismatch`` when something was decided, or the command was rejected.
    public func thenNothing(
        file: StaticString = #filePath, line: UInt = #line
    ) throws(Mismatch) {
        switch end {
        case .decided(let events) where events.isEmpty: return
        default: throw Mismatch("expected no events, got \(self)", at: file, line)
        }
    }

    /// Checks that the command was rejected for this reason.
    ///
    /// - Throws: ``Mismatch`` when it was not.
    public func thenRejected(
        _ expected: A.Rejection, file: StaticString = #filePath, line: UInt = #line
    ) throws(Mismatch) where A.Rejection: Equatable {
        switch end {
        case .rejected(let rejection) where rejection == expected: return
        default: throw Mismatch("expected rejection \(expected), got \(self)", at: file, line)
        }
    }
}

extension Outcome: CustomStringConvertible {
    /// What was decided, in a sentence.
    public var description: String {
        switch end {
        case .decided(let events): "\(events)"
        case .rejected(let rejection): "rejection \(rejection)"
        case .unstorable(let mismatch): "\(mismatch)"
        }
    }
}

extension DomainEvent where Self: Equatable {
    fileprivate func storedAndReadBack() throws(Mismatch) -> Self {
        let copy: Self
        do throws(EventCodingError) {
            copy = try Self(decoding: encoded())
        } catch {
            throw Mismatch("\(self) cannot be written and read back: \(error)")
        }
        guard copy == self else {
            throw Mismatch("\(self) becomes \(copy) when written and read back")
        }
        return copy
    }
}

// What knows the types of commands and aggregates is here, and inlined into the program, where
// these types are at hand. All that follows from a decision is the same for every command, and
// compiled once.

extension CommandBus {
    /// Carries out a command that has passed all middleware.
    @inlinable
    func carryOut<C: AggregateCommand>(
        _ command: C, to stream: StreamID, expecting expected: ExpectedVersion,
        context: CommandContext, id: MessageID
    ) async throws(C.Failure) -> C.Receipt {
        let carrier = carrier
        let errand = Errand(to: stream, expecting: expected)
        var answer = Answer<C>()
        let outcome: Outcome
        do throws(ErrandFailure) {
            outcome = try await carrier.carryOut(
                errand,
                deciding: { kept in
                    answer.ask(
                        command, given: kept, context, id: id, eventIDs: carrier.eventIDs)
                },
                loading: { earlier async throws(LoadFailure) in
                    try await carrier.store.load(
                        stream, continuing: earlier as? KeptAggregate<C.Target>)
                })
        } catch {
            throw C.Failure(error)
        }
        return try answer.receipt(of: outcome, id: id)
    }
}

/// The last answer of an aggregate to a command, which is the one that counts.
@usableFromInline
struct Answer<C: AggregateCommand> {
    @usableFromInline typealias A = C.Target

    @usableFromInline var events: [A.Event] = []
    /// The aggregate after the events.
    @usableFromInline var after: KeptAggregate<A>?
    @usableFromInline var refusal: C.Failure?

    @inlinable
    init() {}

    /// Has the aggregate decide; `eventIDs` makes the ids of events where the store does not.
    @inlinable
    mutating func ask(
        _ command: C, given kept: KeptBasis, _ context: CommandContext, id: MessageID,
        eventIDs: CommandIDs?
    ) -> Verdict {
        guard let kept = kept as? KeptAggregate<A> else { return .isOfAnotherType }
        do throws(C.Failure) {
            return try decide(command, given: kept, context, id: id, eventIDs: eventIDs)
        } catch {
            refusal = error
            return .refused
        }
    }

    /// Asks the command, and makes the events ready to be appended.
    @inlinable
    mutating func decide(
        _ command: C, given kept: KeptAggregate<A>, _ context: CommandContext, id: MessageID,
        eventIDs: CommandIDs?
    ) throws(C.Failure) -> Verdict {
        do {
            events = try command.decide(given: kept.state)
        } catch {
            throw .rejected(error)
        }
        after = kept
        guard !events.isEmpty else { return .nothing }
        let metadata = EventMetadata(
            correlation: context.correlation ?? id, causation: context.causation ?? id,
            headers: context.headers)
        var state = kept.state
        var new: [NewEvent] = []
        new.reserveCapacity(events.count)
        for event in events {
            let encoded: EncodedEvent
            do {
                encoded = try event.encoded()
            } catch {
                throw .unencodable(error)
            }
            new.append(
                NewEvent(
                    encoded, id: eventIDs?.next(), occurredAt: context.occurredAt,
                    tags: event.tags, metadata: metadata))
            state.apply(event)
        }
        let next = KeptAggregate(state, after: kept, events: new)
        after = next
        return .events(new, next: next)
    }

    @inlinable
    func receipt(of outcome: Outcome, id: MessageID) throws(C.Failure) -> C.Receipt {
        if case .refused = outcome, let refusal { throw refusal }
        guard case .stands(let version, let position) = outcome, let after else {
            // TRAPS: the bus asks only after it decided, whatever was decided.
            preconditionFailure("a command had an outcome before it was decided")
        }
        return CommandReceipt(
            state: after.state, events: events, version: version, position: position,
            commandID: id)
    }
}

extension CommandFailure {
    /// The failure of an errand in the words of the command.
    @inlinable
    init(_ failure: ErrandFailure) {
        switch failure {
        case .store(let error): self = .store(error)
        case .undecodable(let error, let stream, let version):
            self = .undecodable(error, stream: stream, version: version)
        case .unencodable(let error): self = .unencodable(error)
        case .interrupted(let error): self = .interrupted(error)
        }
    }
}

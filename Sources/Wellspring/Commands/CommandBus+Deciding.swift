// What knows the types of commands and aggregates is here, and inlined into the program, where
// these types are at hand. All that follows from a decision is the same for every command, and
// compiled once.

extension CommandBus {
    /// Carries out a command that has passed all middleware.
    @inlinable
    func carryOut<C: AggregateCommand>(
        _ delivery: Delivery<C>, id: MessageID
    ) async throws(C.Failure) -> C.Receipt {
        // The last answer of the aggregate, which is the one that counts.
        var answer: Result<Decision<C.Target>, C.Failure>?
        let (store, eventIDs) = (store, eventIDs)
        let outcome: Outcome
        do throws(ErrandFailure) {
            outcome = try await carryOut(
                Errand(to: delivery.stream, expecting: delivery.expected),
                deciding: { kept in
                    guard let kept = kept as? KeptAggregate<C.Target> else {
                        return .isOfAnotherType
                    }
                    do throws(C.Failure) {
                        let (decision, new) = try Decision.of(
                            delivery, id: id, given: kept.state, eventIDs: eventIDs)
                        answer = .success(decision)
                        return decision.verdict(new, on: kept)
                    } catch {
                        answer = .failure(error)
                        return .refused
                    }
                },
                loading: { earlier async throws(LoadFailure) in
                    try await store.load(
                        delivery.stream, continuing: earlier as? KeptAggregate<C.Target>)
                })
        } catch {
            throw C.Failure(error)
        }
        switch (outcome, answer) {
        case (.stands(let version, let position), .success(let decision)):
            return CommandReceipt(
                state: decision.state, events: decision.events, version: version,
                position: position, commandID: id)
        case (_, .failure(let failure)): throw failure
        case (_, _): preconditionFailure("a command had an outcome before it was decided")
        }
    }
}

/// What an aggregate made of a command.
@usableFromInline
struct Decision<A: Aggregate> {
    @usableFromInline let events: [A.Event]
    /// The aggregate after the events.
    @usableFromInline let state: A

    @inlinable
    init(_ events: [A.Event], leadingTo state: A) {
        self.events = events
        self.state = state
    }

    /// Asks the command, and makes the events ready to be appended.
    @inlinable
    static func of<C: AggregateCommand>(
        _ delivery: Delivery<C>, id: MessageID, given state: A, eventIDs: CommandIDs?
    ) throws(C.Failure) -> (Decision, [NewEvent]) where C.Target == A {
        let events: [A.Event]
        do {
            events = try delivery.command.decide(given: state)
        } catch {
            throw .rejected(error)
        }
        let context = delivery.context
        let metadata = EventMetadata(
            correlation: context.correlation ?? id, causation: context.causation ?? id,
            headers: context.headers)
        var next = state
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
            next.apply(event)
        }
        return (Decision(events, leadingTo: next), new)
    }

    @inlinable
    func verdict(_ new: [NewEvent], on kept: KeptAggregate<A>) -> Verdict {
        guard !new.isEmpty else { return .nothing }
        return .events(new, next: KeptAggregate(state, after: kept, events: new))
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

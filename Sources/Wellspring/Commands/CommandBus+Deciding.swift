import WellspringLog

extension CommandBus {
    /// Decides until the answer stands: appended, refused, or out of tries.
    func carryOut<C: AggregateCommand>(
        _ delivery: Delivery<C>, id: MessageID
    ) async throws(C.Failure) -> C.Receipt {
        var triesLeft = retries
        while true {
            let step: Step<C>
            do {
                // The turn is over before anybody waits for the disk.
                step = try await turns.take(delivery.stream) { inherited in
                    await decide(delivery, id: id, continuing: inherited as? Basis<C.Target>)
                }
            } catch {
                throw .interrupted(error)
            }
            if let end = await finish(step, mayTryAgain: triesLeft > 0) { return try end.get() }
            triesLeft -= 1
        }
    }

    /// One look at the aggregate and what it led to, in its turn.
    ///
    /// The next command continues from where this one ends, whether it waits already or comes later,
    /// so that the stream is not folded anew for each.
    private func decide<C: AggregateCommand>(
        _ delivery: Delivery<C>, id: MessageID, continuing earlier: Basis<C.Target>?
    ) async -> (Step<C>, handOver: Baton?) {
        let basis: Basis<C.Target>
        do {
            basis = try await store.load(delivery.stream, continuing: earlier)
        } catch {
            let failure = C.Failure(error)
            if case .store = error { return (.failed(failure), nil) }
            return (.answered(.failure(failure), restingOn: store.mark()), nil)
        }

        guard delivery.expected.allows(basis.version) else {
            let conflict = StreamConflict(
                stream: delivery.stream, expected: delivery.expected, actual: basis.version)
            return (.answered(.failure(.store(.conflict(conflict))), restingOn: basis.mark), basis)
        }

        let decision: Decision<C>
        do throws(C.Failure) {
            decision = try Decision(
                delivery, id: id, given: basis, eventIDs: store.hasQueue ? nil : ids)
        } catch {
            return (.answered(.failure(error), restingOn: basis.mark), basis)
        }
        guard decision.events.isEmpty else { return await append(decision, on: basis) }
        // Events that the last command decided have places which only the store knows.
        guard let position = try? await store.position(of: basis, in: delivery.stream) else {
            return await decide(delivery, id: id, continuing: nil)
        }
        let receipt = decision.receipt(at: basis.version, position)
        return (.answered(.success(receipt), restingOn: basis.mark), basis)
    }

    private func append<C: AggregateCommand>(
        _ decision: Decision<C>, on basis: Basis<C.Target>
    ) async -> (Step<C>, handOver: Baton?) {
        guard !Task.isCancelled else {
            return (.failed(.interrupted(CancellationError())), basis)
        }
        do throws(EventStoreError) {
            let pending = try await store.append(decision.request, basedOn: basis.mark)
            return (.appended(decision, pending), decision.basis(after: basis))
        } catch {
            switch error {
            case .conflict(let conflict):
                let mark = store.mark()
                // A later mark would vouch for what the winner lost again.
                guard mark.epoch == basis.mark.epoch else { return (.takenBack, nil) }
                return (.outrun(conflict, restingOn: mark), basis)
            case .notStored where store.hasQueue: return (.takenBack, nil)
            default: return (.failed(C.Failure(error)), nil)
            }
        }
    }

    /// Turns a step into the command's end; `nil` when it has to decide anew.
    ///
    /// Whatever rests on queued events is said only once these are durable.
    private func finish<C: AggregateCommand>(
        _ step: Step<C>, mayTryAgain: Bool
    ) async -> Result<C.Receipt, C.Failure>? {
        do throws(EventStoreError) {
            switch step {
            case .appended(let decision, let pending):
                let receipt = try await pending.receipt()
                return .success(decision.receipt(at: receipt.version, receipt.position))
            case .answered(let answer, let mark):
                if try await store.settle(mark) { return answer }
            case .outrun(let conflict, let mark):
                if mayTryAgain { return nil }
                if try await store.settle(mark) { return .failure(.store(.conflict(conflict))) }
            case .failed(let failure):
                return .failure(failure)
            case .takenBack:
                break
            }
        } catch {
            return .failure(C.Failure(error))
        }
        if mayTryAgain { return nil }
        let reason = "each time, what the decision rested on was taken back"
        return .failure(.store(.notStored(reason: reason)))
    }
}

/// What one look at an aggregate led to.
private enum Step<C: AggregateCommand>: Sendable {
    /// An answer without an append.
    case answered(Result<C.Receipt, C.Failure>, restingOn: QueueMark)
    /// The events are in the store's queue, or already durable.
    case appended(Decision<C>, PendingAppend)
    /// Another writer was quicker.
    case outrun(StreamConflict, restingOn: QueueMark)
    /// Events that the decision rested on are gone again.
    case takenBack
    /// A failure that no further look would change.
    case failed(C.Failure)
}

/// What an aggregate made of a command, ready to be appended.
private struct Decision<C: AggregateCommand>: Sendable {
    let events: [C.Target.Event]
    let state: C.Target
    let request: AppendRequest
    let commandID: MessageID

    init(
        _ delivery: Delivery<C>, id: MessageID, given basis: Basis<C.Target>, eventIDs: CommandIDs?
    ) throws(C.Failure) {
        do {
            events = try delivery.command.decide(given: basis.state)
        } catch {
            throw .rejected(error)
        }
        let context = delivery.context
        let metadata = EventMetadata(
            correlation: context.correlation ?? id, causation: context.causation ?? id,
            headers: context.headers)
        var state = basis.state
        var new: [NewEvent] = []
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
        self.state = state
        request = AppendRequest(new, to: delivery.stream, expecting: .exactly(basis.version))
        commandID = id
    }

    /// What the next command may start from once the events are accepted.
    func basis(after basis: Basis<C.Target>) -> Basis<C.Target> {
        Basis(after: basis, state: state, events: request.writes.first?.events ?? [])
    }

    func receipt(at version: StreamVersion, _ position: LogPosition) -> C.Receipt {
        CommandReceipt(
            state: state, events: events, version: version, position: position,
            commandID: commandID)
    }
}

extension CommandFailure {
    fileprivate init(_ failure: LoadFailure) {
        switch failure {
        case .store(let error): self.init(error)
        case .undecodable(let error, let stream, let version):
            self = .undecodable(error, stream: stream, version: version)
        }
    }

    /// One word for a cancellation, whether the bus or the store saw it first.
    fileprivate init(_ error: EventStoreError) {
        self = error == .cancelled ? .interrupted(CancellationError()) : .store(error)
    }
}

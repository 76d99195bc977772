import WellspringLog

extension CommandBus {
    /// Decides until the answer stands: appended, refused, or out of tries.
    func carryOut<C: AggregateCommand>(
        _ delivery: Delivery<C>, id: MessageID
    ) async throws(C.Failure) -> C.Receipt {
        var triesLeft = retries
        while true {
            let turn =
                if let free = turns.enterAtOnce(delivery.stream) { free } else {
                    await turns.enter(delivery.stream)
                }
            guard case .begins(let gate, let inherited) = turn else {
                throw .interrupted(CancellationError())
            }
            let earlier = inherited as? KeptBasis<C.Target>
            // Most commands find their aggregate as the last one left it, and wait for nothing.
            let quick = lookAtOnce(delivery, id: id, continuing: earlier)
            let end =
                if case .over(let end) = quick { end } else {
                    await goOn(from: quick, delivery, id: id, continuing: earlier)
                }
            // The turn is over before anybody waits for the disk. The next command continues from
            // here, whether it waits already or comes later.
            turns.leave(gate, handingOver: end.handOver)
            if let end = await finish(end.step, mayTryAgain: triesLeft > 0) { return try end.get() }
            triesLeft -= 1
        }
    }

    /// A look at an aggregate to which nothing came since.
    private func lookAtOnce<C: AggregateCommand>(
        _ delivery: Delivery<C>, id: MessageID, continuing earlier: KeptBasis<C.Target>?
    ) -> Look<C> {
        guard let earlier, let mark = store.confirm(earlier, of: delivery.stream) else {
            return .unloaded
        }
        return look(delivery, id: id, at: earlier, mark)
    }

    /// One look at the aggregate and what it leads to, as far as that goes without waiting.
    private func look<C: AggregateCommand>(
        _ delivery: Delivery<C>, id: MessageID, at kept: KeptBasis<C.Target>, _ mark: QueueMark
    ) -> Look<C> {
        let version = kept.basis.version
        guard delivery.expected.allows(version) else {
            let conflict = StreamConflict(
                stream: delivery.stream, expected: delivery.expected, actual: version)
            return .over(
                (.answered(.failure(.store(.conflict(conflict))), restingOn: mark), kept))
        }
        let decision: Decision<C>
        do throws(C.Failure) {
            decision = try Decision(
                delivery, id: id, given: kept, eventIDs: store.hasQueue ? nil : ids)
        } catch {
            return .over((.answered(.failure(error), restingOn: mark), kept))
        }
        guard decision.events.isEmpty else { return enqueue(decision, on: kept, mark) }
        guard let position = kept.basis.position else { return .undone(decision, on: kept, mark) }
        return .over((idle(decision, at: position, kept, mark), kept))
    }

    private func enqueue<C: AggregateCommand>(
        _ decision: Decision<C>, on kept: KeptBasis<C.Target>, _ mark: QueueMark
    ) -> Look<C> {
        guard !Task.isCancelled else {
            return .over((.failed(.interrupted(CancellationError())), kept))
        }
        do throws(EventStoreError) {
            guard let pending = try store.enqueue(decision.request, basedOn: mark) else {
                return .undone(decision, on: kept, mark)
            }
            return .over((.appended(decision, pending), decision.basis(after: kept)))
        } catch {
            return .over(notAppended(error, kept, mark))
        }
    }

    /// The rest of a look, for which the store has to be waited for.
    private func goOn<C: AggregateCommand>(
        from look: Look<C>, _ delivery: Delivery<C>, id: MessageID,
        continuing earlier: KeptBasis<C.Target>?
    ) async -> Look<C>.End {
        switch look {
        case .over(let end): return end
        case .unloaded:
            do {
                let basis = try await store.load(delivery.stream, continuing: earlier)
                let next = self.look(delivery, id: id, at: KeptBasis(basis), basis.mark)
                return await goOn(from: next, delivery, id: id, continuing: nil)
            } catch {
                let failure = C.Failure(error)
                if case .store = error { return (.failed(failure), nil) }
                return (.answered(.failure(failure), restingOn: store.mark()), nil)
            }
        case .undone(let decision, let kept, let mark):
            guard decision.events.isEmpty else {
                do throws(EventStoreError) {
                    let receipt = try await store.append(decision.request)
                    let pending = PendingAppend { () async throws(EventStoreError) in receipt }
                    return (.appended(decision, pending), decision.basis(after: kept))
                } catch {
                    return notAppended(error, kept, mark)
                }
            }
            // Events that the last command decided have places which only the store knows.
            guard let position = try? await store.position(of: kept.basis, in: delivery.stream)
            else { return await goOn(from: .unloaded, delivery, id: id, continuing: nil) }
            return (idle(decision, at: position, kept, mark), kept)
        }
    }

    private func notAppended<C: AggregateCommand>(
        _ error: EventStoreError, _ kept: KeptBasis<C.Target>, _ basedOn: QueueMark
    ) -> Look<C>.End {
        switch error {
        case .conflict(let conflict):
            let mark = store.mark()
            // A later mark would vouch for what the winner lost again.
            guard mark.epoch == basedOn.epoch else { return (.takenBack, nil) }
            return (.outrun(conflict, restingOn: mark), kept)
        case .notStored where store.hasQueue: return (.takenBack, nil)
        default: return (.failed(C.Failure(error)), nil)
        }
    }

    /// There was nothing to do.
    private func idle<C: AggregateCommand>(
        _ decision: Decision<C>, at position: LogPosition, _ kept: KeptBasis<C.Target>,
        _ mark: QueueMark
    ) -> Step<C> {
        .answered(
            .success(decision.receipt(at: kept.basis.version, position)), restingOn: mark)
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

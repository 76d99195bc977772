import WellspringLog

/// What a bus is beneath its middleware: it carries errands to a store.
///
/// Knows nothing of the types of commands and aggregates. An object, so that copies of a bus share
/// their turns and what they keep.
@usableFromInline
final class CommandCarrier: Sendable {
    @usableFromInline let store: CommandStore
    /// Makes the ids of commands that come without one.
    @usableFromInline let ids = CommandIDs()
    /// Makes the ids of events for a store that cannot tell what became of its appends.
    @usableFromInline let eventIDs: CommandIDs?
    /// Without turns, every command of a crowd would decide in vain except one.
    ///
    /// Between turns they keep the aggregates.
    let turns: Turns<StreamID>
    private let retries: Int

    init(_ store: CommandStore, retries: Int, keeping limit: Int) {
        self.store = store
        self.retries = retries
        eventIDs = store.hasQueue ? nil : ids
        turns = Turns(keeping: limit)
    }

    /// Asks for decisions until one stands: appended, refused, or out of tries.
    ///
    /// - Parameters:
    ///   - errand: Where the command goes.
    ///   - decide: Asks the command, as often as it takes. The last answer is the one that counts.
    ///   - load: Folds the aggregate, starting from an earlier basis where there is one.
    @usableFromInline
    func carryOut(
        _ errand: Errand, deciding decide: (KeptBasis) -> Verdict,
        loading load: (KeptBasis?) async throws(LoadFailure) -> KeptBasis
    ) async throws(ErrandFailure) -> Outcome {
        var triesLeft = retries
        while true {
            let turn =
                if let free = turns.enterAtOnce(errand.stream) { free } else {
                    await turns.enter(errand.stream)
                }
            guard case .begins(let gate, let inherited) = turn else {
                throw .interrupted(CancellationError())
            }
            let earlier = inherited as? KeptBasis
            // Most commands find their aggregate as the last one left it, and wait for nothing.
            let quick = lookAtOnce(errand, continuing: earlier, decide)
            let end =
                if case .over(let end) = quick { end } else {
                    await goOn(from: quick, errand, continuing: earlier, decide, load)
                }
            // The turn is over before anybody waits for the disk. The next command continues from
            // here, whether it waits already or comes later.
            turns.leave(gate, handingOver: end.handOver)
            if case .appended(let outcome) = end.step { return outcome }
            if let end = await finish(end.step, mayTryAgain: triesLeft > 0) { return try end.get() }
            triesLeft -= 1
        }
    }

    /// A look at an aggregate to which nothing came since.
    private func lookAtOnce(
        _ errand: Errand, continuing earlier: KeptBasis?, _ decide: (KeptBasis) -> Verdict
    ) -> Look {
        guard let earlier, let mark = store.confirm(earlier.standing, of: errand.stream) else {
            return .unloaded
        }
        return look(errand, at: earlier, mark, decide)
    }

    /// One look at the aggregate and what it leads to, as far as that goes without waiting.
    private func look(
        _ errand: Errand, at kept: KeptBasis, _ mark: QueueMark, _ decide: (KeptBasis) -> Verdict
    ) -> Look {
        let version = kept.standing.version
        guard errand.expected.allows(version) else {
            let conflict = StreamConflict(
                stream: errand.stream, expected: errand.expected, actual: version)
            return .over(
                (.answered(.failure(.store(.conflict(conflict))), restingOn: mark), kept))
        }
        switch decide(kept) {
        case .events(let new, let next):
            let request = AppendRequest(new, to: errand.stream, expecting: .exactly(version))
            return enqueue(request, on: kept, next: next, mark)
        case .nothing:
            guard let position = kept.standing.position else { return .unplaced(kept, mark) }
            return .over((idle(at: version, position, mark), kept))
        case .refused: return .over((.answered(.success(.refused), restingOn: mark), kept))
        case .isOfAnotherType: return .unloaded
        }
    }

    private func enqueue(
        _ request: AppendRequest, on kept: KeptBasis, next: KeptBasis, _ mark: QueueMark
    ) -> Look {
        do throws(EventStoreError) {
            switch try store.enqueue(request, basedOn: mark) {
            case .settled(let receipt): return .over((.appended(.stands(receipt)), next))
            case .awaited(let wait): return .over((.enqueued(wait), next))
            case nil: return .unappended(request, on: kept, next: next)
            }
        } catch {
            return .over(notAppended(error, kept, mark))
        }
    }

    /// The rest of a look, for which the store has to be waited for.
    private func goOn(
        from look: Look, _ errand: Errand, continuing earlier: KeptBasis?,
        _ decide: (KeptBasis) -> Verdict,
        _ load: (KeptBasis?) async throws(LoadFailure) -> KeptBasis
    ) async -> Look.End {
        switch look {
        case .over(let end): return end
        case .unloaded:
            do {
                let kept = try await load(earlier)
                let next = self.look(errand, at: kept, kept.standing.mark, decide)
                return await goOn(from: next, errand, continuing: nil, decide, load)
            } catch {
                let failure = ErrandFailure(error)
                if case .store = error { return (.failed(failure), nil) }
                return (.answered(.failure(failure), restingOn: store.mark()), nil)
            }
        case .unappended(let request, let kept, let next):
            guard !Task.isCancelled else {
                return notAppended(.cancelled, kept, kept.standing.mark)
            }
            do throws(EventStoreError) {
                return (.appended(.stands(try await store.append(request))), next)
            } catch {
                return notAppended(error, kept, kept.standing.mark)
            }
        case .unplaced(let kept, let mark):
            // Events that the last command decided have places which only the store knows.
            guard let position = try? await store.position(of: kept.standing, in: errand.stream)
            else {
                return await goOn(from: .unloaded, errand, continuing: nil, decide, load)
            }
            return (idle(at: kept.standing.version, position, mark), kept)
        }
    }

    private func notAppended(
        _ error: EventStoreError, _ kept: KeptBasis, _ basedOn: QueueMark
    ) -> Look.End {
        switch error {
        case .conflict(let conflict):
            let mark = store.mark()
            // A later mark would vouch for what the winner lost again.
            guard mark.epoch == basedOn.epoch else { return (.takenBack, nil) }
            return (.outrun(conflict, restingOn: mark), kept)
        case .notStored where store.hasQueue: return (.takenBack, nil)
        case .cancelled: return (.failed(ErrandFailure(error)), kept)
        default: return (.failed(ErrandFailure(error)), nil)
        }
    }

    /// There was nothing to do.
    private func idle(
        at version: StreamVersion, _ position: LogPosition, _ mark: QueueMark
    ) -> Step {
        .answered(.success(.stands(version: version, position: position)), restingOn: mark)
    }

    /// Turns a step into the outcome; `nil` when it has to be decided anew.
    ///
    /// Whatever rests on queued events is said only once these are durable.
    private func finish(
        _ step: Step, mayTryAgain: Bool
    ) async -> Result<Outcome, ErrandFailure>? {
        do throws(EventStoreError) {
            switch step {
            case .appended(let outcome): return .success(outcome)
            case .enqueued(let receipt): return .success(.stands(try await receipt()))
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
            return .failure(ErrandFailure(error))
        }
        if mayTryAgain { return nil }
        let reason = "each time, what the decision rested on was taken back"
        return .failure(.store(.notStored(reason: reason)))
    }
}

extension Outcome {
    fileprivate static func stands(_ receipt: AppendReceipt) -> Outcome {
        .stands(version: receipt.version, position: receipt.position)
    }
}

extension ErrandFailure {
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

import WellspringLog

extension ProjectionRunner {
    /// Answers `query`.
    ///
    /// The first answer waits until the model has taken in the whole log once: a model that is
    /// still being replayed is no answer. So does the first one of a run after one that failed.
    ///
    /// - Parameters:
    ///   - query: The question.
    ///   - position: Waits until the model has taken in the log up to here. Pass the position of a
    ///     receipt to read your own write.
    ///   - timeout: How long to wait for it.
    /// - Throws: ``QueryFailure``; at once when the projection takes in nothing more.
    public func ask<Q: Query<P>>(
        _ query: Q, after position: LogPosition = .start, timeout: Duration = .seconds(5)
    ) async throws(QueryFailure) -> Q.Answer {
        if let model = try model(at: position) { return query.answer(from: model) }
        let end = await wait(for: position, atMost: timeout)
        if let model = try model(at: position) { return query.answer(from: model) }
        guard end != .cancelled else { throw .cancelled }
        let (current, wanted) = progress.withLock { ($0.position, $0.target(for: position)) }
        throw .timedOut(position: current, wanted: wanted)
    }

    /// What the projection is doing and how far it is behind the end of the log.
    ///
    /// Reads the log for it, so that a projection which hears nothing any more does not look like
    /// one that has nothing to do. Where the log cannot be read, what was last known of it counts.
    public var status: ProjectionStatus {
        get async {
            let (state, position, known) = progress.withLock { ($0.state, $0.position, $0.head) }
            let (head, oldest) = await measure(after: position)
            return ProjectionStatus(
                state: state, position: position, head: max(head ?? known, position),
                lagTime: oldest.map { now().duration(since: $0) } ?? .zero)
        }
    }

    /// The end of the log, and when the first event was recorded that the model lacks.
    private func measure(
        after position: LogPosition
    ) async -> (head: LogPosition?, oldest: Timestamp?) {
        var head: LogPosition?
        var start = position
        do throws(EventStoreError) {
            while true {
                let page = try await store.read(
                    LogRead(
                        .forward(after: start), filter: pages.filter, limit: ReadLimit(events: 1)))
                head = page.head
                if let event = page.events.first { return (head, event.recordedAt) }
                if page.end >= page.head || page.end <= start { return (head, nil) }
                start = page.end
            }
        } catch {
            return (head, nil)
        }
    }
}

extension Timestamp {
    /// How long `earlier` is ago; zero when it is still to come.
    fileprivate func duration(since earlier: Timestamp) -> Duration {
        // Durations are wider than timestamps, so the difference of any two fits.
        max(.zero, .nanoseconds(nanoseconds) - .nanoseconds(earlier.nanoseconds))
    }
}

// MARK: - Waiting

private enum WaitEnd {
    case told, timedOut, cancelled
}

extension Duration {
    /// About a century: the system's clock stops the program when it is to wait for ages.
    fileprivate static let almostForever = Duration.seconds(3_000_000_000)
}

extension ProjectionRunner {
    /// The model, once it has come to `position`; `nil` when that is still to be waited for.
    private func model(at position: LogPosition) throws(QueryFailure) -> P? {
        switch progress.withLock({ $0.readiness(for: position) }) {
        case .ready(let model): return model
        case .notYet: return nil
        case .stopped(let stop): throw .stopped(stop)
        }
    }

    private func wait(for position: LogPosition, atMost timeout: Duration) async -> WaitEnd {
        await withTaskGroup(of: WaitEnd.self) { group in
            group.addTask {
                await self.waitUntilTold(for: position)
                return Task.isCancelled ? .cancelled : .told
            }
            group.addTask { [clock] in
                do {
                    try await clock.sleep(for: min(max(timeout, .zero), .almostForever))
                    return .timedOut
                } catch {
                    return .cancelled
                }
            }
            defer { group.cancelAll() }
            return await group.next() ?? .cancelled
        }
    }

    private func waitUntilTold(for position: LogPosition) async {
        let ticket = progress.withLock { $0.takeTicket() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                // Asking and parking are one step under the lock: a cancellation either comes
                // before and is seen here, or comes after and finds the waiter.
                let isParked = progress.withLock {
                    !Task.isCancelled && $0.park(waiter, ticket: ticket, for: position)
                }
                if !isParked { waiter.resume() }
            }
        } onCancel: {
            progress.withLock { $0.abandon(ticket) }?.resume()
        }
    }
}

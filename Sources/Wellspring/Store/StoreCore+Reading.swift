import WellspringLog

extension StoreCore {
    func read(_ request: StreamRead) throws(EventStoreError) -> StreamPage {
        try checkNotClosed()
        let (positions, version) = state.withLock { $0.positions(for: request) }
        return StreamPage(
            events: try log.events(at: positions, bytes: request.limit.bytes),
            version: StreamVersion(version))
    }

    func read(_ request: LogRead) throws(EventStoreError) -> LogPage {
        try checkNotClosed()
        let plan = state.withLock { $0.plan(for: request) }
        var events = try log.events(
            at: plan.candidates.lazy.map(\.position), bytes: request.limit.bytes)
        var end = plan.end
        if events.count < plan.candidates.count {
            (events, end) = try cutToWholeAppends(events, of: plan)
        }
        if !request.filter.tags.isEmpty { events.removeAll { !request.filter.includes($0) } }
        return LogPage(
            events: events, end: LogPosition(end), head: LogPosition(plan.head))
    }

    /// What to hand out when the limit in bytes ended a page early: the appends that are whole,
    /// or all of the first one.
    private func cutToWholeAppends(
        _ events: [RecordedEvent], of plan: LogPlan
    ) throws(EventStoreError) -> ([RecordedEvent], UInt64) {
        let missing = plan.candidates[events.count].appendEnd
        guard let last = plan.candidates[..<events.count].last(where: { $0.appendEnd != missing })
        else {
            let first = plan.candidates.prefix { $0.appendEnd == missing }
            let rest = first.dropFirst(events.count).lazy.map(\.position)
            return (events + (try log.events(at: rest, bytes: .max)), missing)
        }
        let whole = plan.candidates[..<events.count].prefix { $0.appendEnd != missing }
        return (Array(events.prefix(whole.count)), last.appendEnd)
    }

    func waitForEvents(after position: LogPosition) async throws(EventStoreError) {
        _ = try await wait(
            until: position.rawValue == .max ? .max : position.rawValue + 1, epoch: nil)
    }

    /// Waits until the visible tail has come to `position`, or the epoch is no longer `epoch`.
    func wait(until position: UInt64, epoch: UInt64?) async throws(EventStoreError) {
        let ticket = state.withLock { $0.waiters.makeTicket() }
        let error = await withTaskCancellationHandler {
            await withUnsafeContinuation {
                (continuation: UnsafeContinuation<EventStoreError?, Never>) in
                // Asking and parking are one step under the lock, so a cancellation either comes
                // first and is seen here, or comes after and finds the waiter.
                let answer = state.withLock { state -> EventStoreError?? in
                    if state.visible >= position { return .some(nil) }
                    if let epoch, epoch != state.epoch { return .some(nil) }
                    if let end = state.end { return end.error }
                    if Task.isCancelled { return .cancelled }
                    state.waiters.park(
                        .init(
                            position: position, watchesEpoch: epoch != nil,
                            continuation: continuation),
                        ticket: ticket)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.remove(ticket) }
            waiter?.continuation.resume(returning: .cancelled)
        }
        if let error { throw error }
    }

    func checkNotClosed() throws(EventStoreError) {
        if state.withLock({ $0.isClosing }) { throw .closed }
    }
}

// MARK: - The queued head

extension StoreCore {
    func readQueued(
        _ request: StreamRead
    ) throws(EventStoreError) -> (page: StreamPage, mark: QueueMark) {
        guard case .forward(let after) = request.order else {
            throw .invalidRequest(reason: "the queued head is read forward only")
        }
        let (found, mark) = try state.withLock { state throws(EventStoreError) in
            if let end = state.end { throw end.error }
            return (
                state.queuedPositions(
                    for: request.stream, after: after, limit: request.limit.events),
                state.mark
            )
        }
        var events = try log.events(at: found.positions, bytes: request.limit.bytes)
        if events.count == found.positions.count { events += found.queued }
        return (StreamPage(events: events, version: StreamVersion(found.version)), mark)
    }

    func mark() -> QueueMark { state.withLock { $0.mark } }

    func settle(_ mark: QueueMark) async throws(EventStoreError) -> Bool {
        guard mark.position > .start else { return true }
        try await wait(until: mark.position.rawValue, epoch: mark.epoch)
        return state.withLock { $0.epoch == mark.epoch }
    }
}

extension CoreState {
    /// What an answer that looks at the queue now rests on; the start when nothing is queued.
    var mark: QueueMark {
        QueueMark(position: LogPosition(queued > visible ? queued : 0), epoch: epoch)
    }
}

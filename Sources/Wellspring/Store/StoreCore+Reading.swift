import WellspringLog

extension StoreCore {
    func read(_ request: StreamRead) throws(EventStoreError) -> StreamPage {
        try checkNotClosed()
        let (known, visible) = state.withLock { state in
            (state.heads.find(request.stream)?.visible, state.visible)
        }
        let extent: StreamExtent
        if let known {
            extent = known
        } else {
            extent = try log.extent(of: request.stream, through: visible)
        }
        return StreamPage(events: try log.events(request, in: extent), of: extent)
    }

    func read(_ request: LogRead) throws(EventStoreError) -> LogPage {
        try checkNotClosed()
        return try log.page(request, through: state.withLock { $0.visible })
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
        while true {
            let head = try state.withLock { state throws(EventStoreError) in
                if let end = state.end { throw end.error }
                return state.queuedHead(of: request.stream)
            }
            switch head {
            case .failure(let unknown): try lookUp(unknown)
            case .success(let head): return (try page(request, after: after, of: head), head.mark)
            }
        }
    }

    private func page(
        _ request: StreamRead, after: StreamVersion, of head: QueuedHead
    ) throws(EventStoreError) -> StreamPage {
        var events: [RecordedEvent] = []
        let start = max(after.rawValue, head.first - 1)
        let isVisible = start < head.visibleVersion
        if isVisible {
            events = try log.events(
                request, in: StreamExtent(last: head.visibleVersion, first: head.first))
        }
        let end = isVisible ? events.last?.version.rawValue ?? start : start
        // What is queued follows only what has been read to its end.
        if end >= head.visibleVersion {
            let rest = head.queued.dropFirst(Int(clamping: end - head.visibleVersion))
            events += rest.lazy.map { $0.recorded }
        }
        let last = head.visibleVersion + UInt64(head.queued.count)
        return StreamPage(events: events, of: StreamExtent(last: last, first: head.first))
    }

    func mark() -> QueueMark { state.withLock { $0.mark } }

    func settle(_ mark: QueueMark) async throws(EventStoreError) -> Bool {
        guard mark.position > .start, plantedFault != .answerBeforeDurable else { return true }
        try await wait(until: mark.position.rawValue, epoch: mark.epoch)
        return state.withLock { $0.epoch == mark.epoch }
    }
}

/// A stream with what is queued for it, at one moment.
private struct QueuedHead {
    let visibleVersion: UInt64
    /// Where reads begin, requests that are queued included.
    let first: UInt64
    let queued: ArraySlice<QueuedEvent>
    let mark: QueueMark
}

extension CoreState {
    fileprivate mutating func queuedHead(
        of stream: StreamID
    ) -> Result<QueuedHead, UnknownStream> {
        guard let head = heads.find(stream) else { return .failure(unknown(stream)) }
        return .success(
            QueuedHead(
                visibleVersion: head.visible.last, first: head.queuedExtent.first,
                queued: head.queued, mark: mark))
    }

    /// What an answer that looks at the queue now rests on; the start when nothing is queued.
    var mark: QueueMark {
        QueueMark(position: LogPosition(queued > visible ? queued : 0), epoch: epoch)
    }
}

import WellspringLog

extension StoreCore {
    /// Returns once everything that was appended is durable.
    func sync() async throws(EventStoreError) {
        guard !log.isInstant else { return }
        try checkNotForked()
        let error = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<EventStoreError?, Never>) in
            let refused = state.withLock { state -> EventStoreError?? in
                if let end = state.end { return .some(end.error) }
                state.syncRequests.append(
                    SyncRequest(position: state.queued, continuation: continuation))
                guard !state.isCommitting else { return nil }
                state.isCommitting = true
                return .some(nil)
            }
            switch refused {
            case .some(.some(let error)): continuation.resume(returning: error)
            case .some(.none): wakeWorker()
            case .none: break
            }
        }
        if let error { throw error }
    }

    /// Finishes what was accepted, refuses the rest, and ends the log properly.
    func close() async {
        refuseMore()
        // The store's thread stayed behind in the process that forked.
        guard !log.isForked else { return _ = abandon() }
        guard let worker = worker.withLock({ $0 }) else { return }
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let (isReleased, wakes) = state.withLock { state in
                // Another closer may have been served already: then nobody is left to serve this.
                if state.isReleased { return (true, false) }
                state.closeRequests.append(continuation)
                defer { state.isCommitting = true }
                return (false, !state.isCommitting)
            }
            if isReleased { continuation.resume() }
            if wakes { worker.wake() }
        }
        stopWorker()
    }

    /// Refuses what a fork of the process must not do to the store of its parent.
    func checkNotForked() throws(EventStoreError) {
        guard !log.isForked else { throw .forked }
    }

    /// Refuses all that comes from now on.
    func refuseMore() {
        let wakeups = state.withLock { state -> [Wakeup] in
            state.isClosing = true
            guard state.end == nil else { return [] }
            state.end = .closed
            return state.waiters.takeAll(.closed)
        }
        for wakeup in wakeups { wakeup.resume() }
    }

    /// Lets go of everything without writing more: what a store does that is dropped unclosed.
    ///
    /// - Returns: Whether there was something to let go of.
    func abandon() -> Bool {
        guard worker.withLock({ $0 }) != nil else { return false }
        stopWorker()
        let wakeups = state.withLock { state -> [Wakeup] in
            if state.end == nil { state.end = .closed }
            return state.takeBack(inFlight: .closed, pending: .closed)
                + state.waiters.takeAll(.closed)
        }
        for wakeup in wakeups { wakeup.resume() }
        log.abandon()
        return true
    }

    private func stopWorker() {
        worker.withLock { worker in
            defer { worker = nil }
            return worker
        }?.stop()
    }
}

import WellspringLog

extension ProjectionRunner {
    /// Takes events in until something ends it, and returns what that was.
    func follow() async -> ProjectionStop.Reason {
        do throws(EventStoreError) {
            try await restore()
            return .event(try await followPages())
        } catch {
            return error == .cancelled ? .cancelled : .store(error)
        }
    }

    /// One loop for catching up and being live: take a page in, or wait for one.
    ///
    /// Returns the event that could not be taken in.
    private func followPages() async throws(EventStoreError) -> FailedEvent {
        /// While this lies ahead, every append is taken in by itself.
        var careful = LogPosition.start
        while true {
            guard !Task.isCancelled else { throw .cancelled }
            let (start, generation) = progress.withLock { ($0.position, $0.generation) }
            let isCareful = start < careful
            let decoded = try await pages.page(
                after: start, limit: isCareful ? .oneAppend : pages.plan.pageLimit)

            let page = decoded.page
            switch await takeIn(decoded, generation: generation) {
            case .failed(let event):
                // A page is all or nothing. Find out which of its appends is the bad one, so that
                // the model stops right before it.
                guard !isCareful else { return event }
                careful = page.end
                continue
            case .outdated: continue
            case .taken: break
            }
            if page.end >= page.head {
                try await store.waitForEvents(after: page.end)
            } else if pages.plan.isWorthTask(page) {
                try await takeInBacklog()
            } else {
                await Task.yield()
            }
        }
    }

    /// Takes in what lies ahead, decoded on several cores, up to the end of the log or the first
    /// page that cannot be taken in as it is.
    ///
    /// That one is left to the caller, who alone decides what becomes of it.
    private func takeInBacklog() async throws(EventStoreError) {
        let (start, generation) = progress.withLock { ($0.position, $0.generation) }
        try await pages.forEachPage(after: start) { page in
            if case .taken = await takeIn(page, generation: generation) { true } else { false }
        }
    }

    /// Takes a page in, and does what follows from that.
    private func takeIn(_ page: DecodedPage<P.Event>, generation: Int) async -> Taken<P> {
        let taken = take(page, generation: generation)
        guard case .taken(let isNowLive, let due) = taken else { return taken }
        keeper?.noteReplay(of: page.page, after: page.start)
        resume(due)
        if isNowLive { onNotice(.live(page.page.end)) }
        await saveIfDue()
        return taken
    }

    /// Takes a page in, all of it or nothing.
    private func take(_ page: DecodedPage<P.Event>, generation: Int) -> Taken<P> {
        P.Failure.self == Never.self
            ? applyInPlace(page, generation: generation)
            : applyToCopy(page, generation: generation)
    }

    /// For models that cannot fail: no copy is made, and so nothing of their size is ever moved.
    private func applyInPlace(_ page: DecodedPage<P.Event>, generation: Int) -> Taken<P> {
        if let failure = page.failure { return .failed(failure) }
        return progress.withLock { progress in
            guard progress.continues(from: page.start, generation: generation) else {
                return .outdated
            }
            // Under the lock, although it is not our code: that keeps the model the only one of
            // its kind. `apply` only computes, and questions are answered outside.
            do throws(P.Failure) {
                try progress.apply(page.events)
            } catch {
                return .outdated
            }
            return Taken(progress.advance(past: page.page))
        }
    }

    private func applyToCopy(_ page: DecodedPage<P.Event>, generation: Int) -> Taken<P> {
        var model = progress.withLock { $0.model }
        if let failure = page.apply(to: &model) { return .failed(failure) }
        return progress.withLock { progress in
            guard progress.continues(from: page.start, generation: generation) else {
                return .outdated
            }
            progress.replaceModel(with: model)
            return Taken(progress.advance(past: page.page))
        }
    }
}

extension DecodedPage {
    /// Has a model take in the events, and returns the first that it could not take in.
    ///
    /// An event that `apply` refuses comes before one that cannot be read further on.
    func apply<P: Projection>(to model: inout P) -> FailedEvent? where P.Event == E {
        for (index, event) in events.enumerated() {
            do throws(P.Failure) {
                try model.apply(event)
            } catch {
                return FailedEvent(page.events[index], error: error)
            }
        }
        return failure
    }
}

/// What became of a page.
private enum Taken<P: Projection> {
    case taken(isNowLive: Bool, due: [ProjectionProgress<P>.Waiter])
    /// A rebuild swapped the model meanwhile; the page belongs to the old one.
    case outdated
    case failed(FailedEvent)

    init(_ advance: (isNowLive: Bool, due: [ProjectionProgress<P>.Waiter])) {
        self = .taken(isNowLive: advance.isNowLive, due: advance.due)
    }
}

extension ReadLimit {
    /// A page never splits an append, so that one event means one append.
    fileprivate static let oneAppend = ReadLimit(events: 1)
}

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
            let limit: ReadLimit = start < careful ? .oneAppend : .page
            let page = try await store.read(
                LogRead(.forward(after: start), filter: filter, limit: limit)
            ).checked(after: start)

            switch take(page, after: start, generation: generation) {
            case .failed(let event):
                // A page is all or nothing. Find out which of its appends is the bad one, so that
                // the model stops right before it.
                guard limit != .oneAppend else { return event }
                careful = page.end
                continue
            case .outdated:
                continue
            case .taken(let isNowLive, let due):
                keeper?.noteReplay(of: page, after: start)
                resume(due)
                if isNowLive { onNotice(.live(page.end)) }
            }
            await saveIfDue()
            if page.end >= page.head {
                try await store.waitForEvents(after: page.end)
            } else {
                await Task.yield()
            }
        }
    }

    /// Takes a page in, all of it or nothing.
    private func take(_ page: LogPage, after start: LogPosition, generation: Int) -> Taken<P> {
        let events: [Recorded<P.Event>]
        do throws(FailedEvent) {
            events = try page.decoded(as: P.Event.self)
        } catch {
            return .failed(error)
        }
        return P.Failure.self == Never.self
            ? applyInPlace(events, of: page, after: start, generation: generation)
            : applyToCopy(events, of: page, after: start, generation: generation)
    }

    /// For models that cannot fail: no copy is made, and so nothing of their size is ever moved.
    private func applyInPlace(
        _ events: [Recorded<P.Event>], of page: LogPage, after start: LogPosition, generation: Int
    ) -> Taken<P> {
        progress.withLock { progress in
            guard progress.continues(from: start, generation: generation) else { return .outdated }
            // Under the lock, although it is not our code: that keeps the model the only one of
            // its kind. `apply` only computes, and questions are answered outside.
            do throws(P.Failure) {
                try progress.apply(events)
            } catch {
                return .outdated
            }
            return Taken(progress.advance(past: page))
        }
    }

    private func applyToCopy(
        _ events: [Recorded<P.Event>], of page: LogPage, after start: LogPosition, generation: Int
    ) -> Taken<P> {
        var model = progress.withLock { $0.model }
        for (index, event) in events.enumerated() {
            do throws(P.Failure) {
                try model.apply(event)
            } catch {
                return .failed(FailedEvent(page.events[index], error: error))
            }
        }
        return progress.withLock { progress in
            guard progress.continues(from: start, generation: generation) else { return .outdated }
            progress.replaceModel(with: model)
            return Taken(progress.advance(past: page))
        }
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
    /// How much is taken in under one lock.
    fileprivate static let page = ReadLimit(events: 512, bytes: 1 << 20)
    /// A page never splits an append, so that one event means one append.
    fileprivate static let oneAppend = ReadLimit(events: 1)
}

extension LogPage {
    /// Refuses a page that leads nowhere: its events would be taken in again and again.
    ///
    /// Leaves out redacted events: no model can take them in, and its position passes them all the
    /// same.
    func checked(after start: LogPosition) throws(EventStoreError) -> LogPage {
        guard end > start || end == start && events.isEmpty else {
            throw .storage(reason: "a page after position \(start) ends at \(end)")
        }
        guard events.contains(where: \.isRedacted) else { return self }
        return LogPage(events: events.filter { !$0.isRedacted }, end: end, head: head)
    }

    /// The events, all of them, in the form that a projection reads.
    func decoded<E: ReadableEvent>(as type: E.Type) throws(FailedEvent) -> [Recorded<E>] {
        var decoded: [Recorded<E>] = []
        decoded.reserveCapacity(events.count)
        for recorded in events {
            do {
                decoded.append(try recorded.decoded(as: type))
            } catch {
                throw FailedEvent(recorded, error: error)
            }
        }
        return decoded
    }
}

import WellspringLog

extension ProjectionRunner {
    /// Folds a new model from the beginning of the log until it has come as far as the one in use,
    /// and swaps.
    func replayAndSwap() async throws(ProjectionFailure) -> LogPosition {
        var model = P()
        var position = LogPosition.start
        var target: LogPosition?
        while true {
            let page = try await readPage(after: position)
            guard !Task.isCancelled else { throw .cancelled }
            try take(page, into: &model)
            position = page.end
            let goal = target ?? page.head
            target = goal
            let progressMade = RebuildProgress(position: position, target: goal)
            progress.withLock { $0.noteRebuild(progressMade) }

            // The model in use may have gone further meanwhile; then there is more to replay.
            if position >= goal, let due = swapIn(model, at: position) {
                resume(due)
                return position
            }
            await Task.yield()
        }
    }

    private func readPage(after position: LogPosition) async throws(ProjectionFailure) -> LogPage {
        do {
            return try await store.read(
                LogRead(.forward(after: position), filter: filter, limit: .rebuildPage)
            ).checked(after: position)
        } catch {
            throw error == .cancelled ? .cancelled : .store(error)
        }
    }

    private func take(_ page: LogPage, into model: inout P) throws(ProjectionFailure) {
        let events: [Recorded<P.Event>]
        do {
            events = try page.decoded(as: P.Event.self)
        } catch {
            throw failure(of: error)
        }
        for (index, event) in events.enumerated() {
            do {
                try model.apply(event)
            } catch {
                throw failure(of: FailedEvent(page.events[index], error: error))
            }
        }
    }

    private func failure(of event: FailedEvent) -> ProjectionFailure {
        .stopped(
            ProjectionStop(projection: P.name, position: position, reason: .event(event)))
    }

    private func swapIn(
        _ model: P, at position: LogPosition
    ) -> [ProjectionProgress<P>.Waiter]? {
        progress.withLock { $0.swapIn(model, at: position) }
    }
}

extension ReadLimit {
    /// Nobody else sees the model of a rebuild, so larger pages hold nobody up.
    fileprivate static let rebuildPage = ReadLimit(events: 2_048, bytes: 4 << 20)
}

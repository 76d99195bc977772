import WellspringLog

extension ProjectionRunner {
    /// Folds a new model from the beginning of the log until it has come as far as the one in use,
    /// and swaps.
    func replayAndSwap() async throws(ProjectionFailure) -> LogPosition {
        var replay = Replay<P>()
        while true {
            do throws(EventStoreError) {
                try await pages.forEachPage(after: replay.position) { page in
                    takeIn(page, &replay)
                }
            } catch {
                throw error == .cancelled ? .cancelled : .store(error)
            }
            switch replay.end {
            case .swapped: return replay.position
            case .failed(let event):
                throw .stopped(
                    ProjectionStop(
                        projection: P.name, position: position, reason: .event(event)))
            // The model in use has gone further meanwhile; then there is more to replay.
            case nil: await Task.yield()
            }
        }
    }

    /// Takes a page into a new model, and says whether it needs more.
    private func takeIn(_ page: DecodedPage<P.Event>, _ replay: inout Replay<P>) -> Bool {
        if let failure = page.apply(to: &replay.model) {
            replay.end = .failed(failure)
            return false
        }
        replay.position = page.page.end
        let goal = replay.target ?? page.page.head
        replay.target = goal
        let made = RebuildProgress(position: replay.position, target: goal)
        progress.withLock { $0.noteRebuild(made) }

        guard replay.position >= goal, let due = swapIn(replay) else { return true }
        resume(due)
        replay.end = .swapped
        return false
    }

    private func swapIn(_ replay: Replay<P>) -> [ProjectionProgress<P>.Waiter]? {
        progress.withLock { $0.swapIn(replay.model, at: replay.position) }
    }
}

/// A second model, on its way to become the one in use.
private struct Replay<P: Projection> {
    var model = P()
    var position = LogPosition.start
    /// The end of the log when the replay began.
    var target: LogPosition?
    var end: End?

    enum End {
        case swapped
        case failed(FailedEvent)
    }
}

import WellspringLog

/// What is known of the files of a log that is followed, as long as none of them is rewritten.
final class FollowedView: Sendable {
    let segments: FollowedSegments
    let index: LogIndex
    let reader: LogReader
    private let follower: Guarded<LogFollower>

    /// How often in a row the files may be rewritten while they are opened.
    private static let attempts = 1_000

    static func open(_ files: FollowedFiles) throws(LogError) -> FollowedView {
        for _ in 1..<attempts {
            do throws(LogError) {
                return try openOnce(files)
            } catch {
                guard case .rewritten = error else { throw error }
            }
        }
        return try openOnce(files)
    }

    private static func openOnce(_ files: FollowedFiles) throws(LogError) -> FollowedView {
        let client = FollowedLogClient(keyMask: files.keyMask)
        let follower = try LogFollower.open(
            files.directory, includesUnproven: files.includesUnproven, client: client,
            plantedFault: files.plantedFault)
        return FollowedView(follower, client, path: files.path)
    }

    private init(_ follower: LogFollower, _ client: FollowedLogClient, path: String) {
        segments = follower.segments
        index = client.index
        let names = client.names
        let healing = Guarded(())
        let builder = IndexBuilder(log: segments, index: client.index, names: names)
        reader = LogReader(segments, client.index, names) { (error) throws(EventStoreError) in
            do throws(LogError) {
                try healing.withLock { (_) throws(LogError) in try builder.heal(error) }
            } catch {
                throw EventStoreError(error, path: path)
            }
        }
        self.follower = Guarded(follower)
    }

    /// The last position that was found to be durable.
    var position: UInt64 { follower.withLock { $0.end.nextPosition - 1 } }

    /// Takes in what has become durable; returns whether that was all.
    func advance(upTo bytes: Int) throws(LogError) -> Bool {
        try follower.withLock { (follower) throws(LogError) in
            let segment = follower.end.segment
            let isDone = try follower.advance(upTo: bytes)
            if follower.end.segment != segment { try adoptRuns(of: follower) }
            return isDone
        }
    }

    /// Takes over what the writer has indexed meanwhile.
    ///
    /// Without the writer's index there is only more in memory.
    private func adoptRuns(of follower: LogFollower) throws(LogError) {
        do throws(LogError) {
            index.adoptRuns(of: try follower.outline())
        } catch {
            if case .rewritten = error { throw error }
        }
    }

    /// Makes sure that no file was rewritten since.
    func checkIsCurrent() throws(LogError) {
        try follower.withLock { (follower) throws(LogError) in try follower.checkIsCurrent() }
    }
}

extension IndexBuilder {
    /// Makes a damaged run again from the log, in memory only.
    fileprivate func heal(_ error: IndexError) throws(LogError) {
        guard case .damaged(let file, _, _) = error, let damaged = index.rebuilding(file) else {
            return
        }
        let parts = try build(
            after: damaged.start, through: damaged.run.range.last,
            endingAt: try? damaged.run.decodedAnchor())
        index.replace([damaged.run.range], by: parts)
    }
}

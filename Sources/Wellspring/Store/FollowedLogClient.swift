import WellspringLog

/// Files in an index what a follower hands over.
final class FollowedLogClient: LogFollowerClient {
    private(set) var index = LogIndex(hashKey: (0, 0))
    let names = NameCache()
    private let keyMask: UInt64
    private var frames: FrameIndexing?
    private var isFirst = true

    init(keyMask: UInt64) {
        self.keyMask = keyMask
    }

    func coverage(of log: LogOutline, in segments: any LogSource) -> LogAnchor? {
        index = LogIndex(hashKey: log.hashKey, mask: keyMask)
        frames = FrameIndexing(index, segments, names)
        isFirst = true
        return index.openBesideWriter(of: log).end
    }

    func segmentBegan(_ segment: UInt32, after covered: UInt64) {
        frames?.begin(segment)
        guard isFirst else { return }
        isFirst = false
        index.begin(after: covered)
    }

    func take(_ place: FramePlace, body: UnsafeRawBufferPointer) throws(MalformedBody) {
        guard let items = try frames?.items(of: place, body: body) else { return }
        index.add(items)
    }

    func segmentEnded(_ anchor: LogAnchor) { index.freeze(at: anchor) }
}

extension LogIndex {
    /// Opens the runs of a log whose writer may merge them at this moment.
    fileprivate func openBesideWriter(of log: LogOutline) -> Chain {
        var chain = Chain()
        for _ in 0..<3 {
            let before = try? IndexRun.list(log.directory)
            chain = open(of: log)
            // A run that vanished in between is part of another one now.
            if let before, (try? IndexRun.list(log.directory)) == before { break }
        }
        return chain
    }
}

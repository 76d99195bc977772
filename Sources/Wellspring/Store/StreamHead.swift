/// A stream that was used lately: how far it goes, and what is queued for it.
final class StreamHead: @unchecked Sendable {
    // SAFETY: `name` is touched by whoever commits, and there is one at a time. Everything else
    // is touched only under the lock of `StoreCore`.

    let id: StreamID
    /// What readers see of it.
    private(set) var visible: StreamExtent
    /// Events that were accepted, oldest first, behind those that have become visible meanwhile.
    private var accepted: [QueuedEvent] = []
    private var published = 0
    /// Where reads begin according to truncations that were accepted and are not visible yet,
    /// oldest first.
    private var truncations: [UInt64] = []
    /// When it was asked for last.
    fileprivate var lastUse: UInt64 = 0
    /// What the log has written of it.
    var name = WrittenName()

    init(_ id: StreamID, _ visible: StreamExtent) {
        self.id = id
        self.visible = visible
    }

    var queuedVersion: UInt64 { visible.last + UInt64(accepted.count - published) }

    /// What readers will see once everything that is queued is visible.
    var queuedExtent: StreamExtent {
        StreamExtent(last: queuedVersion, first: truncations.last ?? visible.first)
    }

    /// Whether something was accepted that is not visible yet.
    var isUnderWay: Bool { published < accepted.count || !truncations.isEmpty }

    /// Events that were accepted and are not visible yet, oldest first.
    var queued: ArraySlice<QueuedEvent> { accepted[published...] }

    func queue(_ event: QueuedEvent) { accepted.append(event) }

    /// Makes the oldest queued event visible.
    ///
    /// A hot stream has many: moving up the others each time would take the square of their number.
    func publishNext() {
        visible.last += 1
        published += 1
        guard published == accepted.count || published > 32 && published * 2 > accepted.count
        else { return }
        accepted.removeFirst(published)
        published = 0
    }

    /// Has reads begin at `first` once the request for it is visible.
    func queueTruncation(before first: UInt64) { truncations.append(first) }

    /// Makes the oldest queued truncation visible.
    func publishNextTruncation() {
        guard !truncations.isEmpty else { return }
        visible.first = truncations.removeFirst()
    }

    /// Forgets what is not visible.
    func takeBackQueued() {
        accepted = []
        published = 0
        truncations = []
    }
}

/// The name of a stream as the log wrote it last.
struct WrittenName {
    /// The segment that defines it; 0 for none.
    var segment: UInt32 = 0
    /// How records of that segment refer to it.
    var reference: UInt32 = 0
    /// What the index files it under, once that is known.
    var key: UInt64?
}

/// The streams that were used lately.
///
/// A store with millions of streams holds the heads of a bounded number of them. What is not here
/// is found in the log's index.
struct StreamHeads {
    private var heads: [StreamID: StreamHead] = [:]
    private var uses: UInt64 = 0
    private var usesAtLastSweep: UInt64 = 0
    /// How often streams were forgotten.
    ///
    /// Who looked up a stream meanwhile cannot know whether it still holds.
    private(set) var sweeps: UInt64 = 0
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// How many are held.
    var count: Int { heads.count }

    /// The head of a stream, if it is known.
    mutating func find(_ stream: StreamID) -> StreamHead? {
        guard let head = heads[stream] else { return nil }
        uses += 1
        head.lastUse = uses
        return head
    }

    /// Takes in a stream that was looked up, without forgetting others, which may be wanted together
    /// with it.
    ///
    /// To be followed by ``trim()`` when they have been used.
    mutating func add(_ stream: StreamID, _ visible: StreamExtent) {
        guard heads[stream] == nil else { return }
        let head = StreamHead(stream, visible)
        uses += 1
        head.lastUse = uses
        heads[stream] = head
    }

    /// Forgets streams if there are too many.
    mutating func trim() {
        if heads.count > limit { sweep() }
    }

    /// Forgets those that were not used since the last time, but none with events under way.
    private mutating func sweep() {
        sweeps += 1
        let since = usesAtLastSweep
        var kept = heads.filter { $0.value.lastUse > since || $0.value.isUnderWay }
        if kept.count > limit / 2 {
            // All of them are in use: half of them have to go all the same.
            let middle = since + (uses - since) / 2
            kept = kept.filter { $0.value.lastUse > middle || $0.value.isUnderWay }
        }
        heads = kept
        usesAtLastSweep = uses
    }
}

/// The open files of the segments, for readers on any thread.
///
/// A file is closed when nobody holds it any more, never while a reader is at work on it.
package final class SegmentFiles: Sendable {
    /// How many sealed segments are kept open.
    static let openLimit = 64

    fileprivate struct State {
        var active: (number: UInt32, file: any StoreFile)?
        /// All segments, oldest first, without gaps in their numbers.
        var segments: [SegmentPlace] = []
        /// Where frames begin in the active segment, and in sealed ones that were asked for.
        var activePositions = PositionTable()
        var positions: [UInt32: PositionTable] = [:]
        var sealed: [UInt32: (file: any StoreFile, lastUse: UInt64)] = [:]
        var uses: UInt64 = 0
        var isClosed = false
    }

    private let directory: any StoreDirectory
    private let state: Guarded<State>
    /// Whether somebody else may rewrite a segment, whose old file is then no longer to be read.
    private let isFollowed: Bool

    init(_ directory: any StoreDirectory, isFollowed: Bool = false) {
        self.directory = directory
        self.isFollowed = isFollowed
        state = Guarded(State())
    }

    /// The numbers of the first and the last segment.
    var range: ClosedRange<UInt32> {
        state.withLock { state in
            let first = state.segments.first?.number ?? 1
            return first...max(first, state.segments.last?.number ?? first)
        }
    }

    /// Takes the segments of a log that was opened; the last of them is written to.
    func begin(_ segments: [SegmentPlace], file: any StoreFile, positions: PositionTable) {
        state.withLock { state in
            state.segments = segments
            state.activePositions = positions
            state.active = segments.last.map { ($0.number, file) }
        }
    }

    /// Makes `file` the one that is written to; the one before has `sealedLength` bytes for good.
    func begin(_ header: SegmentHeader, file: any StoreFile, sealedLength: UInt64?) {
        state.withLock { state in
            if let previous = state.segments.last, previous.number < header.number {
                state.segments[state.segments.count - 1].sealedLength = sealedLength
                state.keep(state.activePositions, of: previous.number)
                state.segments.append(SegmentPlace(header))
            }
            state.activePositions = PositionTable()
            state.active = (header.number, file)
        }
    }

    /// Takes `place` for a sealed segment that was rewritten.
    ///
    /// Whoever reads the old file at this moment reads it to the end.
    func replace(_ place: SegmentPlace, positions: PositionTable) {
        let old = state.withLock { state -> (any StoreFile)? in
            guard let index = state.segments.firstIndex(where: { $0.number == place.number })
            else { return nil }
            state.segments[index] = place
            state.keep(positions, of: place.number)
            return state.sealed.removeValue(forKey: place.number)?.file
        }
        _ = old
    }

    /// Notes a frame of events of the active segment.
    func note(_ header: FrameHeader) {
        state.withLock { $0.activePositions.note(header) }
    }

    /// Notes a frame of events of a segment, if it is the active one.
    func note(_ header: FrameHeader, in number: UInt32) {
        state.withLock { state in
            if state.active?.number == number { state.activePositions.note(header) }
        }
    }

    /// Takes over where frames begin in a segment, if it is the active one.
    func adopt(_ positions: PositionTable, of number: UInt32) {
        state.withLock { state in
            if state.active?.number == number { state.activePositions = positions }
        }
    }

    /// Where frames begin in the active segment.
    var activePositions: PositionTable { state.withLock { $0.activePositions } }

    /// Which segments up to one of this number were rewritten.
    func rewrites(through number: UInt32) -> SegmentRewrites {
        state.withLock { state in
            SegmentRewrites(
                state.segments.lazy.map { ($0.number, $0.generation) }, through: number)
        }
    }

    /// A segment; `nil` when there is none of the number.
    func segment(_ number: UInt32) -> SegmentPlace? { state.withLock { $0.segment(number) } }

    /// The segment that holds `position`, or would.
    func segment(holding position: UInt64) -> SegmentPlace? {
        state.withLock { state in
            var low = 0
            var high = state.segments.count
            while low < high {
                let middle = (low + high) / 2
                if state.segments[middle].basePosition <= position {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low == 0 ? nil : state.segments[low - 1]
        }
    }

    /// The name of a segment's file.
    func name(of number: UInt32) -> String {
        segment(number)?.fileName ?? LogLayout.segment(number)
    }

    /// Where frames begin in a segment; `nil` for a sealed one whose footer was not read yet.
    func positions(of number: UInt32) -> PositionTable? {
        state.withLock { state in
            state.active?.number == number ? state.activePositions : state.positions[number]
        }
    }

    /// Keeps what the footer of a sealed segment says.
    func keep(_ positions: PositionTable, of number: UInt32) {
        state.withLock { $0.keep(positions, of: number) }
    }

    /// Gives every file up.
    ///
    /// Later reads fail.
    func close() {
        let released = state.withLock { state in
            defer {
                state.isClosed = true
                state.active = nil
                state.sealed = [:]
            }
            return (state.active?.file, state.sealed.values.map(\.file))
        }
        // Files are closed here, outside the lock, when this was the last use of them.
        _ = released
    }

    /// The file of a segment.
    func file(of number: UInt32) throws(LogError) -> any StoreFile { try source(number).file }

    /// The file of a segment, with what its checksums are seeded with.
    func source(
        _ number: UInt32
    ) throws(LogError) -> (file: any StoreFile, place: SegmentPlace) {
        // File and place are those of one moment: a segment may be rewritten meanwhile.
        let known = state.withLock { state in
            (file: state.find(number), isClosed: state.isClosed, place: state.segment(number))
        }
        guard !known.isClosed else { throw .closed }
        guard let place = known.place else {
            throw .damaged(
                LogDamage(
                    file: LogLayout.segment(number), offset: 0, reason: "there is no such segment"))
        }
        if let file = known.file, try isCurrent(file) { return (file, place) }
        return (try open(place), place)
    }

    /// Whether a file that is open still has its name.
    private func isCurrent(_ file: any StoreFile) throws(LogError) -> Bool {
        guard isFollowed else { return true }
        return try system { () throws(SystemError) in try file.linkCount() > 0 }
    }

    private func open(_ place: SegmentPlace) throws(LogError) -> any StoreFile {
        do {
            let file = try openingFiles { () throws(SystemError) in
                try directory.open(place.fileName, .read)
            }
            keep(file, of: place)
            return file
        } catch {
            guard error.kind != .notFound else {
                throw .damaged(
                    LogDamage(file: place.fileName, offset: 0, reason: "the file is missing"))
            }
            throw .system(error)
        }
    }

    /// Runs `body`, and once more with fewer files open if the process had too many.
    func openingFiles<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        do {
            return try body()
        } catch {
            guard error.kind == .tooManyFiles else { throw error }
        }
        evictAll()
        return try body()
    }

    /// Closes every sealed segment that nobody reads at the moment.
    func evictAll() {
        let evicted = state.withLock { state in
            defer { state.sealed = [:] }
            return state.sealed
        }
        _ = evicted
    }

    private func keep(_ file: any StoreFile, of place: SegmentPlace) {
        let evicted = state.withLock { state -> (any StoreFile)? in
            // Meanwhile the segment may have been rewritten.
            guard !state.isClosed, state.segment(place.number)?.generation == place.generation
            else { return nil }
            state.uses += 1
            state.sealed[place.number] = (file, state.uses)
            guard state.sealed.count > Self.openLimit,
                let oldest = state.sealed.min(by: { $0.value.lastUse < $1.value.lastUse })
            else { return nil }
            return state.sealed.removeValue(forKey: oldest.key)?.file
        }
        _ = evicted
    }
}

extension SegmentFiles.State {
    fileprivate mutating func find(_ number: UInt32) -> (any StoreFile)? {
        if let active, active.number == number { return active.file }
        guard sealed[number] != nil else { return nil }
        uses += 1
        sealed[number]?.lastUse = uses
        return sealed[number]?.file
    }

    fileprivate func segment(_ number: UInt32) -> SegmentPlace? {
        guard let first = segments.first?.number, number >= first,
            Int(number - first) < segments.count
        else { return nil }
        return segments[Int(number - first)]
    }

    /// Keeps the tables of a few segments: each is made again from its footer when needed.
    fileprivate mutating func keep(_ table: PositionTable, of number: UInt32) {
        if positions.count >= SegmentFiles.openLimit, let other = positions.keys.first {
            positions[other] = nil
        }
        positions[number] = table
    }
}

/// What is known of a segment without opening its file.
package struct SegmentPlace: Hashable, Sendable {
    package var number: UInt32
    /// How often it was rewritten.
    package var generation: UInt32
    /// What its checksums are seeded with.
    package var salt: Salt
    /// The position of its first event, if it has any.
    package var basePosition: UInt64
    /// The length of its file once it is sealed.
    package var sealedLength: UInt64?

    init(_ header: SegmentHeader, sealedLength: UInt64? = nil) {
        number = header.number
        generation = header.generation
        salt = header.salt
        basePosition = header.basePosition
        self.sealedLength = sealedLength
    }

    /// The name of its file.
    package var fileName: String { LogLayout.segment(number, generation: generation) }
}

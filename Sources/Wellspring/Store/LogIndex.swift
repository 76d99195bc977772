import WellspringLog

/// Finds the events of a stream or with a tag: runs on disk for most of the log, and memory for
/// what came last.
///
/// A cache: everything in it can be made again from the log, and everything it says is compared
/// with the records that it names before it is believed.
final class LogIndex: Sendable {
    /// A part of the log, in the order of the log.
    enum Part {
        case run(IndexRun)
        /// Not yet written to a run.
        case memory(MemoryIndex, IndexRange, LogAnchor)
    }

    struct Contents {
        var parts: [Part] = []
        var recent = MemoryIndex()
        /// The last sequence that the parts cover.
        var covered: UInt64 = 0
        /// Runs that opening left out because the machine failed, or their directory: they may be
        /// sound, and so may those behind them.
        var unread: [String] = []
    }

    let contents = Guarded(Contents())
    private let hashKey: (UInt64, UInt64)
    private let mask: UInt64
    let fault: PlantedFault?

    /// - Parameter mask: The bits of a hash that count; a test makes names collide by it.
    init(hashKey: (UInt64, UInt64), mask: UInt64 = .max, fault: PlantedFault? = nil) {
        self.fault = fault
        self.hashKey = hashKey
        self.mask = mask
    }

    /// What the events of a stream are filed under: an even number.
    func key(of stream: StreamID) -> UInt64 {
        SipHash.hash(hashKey, prefix: 1, stream.exact.value.utf8) & mask & ~1
    }

    /// What events with a tag are filed under: an odd number, so that no stream is under it.
    func key(of tag: Tag) -> UInt64 {
        SipHash.hash(hashKey, prefix: 2, tag.rawValue.utf8) & mask | 1
    }

    /// Adds the events of a group that is in the log.
    func add(_ items: [(key: UInt64, item: MemoryIndex.Item)]) {
        contents.withLock { $0.recent }.add(items)
    }

    /// Entries of `key` with a number in `numbers`, of events at or before `visible`, oldest or
    /// newest first.
    ///
    /// Two names may have the same key: who asks must look at the records.
    func entries(
        of key: UInt64, numbers: ClosedRange<UInt64>, limit: Int = .max, newestFirst: Bool = false,
        through visible: UInt64
    ) throws(IndexError) -> [IndexEntry] {
        let (parts, recent) = contents.withLock { ($0.parts, $0.recent) }
        var found: [IndexEntry] = []
        let latest = Part.memory(recent, IndexRange(first: 0, last: 0), .none)
        for part in newestFirst ? [latest] + parts.reversed() : parts + [latest] {
            guard found.count < limit else { break }
            let rest = limit - found.count
            switch part {
            case .run(let run):
                found += try run.readableEntries(
                    of: key, numbers: numbers, limit: rest, newestFirst: newestFirst)
            case .memory(let memory, _, _):
                found += memory.entries(
                    of: key, numbers: numbers, limit: rest, newestFirst: newestFirst,
                    through: visible)
            }
        }
        return found
    }

    /// How many entries are in memory only, behind the last part.
    var recentCount: Int { contents.withLock { $0.recent }.count }

    /// Ends the part of the log that is indexed in memory: all of it is durable up to `anchor`.
    ///
    /// One caller at a time, the one who adds.
    func freeze(at anchor: LogAnchor) {
        contents.withLock { contents in
            guard contents.recent.count > 0, anchor.end.sequence > contents.covered else { return }
            let range = IndexRange(first: contents.covered + 1, last: anchor.end.sequence)
            contents.parts.append(.memory(contents.recent, range, anchor))
            contents.covered = range.last
            contents.recent = MemoryIndex()
        }
    }
}

extension IndexRun {
    /// The entries of a key; a run that the medium cannot give back counts as damaged.
    ///
    /// It can be made again from the log, which may well be readable.
    fileprivate func readableEntries(
        of key: UInt64, numbers: ClosedRange<UInt64>, limit: Int, newestFirst: Bool
    ) throws(IndexError) -> [IndexEntry] {
        do {
            return try entries(
                of: key, numbers: numbers, limit: limit, newestFirst: newestFirst)
        } catch {
            guard case .system(let failure) = error, failure.kind == .io else { throw error }
            throw .damaged(file: name, offset: 0, reason: "it cannot be read: \(failure)")
        }
    }
}

extension LogAnchor {
    /// Stands for the anchor of what is not ended yet.
    fileprivate static let none = LogAnchor(
        end: LogEnd(
            segment: 0, offset: 0, sequence: 0, nextPosition: 0, recordedAt: 0, chain: 0),
        lastFrame: 0, groupCount: 0, eventCount: 0, positions: PositionTable(), rewrites: .none)
}

extension LogIndex.Part {
    /// The sequences that the part covers.
    var range: IndexRange {
        switch self {
        case .run(let run): run.range
        case .memory(_, let range, _): range
        }
    }
}

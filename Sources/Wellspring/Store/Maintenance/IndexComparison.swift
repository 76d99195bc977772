import WellspringLog

/// Compares what the runs of the index list with what the log holds.
///
/// Every checksum of a run may hold and an entry still be missing, by a mistake of the program that
/// made it: reads of that stream would pass an event over. There are too many entries to be kept, so
/// either side is added up, whatever the order in which its entries come. What a run should list is
/// worked out here and not by ``FrameIndexing``, whose mistakes are among those to be found.
struct IndexComparison {
    fileprivate struct Part {
        let run: IndexRun
        /// What the run lists, and what the log holds in the range of the run.
        let listed: IndexSum
        var held = IndexSum()
    }

    private let directory: any StoreDirectory
    private let identity: StoreIdentity
    private let keys: LogIndex
    private var parts: [Part] = []
    /// Those whose range the current frame is in.
    private var current: [Int] = []
    /// The last frame that the log was found to hold.
    private var last: FramePlace?
    /// Files of the log of which damage was told.
    private var damaged: Set<String> = []

    init(_ directory: any StoreDirectory, _ identity: StoreIdentity) {
        self.directory = directory
        self.identity = identity
        keys = LogIndex(hashKey: (identity.hashKey.first, identity.hashKey.second))
    }

    /// Has a run compared, before the log is read.
    mutating func add(_ run: IndexRun, listing listed: IndexSum) {
        parts.append(Part(run: run, listed: listed))
    }

    /// The log holds a frame, and the records that follow are of it.
    mutating func begin(_ frame: FramePlace) {
        last = frame
        current = parts.indices.filter {
            let range = parts[$0].run.range
            return range.first <= frame.sequence && frame.sequence <= range.last
        }
    }

    /// A file of the log is damaged, which is told elsewhere.
    mutating func noteDamage(in file: String) { damaged.insert(file) }

    /// Adds the record at `index` of the current frame.
    mutating func note(
        _ record: InspectedRecord, of stream: StreamID, in frame: FramePlace, index: UInt32
    ) {
        guard !current.isEmpty else { return }
        let place = EventPlace(
            segment: frame.segment,
            offset: UInt32(truncatingIfNeeded: frame.bodyOffset + UInt64(record.bytes.lowerBound)),
            frame: UInt32(truncatingIfNeeded: frame.offset), index: index)
        add(IndexEntry(number: record.raw.version, place: place), under: keys.key(of: stream))
        for tag in record.raw.tags {
            add(IndexEntry(number: record.position, place: place), under: keys.key(of: tag))
        }
    }

    private mutating func add(_ entry: IndexEntry, under key: UInt64) {
        for part in current { parts[part].held.add(entry, under: key) }
    }

    /// What is wrong with the runs, once the whole log was read.
    func problems() throws(LogError) -> [StoreProblem] {
        var problems: [StoreProblem] = []
        for part in parts {
            guard let found = try problem(of: part) else { continue }
            // Merged, it may have been read under both names.
            let isKnown = problems.contains { $0.kind == .indexEntries && $0.file == found.file }
            if !isKnown { problems.append(found) }
        }
        return problems
    }

    private func problem(of part: Part) throws(LogError) -> StoreProblem? {
        switch try ending(of: part.run) {
        case .unknown: return nil
        case .held(let anchor, let log):
            guard part.listed != part.held else { return nil }
            if anchor.end.sequence > last?.sequence ?? 0 { return lost(before: anchor, in: log) }
            return try holder(of: part.run).map { StoreProblem(.indexEntries, $0, part.difference) }
        case .elsewhere:
            guard isThere(part.run) else { return nil }
            let commit = part.run.range.last
            return StoreProblem(
                .unusable, part.run.name, at: UInt64(FilePreamble.length),
                commit > last?.sequence ?? 0
                    ? "it ends with commit \(commit), beyond the end of the log"
                    : "it ends with commit \(commit), and the log holds another one")
        case .unreadable(let error):
            guard isThere(part.run) else { return nil }
            return StoreProblem(
                .index, part.run.name, "the place in the log at which it ends: \(error)")
        }
    }

    // MARK: - Where runs end

    private enum Ending {
        /// In this log.
        case held(LogAnchor, LogOutline)
        /// In another history of it: a store that is opened removes the run.
        case elsewhere
        /// Nobody knows: a store that is opened leaves the run aside.
        case unreadable(SystemError)
        /// Nobody can say, because of damage to the log that was told already.
        case unknown
    }

    /// Looks where a run ends, a second and a third time before it is said to end elsewhere.
    private func ending(of run: IndexRun) throws(LogError) -> Ending {
        var ending = Ending.unknown
        for _ in 0..<LogFollower.readings {
            // Of now: beside a writer the log has segments by which the run is the newer one, and a
            // scavenge gives segments other names.
            let inspection = try LogInspection(directory)
            if inspection.manifest == nil, damaged.contains(Manifest.fileName) { return .unknown }
            let manifest = try inspection.readManifest()
            let log = LogOutline(
                directory: directory, identity: identity, segments: manifest.segments)
            do {
                if let anchor = try run.anchor(in: log) { return .held(anchor, log) }
                ending = .elsewhere
            } catch {
                guard error.kind == .io || error.kind == .notFound else { throw .system(error) }
                ending = .unreadable(error)
            }
            let segment = log.segments.first { $0.number == run.segmentOfEnd }
            if let segment, damaged.contains(segment.fileName) { return .unknown }
        }
        return ending
    }

    /// What a run has taken in was durable: where the log ends before that, events are lost.
    private func lost(before anchor: LogAnchor, in log: LogOutline) -> StoreProblem {
        let sequence = (last?.sequence ?? 0) + 1
        let position = last.map { $0.firstPosition + UInt64($0.eventCount) } ?? 1
        let segment = log.segments.first { $0.number == anchor.end.segment }
        return StoreProblem(
            .commits, segment?.fileName ?? Manifest.fileName, at: anchor.lastFrame,
            "the index has taken in commits behind what can be read of the log",
            commits: sequence...anchor.end.sequence,
            positions: position..<max(position, anchor.end.nextPosition), mayBeMore: true)
    }

    /// The file that has the entries of a run now; `nil` where they are gone.
    ///
    /// Beside a writer runs are merged, with all their entries; before segments are rewritten they
    /// are removed.
    private func holder(of run: IndexRun) throws(LogError) -> String? {
        let listed: [IndexListing.Run]
        do {
            listed = try IndexRun.list(directory).runs
        } catch {
            throw .system(error)
        }
        let holder = listed.first {
            $0.range.first <= run.range.first && run.range.last <= $0.range.last
        }
        guard let holder, holder.name == run.name else { return holder?.name }
        return isThere(run) ? run.name : nil
    }

    /// Whether the file of a run is still there.
    ///
    /// Made anew under the same name, it is another one. Where it cannot be read any more, it is the
    /// one that was.
    private func isThere(_ run: IndexRun) -> Bool {
        do {
            let now = try IndexRun.open(directory, name: run.name, storeID: identity.storeID)
            return now.header == run.header
        } catch {
            if case .system(let failure) = error { return failure.kind != .notFound }
            return true
        }
    }
}

extension IndexRun {
    /// The number of the segment in which the run ends, as it says itself.
    fileprivate var segmentOfEnd: UInt32? { (try? decodedAnchor())?.end.segment }
}

extension IndexComparison.Part {
    /// In what the run differs from the log.
    fileprivate var difference: String {
        if !listed.isInOrder {
            return "some of its entries are in another order than the log has them"
        }
        if listed.count == held.count {
            return "some of its \(listed.count) entries are not what the log holds"
        }
        return "it has \(listed.count) entries where the log holds \(held.count)"
    }
}

/// The number of some entries of an index and a sum that hardly any others have.
struct IndexSum: Equatable {
    private(set) var count: UInt64 = 0
    private var sum: UInt64 = 0
    /// Whether the entries of each key come in the order of the log, on which reads rely.
    private(set) var isInOrder = true

    /// Notes that an entry of a run comes before one that lies before it in the log.
    mutating func noteDisorder() { isInOrder = false }

    mutating func add(_ entry: IndexEntry, under key: UInt64) {
        let place = entry.place
        var hash = mix(key)
        hash = mix(hash ^ entry.number)
        hash = mix(hash ^ (UInt64(place.segment) << 32 | UInt64(place.offset)))
        hash = mix(hash ^ (UInt64(place.frame) << 32 | UInt64(place.index)))
        sum &+= hash
        count += 1
    }
}

/// The output function of SplitMix64, by Steele, Lea and Flood.
private func mix(_ number: UInt64) -> UInt64 {
    var number = number &+ 0x9E37_79B9_7F4A_7C15
    number = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
    number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
    return number ^ number >> 31
}

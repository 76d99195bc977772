import WellspringLog

/// Writes what is indexed in memory to runs, and makes one run of several, in the background.
///
/// A failure costs memory and a slower opening, never an event: what could not be written stays in
/// memory and is tried again after the next part.
final class IndexKeeper: Sendable {
    private let index: LogIndex
    private let directory: any StoreDirectory
    private let storeID: StoreUUID
    private let onFailure: @Sendable (_ reason: String) -> Void
    private let worker: Guarded<(any LogWorker)?>
    /// Held by whoever changes the parts.
    private let changing = Guarded(())

    /// So many runs of about the same size become one.
    private static let fanIn = 4
    /// Runs with fewer entries than this count as being of one size.
    private static let smallestTier: UInt64 = 1 << 14

    /// How many damaged runs are made again in one go.
    private static let mostRebuilt = 4

    private let fault: PlantedFault?
    /// Makes of the log what a damaged run should hold.
    private let rebuild: Rebuild

    typealias Rebuild = @Sendable (LogIndex.Rebuilding) throws(LogError) -> [LogIndex.Part]

    init(
        _ index: LogIndex, in directory: any StoreDirectory, storeID: StoreUUID,
        fault: PlantedFault?, rebuild: @escaping Rebuild,
        onFailure: @escaping @Sendable (_ reason: String) -> Void
    ) {
        self.fault = fault
        self.rebuild = rebuild
        self.onFailure = onFailure
        self.index = index
        self.directory = directory
        self.storeID = storeID
        worker = Guarded(nil)
    }

    /// Starts the thread.
    func start() {
        let started = directory.makeWorker(named: "wellspring-index") { [weak self] _ in
            self?.work()
        }
        worker.withLock { $0 = started }
    }

    /// Has the parts in memory written soon.
    func wake() {
        worker.withLock { $0 }?.wake()
    }

    /// Ends the thread, after what it is at.
    func stop() {
        worker.withLock { worker in
            defer { worker = nil }
            return worker
        }?.stop()
    }

    /// Writes all parts that are in memory, and merges runs where there are too many.
    func work() {
        let failure = changing.withLock { _ -> IndexError? in
            var rebuilt = 0
            while let failure = writeAndMerge() {
                // Left where it is, a damaged run would stop every later merge.
                guard rebuilt < Self.mostRebuilt, let file = failure.unusableFile,
                    (try? rebuildRun(file)) == true
                else { return failure }
                rebuilt += 1
            }
            return nil
        }
        if let failure { onFailure("\(failure)") }
    }

    private func writeAndMerge() -> IndexError? {
        do {
            try writeParts()
            try mergeRuns()
            return nil
        } catch {
            return IndexError(error, in: IndexRunName.directory)
        }
    }

    /// Removes what no longer belongs to the index, or never did.
    ///
    /// Runs stay that may be sound: where one could not be read, the next opening will tell.
    ///
    /// - Returns: The names of the files that are gone.
    func removeOthers() -> [String] {
        changing.withLock { _ in
            guard let listing = try? IndexRun.list(directory) else { return [] }
            let used = Set(index.runs.map(\.name))
            let others = listing.runs.map(\.name).filter { !used.contains($0) }
            let useless = index.unread.isEmpty ? listing.leftovers + others : listing.leftovers
            return useless.filter { (try? directory.remove($0)) != nil }
        }
    }

    /// Replaces a damaged run by what the log says.
    ///
    /// Nothing happens when somebody else has done so already.
    func replace(_ name: String) throws(LogError) {
        _ = try changing.withLock { (_) throws(LogError) in try rebuildRun(name) }
        // In a fork of the process the thread is gone and the files are the parent's.
        if !directory.isForked { wake() }
    }

    /// Returns whether the index knew the run.
    private func rebuildRun(_ name: String) throws(LogError) -> Bool {
        guard let damaged = index.rebuilding(name) else { return false }
        index.replace([damaged.run.range], by: try rebuild(damaged))
        if !directory.isForked { try? damaged.run.remove() }
        return true
    }

    // MARK: - Writing

    private func writeParts() throws(SystemError) {
        while case .memory(let memory, let range, let anchor)? = index.firstInMemory {
            var encoded = ByteWriter()
            anchor.encode(into: &encoded)
            let lists = memory.sorted()
            let writer = try IndexRunWriter(
                in: directory, storeID: storeID, range: range, level: 0, anchor: encoded.bytes,
                keyEstimate: lists.count)
            for list in lists { try writer.append(key: list.key, list.entries) }
            index.replace([range], by: [.run(try writer.finish())])
        }
    }

    /// Merges the newest runs while there are several of about one size.
    private func mergeRuns() throws(IndexError) {
        while let runs = Self.mergeable(index.runs) {
            let kept = fault == .mergeDropsRun ? Array(runs.dropFirst()) : runs
            let merged = try IndexRun.merge(
                kept, in: directory, level: (runs.map(\.level).max() ?? 0) + 1)
            index.replace(runs.map(\.range), by: [.run(merged)])
            for run in runs { try? run.remove() }
        }
    }

    /// The newest runs that should become one: each tier takes in the smaller ones behind it.
    private static func mergeable(_ runs: [IndexRun]) -> [IndexRun]? {
        var limit = smallestTier
        while true {
            let small = runs.reversed().prefix { $0.entryCount < limit }
            if small.count >= fanIn { return small.reversed() }
            if small.count == runs.count { return nil }
            limit = limit.multipliedReportingOverflow(by: UInt64(fanIn)).partialValue
            if limit < smallestTier { return nil }
        }
    }
}

extension LogIndex {
    /// A run that has to be made again, with what comes before it.
    struct Rebuilding {
        let run: IndexRun
        /// Where the part before it ends; `nil` at the beginning of the log.
        let start: LogAnchor?
    }

    /// The runs, oldest first.
    var runs: [IndexRun] {
        contents.withLock { contents in
            contents.parts.compactMap { if case .run(let run) = $0 { run } else { nil } }
        }
    }

    fileprivate var firstInMemory: Part? {
        contents.withLock { contents in
            contents.parts.first { if case .memory = $0 { true } else { false } }
        }
    }

    func rebuilding(_ name: String) -> Rebuilding? {
        contents.withLock { contents in
            var start: LogAnchor?
            for part in contents.parts {
                if case .run(let run) = part, run.name == name {
                    return Rebuilding(run: run, start: start)
                }
                start = part.anchor
            }
            return nil
        }
    }

    /// Puts parts in the place of those that cover `ranges`.
    func replace(_ ranges: [IndexRange], by made: [Part]) {
        contents.withLock { contents in
            guard
                let place = contents.parts.firstIndex(where: { ranges.contains($0.range) })
            else { return }
            contents.parts.removeAll { ranges.contains($0.range) }
            contents.parts.insert(contentsOf: made, at: place)
        }
    }
}

extension LogIndex.Part {
    /// Where the part ends.
    var anchor: LogAnchor? {
        switch self {
        case .run(let run): try? run.decodedAnchor()
        case .memory(_, _, let anchor): anchor
        }
    }
}

extension IndexError {
    /// The file that is damaged, or that the medium does not give back: neither helps any more.
    fileprivate var unusableFile: String? {
        switch self {
        case .damaged(let file, _, _), .misplaced(let file, _, _): file
        case .unsupported: nil
        case .system(let error): error.kind == .io ? error.file : nil
        }
    }
}

extension IndexError: CustomStringConvertible {
    /// What is wrong, and where.
    var description: String {
        switch self {
        case .damaged(let file, let offset, let reason),
            .misplaced(let file, let offset, let reason):
            "\(file) at byte \(offset): \(reason)"
        case .unsupported(let file, let reason):
            "\(file) was written by a newer version: \(reason)"
        case .system(let error): "\(error)"
        }
    }
}

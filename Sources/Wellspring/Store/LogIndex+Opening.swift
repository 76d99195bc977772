import WellspringLog

extension LogIndex {
    /// Where a chain of runs that begins with the log ends.
    struct Chain {
        /// The last sequence that is indexed.
        var covered: UInt64 = 0
        /// The place behind it; `nil` at the beginning of the log.
        var end: LogAnchor?
    }

    /// Opens the runs that index this log, from its beginning on without gaps.
    ///
    /// Runs that are damaged, or belong to another history of the log, are left out.
    func open(of log: LogOutline) -> Chain {
        var chain = Chain()
        var parts: [Part] = []
        var unread: [String] = []
        let listed = list(log.directory, unread: &unread)
        while let (run, anchor) = run(
            after: chain.covered, in: listed, of: log, unread: &unread)
        {
            parts.append(.run(run))
            chain = Chain(covered: run.range.last, end: anchor)
        }
        contents.withLock { contents in
            contents.unread = unread
            contents.parts = parts
            contents.covered = chain.covered
        }
        return chain
    }

    /// The longest sound run that goes on where the ones before it end.
    ///
    /// - Parameter unread: Takes the names of those of which nobody knows, because the machine failed.
    func run(
        after covered: UInt64, in listed: [IndexListing.Run], of log: LogOutline,
        unread: inout [String]
    ) -> (IndexRun, LogAnchor)? {
        let last = fault == .bridgeIndexGap ? UInt64.max : covered + 1
        for candidate in listed where (covered + 1...last).contains(candidate.range.first) {
            do {
                if let sound = try open(candidate, of: log) { return sound }
            } catch {
                unread.append(candidate.name)
            }
        }
        return nil
    }

    private func list(
        _ directory: any StoreDirectory, unread: inout [String]
    ) -> [IndexListing.Run] {
        do {
            return try IndexRun.list(directory).runs
        } catch {
            unread.append(IndexRunName.directory)
            return []
        }
    }

    /// Opens a run; `nil` if it is damaged or belongs to another history of the log.
    ///
    /// - Throws: When the machine failed, so that nobody knows.
    private func open(
        _ listed: IndexListing.Run, of log: LogOutline
    ) throws(SystemError) -> (IndexRun, LogAnchor)? {
        let run: IndexRun
        do {
            run = try IndexRun.open(log.directory, name: listed.name, storeID: log.storeID)
        } catch {
            if case .system(let failure) = error { throw failure }
            return nil
        }
        return try run.anchor(in: log, orAny: fault == .believeForeignIndex).map { (run, $0) }
    }

    /// Runs that opening left out and that may be sound, or their directory.
    var unread: [String] { contents.withLock { $0.unread } }

    /// Says that what is added from now on follows `sequence`.
    func begin(after sequence: UInt64) {
        contents.withLock { $0.covered = sequence }
    }

    /// Adds parts that were made again, where they belong.
    func insert(_ made: [Part]) {
        contents.withLock { contents in
            contents.parts = (contents.parts + made).sorted { $0.range.first < $1.range.first }
        }
    }
}

extension IndexRun {
    /// The place at which the run ends; `nil` where it is not of this history of the log.
    func anchor(
        in log: LogOutline, orAny believes: Bool = false
    ) throws(SystemError) -> LogAnchor? {
        guard let anchor = try? decodedAnchor(), anchor.end.sequence == range.last,
            try log.holds(anchor) || believes
        else { return nil }
        return anchor
    }

    /// The place in the log at which the run ends.
    func decodedAnchor() throws(MalformedBody) -> LogAnchor {
        try anchor.withUnsafeBufferPointer { (bytes) throws(MalformedBody) in
            try LogAnchor(decoding: UnsafeRawBufferPointer(bytes))
        }
    }
}

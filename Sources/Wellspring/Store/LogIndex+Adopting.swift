import WellspringLog

extension LogIndex {
    /// Runs that a writer has made meanwhile, and what they are taken over for.
    struct Adoption {
        fileprivate var runs: [Part]
        /// The parts that were there first when the runs were looked for.
        fileprivate var replaced: [IndexRange]
    }

    /// Takes over runs that a writer has made meanwhile of what is indexed in memory here, or of
    /// several runs.
    ///
    /// One caller at a time, the one who adds.
    func adoptRuns(of log: LogOutline) {
        if let adoption = adoption(of: log) { adopt(adoption) }
    }

    /// Looks for runs to take over; `nil` when there are none.
    func adoption(of log: LogOutline) -> Adoption? {
        let listed = (try? IndexRun.list(log.directory))?.runs ?? []
        let parts = contents.withLock { $0.parts }
        guard listed.map(\.range) != parts.map(\.range) else { return nil }
        var chain: [IndexRun] = []
        // There will be another occasion for those.
        var unread: [String] = []
        // Runs end in the midst of segments too; what is in memory can be replaced only whole.
        var replaced: (runs: Int, parts: Int) = (0, 0)
        while let (run, _) = run(
            after: chain.last?.range.last ?? 0, in: listed, of: log, unread: &unread)
        {
            chain.append(run)
            if let part = parts.firstIndex(where: { $0.range.last == run.range.last }) {
                replaced = (chain.count, part + 1)
            }
        }
        let adopted = chain.prefix(replaced.runs).map { Part.run($0) }
        let known = Set(parts.prefix(replaced.parts).compactMap(\.runName))
        guard !adopted.allSatisfy({ known.contains($0.runName ?? "") }) else { return nil }
        return Adoption(runs: adopted, replaced: parts.prefix(replaced.parts).map(\.range))
    }

    /// Takes the runs over, unless a damaged one was made anew meanwhile by somebody who read it.
    ///
    /// Then some of it would be there twice. The next segment is another occasion.
    func adopt(_ adoption: Adoption) {
        contents.withLock { contents in
            let count = adoption.replaced.count
            guard contents.parts.prefix(count).map(\.range) == adoption.replaced else { return }
            contents.parts = adoption.runs + contents.parts.dropFirst(count)
        }
    }
}

extension LogIndex.Part {
    fileprivate var runName: String? {
        if case .run(let run) = self { run.name } else { nil }
    }
}

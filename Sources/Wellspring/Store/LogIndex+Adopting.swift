import WellspringLog

extension LogIndex {
    /// Takes over runs that a writer has made meanwhile of what is indexed in memory here, or of
    /// several runs.
    ///
    /// One caller at a time, the one who adds.
    func adoptRuns(of log: LogOutline) {
        let listed = (try? IndexRun.list(log.directory))?.runs ?? []
        let parts = contents.withLock { $0.parts }
        guard listed.map(\.range) != parts.map(\.range) else { return }
        var chain: [IndexRun] = []
        // Runs end in the midst of segments too; what is in memory can be replaced only whole.
        var replaced: (runs: Int, parts: Int) = (0, 0)
        while let (run, _) = run(after: chain.last?.range.last ?? 0, in: listed, of: log) {
            chain.append(run)
            if let part = parts.firstIndex(where: { $0.range.last == run.range.last }) {
                replaced = (chain.count, part + 1)
            }
        }
        let adopted = chain.prefix(replaced.runs).map { Part.run($0) }
        let known = Set(parts.prefix(replaced.parts).compactMap(\.runName))
        guard !adopted.allSatisfy({ known.contains($0.runName ?? "") }) else { return }
        contents.withLock { contents in
            contents.parts = adopted + contents.parts.dropFirst(replaced.parts)
        }
    }
}

extension LogIndex.Part {
    fileprivate var runName: String? {
        if case .run(let run) = self { run.name } else { nil }
    }
}

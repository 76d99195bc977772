/// The open files of the segments, for readers on any thread.
///
/// A file is closed when nobody holds it any more, never while a reader is at work on it.
final class SegmentFiles: Sendable {
    /// How many sealed segments are kept open.
    static let openLimit = 64

    fileprivate struct State {
        var active: (number: UInt32, file: any StoreFile)?
        var first: UInt32 = 1
        var sealed: [UInt32: (file: any StoreFile, lastUse: UInt64)] = [:]
        var uses: UInt64 = 0
        var isClosed = false
    }

    private let directory: any StoreDirectory
    private let state: Guarded<State>

    init(_ directory: any StoreDirectory) {
        self.directory = directory
        state = Guarded(State())
    }

    /// The numbers of the first and the last segment.
    var range: ClosedRange<UInt32> {
        state.withLock { state in
            let last = state.active?.number ?? state.first
            return min(state.first, last)...last
        }
    }

    /// Makes `file` the one that is written to.
    func begin(_ number: UInt32, file: any StoreFile, first: UInt32? = nil) {
        state.withLock { state in
            state.active = (number, file)
            if let first { state.first = first }
        }
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
    func file(of number: UInt32) throws(LogError) -> any StoreFile {
        let name = LogLayout.segment(number)
        let known = state.withLock { state in
            (file: state.find(number), isClosed: state.isClosed, exists: state.holds(number))
        }
        guard !known.isClosed else { throw .closed }
        if let file = known.file { return file }
        guard known.exists else {
            throw .damaged(LogDamage(file: name, offset: 0, reason: "there is no such segment"))
        }
        do {
            let file = try openingFiles { () throws(SystemError) in
                try directory.open(name, .read)
            }
            keep(file, as: number)
            return file
        } catch {
            guard error.kind != .notFound else {
                throw .damaged(LogDamage(file: name, offset: 0, reason: "the file is missing"))
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

    private func keep(_ file: any StoreFile, as number: UInt32) {
        let evicted = state.withLock { state -> (any StoreFile)? in
            guard !state.isClosed else { return nil }
            state.uses += 1
            state.sealed[number] = (file, state.uses)
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

    fileprivate func holds(_ number: UInt32) -> Bool {
        guard let active else { return false }
        return number >= first && number <= active.number
    }
}

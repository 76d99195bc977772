import WellspringLog

/// A disk in memory that can lose power at any moment, fail, lie and rot.
///
/// What a real disk does to a program once in years, this one does at every operation of a test, and
/// always the same for the same seed:
///
///     let disk = SimulatedDisk(seed: 7)
///     disk.inject(.powerCut(at: 40))
///     runTheProgram(on: disk)
///     disk.crash()
///     checkThatNothingIsLost(on: disk)
///
/// Only what was synced is sure to survive a crash. Of everything else chance decides: for every
/// sector of 512 bytes by itself, which of the contents that were written since the last sync is
/// left; for every file, which size between those that it had; for every name, which of the files it
/// stood for. Made, renamed and removed files are durable only once their directory was synced.
///
/// One guarantee is taken for granted, as SQLite does: a sector that is being written when the power
/// goes holds its old or its new content, and other sectors are not touched. Set ``tearsSectors``
/// to do without it.
///
/// A disk holds one store. Its clock stands still until ``advanceClock(nanoseconds:)`` or a
/// ``Fault/delay(nanoseconds:operations:from:_:)`` moves it; the store's thread is the one that calls
/// the store, and timers run in ``fireTimers()``.
public final class SimulatedDisk: Sendable {
    let core: Guarded<SimulatedDiskCore>

    /// Makes an empty disk.
    ///
    /// - Parameter seed: Decides everything that is left to chance.
    public convenience init(seed: UInt64 = 1) {
        self.init(SimulatedDiskCore(state: SimulatedDiskState(), seed: seed))
    }

    init(_ core: sending SimulatedDiskCore) {
        self.core = Guarded(core)
    }

    // MARK: - Crashes

    /// What survives a crash of that which was not synced.
    public enum Survival: Hashable, Sendable {
        /// Chance decides, by sector, size and name.
        case chance
        /// Nothing does.
        case nothing
        /// Everything does, as when only the process is killed.
        case everything
        /// All sizes and names do, and exactly one sector.
        case oneSector
    }

    /// Turns the power off and on again.
    ///
    /// Whatever was open is not any more, the lock is free, and injected faults are gone. A store that
    /// was open finds out at its next call: appends and `sync()` fail, and `close()` returns.
    ///
    /// - Parameter survival: What is left of that which was not synced.
    public func crash(keeping survival: Survival = .chance) {
        let workers = core.withLock { $0.crash(survival) }
        // Not before the lock is free: what a worker holds may need it to go.
        withExtendedLifetime(workers) {}
    }

    /// Returns another disk, which holds what this one would after a crash now.
    ///
    /// This disk goes on as if nothing had happened, so that one run can be continued in many ways.
    ///
    /// - Parameters:
    ///   - survival: What is left of that which was not synced.
    ///   - seed: Decides what is left to chance, on the new disk too.
    /// - Returns: The new disk, with nothing open and no faults.
    public func afterCrash(keeping survival: Survival = .chance, seed: UInt64) -> SimulatedDisk {
        SimulatedDisk(core.withLock { $0.afterCrash(survival, seed: seed) })
    }

    /// Whether a crash also fills one of the sectors that were being written with noise, and with it
    /// the page of 4096 bytes that it lies in: on many disks that is a sector.
    ///
    /// Off by default, because today's disks do not do it. A store that shares a page between
    /// commits cannot keep its promises on such a disk.
    public var tearsSectors: Bool {
        get { core.withLock { $0.tearsSectors } }
        set { core.withLock { $0.tearsSectors = newValue } }
    }

    // MARK: - Faults

    /// The kind of network file system that the disk pretends to be, for example `nfs4`; `nil` for
    /// none.
    ///
    /// It goes on working like a disk of this machine.
    public var networkFileSystem: String? {
        get { core.withLock { $0.networkFileSystem } }
        set { core.withLock { $0.networkFileSystem = newValue } }
    }

    /// Has operations go wrong.
    public func inject(_ fault: Fault) {
        core.withLock { $0.faults.append(fault) }
    }

    /// Has no more operations go wrong, and gives the disk all the room there is.
    ///
    /// What was lost stays lost.
    public func heal() {
        core.withLock {
            $0.faults = []
            $0.capacity = nil
        }
    }

    /// How many bytes the files may have together before writing fails; `nil` for any number.
    public var capacity: Int? {
        get { core.withLock { $0.capacity } }
        set { core.withLock { $0.capacity = newValue } }
    }

    /// Turns one bit of a file over, on the disk and in memory.
    ///
    /// Does nothing when there is no such byte.
    public func flipBit(_ bit: Int, ofByte offset: Int, in file: String) {
        core.withLock { core in
            guard let node = core.state.file(named: file) else { return }
            core.state.change(node) { file in
                if (0..<file.size).contains(offset) { file.flip(bit: bit & 7, ofByte: offset) }
            }
        }
    }

    // MARK: - Looking at it

    /// How many operations there were.
    ///
    /// The next one has this number.
    public var operationCount: Int { core.withLock { $0.operationCount } }

    /// The operations since the disk was made or crashed, oldest first.
    public var operations: [Operation] { core.withLock { $0.operations } }

    /// The names of all files, relative to the store, in order.
    public var fileNames: [String] { core.withLock { $0.state.fileNames } }

    /// Returns what is in a file, or `nil` when there is none of that name.
    public func contents(of file: String) -> [UInt8]? {
        core.withLock { core in
            core.state.file(named: file).flatMap { core.state.files[$0]?.contents }
        }
    }

    /// Puts a file on the disk as if it had always been there, or takes one away for `nil`.
    public func replaceContents(of file: String, with contents: [UInt8]?) {
        core.withLock { $0.replaceContents(of: file, with: contents) }
    }

    // MARK: - Time

    /// Moves the disk's clock, which stands still otherwise, unless operations are slow.
    ///
    /// It may go backwards.
    public func advanceClock(nanoseconds: Int64) {
        core.withLock { $0.clock &+= nanoseconds }
    }

    /// Has the time of every timer come that a store on this disk has set.
    public func fireTimers() {
        let workers = core.withLock { $0.workers }
        for worker in workers { worker.fireTimer() }
    }
}

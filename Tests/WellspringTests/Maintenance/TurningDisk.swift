import WellspringLog
import WellspringTestKit

/// A disk on which another process goes on by some operations each time a file is opened or listed.
final class TurningDisk: FileSystem {
    private let disk: SimulatedDisk
    private let state: Guarded<(rest: ArraySlice<SimulatedDisk.Moment>, pace: Int)>

    init(_ disk: SimulatedDisk, through moments: [SimulatedDisk.Moment], pace: Int) {
        self.disk = disk
        state = Guarded((moments[...], max(1, pace)))
        if let first = moments.first { disk.turn(to: first) }
    }

    fileprivate func turn() {
        state.withLock { state in
            state.rest = state.rest.dropFirst(state.pace)
            if let now = state.rest.first { disk.turn(to: now) }
        }
    }

    func openStore(
        at path: String, create: Bool
    ) throws(SystemError) -> any StoreDirectory {
        TurningDirectory(try disk.openStore(at: path, create: create), self)
    }
}

private final class TurningDirectory: StoreDirectory {
    private let base: any StoreDirectory
    private let disk: TurningDisk

    init(_ base: any StoreDirectory, _ disk: TurningDisk) {
        self.base = base
        self.disk = disk
    }

    var path: String { base.path }
    var isForked: Bool { base.isForked }
    var networkFileSystem: String? { base.networkFileSystem }
    var syncsReachMedium: Bool { base.syncsReachMedium }
    var processID: Int32 { base.processID }
    func wallClock() -> Int64 { base.wallClock() }
    func random() -> UInt64 { base.random() }

    func makeWorker(
        named name: String, body: @escaping @Sendable (WorkerSignal) -> Void
    ) -> any LogWorker { base.makeWorker(named: name, body: body) }

    func list(_ directory: String?) throws(SystemError) -> [String] {
        disk.turn()
        return try base.list(directory)
    }

    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        disk.turn()
        return try base.open(name, mode)
    }

    func makeDirectory(_ name: String) throws(SystemError) { try base.makeDirectory(name) }
    func remove(_ name: String) throws(SystemError) { try base.remove(name) }
    func rename(_ old: String, to new: String) throws(SystemError) {
        try base.rename(old, to: new)
    }
    func syncDirectory(_ directory: String?) throws(SystemError) {
        try base.syncDirectory(directory)
    }
    func lock(_ name: String, owner: String) throws(SystemError) -> LockOutcome {
        try base.lock(name, owner: owner)
    }
}

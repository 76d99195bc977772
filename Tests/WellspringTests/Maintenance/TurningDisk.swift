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

private final class TurningDirectory: ForwardingDirectory {
    let base: any StoreDirectory
    private let disk: TurningDisk

    init(_ base: any StoreDirectory, _ disk: TurningDisk) {
        self.base = base
        self.disk = disk
    }

    func list(_ directory: String?) throws(SystemError) -> [String] {
        disk.turn()
        return try base.list(directory)
    }

    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        disk.turn()
        return try base.open(name, mode)
    }
}

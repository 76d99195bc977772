/// One directory of the simulated disk: which names a process sees, and which a crash may leave.
///
/// Every name stands by itself until the directory is synced. After a renaming, a crash may leave
/// both names, either or none: no file system promises more for two names, and a program that
/// survives this survives all of them.
struct SimulatedDirectory {
    /// The files and directories that a process sees, by their numbers.
    private(set) var live: [String: Int] = [:]
    private(set) var durable: [String: Int] = [:]
    /// What a name stood for since the last sync, oldest first; `nil` for nothing.
    private(set) var unsynced: [String: [Int?]] = [:]

    mutating func set(_ name: String, to node: Int?) {
        live[name] = node
        unsynced[name, default: []].append(node)
    }

    mutating func sync() {
        for (name, versions) in unsynced { durable[name] = versions[versions.count - 1] }
        unsynced = [:]
    }

    /// Whether a crash changes nothing.
    var isSettled: Bool { unsynced.isEmpty }

    func afterCrash(version: (_ name: String, _ count: Int) -> Int) -> SimulatedDirectory {
        var result = SimulatedDirectory()
        result.durable = durable
        for (name, versions) in unsynced {
            let kept = version(name, versions.count)
            if kept > 0 { result.durable[name] = versions[kept - 1] }
        }
        result.live = result.durable
        return result
    }
}

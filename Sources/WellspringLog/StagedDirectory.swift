/// A directory in which a store is made that nobody may take for one before it is whole.
///
/// `STORE`, `MANIFEST` and the segments have other names until `publish()`. What a crash leaves is
/// no store to anybody. The clock is set by whoever copies, so that frames keep their times.
package final class StagedDirectory: ForwardingDirectory {
    package let base: any StoreDirectory
    private let time: Guarded<Int64>

    private static let suffix = ".part"

    package init(_ base: any StoreDirectory) {
        self.base = base
        time = Guarded(base.wallClock())
    }

    /// Sets the clock, by which frames are dated.
    package func setClock(_ now: Int64) { time.withLock { $0 = now } }

    /// Gives all files their names, `STORE` last, and makes that durable.
    package func publish() throws(SystemError) {
        for name in try base.list(LogLayout.segments) where name.hasSuffix(Self.suffix) {
            let path = LogLayout.segments + "/" + name
            try base.rename(path, to: String(path.dropLast(Self.suffix.count)))
        }
        try base.syncDirectory(LogLayout.segments)
        try base.rename(Manifest.fileName + Self.suffix, to: Manifest.fileName)
        try base.syncDirectory(nil)
        try base.rename(StoreIdentity.fileName + Self.suffix, to: StoreIdentity.fileName)
        try base.syncDirectoryTwice(nil)
    }

    /// Whether a file has another name until all are there.
    private static func isStaged(_ name: String) -> Bool {
        name == StoreIdentity.fileName || name == Manifest.fileName || name.hasSuffix(".seg")
    }

    private static func staged(_ name: String) -> String {
        isStaged(name) ? name + suffix : name
    }

    private static func plain(_ name: String) -> String {
        guard name.hasSuffix(suffix) else { return name }
        let plain = String(name.dropLast(suffix.count))
        return isStaged(plain) ? plain : name
    }

    // MARK: - StoreDirectory

    package func wallClock() -> Int64 { time.withLock { $0 } }

    package func list(_ directory: String?) throws(SystemError) -> [String] {
        try base.list(directory).map(Self.plain)
    }

    package func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        try base.open(Self.staged(name), mode)
    }

    package func rename(_ old: String, to new: String) throws(SystemError) {
        try base.rename(Self.staged(old), to: Self.staged(new))
    }

    package func remove(_ name: String) throws(SystemError) {
        try base.remove(Self.staged(name))
    }
}

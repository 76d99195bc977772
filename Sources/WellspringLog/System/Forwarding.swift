/// A directory of a store that hands everything on to another one, but for what it says itself.
///
/// For whoever changes a few operations: files that are staged, watched, or made to fail.
package protocol ForwardingDirectory: StoreDirectory {
    var base: any StoreDirectory { get }
}

extension ForwardingDirectory {
    package var path: String { base.path }
    package var isForked: Bool { base.isForked }
    package var syncsReachMedium: Bool { base.syncsReachMedium }
    package var networkFileSystem: String? { base.networkFileSystem }
    package var processID: Int32 { base.processID }
    package func wallClock() -> Int64 { base.wallClock() }
    package func random() -> UInt64 { base.random() }

    package func list(_ directory: String?) throws(SystemError) -> [String] {
        try base.list(directory)
    }

    package func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        try base.open(name, mode)
    }

    package func makeDirectory(_ name: String) throws(SystemError) {
        try base.makeDirectory(name)
    }

    package func rename(_ old: String, to new: String) throws(SystemError) {
        try base.rename(old, to: new)
    }

    package func remove(_ name: String) throws(SystemError) { try base.remove(name) }

    package func syncDirectory(_ directory: String?) throws(SystemError) {
        try base.syncDirectory(directory)
    }

    package func lock(_ name: String, owner: String) throws(SystemError) -> LockOutcome {
        try base.lock(name, owner: owner)
    }

    package func makeWorker(
        named name: String, body: @escaping @Sendable (WorkerSignal) -> Void
    ) -> any LogWorker {
        base.makeWorker(named: name, body: body)
    }
}

/// A file that hands everything on to another one, but for what it says itself.
package protocol ForwardingFile: StoreFile {
    var base: any StoreFile { get }
}

extension ForwardingFile {
    package func size() throws(SystemError) -> UInt64 { try base.size() }

    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        try base.read(into: buffer, at: offset)
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        try base.write(bytes, at: offset)
    }

    package func sync() throws(SystemError) { try base.sync() }
    package func truncate(to size: UInt64) throws(SystemError) { try base.truncate(to: size) }
    package func dropCache() { base.dropCache() }
    package func linkCount() throws(SystemError) -> Int { try base.linkCount() }
    package func close() { base.close() }
}

import WellspringLog
import WellspringTestKit

/// Files as they are, but for what a test does when some are opened or read.
struct HookedFiles: FileSystem {
    let base: SimulatedDisk
    /// Called before a file is opened.
    var onOpen: @Sendable (_ name: String, _ mode: FileMode) -> Void = { _, _ in }
    /// Why a read of a file from an offset on fails; `nil` where it does not.
    var failure: @Sendable (_ name: String, _ offset: UInt64) -> SystemError? = { _, _ in nil }

    init(_ base: SimulatedDisk) { self.base = base }

    /// What a sector says that cannot be read.
    static func unreadable(_ name: String) -> SystemError {
        SystemError(call: "pread", file: name, code: 5, kind: .io)
    }

    func openStore(at path: String, create: Bool) throws(SystemError) -> any StoreDirectory {
        HookedDirectory(try base.openStore(at: path, create: create), self)
    }
}

private final class HookedDirectory: StoreDirectory {
    private let base: any StoreDirectory
    private let files: HookedFiles

    init(_ base: any StoreDirectory, _ files: HookedFiles) {
        self.base = base
        self.files = files
    }

    var path: String { base.path }
    var isForked: Bool { base.isForked }
    var processID: Int32 { base.processID }
    var networkFileSystem: String? { base.networkFileSystem }
    var syncsReachMedium: Bool { base.syncsReachMedium }
    func wallClock() -> Int64 { base.wallClock() }
    func random() -> UInt64 { base.random() }
    func makeDirectory(_ name: String) throws(SystemError) { try base.makeDirectory(name) }
    func remove(_ name: String) throws(SystemError) { try base.remove(name) }
    func list(_ directory: String?) throws(SystemError) -> [String] { try base.list(directory) }
    func rename(_ old: String, to new: String) throws(SystemError) {
        try base.rename(old, to: new)
    }
    func syncDirectory(_ directory: String?) throws(SystemError) {
        try base.syncDirectory(directory)
    }
    func lock(_ name: String, owner: String) throws(SystemError) -> LockOutcome {
        try base.lock(name, owner: owner)
    }
    func makeWorker(
        named name: String, body: @escaping @Sendable (WorkerSignal) -> Void
    ) -> any LogWorker { base.makeWorker(named: name, body: body) }

    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        files.onOpen(name, mode)
        return HookedFile(try base.open(name, mode), name, files)
    }
}

private final class HookedFile: StoreFile {
    private let base: any StoreFile
    private let name: String
    private let files: HookedFiles

    init(_ base: any StoreFile, _ name: String, _ files: HookedFiles) {
        self.base = base
        self.name = name
        self.files = files
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        if let failure = files.failure(name, offset) { throw failure }
        return try base.read(into: buffer, at: offset)
    }

    func size() throws(SystemError) -> UInt64 { try base.size() }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        try base.write(bytes, at: offset)
    }
    func sync() throws(SystemError) { try base.sync() }
    func truncate(to size: UInt64) throws(SystemError) { try base.truncate(to: size) }
    func dropCache() { base.dropCache() }
    func linkCount() throws(SystemError) -> Int { try base.linkCount() }
    func close() { base.close() }
}

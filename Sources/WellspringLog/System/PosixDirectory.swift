#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A store's directory in the file system of the operating system.
///
/// It was opened once, and everything in it is reached from the open directory, so that a directory
/// that is renamed, or another one put in its place, changes nothing.
final class PosixDirectory: StoreDirectory {
    let path: String
    private let descriptor: Int32
    private let openedBy = getpid()
    private let syncs = SyncRecord()

    private static let ownerOnly: mode_t = 0o600

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { closeDescriptor(descriptor) }

    var isForked: Bool { getpid() != openedBy }
    var processID: Int32 { getpid() }

    var syncsReachMedium: Bool { syncs.reachMedium }
    var networkFileSystem: String? { NetworkFileSystem.kind(ofDescriptor: descriptor) }

    func wallClock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    func random() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    func makeWorker(
        named name: String, body: @escaping @Sendable (WorkerSignal) -> Void
    ) -> any LogWorker {
        PosixWorker.start(named: name, body: body)
    }

    /// Somebody else's directory is theirs to change under our hands.
    func refuseForeignOwner() throws(SystemError) {
        var status = stat()
        try retrying("fstat", "") { fstat(descriptor, &status) }
        guard status.st_uid == geteuid() else {
            throw SystemError(call: "open", file: path, code: EACCES)
        }
    }

    func makeDirectory(_ name: String) throws(SystemError) {
        do throws(SystemError) {
            try retrying("mkdirat", name) { mkdirat(descriptor, name, 0o700) }
        } catch {
            guard error.kind == .exists else { throw error }
        }
    }

    func list(_ directory: String?) throws(SystemError) -> [String] {
        let name = directory ?? "."
        let listed = try retrying("openat", name) {
            openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        guard let stream = fdopendir(listed) else {
            let failure = SystemError.last("fdopendir", name)
            closeDescriptor(listed)
            throw failure
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw .last("readdir", name) }
                return names
            }
            guard let start = MemoryLayout<dirent>.offset(of: \.d_name) else { continue }
            let bytes = UnsafeRawPointer(entry).advanced(by: start)
                .assumingMemoryBound(to: CChar.self)
            let found = String(cString: bytes)
            if found != ".", found != ".." { names.append(found) }
        }
    }

    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .readWrite: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            }
        return PosixFile(descriptor: try openRegularFile(name, flags), name: name, syncs: syncs)
    }

    func rename(_ old: String, to new: String) throws(SystemError) {
        try inParent(of: old) { oldParent, oldLeaf throws(SystemError) in
            try inParent(of: new) { newParent, newLeaf throws(SystemError) in
                try retrying("renameat", old) {
                    renameat(oldParent, oldLeaf, newParent, newLeaf)
                }
            }
        }
    }

    func remove(_ name: String) throws(SystemError) {
        try inParent(of: name) { parent, leaf throws(SystemError) in
            try retrying("unlinkat", name) { unlinkat(parent, leaf, 0) }
        }
    }

    func syncDirectory(_ directory: String?) throws(SystemError) {
        guard let directory else {
            return syncs.note(try makeDurable(descriptor, ".", isDirectory: true))
        }
        try inDirectory(directory) { descriptor throws(SystemError) in
            syncs.note(try makeDurable(descriptor, directory, isDirectory: true))
        }
    }

    func lock(_ name: String, owner: String) throws(SystemError) -> LockOutcome {
        let file = try openRegularFile(name, O_RDWR | O_CREAT)
        do throws(SystemError) {
            if let token = try PosixLock.take(file, name: name) {
                try token.write(owner: owner)
                return .acquired(token)
            }
            let holder = try PosixLock.owner(writtenIn: file, name: name)
            closeDescriptor(file)
            return .held(owner: holder)
        } catch {
            closeDescriptor(file)
            throw error
        }
    }

    // MARK: - Names

    /// Opens what must be a file: no link, pipe or device that was put in its place.
    private func openRegularFile(_ name: String, _ flags: Int32) throws(SystemError) -> Int32 {
        try inParent(of: name) { parent, leaf throws(SystemError) in
            // Without O_NONBLOCK, opening a pipe would wait for its other end.
            let allFlags = flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
            let file = try retrying("openat", name) {
                openat(parent, leaf, allFlags, Self.ownerOnly)
            }
            var status = stat()
            let isFile = fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            guard isFile else {
                closeDescriptor(file)
                throw SystemError(call: "openat", file: name, code: EINVAL)
            }
            return file
        }
    }

    /// Finds the directory that `name` lies in.
    ///
    /// `O_NOFOLLOW` looks at the last part of a path only, so every part is opened by itself.
    @discardableResult
    private func inParent<Result>(
        of name: String, _ body: (Int32, String) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        guard let slash = name.lastIndex(of: "/") else { return try body(descriptor, name) }
        let leaf = String(name[name.index(after: slash)...])
        return try inDirectory(String(name[..<slash])) { parent throws(SystemError) in
            try body(parent, leaf)
        }
    }

    @discardableResult
    private func inDirectory<Result>(
        _ name: String, _ body: (Int32) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let directory = try retrying("openat", name) {
            openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        defer { closeDescriptor(directory) }
        return try body(directory)
    }
}

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The lock on a store: an advisory lock of the system, which goes away with the process however
/// that ends, and an entry in a registry of this process.
final class PosixLock: LockToken {
    /// A file by what it is rather than by its path, which may have several spellings.
    private struct Identity: Hashable {
        var device: UInt64
        var node: UInt64
        /// A fork inherits the registry, but not the locks that it tells of.
        var process: Int32
    }

    private static let held = Guarded<Set<Identity>>([])
    private static let ownerTextLimit = 512

    private let identity: Identity
    private let name: String
    /// The open lock file, until the lock is given up.
    private let descriptor: Guarded<Int32?>

    private init(_ identity: Identity, descriptor: Int32, name: String) {
        self.identity = identity
        self.name = name
        self.descriptor = Guarded(descriptor)
    }

    deinit { release() }

    /// Takes the lock on the open file, which then belongs to the lock; `nil` when it is held.
    static func take(_ file: Int32, name: String) throws(SystemError) -> PosixLock? {
        var status = stat()
        try retrying("fstat", name) { fstat(file, &status) }
        let identity = Identity(
            device: UInt64(truncatingIfNeeded: status.st_dev),
            node: UInt64(truncatingIfNeeded: status.st_ino), process: getpid())
        guard held.withLock({ $0.insert(identity).inserted }) else { return nil }
        do throws(SystemError) {
            try retrying("flock", name) { flock(file, LOCK_EX | LOCK_NB) }
            return PosixLock(identity, descriptor: file, name: name)
        } catch {
            held.withLock { _ = $0.remove(identity) }
            guard error.code == EWOULDBLOCK else { throw error }
            return nil
        }
    }

    static func owner(writtenIn file: Int32, name: String) throws(SystemError) -> String {
        var text = [UInt8](repeating: 0, count: ownerTextLimit)
        let count = try retrying("pread", name) { pread(file, &text, ownerTextLimit, 0) }
        return String(decoding: text[..<count], as: UTF8.self)
    }

    /// Says in the file who holds it.
    ///
    /// Nothing depends on the text, so it is not synced, and a disk that has no room for it is no
    /// reason to refuse.
    func write(owner: String) throws(SystemError) {
        descriptor.withLock { file in
            guard let file, ftruncate(file, 0) == 0 else { return }
            let text = Array(owner.utf8.prefix(Self.ownerTextLimit))
            _ = pwrite(file, text, text.count, 0)
        }
    }

    func release() {
        let file = descriptor.withLock { file in
            defer { file = nil }
            return file
        }
        guard let file else { return }
        // A fork shares the lock. Its copy is closed; unlocking is left to the one who locked.
        if getpid() == identity.process {
            _ = flock(file, LOCK_UN)
            Self.held.withLock { _ = $0.remove(identity) }
        }
        closeDescriptor(file)
    }
}

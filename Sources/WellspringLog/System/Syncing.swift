import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// How far a sync reaches.
enum SyncReach {
    /// What was synced survives a power cut.
    case medium
    /// The drive was not told to empty its own cache, for the file system cannot do that.
    case drive
}

/// What the syncs of one store have reached so far.
final class SyncRecord: Sendable {
    private let allReachMedium = Atomic(true)

    /// Whether every sync has reached the medium.
    var reachMedium: Bool { allReachMedium.load(ordering: .relaxed) }

    func note(_ reach: SyncReach) {
        if reach == .drive { allReachMedium.store(false, ordering: .relaxed) }
    }
}

/// Makes what `descriptor` stands for durable, in the strongest way the system has.
///
/// Apple's `fsync` leaves the data in the drive's own cache; only `F_FULLFSYNC` empties that, and not
/// every file system there has it. On Linux `fdatasync` includes every change of the size.
@discardableResult
func makeDurable(
    _ descriptor: Int32, _ file: String, isDirectory: Bool
) throws(SystemError) -> SyncReach {
    #if canImport(Darwin)
    var reach = SyncReach.medium
    let name = "fcntl(F_FULLFSYNC)"
    func attempt() -> Int32 {
        if fcntl(descriptor, F_FULLFSYNC) != -1 { return 0 }
        guard errno == ENOTSUP || errno == EINVAL || errno == ENOTTY else { return -1 }
        reach = .drive
        return fsync(descriptor)
    }
    #else
    let reach = SyncReach.medium
    let name = isDirectory ? "fsync" : "fdatasync"
    func attempt() -> Int32 { isDirectory ? fsync(descriptor) : fdatasync(descriptor) }
    #endif
    let attemptLimit = 100
    for _ in 0..<attemptLimit {
        if attempt() == 0 { return reach }
        // Any error but an interruption may have dropped the pages that were to be written, so
        // that a second call would succeed and prove nothing.
        guard errno == EINTR else { break }
    }
    throw .last(name, file)
}

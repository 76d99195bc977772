#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A value that is only touched under its lock.
///
/// The lock is a POSIX mutex rather than `Synchronization.Mutex`: uncontended it is the quicker of
/// the two on Linux, and the thread sanitizer understands it, where it reports correct uses of
/// the other as races.
///
/// Decide inside `withLock`, act outside it: never resume a continuation, call foreign code or do
/// I/O under the lock.
@usableFromInline
package final class Guarded<State>: @unchecked Sendable {
    // SAFETY: `state` is read and written only between lock and unlock of `mutex`, and both
    // pointers live as long as the object.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline let state: UnsafeMutablePointer<State>

    package init(_ initial: sending State) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        state = .allocate(capacity: 1)
        state.initialize(to: initial)
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body` with the value, alone.
    ///
    /// Inlined into other modules, for as a generic call it takes several times as long as the lock.
    @inlinable
    @inline(__always)
    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body(&state.pointee)
    }

    @usableFromInline
    func lock() { pthread_mutex_lock(mutex) }

    @usableFromInline
    func unlock() { pthread_mutex_unlock(mutex) }
}

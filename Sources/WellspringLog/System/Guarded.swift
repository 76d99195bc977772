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
package final class Guarded<State>: @unchecked Sendable {
    // SAFETY: `state` is read and written only between lock and unlock of `mutex`, and both
    // pointers live as long as the object.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let state: UnsafeMutablePointer<State>

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
    @inline(__always)
    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state.pointee)
    }
}

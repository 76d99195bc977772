#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A thread of the operating system that sleeps until it is woken or its timer is due.
final class PosixWorker: LogWorker {
    private let core: WorkerCore
    private let thread: ThreadHandle
    private let startedBy = getpid()
    private let isStopped = Guarded(false)

    private init(core: WorkerCore, thread: ThreadHandle) {
        self.core = core
        self.thread = thread
    }

    deinit { stop() }

    /// Starts a thread that calls `body`, or does without one of its own when the machine has none
    /// left.
    static func start(
        named name: String, body: @escaping @Sendable (WorkerSignal) -> Void
    ) -> any LogWorker {
        let core = WorkerCore(name: name, body: body)
        let argument = Unmanaged.passRetained(core).toOpaque()
        #if canImport(Darwin)
        var created: pthread_t?
        let result = pthread_create(&created, nil, { runWorker($0) }, argument)
        let thread = created
        #else
        var created = pthread_t(bitPattern: 0)
        let result = pthread_create(&created, nil, { runWorker($0) }, argument)
        let thread: pthread_t? = created
        #endif
        guard result == 0, let thread else {
            Unmanaged<WorkerCore>.fromOpaque(argument).release()
            return ThreadlessWorker(body: body)
        }
        return PosixWorker(core: core, thread: ThreadHandle(value: thread))
    }

    func wake() { core.wake() }

    func setTimer(nanoseconds: UInt64) { core.setTimer(nanoseconds: nanoseconds) }

    func stop() {
        let isFirst = isStopped.withLock { isStopped in
            defer { isStopped = true }
            return !isStopped
        }
        // A fork has the object but not the thread, and would wait for it for ever.
        guard isFirst, getpid() == startedBy else { return }
        core.stop()
        if pthread_equal(pthread_self(), thread.value) != 0 {
            // The body let go of the last reference to its own worker.
            pthread_detach(thread.value)
        } else {
            pthread_join(thread.value, nil)
        }
    }
}

/// The system's name for a thread, a number here and a pointer there.
private struct ThreadHandle: @unchecked Sendable {
    // SAFETY: it is only handed back to the system, which takes it from any thread.
    let value: pthread_t
}

/// What a worker's thread and its owner share.
///
/// The thread keeps it alive.
private final class WorkerCore: @unchecked Sendable {
    // SAFETY: the variables are touched only while `mutex` is held, and the pointers live as long
    // as the object.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var isWoken = false
    private var isStopped = false
    /// When the timer is due, on the monotonic clock.
    private var due: UInt64?

    private let name: String
    private let body: @Sendable (WorkerSignal) -> Void

    init(name: String, body: @escaping @Sendable (WorkerSignal) -> Void) {
        self.name = name
        self.body = body
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        changed = .allocate(capacity: 1)
        changed.initialize(to: pthread_cond_t())
        #if canImport(Darwin)
        pthread_cond_init(changed, nil)
        #else
        // The wall clock may be set while somebody waits; this one only goes forward.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(changed)
        changed.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func wake() {
        change { isWoken = true }
    }

    func setTimer(nanoseconds: UInt64) {
        let (sum, overflow) = monotonicNanoseconds().addingReportingOverflow(nanoseconds)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        // A timer that is put off needs no waking: the thread looks at it when it wakes anyway.
        let isPutOff = due.map { !overflow && $0 <= sum } ?? false
        due = overflow ? nil : sum
        if !isPutOff { pthread_cond_signal(changed) }
    }

    func stop() {
        change { isStopped = true }
    }

    private func change(_ body: () -> Void) {
        pthread_mutex_lock(mutex)
        body()
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    func run() {
        nameThisThread()
        while let signal = nextSignal() { body(signal) }
    }

    /// Sleeps until there is something to do; `nil` when the worker is to end.
    private func nextSignal() -> WorkerSignal? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isStopped {
            if isWoken {
                isWoken = false
                return .woken
            }
            guard let due else {
                pthread_cond_wait(changed, mutex)
                continue
            }
            let now = monotonicNanoseconds()
            if due <= now {
                self.due = nil
                return .timer
            }
            wait(from: now, until: due)
        }
        return nil
    }

    private func wait(from now: UInt64, until due: UInt64) {
        #if canImport(Darwin)
        var time = timeSpecification(due - now)
        pthread_cond_timedwait_relative_np(changed, mutex, &time)
        #else
        var time = timeSpecification(due)
        pthread_cond_timedwait(changed, mutex, &time)
        #endif
    }

    /// For debuggers.
    ///
    /// Glibc shows the function to C++ only.
    private func nameThisThread() {
        #if canImport(Darwin)
        pthread_setname_np(name)
        #endif
    }
}

private func runWorker(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument {
        Unmanaged<WorkerCore>.fromOpaque(argument).takeRetainedValue().run()
    }
    return nil
}

private func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

private func timeSpecification(_ nanoseconds: UInt64) -> timespec {
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return timespec(
        tv_sec: time_t(truncatingIfNeeded: min(seconds, 1 << 31)), tv_nsec: Int(rest))
}

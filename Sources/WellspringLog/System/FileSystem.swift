/// Everything the store asks of the machine it runs on: files, time, randomness and the thread on
/// which commits run.
///
/// There are two implementations: `PosixFileSystem`, and the simulated disk of the test kit, which
/// can lose power at any operation. Nothing else in the library talks to the operating system.
/// Names are paths relative to the store's directory, made by the store from numbers only, with at
/// most one `/`.
package protocol FileSystem: Sendable {
    /// Opens the directory of a store, and creates it first when `create` is true.
    ///
    /// A created directory is durable in its parent when this returns.
    func openStore(at path: String, create: Bool) throws(SystemError) -> any StoreDirectory
}

/// The open directory of one store.
package protocol StoreDirectory: AnyObject, Sendable {
    /// The path by which the directory was opened, for messages only.
    var path: String { get }

    /// Creates the directory `name`, or does nothing when it exists. Not durable before
    /// `syncDirectory(nil)`.
    func makeDirectory(_ name: String) throws(SystemError)

    /// Lists what is in `directory` (`nil`: the store's own), in no particular order.
    func list(_ directory: String?) throws(SystemError) -> [String]

    /// Opens a file. Creating is exclusive and not durable before the directory is synced.
    func open(_ name: String, _ mode: FileMode) throws(SystemError) -> any StoreFile

    /// Renames within the store, replacing `new` in one step. Not durable before both directories
    /// are synced.
    func rename(_ old: String, to new: String) throws(SystemError)

    /// Removes a file. Not durable before its directory is synced.
    func remove(_ name: String) throws(SystemError)

    /// Makes every creation, renaming and removal in `directory` (`nil`: the store's own) durable.
    func syncDirectory(_ directory: String?) throws(SystemError)

    /// Takes the lock that keeps a second writer out, without waiting.
    ///
    /// The file holds `owner` as text, for the message that a refused opener gets.
    func lock(_ name: String, owner: String) throws(SystemError) -> LockOutcome

    /// Whether this process is a fork of the one that opened the directory. A fork must not write.
    var isForked: Bool { get }

    /// Whether syncs have reached the medium so far, and did not end in the cache of the drive.
    var syncsReachMedium: Bool { get }

    /// The kind of network file system that the directory is on; `nil` when it is on none, as far
    /// as the system can tell.
    var networkFileSystem: String? { get }

    /// The wall clock, in nanoseconds since 1970. May jump either way.
    func wallClock() -> Int64

    /// An unpredictable number.
    func random() -> UInt64

    /// The identifier of this process, as the lock file shows it.
    var processID: Int32 { get }

    /// Starts the thread on which a busy store commits. See ``LogWorker``.
    func makeWorker(
        named name: String, body: @escaping @Sendable (WorkerSignal) -> Void
    ) -> any LogWorker
}

/// How a file is opened.
package enum FileMode: Sendable {
    /// An existing file, for reading only.
    case read
    /// An existing file, for reading and writing.
    case readWrite
    /// A new file, for reading and writing; fails when the name is taken.
    case create
}

/// An open file.
///
/// Reads may run beside each other and beside a write; writes come one at a time.
///
/// The descriptor is closed when the object goes away, if `close()` was not called.
package protocol StoreFile: AnyObject, Sendable {
    /// The size in bytes.
    func size() throws(SystemError) -> UInt64

    /// Fills `buffer` from `offset` on, and returns how much there was before the end of the file.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int

    /// Writes all of `bytes` at `offset`. After an error any part of it may have been written.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError)

    /// Makes the content and the size durable, as far as ``StoreDirectory/syncsReachMedium`` says.
    ///
    /// After an error nothing is known about either, and a repeated call proves nothing (the kernel
    /// may have marked the lost pages clean).
    func sync() throws(SystemError)

    /// Syncs a second time, so that a file system notices that it has given its journal up meanwhile:
    /// the first sync may have succeeded all the same.
    func syncAgain() throws(SystemError)

    /// Cuts or extends the file to `size`; an extension reads as zeros. Not durable before `sync()`.
    func truncate(to size: UInt64) throws(SystemError)

    /// Asks the system to forget its cached copy, so that the next read shows what the disk has.
    func dropCache()

    /// How many names the file has; 0 once it was removed from under the store.
    func linkCount() throws(SystemError) -> Int

    /// Closes the file. Later calls fail.
    func close()
}

extension StoreFile {
    package func syncAgain() throws(SystemError) { try sync() }
}

extension StoreDirectory {
    /// Makes names durable behind which nothing else is synced: a journal that is given up may let one
    /// sync pass, see `CommitLog.syncOnce`.
    package func syncDirectoryTwice(_ directory: String?) throws(SystemError) {
        try syncDirectory(directory)
        try syncDirectory(directory)
    }
}

/// What became of an attempt to lock a store.
package enum LockOutcome: Sendable {
    /// The lock is held until the token is released or goes away.
    case acquired(any LockToken)
    /// Somebody else holds it; `owner` is what they wrote into the file.
    case held(owner: String)
}

/// The lock on a store, as long as it lives.
package protocol LockToken: AnyObject, Sendable {
    /// Gives the lock up. Further calls do nothing.
    func release()
}

/// Why a worker calls its body.
package enum WorkerSignal: Sendable {
    /// `wake()` was called since the last time.
    case woken
    /// The time set by `setTimer` has come.
    case timer
}

/// The thread on which a busy store commits, with one timer.
///
/// The simulated disk runs the body on the caller's thread inside `wake()`, so that a test is
/// deterministic; its timer fires when the test says so.
package protocol LogWorker: AnyObject, Sendable {
    /// Has the body called with `.woken` soon. Calls before it ran count once.
    func wake()

    /// Has the body called with `.timer` after `nanoseconds`, replacing the timer set before.
    func setTimer(nanoseconds: UInt64)

    /// Ends the worker once the body has returned; the body is not called afterwards. Must not be
    /// called from the body.
    func stop()
}
